"""What the pages that compare count when they open, counted when the store is published.

Two crops or windows of a scorer: pairs by recording as co-moments, and differences in bins. Two
scorers: their joint distribution. As with `pipeline.store.first_counts`, counts are kept by
speaker and child, and any other pair is counted from the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.bin_width import bins_between, nice_width, spread_of
from pipeline.ratio_moments import moments_of_pairs
from pipeline.records import ModelRef
from pipeline.score_settings import PLAIN, ScorerSetting, TextVariant
from pipeline.store.column_file import ColumnWriter
from pipeline.store.first_counts import (
    MOST_CELLS,
    CountedAs,
    Places,
    Scores,
    add_counts,
    add_moments_of,
    first_measure,
)

N_BINS = 50
"""Bins of each score in the joint distribution of two."""
_SAMPLE = 5_000

Column = tuple[str, str]
"""A scorer and the SQL of its score."""


def first_other(measure: CountedAs, crops: Sequence[str]) -> CountedAs:
    """What a way to score is compared with at first: the second crop there is, or a wider window
    where there is one only."""
    if len(crops) > 1:
        return replace(measure, crop=crops[1])
    return replace(measure, window="1s")


def first_compared(model: ModelRef, models: Sequence[ModelRef]) -> ModelRef | None:
    """The scorer that a scorer is compared with at first: its nouns only, or the plain score if it
    is a setting of that; else another one, None where there is none."""
    others = [other for other in models if other.scorer != model.scorer]
    first = TextVariant.NOUNS if model.setting == PLAIN else TextVariant.RAW
    alike = (m for m in others if m.base == model.base and m.setting == ScorerSetting(first))
    return next(alike, others[0] if others else None)


def first_two(model: ModelRef, other: ModelRef) -> tuple[CountedAs, CountedAs]:
    """How two scorers are compared at first: two of one model on one scale."""
    a, b = first_measure(model), first_measure(other)
    if (a.scale, b.scale) == ("raw", "z") and model.base == other.base:
        a = replace(a, scale="z")
    return a, b


def write_pairs(
    file: ColumnWriter,
    measures: tuple[CountedAs, CountedAs],
    scores: tuple[Scores, Scores],
    places: Places,
) -> None:
    """Count two ways to score of one scorer, scores (n_utterances,), and add the counts."""
    a, b = measures
    both = np.flatnonzero(~(np.isnan(scores[0]) | np.isnan(scores[1])))
    one, other = scores[0][both], scores[1][both]
    is_high = [part >= np.float32(a.threshold) for part in (one, other)]
    difference = other.astype(np.float64) - one
    shape = (places.n_speakers, places.n_recordings)
    cell = places.speaker[both] * places.n_recordings + places.recording[both]
    n_cells = shape[0] * shape[1]
    counts = np.bincount(cell * 4 + 2 * is_high[0] + is_high[1], minlength=4 * n_cells)
    sums = np.stack(
        [np.bincount(cell, values, n_cells) for values in (difference, difference**2)], axis=-1
    )
    add_moments_of(
        file,
        a.pair_name("pairs", b),
        counts.astype(np.int64).reshape(*shape, 4),
        sums.astype(np.float64).reshape(*shape, 2),
        lambda counts, sums: moments_of_pairs(counts, sums, places.child_of, places.n_children),
    )
    n, total = float(len(both)), float(difference.sum())
    width = nice_width(spread_of(total, float((difference**2).sum()), n), n)
    (low_a, high_a), (low_b, high_b) = (_between(part) for part in scores)
    first, n_bins = bins_between(low_b - high_a, high_b - low_a, 0.0, width)
    shape = (places.n_speakers, places.n_children)
    n_cells = 2 * n_bins * shape[0] * shape[1]
    if n_cells > MOST_CELLS:
        return
    bin_ = np.clip(np.floor(difference / width).astype(np.int64) - first, 0, n_bins - 1)
    place = 2 * (places.speaker[both] * places.n_children + places.child[both])
    counts = np.bincount((place + (difference == 0)) * n_bins + bin_, minlength=n_cells)
    name = f"{a.pair_name('differences', b)} {width!r}"
    add_counts(file, name, counts.astype(np.int64).reshape(*shape, 2, n_bins))


def write_joint(
    file: ColumnWriter,
    columns: tuple[Column, Column],
    scores: tuple[Scores, Scores],
    places: Places,
) -> None:
    """Count the joint distribution of two scorers, scores (n_utterances,), and add it; not where
    one of them has so few values that each is counted apart."""
    shape = (places.n_speakers, places.n_children)
    n_cells = shape[0] * shape[1] * N_BINS**2
    if any(len(few_values(part, N_BINS)) for part in scores) or n_cells > MOST_CELLS:
        return
    both = np.flatnonzero(~(np.isnan(scores[0]) | np.isnan(scores[1])))
    place = places.speaker[both] * places.n_children + places.child[both]
    for part in reversed(scores):
        first, width = joint_cut(*_between(part))
        bin_ = ((part[both].astype(np.float64) - first) / width).astype(np.int64)
        place = place * N_BINS + np.clip(bin_, 0, N_BINS - 1)
    counts = np.bincount(place, minlength=n_cells).astype(np.int64)
    add_counts(file, joint_name(*columns), counts.reshape(*shape, N_BINS, N_BINS))


def joint_name(a: Column, b: Column) -> str:
    """What the joint distribution goes by, in memory and in the file of columns."""
    return f"joint {N_BINS} {a!r} {b!r}"


def joint_cut(low: float, high: float) -> tuple[float, float]:
    """Where the first of N_BINS bins begins, and how wide they are; NaN low without any score."""
    if low != low:
        return 0.0, 1.0
    return float(low), (float(high) - float(low)) / N_BINS or 1.0


def few_values(values: Scores, most: int) -> Scores:
    """The values there are, ascending, when they are at most so many; else, and without any,
    none. Rare values that a sample misses count as many."""
    nothing = values[:0]
    sample = values[:: max(1, len(values) // _SAMPLE)]
    distinct = np.unique(sample[~np.isnan(sample)])
    if not 0 < len(distinct) <= most:
        return nothing
    known = values[~np.isnan(values)]
    places = np.minimum(np.searchsorted(distinct, known), len(distinct) - 1)
    return distinct if np.array_equal(distinct[places], known) else nothing


def _between(scores: Scores) -> tuple[float, float]:
    """The lowest and the highest score; NaN without any."""
    if not len(scores):
        return float("nan"), float("nan")
    return float(np.fmin.reduce(scores)), float(np.fmax.reduce(scores))
