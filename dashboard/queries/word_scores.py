"""Scores of the chosen utterances, as arrays that words can be looked up in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from dashboard.filters import Filters
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.selection import Measure
from dashboard.queries.word_index import Ints, WordIndex
from pipeline.compiled import compiled_for
from pipeline.stats.lemmas.means import likeness_within, variances_of_means
from pipeline.stats.lemmas.sums import count_lemmas, count_together, sum_lemmas

Doubles = NDArray[np.float64]

PLAIN_ROWS = 4
"""Rows that the plain loop takes in the time of one of `compiled_for`'s items."""


@dataclass(frozen=True, slots=True, eq=False)
class WordSource:
    """What questions about words are answered from: the index and the store's arrays."""

    index: WordIndex
    arrays: ScoreArrays


@dataclass(frozen=True, slots=True, eq=False)
class ChosenScores:
    """Scores by utterance_number, float32 (n,): score is NaN where an utterance was not chosen;
    z may stand there too, and is None when there is no chance level at all."""

    score: NDArray[np.float32]
    z: NDArray[np.float32] | None

    def known(self) -> NDArray[np.bool_]:
        """Whether an utterance was chosen and has a score."""
        return np.asarray(self.score == self.score)  # False for NaN alone.


@dataclass(frozen=True, slots=True, eq=False)
class LemmaScores:
    """Every lemma of the index over the chosen utterances, all (n_lemmas,).

    n: scored utterances; mean: of their scores, NaN without any; variance: of that mean over the
    utterances there could have been, see `pipeline.stats.lemmas.means.variances_of_means`.
    """

    n: Ints
    mean: Doubles
    variance: Doubles


def chosen_scores(arrays: ScoreArrays, filters: Filters, measure: Measure) -> ChosenScores:
    """The score of every chosen utterance, and its z where there is one."""
    score = arrays.score(measure)
    chosen = arrays.chosen(filters, measure.scorer)
    if filters.narrowed:
        everything = score
        score = np.full(len(everything), np.nan, np.float32)
        score[chosen] = everything[chosen]
    z = measure.sql("z" if measure.statistic == "max" else "mean_z")
    has_z = not np.isnan(arrays.extremes(measure.scorer, z)[0])
    return ChosenScores(score, arrays.column(measure.scorer, z) if has_z else None)


def count_heard(index: WordIndex, is_counted: NDArray[np.bool_]) -> Ints:
    """For each lemma the number of utterances with is_counted[utterance_number]."""
    counts = np.zeros(len(index), np.int64)
    kernel = compiled_for(count_lemmas, len(index.numbers) // PLAIN_ROWS)
    kernel(index.starts, index.numbers, is_counted.view(np.uint8), counts)
    return counts


def sum_heard(index: WordIndex, score: NDArray[np.float32]) -> NDArray[np.float64]:
    """For each lemma the sum of score[utterance_number] and of its square, without NaN:
    (n_lemmas, 2)."""
    sums = np.zeros((len(index), 2))
    kernel = compiled_for(sum_lemmas, len(index.numbers) // PLAIN_ROWS)
    kernel(index.starts, index.numbers, score, sums)
    return sums


def lemma_scores(
    con: DuckDBPyConnection, source: WordSource, filters: Filters, measure: Measure
) -> LemmaScores:
    """Number, mean and variance of the mean for every lemma."""
    index, arrays = source.index, source.arrays
    scores = chosen_scores(arrays, filters, measure)
    known = scores.known()
    n, sums = count_heard(index, known), sum_heard(index, scores.score)
    with np.errstate(invalid="ignore"):
        mean = sums[:, 0] / n
    freedom = int(n.sum() - np.count_nonzero(n))
    within = float(sums[:, 1].sum() - sums[:, 0] @ np.nan_to_num(mean))
    n_same = np.zeros(len(index), np.int64)
    kernel = compiled_for(count_together, len(index.numbers) // PLAIN_ROWS)
    kernel(index.starts, index.numbers, known.view(np.uint8), arrays.recording, n_same)
    variance = variances_of_means(
        n.astype(np.float64),
        n_same.astype(np.float64),
        within_variance=max(within, 0.0) / freedom if freedom else 0.0,
        likeness=_likeness(arrays, scores.score),
    )
    return LemmaScores(n, mean, variance)


def _likeness(arrays: ScoreArrays, score: NDArray[np.float32]) -> float:
    """How alike the scores of one recording are."""
    known = score == score
    filled = np.where(known, score, 0).astype(np.float64)
    n_recordings = len(arrays.recordings.child)
    counts, sums, squares = (
        np.bincount(arrays.recording, weights, n_recordings).astype(np.float64)
        for weights in (known, filled, filled**2)
    )
    return likeness_within(counts, sums, squares, arrays.recordings.child.astype(np.int64))
