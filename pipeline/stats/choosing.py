"""Choosing utterances by what is known of each, as plain loops for `pipeline.compiled`.

`left` bool (n,) says which of n utterances are still chosen; a loop takes some of them out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.compiled import compiled

Mask = NDArray[np.bool_]


def keep_coded(left: Mask, codes: NDArray[np.integer], is_wanted: Mask) -> None:
    """Keep those whose code, (n,), is a wanted place, (n_places,)."""
    for i in range(len(left)):
        left[i] &= is_wanted[codes[i]]


def keep_at_least(left: Mask, values: NDArray[np.float32], low: float, keeps_nan: bool) -> None:
    """Keep those whose value, (n,), is at least `low`, a number of 32 bits as they are, and those
    without one if `keeps_nan`."""
    for i in range(len(left)):
        left[i] &= (values[i] >= np.float32(low)) | (keeps_nan & (values[i] != values[i]))


def keep_unflagged(left: Mask, flags: NDArray[np.uint32], unwanted: int) -> None:
    """Keep those whose flags, (n,), have none of the unwanted bits."""
    for i in range(len(left)):
        left[i] &= flags[i] & unwanted == 0


def places_left(left: Mask, places: NDArray[np.int32], n_found: NDArray[np.int64]) -> None:
    """places (n,): at its start, those that are left, in order; n_found (1,): how many."""
    n = 0
    for i in range(len(left)):
        places[n] = i
        n += left[i]
    n_found[0] = n


def prepare() -> None:
    """Make all of them machine code: seconds on a computer's first time, then a moment."""
    left = np.zeros(0, np.bool_)
    for type_ in (np.uint16, np.int32):
        compiled(keep_coded)(left, np.zeros(0, type_), left)
    compiled(keep_at_least)(left, np.zeros(0, np.float32), 0.0, True)
    compiled(keep_unflagged)(left, np.zeros(0, np.uint32), 0)
    compiled(places_left)(left, np.zeros(0, np.int32), np.zeros(1, np.int64))
