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
from pipeline.align.threads import ALONE, Threads
from pipeline.compiled import compiled
from pipeline.records import Float32Array

_LARGEST = 32_767
_IMAGE_UNITS = 32_700
"""Vectors count as unit vectors up to a length of 1.001."""
_TEXT_UNITS = 64_000
"""The product of a text this long with an image still has a place in 32 bits."""
_LINE = 32
"""Numbers of 16 bits in 64 bytes."""
_PART = 512
"""Texts that are rounded at once; their float32 numbers stay in the processor's own memory."""


@dataclass(frozen=True, slots=True)
class RoundedTexts:
    """Texts (n, dim) of any length. A product with an image times unit (n,) is their cosine."""

    vectors: Int16Array
    unit: Float64Array

    @classmethod
    def of(cls, vectors: Float32Array, threads: Threads = ALONE) -> RoundedTexts:
        """Each text is kept as finely as its length and largest component (n, dim) allow."""
        texts = cls(empty_rows(*vectors.shape), np.empty(len(vectors), np.float64))

        def fill(rows: slice) -> None:
            part = np.ascontiguousarray(vectors[rows], np.float32)
            scale = _text_scale(part)
            compiled(kernels.round_rows)(part, scale, texts.vectors[rows])
            texts.unit[rows] = 1.0 / (scale.astype(np.float64) * _IMAGE_UNITS)

        threads.each(fill, [slice(low, low + _PART) for low in range(0, len(vectors), _PART)])
        return texts

    def of_rows(self, rows: slice) -> RoundedTexts:
        """Some of the texts."""
        return RoundedTexts(self.vectors[rows], self.unit[rows])


def _text_scale(vectors: Float32Array) -> Float32Array:
    """How many steps a 1 has in each text (n, dim)."""
    squares, bits = np.empty(len(vectors)), np.empty(len(vectors), np.int32)
    compiled(kernels.measure_rows)(vectors, vectors.view(np.int32), squares, bits)
    length, largest = np.sqrt(squares), bits.view(np.float32)
    allowed: Float32Array = np.minimum(
        _TEXT_UNITS / np.maximum(length, 1e-6), _LARGEST / np.maximum(largest, 1e-6)
    ).astype(np.float32)
    return allowed


def round_images(vectors: Float32Array, rounded: Int16Array) -> None:
    """Write unit rows (n, dim) in steps of 1 / 32700 to rounded (n, dim)."""
    scale = np.full(len(vectors), _IMAGE_UNITS, np.float32)
    compiled(kernels.round_rows)(vectors, scale, rounded)


def empty_rows(n: int, dim: int) -> Int16Array:
    """(n, dim), yet to be filled, beginning where a line of the processor's memory does: a row
    that begins elsewhere touches more lines."""
    room = np.empty(n * dim + _LINE, np.int16)
    start = -room.ctypes.data // room.itemsize % _LINE
    return room[start : start + n * dim].reshape(n, dim)
