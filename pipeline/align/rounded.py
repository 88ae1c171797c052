"""Vectors as 16-bit whole numbers, for comparing many of them.

What limits the speed of the scores is reading vectors: as 16 bits they are half as long as float32.
A unit vector's components are kept to 1/32700, about as well as a 16-bit float would, which moves a
cosine by some 1e-5 (at 512 dimensions never by 1e-3). A product of two is added up without any
rounding, so that it is the same on every computer, and equal vectors have equal cosines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.align import kernels
from pipeline.align.kernels import Float64Array, Int16Array
from pipeline.compiled import compiled
from pipeline.records import Float32Array

_LARGEST = 32_767
_IMAGE_UNITS = 32_700
"""Vectors count as unit vectors up to a length of 1.001."""
_TEXT_UNITS = 64_000
"""The product of a text this long with an image still has a place in 32 bits."""


@dataclass(frozen=True, slots=True)
class RoundedTexts:
    """Texts (n, dim) of any length. A product with an image times unit (n,) is their cosine."""

    vectors: Int16Array
    unit: Float64Array

    @classmethod
    def of(cls, vectors: Float32Array) -> RoundedTexts:
        """Each text is kept as finely as its length and largest component (n, dim) allow."""
        length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        largest = np.maximum(vectors.max(axis=1, initial=0), -vectors.min(axis=1, initial=0))
        allowed = np.minimum(
            _TEXT_UNITS / np.maximum(length, 1e-6), _LARGEST / np.maximum(largest, 1e-6)
        )
        scale = allowed.astype(np.float32)
        return cls(_rounded(vectors, scale), 1.0 / (scale.astype(np.float64) * _IMAGE_UNITS))


def rounded_images(vectors: Float32Array) -> Int16Array:
    """Unit rows (n, dim) in steps of 1 / 32700."""
    return _rounded(vectors, np.full(len(vectors), _IMAGE_UNITS, np.float32))


def _rounded(vectors: Float32Array, scale: Float32Array) -> Int16Array:
    rounded = np.empty(vectors.shape, np.int16)
    compiled(kernels.round_rows)(vectors, scale, rounded)
    return rounded
