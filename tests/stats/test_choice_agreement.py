"""Agreement of raters with intervals: the same coefficients as counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.stats.choice_agreement import pairs_of, rater_agreement
from pipeline.stats.rater_agreement import ORDINAL, krippendorff_alpha


def simulated(seed: int, n_raters: int = 12, n_items: int = 30) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    raters = np.repeat(np.arange(n_raters), n_items)
    items = np.tile(np.arange(n_items), n_raters)
    most = rng.integers(0, 4, n_items)
    choices = np.where(rng.random(len(items)) < 0.6, most[items], rng.integers(0, 4, len(items)))
    return choices, raters, items


def test_alpha_and_percent_agreement_are_those_of_the_whole_table() -> None:
    choices, raters, items = simulated(1)
    found = rater_agreement(choices, raters, items)
    table = choices.reshape(12, 30).T.astype(np.float64)
    assert found.alpha.estimate == pytest.approx(krippendorff_alpha(table).value)
    agree = [table[:, a] == table[:, b] for a in range(12) for b in range(12) if a != b]
    assert found.same.estimate == pytest.approx(float(np.mean(agree)))
    assert (found.alpha.n_units, found.alpha.n_raters) == (30, 12)
    ordinal = rater_agreement(choices, raters, items, scale=ORDINAL)
    assert ordinal.alpha.estimate == pytest.approx(krippendorff_alpha(table, ORDINAL).value)


def test_jackknifed_limits_hold_the_expected_agreement() -> None:
    # Two raters give the same option when both follow (.36) or by chance: .36 + .64 / 4.
    hits = 0
    for seed in range(80):
        found = rater_agreement(*simulated(seed)).same
        hits += found.low <= 0.52 <= found.high
    assert hits >= 74


def test_leaving_a_rater_out_counts_as_computing_anew() -> None:
    choices, raters, items = simulated(2, n_raters=3)
    whole = rater_agreement(choices, raters, items)
    estimates = []
    for rater in range(3):
        kept = raters != rater
        estimates.append(rater_agreement(choices[kept], raters[kept], items[kept]).alpha.estimate)
    assert np.std(estimates) > 0
    assert whole.alpha.low < min(estimates) < max(estimates) < whole.alpha.high


def test_two_raters_get_cohens_kappa_and_a_complete_table_an_icc() -> None:
    choices, raters, items = simulated(3, n_raters=2)
    found = rater_agreement(choices, raters, items, is_right=(choices == 0).astype(np.float64))
    assert found.cohen is not None
    assert found.cohen.n_units == 30
    assert found.icc is not None
    partly = rater_agreement(
        choices[1:], raters[1:], items[1:], is_right=(choices[1:] == 0).astype(np.float64)
    )
    assert partly.icc is None


def test_items_seen_once_say_nothing_about_agreement() -> None:
    found = rater_agreement(np.array([0, 1, 2]), np.array([0, 1, 2]), np.array([0, 1, 2]))
    assert found.alpha.n_units == 0
    assert math.isnan(found.alpha.estimate)
    assert math.isnan(found.same.low)


def test_pairs_of_labels_are_counted_on_both_sides() -> None:
    found = pairs_of(np.array([0, 0, 1, 2, 2]), np.array([0, 0, 0, 1, 1]), 3)
    assert found.tolist() == [[2, 2, 0], [2, 0, 0], [0, 0, 2]]
