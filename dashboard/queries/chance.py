"""What the matched null leads one to expect, by recording: for chance levels with intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard.filters import Filters
from dashboard.queries.arrays import Ints, ScoreArrays
from dashboard.queries.cube import choice_of_recordings, counted
from dashboard.queries.selection import Measure
from dashboard.queries.shares import Doubles, score_cells
from pipeline.compiled import adding_up
from pipeline.stats import tallies


def chance_by_recording(
    arrays: ScoreArrays, filters: Filters, measure: Measure, split: str = "none"
) -> pd.DataFrame:
    """Per recording and group, of the scored utterances that have a null: n_null (how many),
    n_high (at or above the threshold), n_expected (as many as chance alone puts there), sum_score
    and sum_null (of their null's means).

    Columns: child_id, recording_id, age_days, grp (NULL when unknown) and these. Empty where the
    store has no null for this measure; on the z scale a null window has mean 0 and SD 1.
    """
    counts, sums = chance_cells(arrays, filters, measure, split)
    names = [*arrays.group_names(split), None]
    rows, found, added = arrays.recordings.rows(counts, sums, names)
    return rows.assign(
        n_null=found[0],
        n_high=found[1],
        n_expected=added[2],
        sum_score=added[0],
        sum_null=added[1],
    )


def chance_cells(
    arrays: ScoreArrays, filters: Filters, measure: Measure, split: str
) -> tuple[Ints, Doubles]:
    """As `tallies.count_chance`: (n_recordings, n_groups, 2) and (n_recordings, n_groups, 3), the
    last group for the unknown if there is more than one."""
    if measure.scale == "z":
        from scipy.special import ndtr

        scores, of_scores = score_cells(arrays, filters, measure, split)
        counts, sums = scores[..., 1:3], np.zeros((*of_scores.shape[:2], 3))
        sums[..., 0], sums[..., 2] = of_scores[..., 0], counts[..., 0] * ndtr(-measure.threshold)
        return counts, sums
    choice = choice_of_recordings(arrays, filters, split)
    if choice is None:
        return _count_chance(arrays, filters, measure, split)
    return counted(
        arrays,
        choice,
        measure.counted_as.name("chance"),
        lambda: _count_chance(arrays, Filters(), measure, "speaker"),
        by_speaker=split == "speaker",
    )


def _count_chance(
    arrays: ScoreArrays, filters: Filters, measure: Measure, split: str
) -> tuple[Ints, Doubles]:
    """As `tallies.count_chance`: (n_recordings, n_groups, 2) and (n_recordings, n_groups, 3)."""
    shape = len(arrays.recordings.child), len(arrays.group_names(split)) + 1
    counts, sums = np.zeros((*shape, 2), np.int64), np.zeros((*shape, 3))
    if measure.has_stored_null:
        chosen = arrays.chosen(filters, measure.scorer)
        adding_up(tallies.count_chance, len(chosen))(
            chosen,
            arrays.recording,
            arrays.group(split),
            arrays.score(measure),
            arrays.column(measure.scorer, measure.sql("null_mean")),
            arrays.column(measure.scorer, measure.sql("null_sd")),
            measure.threshold,
            tallies.normal_table(),
            counts,
            sums,
        )
    return counts, sums
