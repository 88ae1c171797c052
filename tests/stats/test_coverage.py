"""The coverage benchmark at a small size: intervals hold the truth, chance finds no slope."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import coverage
from benchmarks.simulated_studies import Size

FEW, MANY = Size(5, 3), Size(5, 40)


@pytest.mark.parametrize("size", [FEW, MANY])
def test_shares_differences_and_excesses_are_covered(size: Size) -> None:
    ours, percentiles, bca = coverage.share_rates(size, 300)
    for rate in (ours, coverage.difference_rate(size, 300), coverage.excess_rate(size, 300)):
        assert 0.91 <= rate.share <= 0.985, rate
    assert ours.share >= max(percentiles.share, bca.share) - 0.01


def test_plain_intervals_of_few_recordings_are_too_narrow() -> None:
    ours, percentiles, bca = coverage.share_rates(Size(1, 3), 300)
    assert ours.share > 0.91
    assert max(percentiles.share, bca.share) < 0.85


def test_slopes_of_mixed_models_are_covered() -> None:
    for rate in coverage.slope_rates(FEW, 20):
        assert rate.hits >= 15, rate


def test_where_nothing_is_aligned_only_the_raw_maximum_finds_a_slope() -> None:
    maximum, z = coverage.found_slopes(Size(3, 4), 8)
    assert maximum.hits >= 5
    assert z.hits <= 3


def test_a_figure_outside_its_limits_is_told_and_bold() -> None:
    rates = [coverage.Rate("share", FEW, 90, 100), coverage.Rate("share", MANY, 95, 100)]
    text = coverage.table(rates, (0.93, 0.97))
    assert "| share | **90.0** | 95.0 |" in text
    assert not rates[0].misses((0.93, 0.97))
    assert coverage.Rate("share", FEW, 850, 1_000).misses((0.93, 0.97))


def test_the_truth_of_a_simulated_share_is_its_mean_over_recordings() -> None:
    from benchmarks.simulated_studies import share_studies

    counts = share_studies(np.random.default_rng(1), Size(2, 4_000), 3)
    observed = counts.high.sum(axis=1) / counts.scored.sum(axis=1)
    assert observed == pytest.approx(counts.truth, abs=0.005)
