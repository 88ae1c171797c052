"""Intervals of answers that repeat by rater and by item."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.stats.crossed import crossed_mean, crossed_median, crossed_share, crossed_variance


def grid(n_raters: int, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat(np.arange(n_raters), n_items), np.tile(np.arange(n_items), n_raters)


def test_the_variance_is_that_by_raters_plus_that_by_items_minus_that_of_single_answers() -> None:
    raters, items = grid(3, 4)
    influence = np.random.default_rng(1).normal(size=12)
    found = crossed_variance(influence[:, None], raters, items)
    table = influence.reshape(3, 4)
    by_rater = (table.sum(axis=1) ** 2).sum() * 3 / 2
    by_item = (table.sum(axis=0) ** 2).sum() * 4 / 3
    alone = (influence**2).sum() * 12 / 11
    expected = max(by_rater + by_item - alone, by_rater, by_item)
    assert found.variances[0] == pytest.approx(expected)
    assert 2 <= found.df[0] <= 3


def test_shares_of_crossed_answers_are_covered_and_independent_answers_would_not_be() -> None:
    raters, items = grid(30, 10)
    hits = naive = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        logit = rng.normal(0, 0.6, 30)[raters] + rng.normal(0, 0.8, 10)[items]
        right = (rng.random(300) < 1 / (1 + np.exp(-logit))).astype(np.float64)
        found = crossed_share(right, raters, items)
        hits += found.low <= 0.5 <= found.high
        naive += abs(found.estimate - 0.5) <= 1.96 * math.sqrt(0.25 / 300)
    assert hits / 120 >= 0.92
    assert naive / 120 < 0.7


def test_limits_of_a_share_stay_within_0_to_1_and_a_share_of_1_has_none() -> None:
    raters, items = grid(5, 6)
    right = np.ones(30)
    assert not crossed_share(right, raters, items).is_known
    right[0] = 0
    found = crossed_share(right, raters, items)
    assert 0 < found.low < found.estimate < found.high < 1
    assert (found.n, found.n_raters, found.n_items) == (30, 5, 6)


def test_one_rater_or_one_item_gives_an_estimate_without_an_interval() -> None:
    right = np.array([1.0, 0.0, 1.0])
    one, three = np.zeros(3, np.int64), np.arange(3)
    assert not crossed_share(right, one, three).is_known
    assert not crossed_mean(right, three, one).is_known
    assert crossed_mean(right, three, one).estimate == pytest.approx(2 / 3)
    assert math.isnan(crossed_mean(right[:0], one[:0], one[:0]).estimate)


def test_the_median_lies_within_limits_that_narrow_with_more_raters() -> None:
    widths = []
    for n_raters in (10, 160):
        raters, items = grid(n_raters, 20)
        rng = np.random.default_rng(3)
        times = np.exp(rng.normal(8, 0.5, len(raters)) + rng.normal(0, 0.3, n_raters)[raters])
        found = crossed_median(times, raters, items)
        assert found.low < found.estimate < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 2
