"""Where each crop lies on the upright frame: geometry only, so the dashboard can draw it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.records import Crop

N_MULTI_CROPS = 3
"""Squares of the multi crop, always: at the start, middle and end of the long side."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the upright frame, in pixels from its top left corner."""

    left_px: int
    top_px: int
    width_px: int
    height_px: int


def crop_box(crop: Crop, width_px: int, height_px: int) -> Box:
    """The part of a frame that a crop shows to the model; pad and squash show all of it."""
    if crop is Crop.MULTI:
        raise ValueError("the multi crop has several boxes; use multi_crop_boxes")
    if crop is Crop.CENTER:
        return multi_crop_boxes(width_px, height_px)[1]
    return Box(0, 0, width_px, height_px)


def multi_crop_boxes(width_px: int, height_px: int) -> list[Box]:
    """The three squares of the multi crop: the short side long, along the long side.

    They have the scale of the centre crop, whose box is the middle one, and together cover the
    frame up to a side ratio of 3:1, overlapping at common ratios. So the multi crop differs from
    the centre crop in coverage alone.
    """
    side_px = min(width_px, height_px)
    spare_px = max(width_px, height_px) - side_px
    offsets = (0, round(spare_px / 2), spare_px)
    if width_px >= height_px:
        return [Box(offset, 0, side_px, side_px) for offset in offsets]
    return [Box(0, offset, side_px, side_px) for offset in offsets]


def boxes(crop: Crop, width_px: int, height_px: int) -> list[Box]:
    """The boxes of a crop in the order of its sub-crops: one, or three for the multi crop."""
    if crop is Crop.MULTI:
        return multi_crop_boxes(width_px, height_px)
    return [crop_box(crop, width_px, height_px)]


def n_sub_crops(crop: Crop) -> int:
    """Images that the model sees of each frame under a crop."""
    return N_MULTI_CROPS if crop is Crop.MULTI else 1
