"""Cosines around each utterance and the statistics of the real windows: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.align import kernels
from pipeline.align.windows import FrameRanges
from pipeline.compiled import compiled
from pipeline.records import Float32Array

Statistics = NDArray[np.float32]


def score_windows(
    texts: Float32Array,
    images: Float32Array,
    n_sub_crops: int,
    reach: FrameRanges,
    windows: FrameRanges,
) -> tuple[Float32Array, Statistics]:
    """Cosines with every frame in reach, one utterance behind the other, and the statistics
    (n, n_windows, 3) of kernels.OBSERVED, under one crop.

    texts: (n, dim); images: (n_frames * n_sub_crops, dim). reach: one range for each utterance,
    in which all its windows lie.
    """
    n_frames = np.ascontiguousarray(reach.n_frames[:, 0])
    start = np.cumsum(n_frames) - n_frames
    cosines = np.empty(int(n_frames.sum()), np.float32)
    compiled(kernels.cosine_runs)(
        texts,
        images,
        n_sub_crops,
        np.arange(len(n_frames), dtype=np.int32),
        np.ascontiguousarray(reach.first[:, 0]),
        n_frames,
        start,
        cosines,
    )
    statistics = np.full((*windows.first.shape, len(kernels.OBSERVED)), np.nan, np.float32)
    compiled(kernels.observed_statistics)(
        cosines, start, windows.first - reach.first, windows.n_frames, statistics
    )
    return cosines, statistics
