"""Products of many 16-bit vectors with one, as a plain loop for `pipeline.compiled`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.compiled import compiled

Floats = NDArray[np.float32]


def multiply(rows: NDArray[np.int16], vector: Floats, products: Floats) -> None:
    """products (n,): of every row, (n, dim), with the vector, (dim,)."""
    for i in range(rows.shape[0]):
        total = np.float32(0)
        for j in range(rows.shape[1]):
            total += np.float32(rows[i, j]) * vector[j]
        products[i] = total


def multiply_at_once(rows: NDArray[np.int16], vector: Floats, products: Floats) -> None:
    """The same for few rows, without a compiler."""
    np.dot(rows.astype(np.float32), vector, out=products)


def prepare() -> None:
    """Make it machine code: seconds on a computer's first time, then a moment."""
    compiled(multiply)(np.zeros((0, 1), np.int16), np.zeros(1, np.float32), np.zeros(0, np.float32))
