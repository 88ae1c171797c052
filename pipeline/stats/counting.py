"""Counts over utterances by recording, bin and cell, as plain loops: one pass over the chosen.

`pipeline.compiled` makes them machine code, which counts 1.8 million utterances in the time that
the store's engine takes for a tenth of them. Thresholds are compared as scores are kept, so that a
score of .24 reaches a threshold of .24. All arrays but `number` and the results are over all
utterances of a store; `number` int32 (n,) says which of them are chosen. Scores are float32, NaN
where there is none. Results are added to arrays of zeros that the caller brings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.compiled import compiled

Numbers = NDArray[np.int32]
Scores = NDArray[np.float32]
Counts = NDArray[np.int64]
Sums = NDArray[np.float64]


def count_scores(
    number: Numbers,
    recording: NDArray[np.int32],
    group: NDArray[np.int16],
    score: Scores,
    n_frames: Scores,
    cosine: Scores,
    threshold: float,
    counts: Counts,
    sums: Sums,
) -> None:
    """counts (n_recordings, n_groups, 6): utterances, scored, at or above the threshold, without
    a score for want of a frame, without one although there is a cosine, without one because
    n_frames is below 0, which stands for a text that cannot be made. sums (n_recordings,
    n_groups, 2): of scores, of their squares. `group` is a place from 0."""
    for i in range(len(number)):
        u = number[i]
        r, g, value = recording[u], group[u], score[u]
        counts[r, g, 0] += 1
        if value == value:
            counts[r, g, 1] += 1
            if value >= np.float32(threshold):
                counts[r, g, 2] += 1
            sums[r, g, 0] += value
            sums[r, g, 1] += np.float64(value) * value
        else:
            if n_frames[u] < 0:
                counts[r, g, 5] += 1
            if n_frames[u] == 0:
                counts[r, g, 3] += 1
            if cosine[u] == cosine[u]:
                counts[r, g, 4] += 1


def count_bins(
    number: Numbers,
    child: NDArray[np.int32],
    score: Scores,
    origin: float,
    width: float,
    first: int,
    counts: Counts,
) -> None:
    """counts (n_children, n_bins): scored utterances from origin + (first + bin) * width on; those
    beyond in the outermost bins."""
    last = counts.shape[1] - 1
    for i in range(len(number)):
        value = score[number[i]]
        if value == value:
            above = np.float64(value) - np.float64(np.float32(origin))
            place = int(np.floor(above / width)) - first
            counts[child[number[i]], min(max(place, 0), last)] += 1


def count_word(
    number: Numbers,
    child: NDArray[np.uint16],
    speaker: NDArray[np.uint16],
    score: Scores,
    origin: float,
    width: float,
    first: int,
    counts: Counts,
) -> None:
    """counts (n_children, n_speakers, n_bins): as `count_bins`, by the codes of all utterances."""
    last = counts.shape[2] - 1
    for i in range(len(number)):
        u = number[i]
        value = score[u]
        if value == value:
            above = np.float64(value) - np.float64(np.float32(origin))
            place = int(np.floor(above / width)) - first
            counts[child[u], speaker[u], min(max(place, 0), last)] += 1


def count_null_cells(
    number: Numbers,
    child: NDArray[np.int32],
    score: Scores,
    null_mean: Scores,
    null_sd: Scores,
    width: float,
    first: tuple[int, int],
    counts: Counts,
    sums: Sums,
) -> None:
    """Scored utterances with a null by cells of its mean and SD, `width` wide.

    counts (n_children, n_mean, n_sd); sums (n_children, n_mean, n_sd, 2): of means, of SDs.
    `first`: the cells of mean and SD at place 0; what lies beyond is in the outermost.
    """
    last_mean, last_sd = counts.shape[1] - 1, counts.shape[2] - 1
    for i in range(len(number)):
        u = number[i]
        value, mean, sd = score[u], null_mean[u], null_sd[u]
        if value == value and mean == mean and sd == sd:
            a = min(max(int(np.floor(np.float64(mean) / width)) - first[0], 0), last_mean)
            b = min(max(int(np.floor(np.float64(sd) / width)) - first[1], 0), last_sd)
            counts[child[u], a, b] += 1
            sums[child[u], a, b, 0] += mean
            sums[child[u], a, b, 1] += sd


def find_pairs(
    number: Numbers, a: Scores, b: Scores, pairs: NDArray[np.int32], n_found: Counts
) -> None:
    """pairs (n,): at its start, the chosen that have both scores. n_found (3,): how many have
    both, only that of a, only that of b."""
    for i in range(len(number)):
        u = number[i]
        x, y = a[u], b[u]
        if x == x:
            if y == y:
                pairs[n_found[0]] = u
                n_found[0] += 1
            else:
                n_found[1] += 1
        elif y == y:
            n_found[2] += 1


def count_joint(
    number: Numbers,
    place: NDArray[np.int32],
    a: Scores,
    b: Scores,
    first: tuple[float, float],
    width: tuple[float, float],
    counts: Counts,
) -> None:
    """counts (n_places, n_bins_b, n_bins_a): utterances with both scores by bins of these, `width`
    wide from `first` on; those beyond are in the outermost bins."""
    last_a, last_b = counts.shape[2] - 1, counts.shape[1] - 1
    for i in range(len(number)):
        u = number[i]
        if a[u] == a[u] and b[u] == b[u]:
            place_a = min(max(int((np.float64(a[u]) - first[0]) / width[0]), 0), last_a)
            place_b = min(max(int((np.float64(b[u]) - first[1]) / width[1]), 0), last_b)
            counts[place[u], place_b, place_a] += 1


def count_pairs(
    number: Numbers,
    recording: NDArray[np.int32],
    a: Scores,
    b: Scores,
    thresholds: tuple[float, float],
    counts: Counts,
    sums: Sums,
) -> None:
    """Utterances scored under both. counts (n_recordings, 4): below both thresholds, at or above
    that of b alone, of a alone, both. sums (n_recordings, 2): of b - a, of its square."""
    for i in range(len(number)):
        u = number[i]
        if a[u] == a[u] and b[u] == b[u]:
            is_high_a = a[u] >= np.float32(thresholds[0])
            place = 2 * int(is_high_a) + int(b[u] >= np.float32(thresholds[1]))
            counts[recording[u], place] += 1
            difference = np.float64(b[u]) - a[u]
            sums[recording[u], 0] += difference
            sums[recording[u], 1] += difference * difference


def find_changed(
    number: Numbers,
    a: Scores,
    b: Scores,
    threshold: float,
    gained: Numbers,
    lost: Numbers,
    n_found: Counts,
) -> None:
    """gained and lost (n,): at their starts, the chosen that reach the threshold only under b,
    only under a, among those that have both scores. n_found (2,): how many each."""
    narrow = np.float32(threshold)
    for i in range(len(number)):
        u = number[i]
        if a[u] == a[u] and b[u] == b[u]:
            is_high_a, is_high_b = a[u] >= narrow, b[u] >= narrow
            if is_high_b and not is_high_a:
                gained[n_found[0]] = u
                n_found[0] += 1
            elif is_high_a and not is_high_b:
                lost[n_found[1]] = u
                n_found[1] += 1


def count_differences(
    number: Numbers,
    place: NDArray[np.int32],
    a: Scores,
    b: Scores,
    width: float,
    first: int,
    counts: Counts,
) -> None:
    """counts (n_places, 2, n_bins): differences b - a by bins of `width` from first * width on; in
    the second row those that are exactly zero. Those beyond are in the outermost bins."""
    last = counts.shape[2] - 1
    for i in range(len(number)):
        u = number[i]
        if a[u] == a[u] and b[u] == b[u]:
            difference = np.float64(b[u]) - a[u]
            bin_ = int(np.floor(difference / width)) - first
            counts[place[u], int(difference == 0), min(max(bin_, 0), last)] += 1


def count_levels(
    number: Numbers,
    child: NDArray[np.int32],
    values: Scores,
    low: float,
    scale: float,
    cell: NDArray[np.int32],
    counts: Counts,
    counts_within: Counts,
) -> None:
    """cell (n,): the level of each chosen value, (value - low) * scale within the levels there
    are. counts (n_levels,), and counts_within (n_children, n_levels / k) with k levels in one."""
    n_levels = len(counts)
    k = n_levels // counts_within.shape[1]
    for i in range(len(number)):
        u = number[i]
        level = int((np.float64(values[u]) - low) * scale)
        level = min(max(level, 0), n_levels - 1)
        cell[i] = level
        counts[level] += 1
        counts_within[child[u], level // k] += 1


def sum_ranks(
    number: Numbers,
    recording: NDArray[np.int32],
    child: NDArray[np.int32],
    cells: tuple[NDArray[np.int32], NDArray[np.int32]],
    ranks: tuple[Sums, Sums],
    ranks_within: tuple[Sums, Sums],
    change: Scores,
    sums: Sums,
    sums_within: Sums,
) -> None:
    """From levels to ranks: ranks (n_levels,) of a and b, and within children (n_children,
    n_levels / k), all less their mean. change (n,): rank of b minus rank of a. sums and
    sums_within (6, n_recordings): of 1, a, b, a^2, b^2, ab."""
    k = len(ranks[0]) // ranks_within[0].shape[1]
    for i in range(len(number)):
        u = number[i]
        r, c = recording[u], child[u]
        a, b = ranks[0][cells[0][i]], ranks[1][cells[1][i]]
        change[i] = b - a
        sums[0, r] += 1
        sums[1, r] += a
        sums[2, r] += b
        sums[3, r] += a * a
        sums[4, r] += b * b
        sums[5, r] += a * b
        a, b = ranks_within[0][c, cells[0][i] // k], ranks_within[1][c, cells[1][i] // k]
        sums_within[0, r] += 1
        sums_within[1, r] += a
        sums_within[2, r] += b
        sums_within[3, r] += a * a
        sums_within[4, r] += b * b
        sums_within[5, r] += a * b


def prepare() -> None:
    """Make all of them machine code: seconds on a computer's first time, then a moment."""
    number, places = np.zeros(0, np.int32), np.zeros(0, np.int16)
    score = np.zeros(0, np.float32)

    def counts(*shape: int) -> Counts:
        return np.zeros(shape, np.int64)

    def sums(*shape: int) -> Sums:
        return np.zeros(shape)

    compiled(count_scores)(
        *(number, number, places, score, score, score), 0.0, counts(1, 1, 5), sums(1, 1, 2)
    )
    compiled(count_bins)(number, number, score, 0.0, 1.0, 0, counts(1, 1))
    code = np.zeros(0, np.uint16)
    compiled(count_word)(number, code, code, score, 0.0, 1.0, 0, counts(1, 1, 1))
    compiled(count_null_cells)(
        *(number, number, score, score, score),
        1.0,
        (0, 0),
        counts(1, 1, 1),
        sums(1, 1, 1, 2),
    )
    compiled(count_pairs)(number, number, score, score, (0.0, 0.0), counts(1, 4), sums(1, 2))
    compiled(count_differences)(number, number, score, score, 1.0, 0, counts(1, 2, 1))
    compiled(find_pairs)(number, score, score, number, counts(3))
    compiled(count_joint)(number, number, score, score, (0.0, 0.0), (1.0, 1.0), counts(1, 1, 1))
    compiled(find_changed)(number, score, score, 0.0, number, number, counts(2))
    cell, level = np.zeros(0, np.int32), counts(1)
    compiled(count_levels)(number, number, score, 0.0, 1.0, cell, level, counts(1, 1))
    ranks, within = sums(1), sums(1, 1)
    compiled(sum_ranks)(
        *(number, number, number, (cell, cell), (ranks, ranks), (within, within)),
        score,
        sums(6, 1),
        sums(6, 1),
    )
