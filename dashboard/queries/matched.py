"""Adults against the key child at equal numbers of frames, and shares at every threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboard.filters import Filters
from dashboard.queries.arrays import ScoreArrays, bins_between
from dashboard.queries.selection import Measure
from pipeline.compiled import adding_up
from pipeline.stats import tallies
from pipeline.stats.bands import Band, simultaneous_band
from pipeline.stats.drawn import Floats
from pipeline.stats.matched import LevelSums, MatchedDifference, matched_difference

MOST_FRAMES = 40
"""Utterances with more frames than this are compared as one level."""
_FEWEST = 10
_SMALLEST_SHARE = 0.002
_SIDES = {"FEM": 0, "MAL": 0, "CHI": 1}


@dataclass(frozen=True, slots=True)
class SpeakerDifferences:
    """Adults (FEM, MAL) minus the key child (CHI): the share highly aligned, the mean score."""

    share: MatchedDifference
    mean: MatchedDifference


def speaker_differences(
    arrays: ScoreArrays, filters: Filters, measure: Measure
) -> SpeakerDifferences | None:
    """None when adults or the key child have no scored utterance among those chosen."""
    n_frames = arrays.column(measure.scorer, measure.n_frames_sql)
    top = arrays.extremes(measure.scorer, measure.n_frames_sql)[1]
    n_levels = 1 + int(min(top if top == top else 0, MOST_FRAMES))
    n_recordings = len(arrays.recordings.child)
    counts = np.zeros((n_recordings, 2, n_levels, 2), np.int64)
    sums = np.zeros((n_recordings, 2, n_levels))
    chosen = arrays.chosen(filters, measure.scorer)
    sides = [_SIDES.get(name, 2) for name in arrays.group_names("speaker")]
    adding_up(tallies.count_frames, len(chosen))(
        chosen,
        arrays.recording,
        np.array([*sides, 2], np.int8)[arrays.group("speaker")],
        n_frames,
        arrays.score(measure),
        measure.threshold,
        counts,
        sums,
    )
    recording, side, level = np.nonzero(counts[..., 0])
    if len(np.unique(side)) < 2:
        return None
    n = counts[recording, side, level, 0].astype(np.float64)
    tops = (counts[recording, side, level, 1].astype(np.float64), sums[recording, side, level])
    strata = arrays.recordings.child.astype(np.int64)
    share, mean = (
        matched_difference(LevelSums(recording, side == 0, level, top_sums, n), strata)
        for top_sums in tops
    )
    return SpeakerDifferences(share, mean)


@dataclass(frozen=True, slots=True)
class SweepBand:
    """Shares at or above thresholds, with a band that holds the whole curve."""

    thresholds: Floats
    band: Band


def sweep_band(
    arrays: ScoreArrays, filters: Filters, measure: Measure, width: float
) -> SweepBand | None:
    """The share at or above each multiple of `width` from the threshold, with its band.

    Thresholds that nearly all or nearly no utterances reach are left out: of so few nobody knows
    how they vary. None when nothing is left.
    """
    low, high = arrays.extremes(measure.scorer, measure.score)
    if low != low:
        return None
    first, n_bins = bins_between(low, high, measure.threshold, width)
    counts = np.zeros((len(arrays.recordings.child), n_bins + 1), np.int64)
    chosen = arrays.chosen(filters, measure.scorer)
    start = measure.threshold + width * (first + 1)
    adding_up(tallies.count_steps, len(chosen))(
        chosen, arrays.recording, arrays.score(measure), start, width, counts
    )
    scored = counts.sum(axis=1, keepdims=True)
    above = counts[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    total = max(1, int(scored.sum()))
    n_rare = np.minimum(above.sum(axis=0), total - above.sum(axis=0))
    kept = np.flatnonzero(n_rare >= max(_FEWEST, _SMALLEST_SHARE * total))
    if not len(kept):
        return None
    tops = above[:, kept].astype(np.float64)
    bottoms = np.repeat(scored.astype(np.float64), len(kept), axis=1)
    band = simultaneous_band(tops, bottoms, arrays.recordings.child.astype(np.int64))
    return SweepBand(np.asarray(start + width * kept, np.float64), band)
