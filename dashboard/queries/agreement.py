"""Two scorers on the same utterances: do they put them in the same order?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from dashboard.filters import Filters
from dashboard.queries.arrays import Numbers, Recordings, ScoreArrays, Scores
from dashboard.queries.comparing import counted_pairs
from dashboard.queries.cube import child_and_speaker, choice_of_children, counted, n_speakers
from dashboard.queries.selection import Measure
from dashboard.queries.told import most_listed, told
from pipeline.compiled import adding_up, compiled_for
from pipeline.stats import counting
from pipeline.stats.bootstrap import Interval
from pipeline.stats.paired_ranks import PairedRanks, paired_ranks
from pipeline.stats.rank import (
    cluster_sums,
    correlation_of_sums,
    correlations_of_sums,
    ranks_in_order,
)
from pipeline.store.first_pairs import N_BINS, joint_cut, joint_name

MANY_PAIRS = 200_000
"""From here on nearly equal scores share a rank: sorting a million takes too long for a page."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Joint:
    """Counts of utterances in bins: `a` and `b` are the middles of the bins of each score,
    ascending; counts: (len(b), len(a)). A score of few values has a bin for each value."""

    a: tuple[float, ...]
    b: tuple[float, ...]
    counts: NDArray[np.int64]

    def table(self) -> pd.DataFrame:
        """One row per bin that holds something: a, b, n."""
        rows, columns = np.nonzero(self.counts)
        return pd.DataFrame(
            {
                "a": np.array(self.a)[columns],
                "b": np.array(self.b)[rows],
                "n": self.counts[rows, columns],
            }
        )


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two scorers agree on the chosen utterances.

    `n_both` have a score from both (the denominator of everything else), `n_only_a` and
    `n_only_b` from one. rho: Spearman's.
    children: child_id, n, rho, low, high, ranked within the child. paired: one row per recording
    as `comparing.paired_counts`, each scorer with its own threshold, without differences.
    differing: change ("up": higher under B, "down"), recording_id, utterance_id, child_id, text,
    score_a, score_b, rank_a, rank_b (percent of the n_both that are lower), most different first.
    """

    n_both: int
    n_only_a: int
    n_only_b: int
    joint: Joint
    rho: Interval
    children: pd.DataFrame
    paired: pd.DataFrame
    differing: pd.DataFrame


def agreement(
    con: DuckDBPyConnection, arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure
) -> Agreement:
    """Compare the scores that measure `a` and measure `b`, of two scorers, give.

    Ranks of more than MANY_PAIRS utterances are those of `stats.paired_ranks`.
    """
    scores = arrays.score(a), arrays.score(b)
    pairs = _pairs(arrays, filters, a, b)
    number, recordings = pairs.number, arrays.recordings
    ranked = (_many if len(number) > MANY_PAIRS else _few)(arrays, number, scores)
    limit = most_listed(arrays)
    places = np.concatenate([_most(ranked.change, limit), _most(-ranked.change, limit)])
    return Agreement(
        len(number),
        pairs.n_only_a,
        pairs.n_only_b,
        joint_counts(arrays, filters, a, b),
        correlation_of_sums(ranked.sums, recordings.child.astype(np.int64)),
        _by_child(ranked.sums_within, recordings),
        counted_pairs(arrays, number, a, b),
        told(
            con,
            arrays,
            pd.DataFrame(
                {
                    "change": np.where(ranked.change[places] > 0, "up", "down"),
                    "utterance_number": number[places],
                    "score_a": scores[0][number[places]],
                    "score_b": scores[1][number[places]],
                    **_percent(ranked, places),
                }
            ),
            "utterance_id",
            "text",
        ).drop(columns="utterance_number"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """`number` int32 (n,): chosen utterances with both scores; how many have only one."""

    number: Numbers
    n_only_a: int
    n_only_b: int


def _pairs(arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure) -> _Pairs:
    chosen, of_b = arrays.chosen(filters, a.scorer), arrays.chosen(filters, b.scorer)
    if of_b is not chosen:
        chosen = np.union1d(chosen, of_b)
    pairs, n_found = np.zeros(len(chosen), np.int32), np.zeros(3, np.int64)
    compiled_for(counting.find_pairs, len(chosen))(
        chosen, arrays.score(a), arrays.score(b), pairs, n_found
    )
    n_both, n_only_a, n_only_b = n_found.tolist()
    return _Pairs(pairs[:n_both], n_only_a, n_only_b)


def _many(arrays: ScoreArrays, number: Numbers, scores: tuple[Scores, Scores]) -> PairedRanks:
    recordings = arrays.recordings
    shape = len(recordings.child), len(recordings.child_names)
    return paired_ranks(number, arrays.recording, arrays.child, scores, shape)


@dataclass(frozen=True, slots=True, eq=False)
class _ExactRanks:
    """As `PairedRanks`, with equal ranks only for equal values."""

    sums: Floats
    sums_within: Floats
    change: Floats
    ranks: tuple[Floats, Floats]

    def ranks_of(self, places: Ints) -> tuple[Floats, Floats]:
        return self.ranks[0][places], self.ranks[1][places]


def _few(arrays: ScoreArrays, number: Numbers, scores: tuple[Scores, Scores]) -> _ExactRanks:
    recording, child = arrays.recording[number].astype(np.int64), arrays.child[number]
    a, b = scores[0][number], scores[1][number]
    rank_a, rank_b = (ranks_in_order(x, np.argsort(x, kind="stable")) for x in (a, b))
    within = [ranks_in_order(x, np.lexsort((x, child)), child.astype(np.int64)) for x in (a, b)]
    n = len(arrays.recordings.child)
    return _ExactRanks(
        cluster_sums(rank_a, rank_b, recording, n),
        cluster_sums(within[0], within[1], recording, n),
        rank_b - rank_a,
        (rank_a, rank_b),
    )


def _percent(ranked: PairedRanks | _ExactRanks, places: Ints) -> dict[str, Floats]:
    n = max(1, len(ranked.change))
    rank_a, rank_b = ranked.ranks_of(places)
    return {"rank_a": 100 * (rank_a - 0.5) / n, "rank_b": 100 * (rank_b - 0.5) / n}


def joint_counts(arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure) -> Joint:
    """Chosen utterances with both scores in at most N_BINS x N_BINS bins, which lie between the
    lowest and the highest score that each scorer gave at all."""
    bins_a, bins_b = (_bins(arrays, measure) for measure in (a, b))

    def count(filters: Filters, place: Numbers, n_places: int) -> Ints:
        chosen = arrays.chosen(filters, a.scorer)
        counts = np.zeros((n_places, len(bins_b.middles), len(bins_a.middles)), np.int64)
        adding_up(counting.count_joint, len(chosen))(
            chosen,
            place,
            bins_a.placed(arrays.score(a)),
            bins_b.placed(arrays.score(b)),
            (bins_a.first, bins_b.first),
            (bins_a.width, bins_b.width),
            counts,
        )
        return counts

    def by_speaker() -> tuple[Ints, Floats]:
        n_children, n = len(arrays.recordings.child_names), n_speakers(arrays)
        found = count(Filters(), child_and_speaker(arrays), n_children * n)
        shape = (n_children, n, *found.shape[1:])
        return found.reshape(shape), np.zeros((*shape[:2], 0))

    choice = choice_of_children(arrays, filters)
    if choice is None:
        counts = count(filters, arrays.child, len(arrays.recordings.child_names)).sum(axis=0)
    else:
        name = joint_name((a.scorer, a.score), (b.scorer, b.score))
        counts = counted(arrays, choice, name, by_speaker)[0].sum(axis=(0, 1))
    if not counts.any():
        return Joint((), (), np.zeros((0, 0), np.int64))
    return Joint(bins_a.middles, bins_b.middles, counts)


@dataclass(frozen=True, slots=True, eq=False)
class _Bins:
    """Bins of a score from `first` on, `width` wide. `values` (n,) are all there are, if few: each
    then has a bin of its own, by its place."""

    first: float
    width: float
    middles: tuple[float, ...]
    values: Scores

    def placed(self, scores: Scores) -> Scores:
        """What is counted in the bins: the scores, or the places of their values."""
        if not len(self.values):
            return scores
        places = np.searchsorted(self.values, scores).astype(np.float32)
        places[np.isnan(scores)] = np.nan
        return places


def _bins(arrays: ScoreArrays, measure: Measure) -> _Bins:
    scorer, sql = measure.scorer, measure.score
    values = arrays.few_values(scorer, sql, N_BINS)
    if len(values):
        return _Bins(0.0, 1.0, tuple(values.astype(np.float64).tolist()), values)
    low, high = arrays.extremes(scorer, sql)
    first, width = joint_cut(low, high)
    middles = first + (np.arange(N_BINS) + 0.5) * width
    return _Bins(first, width, tuple(middles.tolist()), values)


def _by_child(sums: Floats, recordings: Recordings) -> pd.DataFrame:
    """Spearman's rho within each child, with its interval over the child's recordings.

    sums (6, n_recordings): of ranks within the child.
    """
    n_children = len(recordings.child_names)
    found = correlations_of_sums(sums, recordings.child.astype(np.int64), n_children)
    rows = [
        (name, int(rho.n), rho.estimate, rho.low, rho.high)
        for name, rho in zip(recordings.child_names, found, strict=True)
        if rho.n
    ]
    return pd.DataFrame(rows, columns=["child_id", "n", "rho", "low", "high"])


def _most(change: NDArray[np.floating], limit: int) -> Ints:
    """Places of the `limit` largest positive values, largest first."""
    least = 0.0
    if len(change) > MANY_PAIRS:
        # Sorting out a few of a million costs more than looking above a level that a sample sets.
        least = max(0.0, float(np.quantile(change[:: max(1, len(change) // 50_000)], 0.99)))
    candidates = np.flatnonzero(change > least)
    if len(candidates) < limit:
        candidates = np.flatnonzero(change > 0)
    order = np.lexsort((candidates, -change[candidates]))
    return candidates[order[:limit]]
