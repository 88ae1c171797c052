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
from pipeline.stats.lemmas.means import likeness_within, variances_of_means

Doubles = NDArray[np.float64]


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
    if filters.n_restrictions:
        everything = score
        score = np.full(len(everything), np.nan, np.float32)
        score[chosen] = everything[chosen]
    z = measure.sql("z" if measure.statistic == "max" else "mean_z")
    has_z = not np.isnan(arrays.extremes(measure.scorer, z)[0])
    return ChosenScores(score, arrays.column(measure.scorer, z) if has_z else None)


def lemma_scores(
    con: DuckDBPyConnection,
    source: WordSource,
    filters: Filters,
    measure: Measure,
) -> LemmaScores:
    """Number, mean and variance of the mean for every lemma."""
    index, arrays = source.index, source.arrays
    scores = chosen_scores(arrays, filters, measure)
    known = scores.known()
    n = index.counts(known)
    if not n.sum():
        return LemmaScores(n, np.full(len(n), np.nan), np.full(len(n), np.nan))
    # Centred, so that sums in 4 bytes lose nothing that matters.
    centre = np.float32(np.nanmean(scores.score, dtype=np.float64))
    centred = np.where(known, scores.score - centre, np.float32(0))
    with np.errstate(invalid="ignore"):
        mean = index.sums(centred) / n.astype(np.float64)
    wide = centred.astype(np.float64)
    squares = float(index.n_lemmas_of_utterance @ wide**2)
    between = float(n @ np.nan_to_num(mean) ** 2)
    freedom = int(n.sum() - np.count_nonzero(n))
    within = max(squares - between, 0.0) / freedom if freedom else 0.0
    recordings = len(arrays.recordings.child)
    likeness = likeness_within(
        np.bincount(arrays.recording, known, recordings).astype(np.float64),
        np.bincount(arrays.recording, wide, recordings).astype(np.float64),
        np.bincount(arrays.recording, wide**2, recordings).astype(np.float64),
        arrays.recordings.child.astype(np.int64),
    )
    variance = variances_of_means(
        n.astype(np.float64),
        index.squared_by_recording(known, arrays.recording),
        within_variance=within,
        likeness=likeness,
    )
    return LemmaScores(n, mean + float(centre), variance)
