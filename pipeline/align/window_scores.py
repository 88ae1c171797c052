"""Cosines around each utterance and the statistics of the real windows: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.align.kernels import Int16Array, Int32Array
from pipeline.align.rounded import RoundedTexts
from pipeline.align.windows import FrameRanges
from pipeline.compiled import compiled
from pipeline.records import Float32Array, Int64Array

OBSERVED = ("max_cosine", "mean_cosine", "min_cosine")


@dataclass(frozen=True, slots=True)
class Observed:
    """Scores of n utterances under one crop.

    cosines: with every frame in reach, one utterance behind the other. statistics: float32
    (n, n_windows, 3) of OBSERVED. best, total: (n, n_windows) the largest product of each window
    and the sum of its products, as whole numbers.
    """

    cosines: Float32Array
    statistics: Float32Array
    best: Int32Array
    total: Int64Array


def score_windows(
    texts: RoundedTexts,
    images: Int16Array,
    n_sub_crops: int,
    reach: FrameRanges,
    windows: FrameRanges,
    cosines: Float32Array,
    statistics: Float32Array,
) -> Observed:
    """images: (n_frames * n_sub_crops, dim). reach: one range for each utterance, in which all its
    windows lie. Written into cosines and statistics; those of empty windows stay as they are."""
    from pipeline.align import row_products

    shape = windows.first.shape
    observed = Observed(cosines, statistics, np.zeros(shape, np.int32), np.zeros(shape, np.int64))
    compiled(row_products.observe)(
        texts.vectors,
        images,
        n_sub_crops,
        np.ascontiguousarray(reach.first[:, 0]),
        np.ascontiguousarray(reach.n_frames[:, 0]),
        texts.unit,
        windows.first - reach.first,
        windows.n_frames,
        observed.cosines,
        observed.statistics,
        observed.best,
        observed.total,
    )
    return observed
