"""Intervals by recording within child."""

from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest

from pipeline.stats import drawn
from pipeline.stats.bootstrap import ratio_interval, share_interval, share_intervals


def _study(rng: np.random.Generator, n_children: int, n_recordings: int):
    """Recordings whose own shares vary around the share of their child."""
    strata = np.repeat(np.arange(n_children), n_recordings)
    child_share = np.linspace(0.1, 0.3, n_children)
    totals = rng.integers(40, 160, len(strata)).astype(np.float64)
    own = rng.beta(20 * child_share[strata], 20 * (1 - child_share[strata]))
    return rng.binomial(totals.astype(int), own).astype(np.float64), totals, strata, child_share


def test_the_estimate_is_the_pooled_share():
    found = share_interval(
        np.array([1.0, 3.0, 2.0]), np.array([10.0, 10.0, 20.0]), np.array([0, 0, 1])
    )
    assert found.estimate == pytest.approx(6 / 40)
    assert (found.n, found.n_clusters, found.n_fixed) == (40, 3, 1)
    assert found.low < found.estimate < found.high


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    rng = np.random.default_rng(3)
    successes, totals, strata, _ = _study(rng, 3, 5)
    first = share_interval(successes, totals, strata, seed=1)
    assert first == share_interval(successes, totals, strata, seed=1)
    assert first != share_interval(successes, totals, strata, seed=2)


@pytest.mark.parametrize("n_recordings", [4, 12])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(n_recordings: int):
    rng = np.random.default_rng(5)
    n_studies, covered = 300, 0
    for study in range(n_studies):
        successes, totals, strata, child_share = _study(rng, 4, n_recordings)
        found = share_interval(successes, totals, strata, draws=500, seed=study)
        covered += found.low <= child_share.mean() <= found.high
    assert 0.90 <= covered / n_studies <= 0.985


def test_it_is_wider_than_an_interval_that_takes_utterances_for_independent():
    rng = np.random.default_rng(9)
    successes, totals, strata, _ = _study(rng, 4, 10)
    found = share_interval(successes, totals, strata)
    naive_width = 2 * 1.96 * math.sqrt(found.estimate * (1 - found.estimate) / totals.sum())
    assert found.high - found.low > 1.5 * naive_width


def test_differences_between_children_do_not_widen_it():
    totals = np.full(8, 100.0)
    strata = np.repeat([0, 1], 4)
    successes = np.where(strata == 0, 10.0, 60.0)
    found = share_interval(successes, totals, strata)
    assert (found.low, found.high) == pytest.approx((0.35, 0.35))


def test_there_is_no_interval_when_every_child_has_one_recording():
    found = share_interval(np.array([1.0, 2.0]), np.array([10.0, 10.0]), np.array([0, 1]))
    assert found.estimate == pytest.approx(0.15)
    assert not found.is_known
    assert found.n_fixed == 2


@pytest.mark.parametrize("n_high", [0.0, 10.0])
def test_there_is_no_interval_around_none_or_all(n_high: float):
    found = share_interval(np.full(4, n_high), np.full(4, 10.0), np.zeros(4, int))
    assert found.estimate == n_high / 10
    assert not found.is_known


def test_nothing_gives_no_number():
    found = share_interval(np.array([0.0]), np.array([0.0]), np.array([0]))
    assert math.isnan(found.estimate)
    assert not found.is_known
    assert found.n == 0


def test_a_mean_may_be_negative():
    sums = np.array([-5.0, -3.0, -8.0, -1.0])
    found = ratio_interval(sums, np.array([10.0, 10.0, 10.0, 10.0]), np.array([0, 0, 0, 0]))
    assert found.estimate == pytest.approx(-17 / 40)
    assert found.low < found.estimate < found.high


def test_limits_of_a_share_stay_between_zero_and_one():
    found = share_interval(np.array([0.0, 0.0, 3.0]), np.array([5.0, 5.0, 3.0]), np.zeros(3, int))
    assert found.low >= 0
    assert found.high <= 1


def test_many_recordings_give_the_limits_that_drawing_them_one_by_one_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(4)
    strata = np.repeat([0, 1], 60)
    totals = np.round(rng.lognormal(4, 0.9, 120)) + 1
    successes = rng.binomial(totals.astype(int), rng.beta(0.3, 4, 120)).astype(np.float64)
    quick = share_interval(successes, totals, strata, draws=40_000)
    monkeypatch.setattr(drawn, "MANY_CLUSTERS", 1_000)
    slow = share_interval(successes, totals, strata, draws=40_000)
    width = slow.high - slow.low
    assert abs(quick.low - slow.low) < 0.04 * width
    assert abs(quick.high - slow.high) < 0.04 * width


def test_intervals_of_many_groups_are_those_of_each_group_alone() -> None:
    rng = np.random.default_rng(6)
    groups = np.repeat([0, 1, 3], [5, 80, 60])
    totals = rng.integers(0, 90, len(groups)).astype(np.float64)
    successes = rng.binomial(totals.astype(int), 0.2).astype(np.float64)
    found = share_intervals(successes, totals, groups)
    assert len(found) == 4
    assert found[2].n == 0
    for group in (0, 1, 3):
        mine = groups == group
        alone = share_interval(successes[mine], totals[mine], groups[mine])
        assert astuple(found[group]) == pytest.approx(astuple(alone))
