"""Cosines around each utterance and the statistics of the real windows: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.align import kernels
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
    (n, n_windows, 3) of OBSERVED, NaN for empty windows. best, total: (n, n_windows) the largest
    product of each window and the sum of its products, as whole numbers.
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
) -> Observed:
    """images: (n_frames * n_sub_crops, dim). reach: one range for each utterance, in which all its
    windows lie."""
    from pipeline.align import row_products

    n_frames = np.ascontiguousarray(reach.n_frames[:, 0])
    first_frame = np.ascontiguousarray(reach.first[:, 0])
    products = np.empty(int(n_frames.sum()), np.int32)
    compiled(row_products.products)(
        texts.vectors, images, n_sub_crops, first_frame, n_frames, products
    )
    shape = windows.first.shape
    observed = Observed(
        np.empty(len(products), np.float32),
        np.full((*shape, len(OBSERVED)), np.nan, np.float32),
        np.zeros(shape, np.int32),
        np.zeros(shape, np.int64),
    )
    compiled(kernels.observe_windows)(
        products,
        n_frames,
        texts.unit,
        windows.first - reach.first,
        windows.n_frames,
        observed.cosines,
        observed.statistics,
        observed.best,
        observed.total,
    )
    return observed
