"""Bands that hold a whole curve."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.stats.bands import simultaneous_band
from pipeline.stats.linearised import linearised_interval


def _profiles(rng: np.random.Generator, n_children: int, n_recordings: int, n_points: int = 21):
    """Sums by recording; neighbouring lags go up and down together. The truth is zero."""
    n = n_children * n_recordings
    counts = rng.integers(20, 60, (n, 1)) * np.ones((n, n_points))
    steps = rng.normal(0, 1, (n, n_points + 4))
    smooth = sum(steps[:, k : k + n_points] for k in range(5))
    return 0.01 * smooth * counts, counts, np.repeat(np.arange(n_children), n_recordings)


@pytest.mark.parametrize(("n_children", "n_recordings"), [(5, 4), (6, 30), (1, 3)])
def test_the_whole_curve_is_held_as_often_as_it_says(n_children: int, n_recordings: int):
    rng = np.random.default_rng(4)
    held = pointwise = 0
    for study in range(250):
        sums, counts, strata = _profiles(rng, n_children, n_recordings, 11)
        band = simultaneous_band(sums, counts, strata, draws=2_000, seed=study)
        held += not band.excludes(0.0).any()
        alone = [linearised_interval(t, n, strata) for t, n in zip(sums.T, counts.T, strict=True)]
        pointwise += all(one.low <= 0 <= one.high for one in alone)
    assert 0.91 <= held / 250 <= 0.985
    assert pointwise < 0.93 * held


def test_one_point_has_the_interval_of_the_formula():
    sums, counts, strata = _profiles(np.random.default_rng(5), 4, 12, n_points=1)
    band = simultaneous_band(sums, counts, strata, draws=40_000)
    alone = linearised_interval(sums[:, 0], counts[:, 0], strata)
    assert band.high[0] - band.low[0] == pytest.approx(alone.high - alone.low, rel=0.03)


def test_a_point_without_frames_and_one_that_never_varies_have_no_limits():
    sums, counts, strata = _profiles(np.random.default_rng(6), 3, 5, n_points=4)
    counts[:, 1] = 0
    sums[:, 1], sums[:, 2] = 0, 0.3 * counts[:, 2]
    band = simultaneous_band(sums, counts, strata)
    assert np.isnan(band.estimate).tolist() == [False, True, False, False]
    assert np.isnan(band.low).tolist() == [False, True, True, False]
    assert band.n[1] == 0


def test_one_recording_of_each_child_gives_a_curve_without_band():
    sums, counts, _ = _profiles(np.random.default_rng(7), 3, 1)
    band = simultaneous_band(sums, counts, np.arange(3))
    assert not np.isnan(band.estimate).any()
    assert np.isnan(band.low).all()
    assert not band.excludes(0.0).any()


def test_the_same_seed_gives_the_same_band():
    first, second = (
        simultaneous_band(*_profiles(np.random.default_rng(8), 4, 6), seed=3) for _ in range(2)
    )
    assert np.array_equal(first.low, second.low)
