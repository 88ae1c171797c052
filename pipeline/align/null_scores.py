"""Cosines of the null windows and what they say about the real ones.

A child's recordings can hold a million frames, so no table of all utterances by all frames is
ever made: only the drawn runs are computed, in the order in which they lie in the pool, so that
frames wanted by several utterances are read from memory once.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.align import kernels
from pipeline.align.null import NullRuns
from pipeline.align.window_scores import Statistics, flat_images
from pipeline.align.windows import FrameRanges
from pipeline.compiled import compiled
from pipeline.records import Crop, Float32Array, Int64Array
from pipeline.results import FrameEmbeddings

_FRAMES_PER_TILE = 8
_MAX_COSINES = 4_000_000


@dataclass(frozen=True, slots=True)
class NullPool:
    """Recordings the null windows come from, laid one behind the other.

    starts: int64 (n_recordings,) where each begins; no tile of frames belongs to two recordings.
    """

    recordings: tuple[FrameEmbeddings, ...]
    starts: Int64Array

    @classmethod
    def of(cls, recordings: Sequence[FrameEmbeddings]) -> NullPool:
        n_frames = np.array([len(recording.times_ms) for recording in recordings], np.int64)
        room = -(-n_frames // _FRAMES_PER_TILE) * _FRAMES_PER_TILE
        return cls(tuple(recordings), np.cumsum(room) - room)


@dataclass(frozen=True, slots=True)
class NullWork:
    """m = n * K null runs of n utterances in the order of the pool.

    text_row, first_frame, start: int64 (m,) utterance, first frame in the pool and place among
    the n_cosines results. run_start: int64 (n,) where an utterance's results begin.
    recording_start: int64 (n_recordings + 1,) first run of each recording.
    """

    runs: NullRuns
    text_row: Int64Array
    first_frame: Int64Array
    start: Int64Array
    run_start: Int64Array
    recording_start: Int64Array
    n_cosines: int

    @classmethod
    def of(cls, runs: NullRuns, pool: NullPool) -> NullWork:
        n_draws = runs.first.shape[1]
        first = runs.first.ravel()
        tile = first // _FRAMES_PER_TILE
        # Small integers are sorted digit by digit, which is several times faster.
        narrow = np.min_scalar_type(int(tile.max(initial=0)))
        order = np.argsort(tile.astype(narrow), kind="stable")
        text_row = order // n_draws
        cosines_each = runs.n_frames * n_draws
        run_start = np.cumsum(cosines_each) - cosines_each
        return cls(
            runs=runs,
            text_row=text_row,
            first_frame=first[order],
            start=run_start[text_row] + (order % n_draws) * runs.n_frames[text_row],
            run_start=run_start,
            recording_start=np.append(
                np.searchsorted(tile[order], pool.starts // _FRAMES_PER_TILE), len(order)
            ),
            n_cosines=int(cosines_each.sum()),
        )


def turns(widest_frames: Int64Array, n_draws: int) -> list[slice]:
    """Cut n utterances into parts whose null cosines fit into memory (about 100 MB in all).

    widest_frames: int64 (n,) frames of the widest window. An utterance is never cut.
    """
    # Drawing costs about as much memory as four frames for each run.
    load = np.cumsum((widest_frames + 4) * n_draws)
    cuts = [0]
    while cuts[-1] < len(load):
        done = int(load[cuts[-1] - 1]) if cuts[-1] else 0
        fit = int(np.searchsorted(load, done + _MAX_COSINES, "right"))
        cuts.append(max(fit, cuts[-1] + 1))
    return [slice(low, high) for low, high in pairwise(cuts)]


def score_null(
    texts: Float32Array,
    pool: NullPool,
    crop: Crop,
    work: NullWork,
    windows: FrameRanges,
    observed: Statistics,
    n_threads: int = 1,
) -> Statistics:
    """Statistics (n, n_windows, 5) of kernels.CHANCE under one crop; NaN where there is no null.

    texts (n, dim), windows and observed (n, n_windows, 3) belong to the utterances of `work`.
    Threads fill separate places, so their number does not change the result.
    """
    cosines = np.empty(work.n_cosines, np.float32)
    n_runs = len(work.text_row)
    if n_threads == 1:
        _fill(texts, pool, crop, work, slice(0, n_runs), cosines)
    else:
        cuts = np.linspace(0, n_runs, n_threads + 1).astype(int).tolist()
        with ThreadPoolExecutor(n_threads) as threads:
            pieces = [
                threads.submit(_fill, texts, pool, crop, work, slice(low, high), cosines)
                for low, high in pairwise(cuts)
            ]
        for piece in pieces:
            piece.result()
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


def _fill(
    texts: Float32Array,
    pool: NullPool,
    crop: Crop,
    work: NullWork,
    piece: slice,
    cosines: Float32Array,
) -> None:
    """Compute the runs of `piece`, one recording after the other."""
    for index, recording in enumerate(pool.recordings):
        low = max(piece.start, int(work.recording_start[index]))
        high = min(piece.stop, int(work.recording_start[index + 1]))
        if low >= high:
            continue
        images, n_sub_crops = flat_images(recording, crop)
        text_row = work.text_row[low:high]
        compiled(kernels.cosine_runs)(
            texts,
            images,
            n_sub_crops,
            text_row,
            work.first_frame[low:high] - pool.starts[index],
            work.runs.n_frames[text_row],
            work.start[low:high],
            cosines,
        )
