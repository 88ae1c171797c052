"""Cosines of the null windows and what they say about the real ones.

A child's recordings can hold a million frames, so no table of all utterances by all frames is
ever made: only the drawn runs are computed, in the order in which they lie among the frames, so
that frames wanted by several utterances are read from memory once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.align import kernels
from pipeline.align.null import NullRuns
from pipeline.align.window_scores import Statistics
from pipeline.align.windows import FrameRanges
from pipeline.compiled import compiled
from pipeline.records import Float32Array, Int64Array

_FRAMES_PER_TILE = 8
_MAX_COSINES = 8_000_000


@dataclass(frozen=True, slots=True)
class NullWork:
    """m = n * K null runs of n utterances in the order of the frames.

    text_row: int32, first_frame, start: int64, (m,): utterance, first frame and place among the
    n_cosines results. run_start: int64 (n,) where an utterance's results begin.
    """

    runs: NullRuns
    text_row: NDArray[np.int32]
    first_frame: Int64Array
    start: Int64Array
    run_start: Int64Array
    n_cosines: int

    @classmethod
    def of(cls, runs: NullRuns) -> NullWork:
        n_runs, n_draws = runs.first.size, runs.first.shape[1]
        n_tiles = int(runs.first.max(initial=0)) // _FRAMES_PER_TILE + 1
        text_row = np.empty(n_runs, np.int32)
        first_frame, start = np.empty(n_runs, np.int64), np.empty(n_runs, np.int64)
        compiled(kernels.order_by_tile)(
            runs.first,
            runs.n_frames,
            _FRAMES_PER_TILE,
            np.zeros(n_tiles + 1, np.int64),
            text_row,
            first_frame,
            start,
        )
        cosines_each = runs.n_frames * n_draws
        run_start = np.cumsum(cosines_each) - cosines_each
        return cls(runs, text_row, first_frame, start, run_start, int(cosines_each.sum()))


def turns(widest_frames: Int64Array, n_draws: int, n_threads: int = 1) -> list[slice]:
    """Cut n utterances into parts whose null cosines fit into memory (about 200 MB in all), and
    into no fewer than there are threads.

    widest_frames: int64 (n,) frames of the widest window. An utterance is never cut.
    """
    # Drawing costs about as much memory as four frames for each run.
    load = np.cumsum((widest_frames + 4) * n_draws)
    total = int(load[-1]) if len(load) else 0
    most = min(_MAX_COSINES // n_threads, -(-total // n_threads))
    cuts = [0]
    while cuts[-1] < len(load):
        done = int(load[cuts[-1] - 1]) if cuts[-1] else 0
        fit = int(np.searchsorted(load, done + most, "right"))
        cuts.append(max(fit, cuts[-1] + 1))
    return [slice(low, high) for low, high in pairwise(cuts)]


def score_null(
    texts: Float32Array,
    images: Float32Array,
    n_sub_crops: int,
    work: NullWork,
    windows: FrameRanges,
    observed: Statistics,
) -> Statistics:
    """Statistics (n, n_windows, 5) of kernels.CHANCE under one crop; NaN where there is no null.

    texts (n, dim), windows and observed (n, n_windows, 3) belong to the utterances of `work`;
    images (n_frames * n_sub_crops, dim) are all frames that runs may lie in.
    """
    cosines = np.empty(work.n_cosines, np.float32)
    compiled(kernels.cosine_runs)(
        texts,
        images,
        n_sub_crops,
        work.text_row,
        work.first_frame,
        work.runs.n_frames,
        work.start,
        cosines,
    )
    chance = np.full((*windows.n_frames.shape, len(kernels.CHANCE)), np.nan, np.float32)
    compiled(kernels.chance_statistics)(
        cosines,
        work.run_start,
        work.runs.n_frames,
        work.runs.window_first,
        windows.n_frames,
        observed,
        work.runs.first.shape[1],
        chance,
    )
    return chance
