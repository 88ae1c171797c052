"""Cosines of the null windows and what they say about the real ones.

A child's recordings can hold a million frames, so no table of all utterances by all frames is
ever made: only the drawn runs are computed, in the order in which they lie among the frames. A
tile of frames stays in the processor's own memory while all utterances drawn there pass by.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.align import kernels
from pipeline.align.kernels import Float64Array, Int16Array, Int32Array
from pipeline.align.null import NullRuns
from pipeline.align.rounded import RoundedTexts
from pipeline.align.window_scores import Observed
from pipeline.align.windows import FrameRanges
from pipeline.compiled import compiled
from pipeline.records import Float32Array, Int64Array

CHANCE = ("null_mean", "null_sd", "z", "p", "mean_z")
SMALLEST_SD = 1e-5
"""Cosines are kept to about this: a spread below it is rounding, and no z is given."""

_IMAGES_PER_TILE = 1_024
_MAX_RUNS = 4_000_000
"""Drawn by all threads at once; each takes 12 bytes."""


@dataclass(frozen=True, slots=True)
class NullWork:
    """m = n * K null runs of n utterances in the order of the frames.

    text_row, first_frame: (m,) utterance and first frame of each.
    """

    runs: NullRuns
    text_row: Int32Array
    first_frame: Int32Array

    @classmethod
    def of(cls, runs: NullRuns, n_sub_crops: int = 1) -> NullWork:
        tile_shift = max((_IMAGES_PER_TILE // n_sub_crops).bit_length() - 1, 0)
        n_tiles = (int(runs.first.max(initial=0)) >> tile_shift) + 1
        text_row, first_frame = (
            np.empty(runs.first.size, np.int32),
            np.empty(runs.first.size, np.int32),
        )
        compiled(kernels.order_by_tile)(
            runs.first, tile_shift, np.zeros(n_tiles + 1, np.int64), text_row, first_frame
        )
        return cls(runs, text_row, first_frame)


def turns(widest_frames: Int64Array, n_draws: int, n_threads: int = 1) -> list[slice]:
    """Cut n utterances into parts that take about as long as one another, a multiple of the
    threads, so that the runs drawn for one part on each thread fit into about 50 MB.

    widest_frames: int64 (n,) frames of the widest window. An utterance is never cut. Parts are
    large, because each part takes all frames of the child from memory.
    """
    n_turns = max(-(-len(widest_frames) * n_draws // _MAX_RUNS), 1)
    # Drawing a run and adding it up takes about as long as four frames.
    load = np.cumsum(widest_frames + 4)
    wanted = np.arange(1, n_turns * n_threads) * int(load.max(initial=0)) // (n_turns * n_threads)
    cuts = np.unique([0, *np.searchsorted(load, wanted), len(load)])
    return [slice(int(low), int(high)) for low, high in pairwise(cuts)]


def score_null(
    texts: RoundedTexts,
    images: Int16Array,
    n_sub_crops: int,
    work: NullWork,
    windows: FrameRanges,
    observed: Observed,
) -> Float32Array:
    """Statistics (n, n_windows, 5) of CHANCE under one crop; NaN where there is no null.

    texts (n, dim), windows and observed belong to the utterances of `work`; images
    (n_frames * n_sub_crops, dim) are all frames that runs may lie in.
    """
    from pipeline.align import row_products

    runs, n_draws = work.runs, work.runs.first.shape[1]
    sums = np.zeros((*windows.n_frames.shape, 5), np.float64)
    compiled(row_products.sum_null)(
        texts.vectors,
        images,
        n_sub_crops,
        work.text_row,
        work.first_frame,
        runs.n_frames,
        runs.window_first,
        windows.n_frames,
        observed.best,
        observed.total,
        sums,
    )
    chance = _chance(sums, texts.unit[:, None], n_draws, windows, observed)
    has_null = (windows.n_frames > 0) & (runs.window_first >= 0)
    return np.where(has_null[..., None], chance, np.nan).astype(np.float32)


def _chance(
    sums: Float64Array, unit: Float64Array, n_draws: int, windows: FrameRanges, observed: Observed
) -> Float64Array:
    """CHANCE (n, n_windows, 5) from the sums of kernels.sum_null; unit (n, 1)."""
    n_at_or_above, above, above_squares, more, more_squares = np.moveaxis(sums, -1, 0)
    above_sd = _sd(above, above_squares, n_draws)
    more_sd = _sd(more, more_squares, n_draws)
    mean_sd = more_sd * unit / np.maximum(windows.n_frames, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(above_sd * unit >= SMALLEST_SD, -above / n_draws / above_sd, np.nan)
        mean_z = np.where(mean_sd >= SMALLEST_SD, -more / n_draws / more_sd, np.nan)
    null_mean = (observed.best + above / n_draws) * unit
    p = (1.0 + n_at_or_above) / (n_draws + 1.0)
    return np.stack([null_mean, above_sd * unit, z, p, mean_z], axis=-1)


def _sd(total: Float64Array, squares: Float64Array, n: int) -> Float64Array:
    """Standard deviation of n numbers from their sum and the sum of their squares."""
    spread: Float64Array = np.sqrt(np.maximum(squares - total * total / n, 0.0) / (n - 1))
    return spread
