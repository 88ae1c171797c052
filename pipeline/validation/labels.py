"""Experts' labels: how far experts agree, and what score the moments of each label have."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.people.expert_labels import labels_of
from pipeline.people.trial_records import MomentLabel
from pipeline.people.trial_sets import items_of
from pipeline.stats.choice_agreement import RaterAgreement, pairs_of, rater_agreement
from pipeline.stats.crossed import CrossedInterval, crossed_mean
from pipeline.stats.rater_agreement import ORDINAL

Ints = NDArray[np.int64]

ORDERED = (MomentLabel.NOT, MomentLabel.PARTLY, MomentLabel.ALIGNED)
"""The labels by how much was in view; "cannot tell" stands outside this order."""
ALL_LABELS = (*ORDERED, MomentLabel.CANNOT_TELL)


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label: how often it was given, and the mean score and z of the moments it was given to.

    The intervals' n counts labels of moments that have such a value.
    """

    label: MomentLabel
    n: int
    score: CrossedInterval
    z: CrossedInterval


@dataclass(frozen=True, slots=True)
class LabelResults:
    """What experts' labels say. `agreement` leaves "cannot tell" out; `cannot_tell` counts it.

    `confusion` (4, 4), in the order of ALL_LABELS: pairs of raters of a moment who gave the one
    and the other label, symmetric, each pair of raters once on the diagonal and once on either
    side of it.
    """

    rows: tuple[LabelRow, ...]
    agreement: RaterAgreement
    confusion: Ints
    n: int
    n_raters: int
    n_moments: int
    cannot_tell: int


def label_results(con: sqlite3.Connection, set_ids: Sequence[int]) -> LabelResults | None:
    """The results of sets of experts' labels; None without a single label."""
    codes: list[int] = []
    raters: list[int] = []
    items: list[int] = []
    scores: list[float] = []
    zs: list[float] = []
    known: dict[tuple[int, str], int] = {}
    for set_id in set_ids:
        of_set = items_of(con, set_id)
        for one in labels_of(con, set_id):
            item = of_set[one.item_id]
            codes.append(ALL_LABELS.index(one.label))
            raters.append(one.rater_id)
            items.append(known.setdefault((set_id, one.item_id), len(known)))
            scores.append(np.nan if item.score is None else item.score)
            zs.append(np.nan if item.z is None else item.z)
    if not codes:
        return None
    values, rater, item_codes = (np.array(each, np.int64) for each in (codes, raters, items))
    by_scale = [np.array(each, np.float64) for each in (scores, zs)]
    rows = []
    for code, label in enumerate(ALL_LABELS):
        given = values == code
        means = []
        for numbers in by_scale:
            chosen = given & ~np.isnan(numbers)
            means.append(crossed_mean(numbers[chosen], rater[chosen], item_codes[chosen]))
        rows.append(LabelRow(label, int(given.sum()), means[0], means[1]))
    is_ordered = values < len(ORDERED)
    return LabelResults(
        tuple(rows),
        rater_agreement(
            values[is_ordered], rater[is_ordered], item_codes[is_ordered], scale=ORDINAL
        ),
        pairs_of(values, item_codes, len(ALL_LABELS)),
        len(values),
        len(np.unique(rater)),
        len(known),
        int((~is_ordered).sum()),
    )
