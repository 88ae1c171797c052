"""Cosines by lag and the statistics of the real windows: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.align import kernels
from pipeline.align.windows import FrameRanges, Spans, frame_ranges, lags_ms
from pipeline.compiled import compiled
from pipeline.records import Crop, Float32Array
from pipeline.results import FrameEmbeddings, LagTable
from pipeline.schema import MAX_LAG_MS

Statistics = NDArray[np.float32]


def score_windows(
    texts: Float32Array,
    frames: FrameEmbeddings,
    crops: Sequence[Crop],
    spans: Spans,
    windows: FrameRanges,
) -> tuple[LagTable, tuple[Statistics, ...]]:
    """Lag table, and for each crop the statistics (n, n_windows, 3) of kernels.OBSERVED.

    texts: (n, dim). Every window must lie within MAX_LAG_MS of its utterance.
    """
    reach = frame_ranges(spans, frames.times_ms, (MAX_LAG_MS,))
    first = np.ascontiguousarray(reach.first[:, 0])
    n_frames = np.ascontiguousarray(reach.n_frames[:, 0])
    start = np.cumsum(n_frames) - n_frames
    utterance_row, frame_row = reach.rows(0)
    cosines = np.empty((len(frame_row), len(crops)), np.float32)
    observed = []
    for index, crop in enumerate(crops):
        column = np.empty(len(frame_row), np.float32)
        images, n_sub_crops = flat_images(frames, crop)
        compiled(kernels.cosine_runs)(
            texts, images, n_sub_crops, np.arange(len(spans)), first, n_frames, start, column
        )
        statistics = np.full((*windows.first.shape, len(kernels.OBSERVED)), np.nan, np.float32)
        compiled(kernels.observed_statistics)(
            column, start, windows.first - reach.first, windows.n_frames, statistics
        )
        cosines[:, index] = column
        observed.append(statistics)
    time_ms = frames.times_ms[frame_row]
    lag_ms = lags_ms(time_ms, spans.onset_ms[utterance_row], spans.offset_ms[utterance_row])
    return LagTable(utterance_row, time_ms, lag_ms, cosines), tuple(observed)


def flat_images(frames: FrameEmbeddings, crop: Crop) -> tuple[Float32Array, int]:
    """Image vectors (n * k, dim) of one crop, a frame's k sub-crops side by side, and k."""
    vectors = frames.vectors(crop)
    n, k, dim = vectors.shape
    return np.ascontiguousarray(vectors).reshape(n * k, dim), k
