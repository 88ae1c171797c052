"""Where faces are, in shares of the upright picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FaceBox:
    """Left, top, right and bottom: 0 is the picture's left or top, 1 its right or bottom.

    Parts may lie outside the picture.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (self.left < self.right and self.top < self.bottom):
            raise ValueError(f"a face must have a width and a height, not {self}")

    @property
    def center(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def size(self) -> tuple[float, float]:
        return self.right - self.left, self.bottom - self.top

    def grown(self, margin: float) -> FaceBox:
        """Larger by `margin` of its own width and height on each side."""
        wide, high = (margin * length for length in self.size)
        return FaceBox(self.left - wide, self.top - high, self.right + wide, self.bottom + high)

    def moved(self, right: float, down: float) -> FaceBox:
        return FaceBox(self.left + right, self.top + down, self.right + right, self.bottom + down)


def overlap(one: FaceBox, other: FaceBox) -> float:
    """Area that both share over the area that either covers, 0 to 1."""
    wide = min(one.right, other.right) - max(one.left, other.left)
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    return shared / (math.prod(one.size) + math.prod(other.size) - shared)


def between(one: FaceBox, other: FaceBox, share: float) -> FaceBox:
    """The box `share` of the way from one to the other."""
    pairs = (
        (one.left, other.left),
        (one.top, other.top),
        (one.right, other.right),
        (one.bottom, other.bottom),
    )
    return FaceBox(*(a + (b - a) * share for a, b in pairs))


def grouped(windows: Float64Array, min_windows: int, near: float = 0.25) -> Float64Array:
    """Means of groups of at least `min_windows` windows that lie about together: (m, 3).

    windows (n, 3): left, top, side. Two are together when no edge is further apart than `near`
    of the smaller side, as in OpenCV; so are all that are together with one of them.
    """
    left, top, side = windows[:, 0], windows[:, 1], windows[:, 2]
    reach = near * np.minimum(side[:, None], side[None, :])
    edges = (left, top, left + side, top + side)
    is_near = np.logical_and.reduce([np.abs(e[:, None] - e[None, :]) <= reach for e in edges])
    group = np.arange(len(windows))
    while True:
        least = np.where(is_near, group[None, :], len(windows)).min(axis=1, initial=len(windows))
        if np.array_equal(least, group):
            break
        group = least
    members = [windows[group == number] for number in np.unique(group)]
    means = [found.mean(axis=0) for found in members if len(found) >= min_windows]
    return np.array(means, np.float64).reshape(-1, 3)


def without_doubles(boxes: Sequence[FaceBox], max_overlap: float = 0.4) -> tuple[FaceBox, ...]:
    """The boxes, of those that cover the same face only the first."""
    kept: list[FaceBox] = []
    for box in boxes:
        if all(overlap(box, other) <= max_overlap for other in kept):
            kept.append(box)
    return tuple(kept)
