"""Frames of the toy world: a moving room with drawings of known objects at known places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.backdrop import ROOMS, Backdrop, CameraPose
from pipeline.demo.sprite_sheet import (
    CELL_PX,
    HELD_OUT_DESIGN,
    TRAINING_DESIGNS,
    SpriteSheet,
    load_sprites,
)

__all__ = [
    "HELD_OUT_DESIGN",
    "ROOMS",
    "TRAINING_DESIGNS",
    "Backdrop",
    "CameraPose",
    "Placement",
    "SpriteSheet",
    "load_sprites",
    "render",
]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Placement:
    """One object in a frame.

    ``center_x`` and ``width`` are fractions of the frame's width, ``center_y`` of its height; the
    drawing is as high as it is wide. ``angle_deg`` turns it counter-clockwise.
    """

    word: str
    design: str
    center_x: float
    center_y: float
    width: float
    angle_deg: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.width <= 2.0:
            raise ValueError(f"width must be a fraction of the frame in (0, 2], not {self.width}")


def render(
    backdrop: Backdrop,
    time_s: float,
    placements: Sequence[Placement],
    width_px: int,
    height_px: int,
    *,
    blur_px: float = 0.0,
) -> Pixels:
    """One frame, uint8 RGB (height_px, width_px, 3): the view, the objects over it, then blur.

    Later placements cover earlier ones. ``blur_px`` is the standard deviation of the blur in
    pixels of this frame; below 0.2 nothing is blurred.
    """
    import cv2

    frame = backdrop.view(time_s, width_px, height_px)
    for placement in placements:
        _draw(frame, placement)
    if blur_px >= 0.2:
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), blur_px), dtype=np.uint8)
    return frame


@lru_cache(maxsize=1024)
def _premultiplied(word: str, design: str, halvings: int) -> Pixels:
    """The sprite with colour multiplied by alpha, halved often enough to shrink without moire."""
    import cv2

    sprite = load_sprites().sprite(word, design).astype(np.uint16)
    sprite[..., :3] = (sprite[..., :3] * sprite[..., 3:] + 127) // 255
    side = CELL_PX >> halvings
    small = cv2.resize(sprite.astype(np.uint8), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def _draw(frame: Pixels, placement: Placement) -> None:
    """Lays one sprite over `frame`, in place; parts outside the frame are cut off."""
    import cv2

    height_px, width_px = frame.shape[:2]
    size_px = placement.width * width_px
    halvings = min(3, max(0, math.floor(math.log2(CELL_PX / size_px))))
    sprite = _premultiplied(placement.word, placement.design, halvings)
    center_x, center_y = placement.center_x * width_px, placement.center_y * height_px
    turn = math.radians(placement.angle_deg)
    reach = size_px / 2 * (abs(math.cos(turn)) + abs(math.sin(turn))) + 1
    left, right = max(0, math.floor(center_x - reach)), min(width_px, math.ceil(center_x + reach))
    top, bottom = max(0, math.floor(center_y - reach)), min(height_px, math.ceil(center_y + reach))
    if left >= right or top >= bottom:
        return
    side = sprite.shape[0]
    to_frame = cv2.getRotationMatrix2D((side / 2, side / 2), placement.angle_deg, size_px / side)
    # Pixel centres sit at half-integers in these coordinates and at integers in OpenCV's.
    half = np.array([0.5, 0.5])
    corner = np.array([left + side / 2, top + side / 2])
    to_frame[:, 2] += np.array([center_x, center_y]) - corner + to_frame[:, :2] @ half - half
    size = (right - left, bottom - top)
    layer = cv2.warpAffine(sprite, to_frame, size, flags=cv2.INTER_LINEAR)
    region = frame[top:bottom, left:right]
    clear = 255 - layer[..., 3:].astype(np.uint16)
    behind = ((region * clear + 127) // 255).astype(np.uint8)
    cv2.add(behind, np.ascontiguousarray(layer[..., :3]), dst=region)
