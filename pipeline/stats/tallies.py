"""More counts over utterances by recording, as plain loops (see `pipeline.stats.counting`):
what chance leads one to expect, numbers of frames, and thresholds.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from pipeline.compiled import compiled
from pipeline.stats.counting import Counts, Numbers, Scores, Sums

_REACH = 8.0
_STEPS = 8_192


def count_chance(
    number: Numbers,
    recording: NDArray[np.int32],
    group: NDArray[np.int16],
    score: Scores,
    null_mean: Scores,
    null_sd: Scores,
    threshold: float,
    normal: Sums,
    counts: Counts,
    sums: Sums,
) -> None:
    """Scored utterances that have a null. counts (n_recordings, n_groups, 2): all, at or above
    the threshold. sums (n_recordings, n_groups, 3): scores, null means, and the number expected
    at or above the threshold if each score were a null window, its null being normal.

    normal: `normal_table`, looked up and interpolated (to within 2e-7).
    """
    last, scale = len(normal) - 2, _STEPS / (2 * _REACH)
    n_high, n_all, score_sum, mean_sum, expected = 0, 0, 0.0, 0.0, 0.0
    r, g = 0, 0
    for i in range(len(number)):
        u = number[i]
        if recording[u] != r or group[u] != g:
            # Utterances of a recording follow each other: it is added to when it ends.
            counts[r, g, 0] += n_all
            counts[r, g, 1] += n_high
            sums[r, g, 0] += score_sum
            sums[r, g, 1] += mean_sum
            sums[r, g, 2] += expected
            n_high, n_all, score_sum, mean_sum, expected = 0, 0, 0.0, 0.0, 0.0
            r, g = int(recording[u]), int(group[u])
        value, mean, sd = float(score[u]), float(null_mean[u]), float(null_sd[u])
        if value == value and mean == mean and sd == sd:
            place = ((mean - threshold) / max(sd, 1e-9) + _REACH) * scale
            place = min(max(place, 0.0), float(_STEPS))
            below = min(int(place), last)
            n_all += 1
            n_high += int(value >= np.float32(threshold))
            score_sum += value
            mean_sum += mean
            expected += normal[below] + (place - below) * (normal[below + 1] - normal[below])
    if n_all:
        counts[r, g, 0] += n_all
        counts[r, g, 1] += n_high
        sums[r, g, 0] += score_sum
        sums[r, g, 1] += mean_sum
        sums[r, g, 2] += expected


def count_frames(
    number: Numbers,
    recording: NDArray[np.int32],
    side: NDArray[np.int8],
    n_frames: Scores,
    score: Scores,
    threshold: float,
    counts: Counts,
    sums: Sums,
) -> None:
    """Scored utterances of side 0 and 1 by number of frames. counts (n_recordings, 2, n_levels,
    2): all, at or above the threshold; sums (n_recordings, 2, n_levels): of scores. The last
    level holds all larger numbers."""
    last = counts.shape[2] - 1
    for i in range(len(number)):
        u = number[i]
        s, value = side[u], np.float64(score[u])
        if s < 2 and value == value:
            level = min(int(n_frames[u]), last)
            counts[recording[u], s, level, 0] += 1
            if value >= np.float32(threshold):
                counts[recording[u], s, level, 1] += 1
            sums[recording[u], s, level] += value


def count_steps(
    number: Numbers,
    recording: NDArray[np.int32],
    score: Scores,
    first: float,
    width: float,
    counts: Counts,
) -> None:
    """counts (n_recordings, n_steps + 1): scored utterances below first, from first on, from
    first + width on ... up to the last step, each counted once."""
    last = counts.shape[1] - 1
    for i in range(len(number)):
        u = number[i]
        value = np.float64(score[u])
        if value == value:
            # The edges of the dashboard's bins; a hair of room for their rounding.
            place = int(np.floor((value - first) / width + 1e-9)) + 1
            counts[recording[u], min(max(place, 0), last)] += 1


@functools.cache
def normal_table() -> Sums:
    """The standard normal distribution function from -8 to 8 SD, in even steps."""
    from scipy.special import ndtr

    return np.asarray(ndtr(np.linspace(-_REACH, _REACH, _STEPS + 1)), np.float64)


def prepare() -> None:
    """Make all of them machine code; see `counting.prepare`."""
    number, places, score = np.zeros(0, np.int32), np.zeros(0, np.int8), np.zeros(0, np.float32)
    group = np.zeros(0, np.int16)
    compiled(count_chance)(
        *(number, number, group, score, score, score, 0.0, normal_table()),
        np.zeros((1, 1, 2), np.int64),
        np.zeros((1, 1, 3)),
    )
    counts, sums = np.zeros((1, 2, 1, 2), np.int64), np.zeros((1, 2, 1))
    compiled(count_frames)(number, number, places, score, score, 0.0, counts, sums)
    compiled(count_steps)(number, number, score, 0.0, 1.0, np.zeros((1, 2), np.int64))
