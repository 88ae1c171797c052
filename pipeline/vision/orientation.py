"""Turning a decoded picture upright: rotation and mirroring of the display matrix, pixel shape."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UInt8Array = NDArray[np.uint8]

DISPLAY_MATRIX_BYTES = 36


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored pixels become the upright picture: swap axes first, then flip."""

    swaps_axes: bool = False
    flips_horizontally: bool = False
    flips_vertically: bool = False

    def size(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Upright (width, height) of a picture stored as width x height."""
        return (height_px, width_px) if self.swaps_axes else (width_px, height_px)

    def apply(self, image: UInt8Array) -> UInt8Array:
        """`image` (h, w, 3) upright and contiguous."""
        # Whole pixels move: half the time of moving their three bytes one by one.
        pixels = np.ascontiguousarray(image).view("V3")[:, :, 0]
        if self.swaps_axes:
            pixels = pixels.T
        if self.flips_horizontally:
            pixels = pixels[:, ::-1]
        if self.flips_vertically:
            pixels = pixels[::-1]
        height_px, width_px = pixels.shape
        return np.ascontiguousarray(pixels).view(np.uint8).reshape(height_px, width_px, 3)


UPRIGHT = Orientation()


def orientation_of(display_matrix: bytes | None) -> Orientation:
    """Orientation from a container's display matrix (nine int32), to the nearest quarter turn.

    The matrix maps a stored pixel (x, y) to (a x + c y, b x + d y) on the display; cameras only
    write quarter turns and mirrorings.
    """
    if display_matrix is None or len(display_matrix) != DISPLAY_MATRIX_BYTES:
        return UPRIGHT
    a, b, _, c, d = struct.unpack("=9i", display_matrix)[:5]
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, flips_horizontally=c < 0, flips_vertically=b < 0)
    return Orientation(False, flips_horizontally=a < 0, flips_vertically=d < 0)
