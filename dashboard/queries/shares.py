"""Counts from which shares, means, distributions and their chance level are made.

Everything is counted over arrays of the store's columns; what comes back is one row per
recording, bin or group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from dashboard.filters import Filters
from dashboard.queries.arrays import Ints, Numbers, ScoreArrays, bins_between
from dashboard.queries.cube import (
    child_and_speaker,
    choice_of_children,
    choice_of_recordings,
    counted,
    n_speakers,
)
from dashboard.queries.selection import Measure, Query, recordings_where
from pipeline.compiled import adding_up
from pipeline.stats import counting

Doubles = NDArray[np.float64]

BIN_WIDTHS = {"raw": 0.005, "z": 0.25}
"""Width of a bin of a distribution by scale, in the unit of the scale."""

_FEW_SCORES = 2_000

_NULL_CELL = 0.0025


def bin_width(scale: str, n_scored: int) -> float:
    """Width of a bin of a distribution, in the unit of the scale; twice as wide for few scores."""
    return BIN_WIDTHS[scale] * (2 if n_scored < _FEW_SCORES else 1)


@dataclass(frozen=True, slots=True)
class Totals:
    """How much was recorded. `total_ms` is the length of the recordings of the chosen children
    and ages; the other filters choose utterances, not hours."""

    n_children: int
    n_recordings: int
    total_ms: int


def totals(con: DuckDBPyConnection, filters: Filters) -> Totals:
    """Children, recordings and hours that the filters allow."""
    chosen = recordings_where(filters)
    row = Query(
        f"""SELECT count(DISTINCT child_id), count(*),
                CAST(coalesce(sum(duration_ms), 0) AS BIGINT)
            FROM recordings WHERE {chosen.sql}""",
        chosen.params,
    ).row(con)
    return Totals(*(_whole(value) for value in row))


def counts_by_recording(
    arrays: ScoreArrays, filters: Filters, measure: Measure, split: str = "none"
) -> pd.DataFrame:
    """Per recording and group: n_utterances chosen, n_scored (the denominator of shares and
    means), n_high (at or above the threshold), sum_score and sum_sq (of the scores), and why the
    others have no score: n_no_frame_in_window, n_no_null, n_no_noun, n_not_scored.

    Columns: child_id, recording_id, age_days, grp (NULL when unknown) and the counts.
    """
    counts, sums = score_cells(arrays, filters, measure, split)
    names = [*arrays.group_names(split), None]
    rows, found, added = arrays.recordings.rows(counts, sums, names)
    n_utterances, n_scored, n_high, n_no_frame, n_no_null, n_no_noun = found
    return rows.assign(
        n_utterances=n_utterances,
        n_scored=n_scored,
        n_high=n_high,
        sum_score=added[0],
        sum_sq=added[1],
        n_no_frame_in_window=n_no_frame,
        n_no_null=n_no_null,
        n_no_noun=n_no_noun,
        n_not_scored=n_utterances - n_scored - n_no_frame - n_no_null - n_no_noun,
    )


def score_cells(
    arrays: ScoreArrays, filters: Filters, measure: Measure, split: str
) -> tuple[Ints, Doubles]:
    """As `counting.count_scores`: (n_recordings, n_groups, 6) and (n_recordings, n_groups, 2), the
    last group for the unknown if there is more than one."""
    choice = choice_of_recordings(arrays, filters, split)
    if choice is None:
        return _count_scores(arrays, filters, measure, split)
    return counted(
        arrays,
        choice,
        measure.counted_as.name("scores"),
        lambda: _count_scores(arrays, Filters(), measure, "speaker"),
        by_speaker=split == "speaker",
    )


def _count_scores(
    arrays: ScoreArrays, filters: Filters, measure: Measure, split: str
) -> tuple[Ints, Doubles]:
    """As `counting.count_scores`: (n_recordings, n_groups, 6) and (n_recordings, n_groups, 2)."""
    # Only a z can be missing where there is a cosine.
    cosine = measure.sql("max_cosine") if measure.scale == "z" else "CAST(NULL AS FLOAT)"
    n_recordings, n_groups = len(arrays.recordings.child), len(arrays.group_names(split)) + 1
    counts = np.zeros((n_recordings, n_groups, 6), np.int64)
    sums = np.zeros((n_recordings, n_groups, 2))
    chosen = arrays.chosen(filters, measure.scorer)
    adding_up(counting.count_scores, len(chosen))(
        chosen,
        arrays.recording,
        arrays.group(split),
        arrays.score(measure),
        arrays.column(measure.scorer, measure.n_frames_or_no_text),
        arrays.column(measure.scorer, cosine),
        measure.threshold,
        counts,
        sums,
    )
    return counts, sums


def score_bins(
    arrays: ScoreArrays, filters: Filters, measure: Measure, width: float
) -> pd.DataFrame:
    """Scored utterances per child and bin: child_id, bin_start, n.

    A bin holds scores from bin_start to bin_start + width; the threshold is the edge of a bin.
    """
    between = arrays.extremes(measure.scorer, measure.score)
    # From the threshold as scores are kept: the loop that counts measures from there, too.
    first, n_bins = bins_between(*between, float(np.float32(measure.threshold)), width)

    def count(filters: Filters, place: Numbers, n_places: int) -> Ints:
        chosen = arrays.chosen(filters, measure.scorer)
        counts = np.zeros((n_places, n_bins), np.int64)
        adding_up(counting.count_bins, len(chosen))(
            chosen, place, arrays.score(measure), measure.threshold, width, first, counts
        )
        return counts

    def by_speaker() -> tuple[Ints, Doubles]:
        n_children, n = len(arrays.recordings.child_names), n_speakers(arrays)
        counts = count(Filters(), child_and_speaker(arrays), n_children * n)
        return counts.reshape(n_children, n, n_bins), np.zeros((n_children, n, 0))

    choice = choice_of_children(arrays, filters)
    if choice is None:
        counts = count(filters, arrays.child, len(arrays.recordings.child_names))
    else:
        counts = counted(
            arrays, choice, f"{measure.counted_as.name('bins')} {width!r}", by_speaker
        )[0][:, 0]
    child, place = np.nonzero(counts)
    return pd.DataFrame(
        {
            "child_id": arrays.recordings.children(child),
            "n": counts[child, place],
            "bin_start": measure.threshold + width * (first + place),
        }
    )


def null_cells(arrays: ScoreArrays, filters: Filters, measure: Measure) -> pd.DataFrame:
    """The matched null of the scored utterances, in cells of nearly equal mean and SD.

    Columns: child_id, n (scored utterances that have a null), null_mean, null_sd (means of the
    cell). Empty for the mean over frames on the cosine scale, whose null is kept only as z. On
    the z scale a null window has mean 0 and SD 1 by definition.
    """
    if measure.scale == "z":
        scored = counts_by_recording(arrays, filters, measure).groupby("child_id")["n_scored"].sum()
        rows = scored[scored > 0].rename("n").reset_index()
        return rows.assign(null_mean=0.0, null_sd=1.0)
    if not measure.has_stored_null:
        return pd.DataFrame({"child_id": [], "n": [], "null_mean": [], "null_sd": []})
    columns = [measure.sql(name) for name in ("null_mean", "null_sd")]
    (first_mean, n_mean), (first_sd, n_sd) = (
        bins_between(*arrays.extremes(measure.scorer, column), 0.0, _NULL_CELL)
        for column in columns
    )

    def count(filters: Filters, place: Numbers, n_places: int) -> tuple[Ints, Doubles]:
        chosen, score = arrays.chosen(filters, measure.scorer), arrays.score(measure)
        mean, sd = (arrays.column(measure.scorer, column) for column in columns)
        shape = (n_places, n_mean, n_sd)
        counts, sums = np.zeros(shape, np.int64), np.zeros((*shape, 2))
        first = (first_mean, first_sd)
        adding_up(counting.count_null_cells, len(chosen))(
            chosen, place, score, mean, sd, _NULL_CELL, first, counts, sums
        )
        return counts, sums

    def by_speaker() -> tuple[Ints, Doubles]:
        n_children, n = len(arrays.recordings.child_names), n_speakers(arrays)
        counts, sums = count(Filters(), child_and_speaker(arrays), n_children * n)
        shape = (n_children, n, n_mean, n_sd)
        return counts.reshape(shape), sums.reshape(*shape, 2)

    choice = choice_of_children(arrays, filters)
    if choice is None:
        counts, sums = count(filters, arrays.child, len(arrays.recordings.child_names))
    else:
        counts, sums = counted(arrays, choice, measure.counted_as.name("null"), by_speaker)
        counts, sums = counts[:, 0], sums[:, 0]
    cells = np.nonzero(counts)
    n = counts[cells]
    return pd.DataFrame(
        {
            "child_id": arrays.recordings.children(cells[0]),
            "n": n,
            "null_mean": sums[..., 0][cells] / n,
            "null_sd": sums[..., 1][cells] / n,
        }
    )


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value
