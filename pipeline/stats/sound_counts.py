"""Counts over utterances with scores of sound, as plain loops: one pass over the chosen.

As in `pipeline.stats.counting`: all arrays but `number` and the results are over all utterances
of a store, `number` int32 (n,) says which of them are chosen, scores are float32 with NaN where
there is none, and results are added to arrays of zeros that the caller brings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int32]
Scores = NDArray[np.float32]
States = NDArray[np.uint8]
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def count_states(
    number: Numbers,
    recording: Numbers,
    group: NDArray[np.int16],
    state: States,
    n_see: Scores,
    n_hear: Scores,
    chance: Floats,
    counts: Counts,
    sums: Floats,
) -> None:
    """counts (n_recordings, n_groups, 5): utterances by state, of which the last is unscored.
    sums (n_recordings, n_groups, 3): of the scored ones, the chance to be seen, to be heard and
    to be both; `chance` (k,) is that of an utterance with so many nulls."""
    for i in range(len(number)):
        u = number[i]
        r, g, s = recording[u], group[u], state[u]
        counts[r, g, s] += 1
        if s < 4:
            seen, heard = chance[int(n_see[u])], chance[int(n_hear[u])]
            sums[r, g, 0] += seen
            sums[r, g, 1] += heard
            sums[r, g, 2] += seen * heard


def count_z(
    number: Numbers,
    z: Scores,
    n_nulls: Scores,
    first: float,
    width: float,
    n_bins: int,
    counts: Counts,
) -> None:
    """counts (2, m): utterances with a z by bin (n_bins, the outermost hold what lies beyond), and
    the same utterances by their number of nulls."""
    for i in range(len(number)):
        u = number[i]
        value = z[u]
        if value == value:
            place = np.floor((value - first) / width)
            counts[0, int(min(max(place, 0), n_bins - 1))] += 1
            counts[1, int(n_nulls[u])] += 1


def count_squares(
    number: Numbers, see: Scores, hear: Scores, first: float, width: float, counts: Counts
) -> None:
    """counts (m, m): utterances with both z by their bins, see before hear."""
    last = counts.shape[0] - 1
    for i in range(len(number)):
        u = number[i]
        x, y = see[u], hear[u]
        if x == x and y == y:
            a, b = np.floor((x - first) / width), np.floor((y - first) / width)
            counts[int(min(max(a, 0), last)), int(min(max(b, 0), last))] += 1


def count_around(
    number: Numbers, share: Scores, level: Scores, state: States, counts: Counts
) -> None:
    """counts (3, m): utterances with scores by their share of speech in hundredths, those without,
    and all by their level in dB above -(m - 1) dBFS."""
    lowest = counts.shape[1] - 1
    for i in range(len(number)):
        u = number[i]
        part = share[u]
        if part == part:
            place = int(min(np.floor(part * 100 + 1e-3), 99))
            counts[0 if state[u] < 4 else 1, place] += 1
        loud = level[u]
        if loud == loud:
            counts[2, int(min(max(np.floor(loud) + lowest, 0), lowest))] += 1
