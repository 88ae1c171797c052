"""Differences between groups, settings and chance."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.stats.contrasts import (
    Side,
    excess,
    excesses,
    paired_difference,
    ratio_difference,
    ratio_differences,
    within,
)
from pipeline.stats.drawn import MANY_CLUSTERS


def _two_sides(rng: np.random.Generator, n_children: int, n_recordings: int, shift: float):
    """Adults and the child in the same recordings, whose shares go up and down together."""
    strata = np.repeat(np.arange(n_children), n_recordings)
    own = rng.normal(0.2, 0.06, len(strata))
    counts = rng.integers(20, 80, (2, len(strata))).astype(np.float64)
    tops = np.stack([(own + shift) * counts[0], own * counts[1]])
    return Side(tops[0], counts[0]), Side(tops[1], counts[1]), strata


def test_what_the_sides_share_cancels_because_recordings_are_drawn_once():
    first, second, strata = _two_sides(np.random.default_rng(1), 4, 10, 0.05)
    found = ratio_difference(first, second, strata)
    alone = ratio_difference(
        Side(np.append(first.tops, 0 * second.tops), np.append(first.bottoms, 0 * strata)),
        Side(np.append(0 * first.tops, second.tops), np.append(0 * strata, second.bottoms)),
        np.append(strata, strata + 100),
    )
    assert found.estimate == pytest.approx(alone.estimate)
    width = found.interval.high - found.interval.low
    assert width < 0.6 * (alone.interval.high - alone.interval.low)
    assert found.p < 0.01


@pytest.mark.parametrize("n_recordings", [3, 30])
def test_the_interval_of_a_difference_covers_and_its_p_is_uniform(n_recordings: int):
    rng = np.random.default_rng(7)
    n_studies, covered, small_p = 400, 0, 0
    for _ in range(n_studies):
        strata = np.repeat(np.arange(5), n_recordings)
        sides = []
        for shift in (0.0, 0.04):
            counts = rng.integers(20, 80, len(strata)).astype(np.float64)
            sides.append(Side(counts * rng.normal(0.2 + shift, 0.05, len(strata)), counts))
        found = ratio_difference(sides[0], sides[1], strata, draws=500)
        covered += found.interval.low <= -0.04 <= found.interval.high
        moved = Side(sides[0].tops + 0.04 * sides[0].bottoms, sides[0].bottoms)
        small_p += ratio_difference(moved, sides[1], strata, draws=20).p < 0.05
    assert 0.92 <= covered / n_studies <= 0.98
    assert 0.025 <= small_p / n_studies <= 0.08


def test_a_side_with_one_recording_of_each_child_has_no_interval():
    strata = np.array([0, 0, 0, 1, 1])
    first = Side(np.array([1.0, 2, 3, 4, 1]), np.full(5, 10.0))
    second = Side(np.array([1.0, 0, 0, 0, 2]), np.array([5.0, 0, 0, 0, 9]))
    found = ratio_difference(first, second, strata)
    assert found.estimate == pytest.approx(11 / 50 - 3 / 14)
    assert not found.interval.is_known
    assert np.isnan(found.p)


def test_a_side_without_utterances_gives_no_number():
    none = Side(np.zeros(4), np.zeros(4))
    found = ratio_difference(Side(np.ones(4), np.full(4, 9.0)), none, np.zeros(4, int))
    assert np.isnan(found.estimate)
    assert not found.interval.is_known


def test_differences_within_groups_are_those_of_each_group_alone():
    rng = np.random.default_rng(3)
    first, second, groups = _two_sides(rng, 3, MANY_CLUSTERS // 2, 0.02)
    found = ratio_differences(first, second, groups)
    for group in range(3):
        mine = groups == group
        alone = ratio_difference(
            Side(first.tops[mine], first.bottoms[mine]),
            Side(second.tops[mine], second.bottoms[mine]),
            groups[mine],
        )
        assert found[group].p == pytest.approx(alone.p)
        assert found[group].interval.low == pytest.approx(alone.interval.low)


def test_excess_draws_the_share_and_its_chance_together():
    rng = np.random.default_rng(5)
    strata = np.repeat([0, 1, 2], 8)
    totals = rng.integers(30, 90, 24).astype(np.float64)
    chance = rng.uniform(0.02, 0.3, 24)
    expected = chance * totals
    found = excess(expected + 0.05 * totals, expected, totals, strata)
    # The chance level varies a lot between recordings, what lies above it does not at all.
    assert found.estimate == pytest.approx(0.05)
    assert found.interval.low == pytest.approx(0.05, abs=1e-9)
    assert [one.estimate for one in excesses(expected, expected, totals, strata)] == pytest.approx(
        [0, 0, 0], abs=1e-12
    )


def test_a_paired_difference_is_after_minus_before():
    rng = np.random.default_rng(2)
    n = np.full(12, 50.0)
    before = rng.binomial(50, 0.2, 12).astype(np.float64)
    after = before + rng.integers(0, 5, 12)
    found = paired_difference(before, after, n, np.repeat([0, 1], 6))
    assert found.estimate == pytest.approx((after - before).sum() / 600)
    assert 0 < found.interval.low < found.estimate < found.interval.high
    assert found.interval.n == 600


def test_what_never_varies_is_not_tested():
    found = paired_difference(np.ones(6), np.ones(6), np.full(6, 9.0), np.zeros(6, int))
    assert found.estimate == 0
    assert not found.interval.is_known
    assert np.isnan(found.p)


def test_limits_of_a_difference_of_shares_stay_within_one():
    first = Side(np.array([9.0, 1.0]), np.array([10.0, 10.0]))
    second = Side(np.array([1.0, 0.0]), np.array([10.0, 10.0]))
    found = within(ratio_difference(first, second, np.zeros(2, int)), 1.0)
    assert found.interval.low >= -1
    assert found.interval.high == 1
