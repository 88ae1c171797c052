"""The interval by formula is that of drawing recordings."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.stats.bootstrap import ratio_interval
from pipeline.stats.linearised import linearised_interval, linearised_intervals


def clusters(seed: int, n_children: int = 5, n_recordings: int = 30):
    rng = np.random.default_rng(seed)
    strata = np.repeat(np.arange(n_children), n_recordings)
    counts = rng.integers(1, 40, len(strata)).astype(float)
    level = 0.2 + 0.05 * rng.normal(size=len(strata)) + 0.1 * strata
    return level * counts, counts, strata


@pytest.mark.parametrize("seed", range(4))
def test_it_is_close_to_the_bootstrap(seed: int):
    sums, counts, strata = clusters(seed)
    formula = linearised_interval(sums, counts, strata)
    drawn = ratio_interval(sums, counts, strata, draws=8_000)
    assert formula.estimate == pytest.approx(drawn.estimate)
    width = drawn.high - drawn.low
    assert formula.low == pytest.approx(drawn.low, abs=0.08 * width)
    assert formula.high == pytest.approx(drawn.high, abs=0.08 * width)
    assert (formula.n, formula.n_clusters) == (drawn.n, drawn.n_clusters)


def test_differences_between_children_add_nothing():
    _, counts, strata = clusters(1)
    found = linearised_interval(counts * 0.1, counts, strata)
    assert found.high - found.low == pytest.approx(0, abs=1e-12)


def test_a_single_recording_of_each_child_gives_no_interval():
    found = linearised_interval(np.array([1.0, 4.0]), np.array([10.0, 10.0]), np.array([0, 1]))
    assert found.estimate == 0.25
    assert not found.is_known
    assert found.n_fixed == 2


def test_recordings_without_any_are_left_out():
    sums, counts, strata = clusters(2)
    extra = linearised_interval(np.append(sums, 0.0), np.append(counts, 0.0), np.append(strata, 99))
    assert extra == linearised_interval(sums, counts, strata)


def test_nothing_gives_nothing():
    none = np.zeros(0)
    assert np.isnan(linearised_interval(none, none, none.astype(int)).estimate)


def test_many_groups_at_once_are_each_of_them_alone():
    rng = np.random.default_rng(7)
    groups = rng.integers(0, 9, 300)
    groups[groups == 4] = 5  # A group without any cluster.
    groups[:2] = 8, 8
    strata = np.where(groups == 7, groups, rng.integers(0, 6, 300))
    bottom = rng.integers(1, 9, 300).astype(float)
    top = bottom * rng.normal(0.2, 0.05, 300)
    found = linearised_intervals(top, bottom, strata, groups, 9)
    for group in range(9):
        mine = groups == group
        one = linearised_interval(top[mine], bottom[mine], strata[mine])
        expected = (one.estimate, one.low, one.high, one.n)
        values = (found.estimates, found.low, found.high, found.n)
        assert [v[group] for v in values] == pytest.approx(expected, nan_ok=True)
        assert found.n_strata[group] == len(np.unique(strata[mine]))


def test_a_group_with_one_cluster_in_each_stratum_has_no_limits():
    one = np.ones(3)
    found = linearised_intervals(one, 4 * one, np.array([0, 1, 0]), np.array([0, 0, 1]), 2)
    assert found.estimates.tolist() == [0.25, 0.25]
    assert np.isnan(found.low).all()
