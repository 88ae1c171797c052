"""The inner loops of the scores, as plain Python on arrays; see `compiled`.

A run is a stretch of consecutive frames that belongs to one utterance. Each kernel fills arrays
it is given, so memory is bounded by the caller.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Float32Array, Int64Array

OBSERVED = ("max_cosine", "mean_cosine", "min_cosine")
CHANCE = ("null_mean", "null_sd", "z", "p", "mean_z")

SMALLEST_SD = 1e-6
"""Cosines are float32: a spread below this is rounding, and no z is given."""


def drawn_frames(
    fractions: NDArray[np.float64],
    group: Int64Array,
    end: Int64Array,
    stretch_end: Int64Array,
    first: Int64Array,
) -> None:
    """first (n, K): the frame at which each drawn run begins.

    fractions: (n, K) in [0, 1). end (n_groups, n_stretches): how many positions there are up to
    the end of each stretch, for runs of the length of the group; group (n,). stretch_end
    (n_groups, n_stretches): the frame behind the last position of each. Without any position 0 is
    written.
    """
    n_stretches = end.shape[1]
    for row in range(fractions.shape[0]):
        own = group[row]
        n_positions = end[own, n_stretches - 1]
        for draw in range(fractions.shape[1]):
            first[row, draw] = 0
            if n_positions == 0:
                continue
            position = int(fractions[row, draw] * n_positions)
            low, high = 0, n_stretches - 1
            while low < high:
                middle = (low + high) // 2
                if end[own, middle] > position:
                    high = middle
                else:
                    low = middle + 1
            first[row, draw] = stretch_end[own, low] - (end[own, low] - position)


def order_by_tile(
    first: Int64Array,
    n_frames: Int64Array,
    frames_per_tile: int,
    next_place: Int64Array,
    text_row: NDArray[np.int32],
    first_frame: Int64Array,
    start: Int64Array,
) -> None:
    """The runs of n utterances, K of each, in the order of tiles of frames (a counting sort).

    first (n, K), n_frames (n,). next_place: zeros, one for each tile and one more. Written for
    each of the n * K runs in order: its utterance, its first frame, and where its cosines begin
    when those of an utterance lie together.
    """
    n_draws = first.shape[1]
    for row in range(first.shape[0]):
        for draw in range(n_draws):
            next_place[first[row, draw] // frames_per_tile + 1] += 1
    for tile in range(1, len(next_place)):
        next_place[tile] += next_place[tile - 1]
    at = 0
    for row in range(first.shape[0]):
        for draw in range(n_draws):
            tile = first[row, draw] // frames_per_tile
            place = next_place[tile]
            next_place[tile] += 1
            text_row[place] = row
            first_frame[place] = first[row, draw]
            start[place] = at
            at += n_frames[row]


def cosine_runs(
    texts: Float32Array,
    images: Float32Array,
    n_sub_crops: int,
    text_row: NDArray[np.int32],
    first_frame: Int64Array,
    n_frames: Int64Array,
    start: Int64Array,
    cosines: Float32Array,
) -> None:
    """Cosine of each run's utterance with each frame of the run: the best of the sub-crops.

    texts: (n, dim); images: (frames * n_sub_crops, dim), unit rows; n_frames (n,): of the runs of
    each utterance. Run j compares text_row[j] with the frames from first_frame[j] on and writes
    them to cosines from start[j] on.
    Two images at a time halve the reads of the text; an odd last one is computed twice, so that
    equal vectors give equal cosines wherever they stand.
    """
    dim = texts.shape[1]
    for run in range(len(text_row)):
        text = texts[text_row[run]]
        n_run = n_frames[text_row[run]]
        n_images = n_run * n_sub_crops
        first_image = first_frame[run] * n_sub_crops
        out = start[run]
        for frame in range(n_run):
            cosines[out + frame] = np.float32(-2.0)
        for image in range(0, n_images, 2):
            partner = min(image + 1, n_images - 1)
            left = images[first_image + image]
            right = images[first_image + partner]
            left_sum = np.float32(0.0)
            right_sum = np.float32(0.0)
            for d in range(dim):
                left_sum += text[d] * left[d]
                right_sum += text[d] * right[d]
            at = out + image // n_sub_crops
            cosines[at] = max(cosines[at], left_sum)
            at = out + partner // n_sub_crops
            cosines[at] = max(cosines[at], right_sum)


def observed_statistics(
    cosines: Float32Array,
    run_start: Int64Array,
    window_first: Int64Array,
    window_frames: Int64Array,
    observed: NDArray[np.float32],
) -> None:
    """Maximum, mean and minimum of each window, in the order of OBSERVED.

    cosines: the runs of n utterances, one after the other from run_start (n,). window_first
    (n, n_windows) counts from the start of the run. observed: (n, n_windows, 3), left as it is
    where a window is empty.
    """
    for utterance in range(window_first.shape[0]):
        for window in range(window_first.shape[1]):
            n_frames = window_frames[utterance, window]
            at = run_start[utterance] + window_first[utterance, window]
            if n_frames == 0:
                continue
            largest = cosines[at]
            smallest = cosines[at]
            total = 0.0
            for frame in range(n_frames):
                cosine = cosines[at + frame]
                largest = max(largest, cosine)
                smallest = min(smallest, cosine)
                total += cosine
            observed[utterance, window, 0] = largest
            observed[utterance, window, 1] = total / n_frames
            observed[utterance, window, 2] = smallest


def chance_statistics(
    cosines: Float32Array,
    run_start: Int64Array,
    run_frames: Int64Array,
    window_first: Int64Array,
    window_frames: Int64Array,
    observed: NDArray[np.float32],
    n_draws: int,
    chance: NDArray[np.float32],
) -> None:
    """What the null windows say about each observed window, in the order of CHANCE.

    cosines: for each of n utterances from run_start (n,) on, n_draws runs of run_frames (n,)
    frames. window_first (n, n_windows): where the window starts in each run; below 0 = no null
    window of that length could be drawn, and chance (n, n_windows, 5) stays as it is.
    """
    largest = np.empty(n_draws, np.float64)
    mean = np.empty(n_draws, np.float64)
    for utterance in range(window_first.shape[0]):
        for window in range(window_first.shape[1]):
            n_frames = window_frames[utterance, window]
            if n_frames == 0 or window_first[utterance, window] < 0:
                continue
            score = observed[utterance, window, 0]
            at = run_start[utterance] + window_first[utterance, window]
            n_at_or_above = 0
            for draw in range(n_draws):
                best = cosines[at]
                total = 0.0
                for frame in range(n_frames):
                    cosine = cosines[at + frame]
                    best = max(best, cosine)
                    total += cosine
                largest[draw] = best
                mean[draw] = total / n_frames
                if best >= score:
                    n_at_or_above += 1
                at += run_frames[utterance]
            null_mean = 0.0
            mean_mean = 0.0
            for draw in range(n_draws):
                null_mean += largest[draw]
                mean_mean += mean[draw]
            null_mean /= n_draws
            mean_mean /= n_draws
            null_squares = 0.0
            mean_squares = 0.0
            for draw in range(n_draws):
                null_squares += (largest[draw] - null_mean) ** 2
                mean_squares += (mean[draw] - mean_mean) ** 2
            null_sd = (null_squares / (n_draws - 1)) ** 0.5
            mean_sd = (mean_squares / (n_draws - 1)) ** 0.5
            chance[utterance, window, 0] = null_mean
            chance[utterance, window, 1] = null_sd
            chance[utterance, window, 3] = (1.0 + n_at_or_above) / (n_draws + 1.0)
            if null_sd >= SMALLEST_SD:
                chance[utterance, window, 2] = (score - null_mean) / null_sd
            if mean_sd >= SMALLEST_SD:
                chance[utterance, window, 4] = (
                    observed[utterance, window, 1] - mean_mean
                ) / mean_sd
