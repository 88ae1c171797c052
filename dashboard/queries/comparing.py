"""Two ways to score the same utterances, compared utterance by utterance.

A and B share scorer, scale and threshold and differ in crop, window or statistic. Every
denominator is the chosen utterances that have a score under both.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection

from dashboard.filters import Filters
from dashboard.queries.arrays import Ints, Numbers, ScoreArrays, bins_between
from dashboard.queries.cube import (
    child_and_speaker,
    choice_of_children,
    choice_of_recordings,
    counted,
    n_speakers,
)
from dashboard.queries.selection import Measure
from dashboard.queries.shares import Doubles
from dashboard.queries.told import most_listed, told
from pipeline.compiled import adding_up, compiled_for
from pipeline.stats import counting


def paired_counts(arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure) -> pd.DataFrame:
    """Per recording: child_id, recording_id, n_both (scored under A and B: the denominator),
    high_a, high_b (at or above the threshold), gained (only under B), lost (only under A),
    sum_difference and sum_sq_difference (of B minus A)."""
    _check_pair(a, b)
    counts, sums = pair_cells(arrays, filters, (a, b), "none")
    return _pair_rows(arrays, counts[:, 0], sums[:, 0])


def pair_cells(
    arrays: ScoreArrays, filters: Filters, pair: tuple[Measure, Measure], split: str
) -> tuple[Ints, Doubles]:
    """As `counting.count_pairs`: (n_recordings, n_groups, 4) and (n_recordings, n_groups, 2), by
    speaker with the last group for the unknown, or in one group (split "none")."""
    a, b = pair
    n_recordings, n = len(arrays.recordings.child), n_speakers(arrays)
    choice = choice_of_recordings(arrays, filters, split)
    if choice is None:
        counts, sums = _count_pairs(
            arrays, arrays.chosen(filters, a.scorer), pair, arrays.recording, n_recordings
        )
        return counts[:, None], sums[:, None]

    def by_speaker() -> tuple[Ints, Doubles]:
        places = arrays.recording * np.int32(n) + arrays.group("speaker")
        counts, sums = _count_pairs(
            arrays, arrays.chosen(Filters(), a.scorer), pair, places, n_recordings * n
        )
        return counts.reshape(n_recordings, n, 4), sums.reshape(n_recordings, n, 2)

    name = a.counted_as.pair_name("pairs", b.counted_as)
    return counted(arrays, choice, name, by_speaker, by_speaker=split == "speaker")


def counted_pairs(arrays: ScoreArrays, number: Numbers, a: Measure, b: Measure) -> pd.DataFrame:
    """`paired_counts` of these utterances, each measure with its own threshold."""
    n_recordings = len(arrays.recordings.child)
    counts, sums = _count_pairs(arrays, number, (a, b), arrays.recording, n_recordings)
    return _pair_rows(arrays, counts, sums)


def _count_pairs(
    arrays: ScoreArrays, number: Numbers, pair: tuple[Measure, Measure], place: Numbers, n: int
) -> tuple[Ints, Doubles]:
    """As `counting.count_pairs`, (n, 4) and (n, 2), by the places of all utterances."""
    a, b = pair
    counts, sums = np.zeros((n, 4), np.int64), np.zeros((n, 2))
    adding_up(counting.count_pairs, len(number))(
        number,
        place,
        arrays.score(a),
        arrays.score(b),
        (a.threshold, b.threshold),
        counts,
        sums,
    )
    return counts, sums


def _pair_rows(arrays: ScoreArrays, counts: Ints, sums: Doubles) -> pd.DataFrame:
    recordings = arrays.recordings
    code = recordings.by_name[counts[recordings.by_name].any(axis=1)]
    neither, gained, lost, both = counts[code].T
    rows = recordings.frame[["child_id", "recording_id"]].take(code).reset_index(drop=True)
    return rows.assign(
        n_both=neither + gained + lost + both,
        high_a=lost + both,
        high_b=gained + both,
        gained=gained,
        lost=lost,
        sum_difference=sums[code, 0],
        sum_sq_difference=sums[code, 1],
    )


def difference_bins(
    arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure, width: float
) -> pd.DataFrame:
    """Utterances scored under both, by bin of B minus A: bin_start, n; equal scores apart.

    Column `is_equal` marks the row of exactly equal scores (same frame, same crop).
    """
    _check_pair(a, b)
    low_a, high_a = arrays.extremes(a.scorer, a.score)
    low_b, high_b = arrays.extremes(b.scorer, b.score)
    first, n_bins = bins_between(low_b - high_a, high_b - low_a, 0.0, width)

    def count(filters: Filters, place: Numbers, n_places: int) -> Ints:
        chosen = arrays.chosen(filters, a.scorer)
        counts = np.zeros((n_places, 2, n_bins), np.int64)
        adding_up(counting.count_differences, len(chosen))(
            chosen, place, arrays.score(a), arrays.score(b), width, first, counts
        )
        return counts

    def by_speaker() -> tuple[Ints, Doubles]:
        n_children, n = len(arrays.recordings.child_names), n_speakers(arrays)
        found = count(Filters(), child_and_speaker(arrays), n_children * n)
        return found.reshape(n_children, n, 2, n_bins), np.zeros((n_children, n, 0))

    choice = choice_of_children(arrays, filters)
    if choice is None:
        counts = count(filters, arrays.child, len(arrays.recordings.child_names)).sum(axis=0)
    else:
        name = f"{a.counted_as.pair_name('differences', b.counted_as)} {width!r}"
        counts = counted(arrays, choice, name, by_speaker)[0].sum(axis=(0, 1))
    place, is_equal = np.nonzero(counts.T)
    return pd.DataFrame(
        {
            "is_equal": is_equal == 1,
            "bin_start": width * (first + place),
            "n": counts[is_equal, place],
        }
    )


def changed_moments(
    con: DuckDBPyConnection,
    arrays: ScoreArrays,
    filters: Filters,
    a: Measure,
    b: Measure,
) -> pd.DataFrame:
    """Utterances on the other side of the threshold under B, most changed first.

    Columns: change ("gained" or "lost"), recording_id, utterance_id, child_id, speaker,
    onset_ms, text, score_a, score_b, difference. At most `most_listed` of each kind.
    """
    _check_pair(a, b)
    chosen, score_a, score_b = arrays.chosen(filters, a.scorer), arrays.score(a), arrays.score(b)
    found = {change: np.zeros(len(chosen), np.int32) for change in ("gained", "lost")}
    n_found = np.zeros(2, np.int64)
    compiled_for(counting.find_changed, len(chosen))(
        chosen, score_a, score_b, a.threshold, found["gained"], found["lost"], n_found
    )
    parts = []
    for (change, places), n in zip(found.items(), n_found.tolist(), strict=True):
        numbers = places[:n]
        difference = score_b[numbers].astype(np.float64) - score_a[numbers]
        first = np.lexsort((numbers, -np.abs(difference)))[: most_listed(arrays)]
        parts.append(
            pd.DataFrame(
                {
                    "change": change,
                    "utterance_number": numbers[first],
                    "score_a": score_a[numbers[first]],
                    "score_b": score_b[numbers[first]],
                    "difference": difference[first],
                }
            )
        )
    changed = pd.concat(parts, ignore_index=True)
    return told(con, arrays, changed, "utterance_id", "speaker", "onset_ms", "text")[_CHANGED]


_CHANGED = [
    *("change", "recording_id", "utterance_id", "child_id", "speaker", "onset_ms", "text"),
    *("score_a", "score_b", "difference"),
]


def _check_pair(a: Measure, b: Measure) -> None:
    if (a.scorer, a.scale, a.threshold) != (b.scorer, b.scale, b.threshold):
        raise ValueError("A and B must share scorer, scale and threshold")
