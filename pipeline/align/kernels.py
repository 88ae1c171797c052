"""The inner loops of the scores, as plain Python on arrays; see `compiled`. Those that multiply
vectors are in `row_products`.

A run is a stretch of consecutive frames that belongs to one utterance. Texts and images are rows
of 16-bit whole numbers (see `rounded`): a product of two is a whole number too, the same in
whatever order it is added up. Each kernel fills arrays it is given, so memory is bounded by the
caller.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Float32Array, Int64Array

Int16Array = NDArray[np.int16]
Int32Array = NDArray[np.int32]
Float64Array = NDArray[np.float64]
UInt64Array = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_WITHOUT_SIGN = np.int32(0x7FFFFFFF)


def measure_rows(
    vectors: Float32Array, bits: Int32Array, squares: Float64Array, largest: Int32Array
) -> None:
    """Sum of the squares (n,) and largest size (n,) of the numbers of each row of vectors (n, dim).

    bits, largest: the same numbers, read as whole numbers; without the sign they have one order,
    and the largest whole number is found faster.
    """
    for row in range(vectors.shape[0]):
        added, most = 0.0, np.int32(0)
        for d in range(vectors.shape[1]):
            added += np.float64(vectors[row, d]) * np.float64(vectors[row, d])
            most = max(most, bits[row, d] & _WITHOUT_SIGN)
        squares[row] = added
        largest[row] = most


def round_rows(vectors: Float32Array, scale: Float32Array, rounded: Int16Array) -> None:
    """rounded (n, dim): the nearest whole numbers to vectors (n, dim) * scale (n,)."""
    for row in range(vectors.shape[0]):
        for d in range(vectors.shape[1]):
            rounded[row, d] = np.int16(np.rint(vectors[row, d] * scale[row]))


def guide_positions(end: Int64Array, shift: int, guide: Int32Array) -> None:
    """guide (n_groups, n): the stretch in which position i << shift lies, or the last one.

    end (n_groups, n_stretches): how many positions there are up to the end of each stretch.
    """
    for group in range(guide.shape[0]):
        stretch = 0
        for i in range(guide.shape[1]):
            while stretch < end.shape[1] - 1 and end[group, stretch] <= i << shift:
                stretch += 1
            guide[group, i] = stretch


def draw_frames(
    keys: UInt64Array,
    group: Int64Array,
    left_out: Int64Array,
    end: Int64Array,
    stretch_end: Int64Array,
    guide: Int32Array,
    shift: int,
    first: Int32Array,
) -> None:
    """first (n, K): the frame at which each drawn run begins; 0 where it fits nowhere.

    keys (n,): each utterance's random numbers are SplitMix64 (Steele et al. 2014) from its key on.
    end, guide, shift: as in guide_positions, for runs of the length of the group; group (n,).
    left_out (n,): a stretch that the utterance's runs may not lie in, or -1. stretch_end
    (n_groups, n_stretches): the frame behind the last position of each.
    """
    n_stretches = end.shape[1]
    for row in range(first.shape[0]):
        own = group[row]
        n_positions = end[own, n_stretches - 1]
        gap, n_left_out = n_positions, 0
        if left_out[row] >= 0:
            gap = end[own, left_out[row] - 1] if left_out[row] > 0 else 0
            n_left_out = end[own, left_out[row]] - gap
            n_positions -= n_left_out
        for draw in range(first.shape[1]):
            first[row, draw] = 0
            if n_positions == 0:
                continue
            state = keys[row] + np.uint64(draw + 1) * _GOLDEN
            state = (state ^ (state >> np.uint64(30))) * _MIX_1
            state = (state ^ (state >> np.uint64(27))) * _MIX_2
            state ^= state >> np.uint64(31)
            position = int(np.float64(state >> np.uint64(11)) * 2.0**-53 * n_positions)
            if position >= gap:
                position += n_left_out
            stretch = guide[own, position >> shift]
            while end[own, stretch] <= position:
                stretch += 1
            first[row, draw] = stretch_end[own, stretch] - (end[own, stretch] - position)


def order_by_tile(
    first: Int32Array,
    tile_shift: int,
    next_place: Int64Array,
    text_row: Int32Array,
    first_frame: Int32Array,
) -> None:
    """The runs of n utterances, K of each, in the order of tiles of frames (a counting sort).

    first (n, K). Frame i is in tile i >> tile_shift. next_place: zeros, one for each tile and one
    more. Written for each of the n * K runs in order: its utterance and its first frame; within a
    tile by utterance.
    """
    for row in range(first.shape[0]):
        for draw in range(first.shape[1]):
            next_place[(first[row, draw] >> tile_shift) + 1] += 1
    for tile in range(1, len(next_place)):
        next_place[tile] += next_place[tile - 1]
    for row in range(first.shape[0]):
        for draw in range(first.shape[1]):
            tile = first[row, draw] >> tile_shift
            place = next_place[tile]
            next_place[tile] += 1
            text_row[place] = row
            first_frame[place] = first[row, draw]
