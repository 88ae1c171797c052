"""Groups compared at equal numbers of frames."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.stats.matched import LevelSums, matched_difference


def _sums(rng: np.random.Generator, n_recordings: int, *, effect: float) -> LevelSums:
    """Adults say longer utterances; the mean score is .1 per frame, plus `effect` for adults."""
    rows = []
    for recording in range(n_recordings):
        own = rng.normal(0, 0.1)
        for is_adult, levels in ((True, range(1, 7)), (False, range(1, 5))):
            for frames in levels:
                n = int(rng.integers(1, 5)) * (frames if is_adult else 6 - frames)
                noise = rng.normal(0, 0.2) / np.sqrt(n)
                mean = 0.1 * frames + effect * is_adult + own + noise
                rows.append((recording, is_adult, frames, n * mean, n))
    table = np.array(rows, dtype=np.float64)
    return LevelSums(
        table[:, 0].astype(int), table[:, 1] > 0, table[:, 2].astype(int), table[:, 3], table[:, 4]
    )


def test_a_difference_that_is_only_one_of_length_goes_away():
    strata = np.repeat(np.arange(4), 10)
    found = matched_difference(_sums(np.random.default_rng(1), 40, effect=0.0), strata)
    assert found.plain.interval.low > 0.1
    assert found.matched.interval.low < 0 < found.matched.interval.high
    assert abs(found.matched.estimate) < 0.02


def test_what_cannot_be_compared_is_counted():
    sums = _sums(np.random.default_rng(2), 12, effect=0.05)
    found = matched_difference(sums, np.repeat(np.arange(3), 4))
    long = sums.is_first & (sums.levels > 4)
    assert found.levels == (1, 2, 3, 4)
    assert found.n_first_left_out == sums.counts[long].sum()
    assert found.n_second_left_out == 0
    assert found.n_first == sums.counts[sums.is_first].sum() - found.n_first_left_out
    assert found.matched.estimate == pytest.approx(found.first - found.second)


def test_the_estimate_is_the_overlap_weighted_mean_of_the_differences_at_each_level():
    sums = LevelSums(
        np.array([0, 0, 1, 1]),
        np.array([True, True, False, False]),
        np.array([1, 2, 1, 2]),
        np.array([4.0, 6.0, 1.0, 9.0]),
        np.array([10.0, 20.0, 10.0, 30.0]),
    )
    found = matched_difference(sums, np.array([0, 0]))
    weights = np.array([10 * 10 / 20, 20 * 30 / 50])
    differences = np.array([0.4 - 0.1, 0.3 - 0.3])
    assert found.matched.estimate == pytest.approx(weights @ differences / weights.sum())


def test_groups_that_share_no_number_of_frames_cannot_be_compared():
    sums = LevelSums(
        np.array([0, 1, 0, 1]),
        np.array([True, True, False, False]),
        np.array([3, 4, 1, 2]),
        np.ones(4),
        np.full(4, 5.0),
    )
    found = matched_difference(sums, np.array([0, 0]))
    assert np.isnan(found.matched.estimate)
    assert (found.n_first, found.n_first_left_out) == (0, 10)
    assert found.levels == ()


def test_its_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    strata = np.repeat(np.arange(5), 4)
    covered = 0
    for _ in range(200):
        found = matched_difference(_sums(rng, 20, effect=0.05), strata, draws=400).matched
        covered += found.interval.low <= 0.05 <= found.interval.high
    assert 0.90 <= covered / 200 <= 0.99
