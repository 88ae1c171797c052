"""Make the faces in a picture unrecognisable, in place."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np

from pipeline.faces.boxes import FaceBox
from pipeline.faces.scan import UInt8Array


class FaceBlur(str, Enum):
    """What is left of a face: all of it, a few coarse spots of colour, or one colour."""

    OFF = "off"
    SPOTS = "spots"
    SOLID = "solid"


_SPOTS_ACROSS = 5
"""A hidden box is at least a third wider than its face: the face keeps at most 4 spots across."""


def blur_faces(plane: UInt8Array, boxes: Sequence[FaceBox], blur: FaceBlur) -> None:
    """Change `plane`, (h, w) or (h, w, channels), where the boxes lie.

    Also for the planes of a YUV picture, of any size. Boxes that share pixels are hidden in turn.
    """
    if blur is FaceBlur.OFF:
        return
    height, width = plane.shape[:2]
    for box in boxes:
        left, right = (round(min(max(x, 0.0), 1.0) * width) for x in (box.left, box.right))
        top, bottom = (round(min(max(y, 0.0), 1.0) * height) for y in (box.top, box.bottom))
        if right > left and bottom > top:
            _hide(plane[top:bottom, left:right], 1 if blur is FaceBlur.SOLID else _SPOTS_ACROSS)


def _hide(patch: UInt8Array, n_across: int) -> None:
    """Means of `n_across` by `n_across` fields, then smooth between: only the means are left."""
    import cv2

    height, width = patch.shape[:2]
    fields = cv2.resize(
        np.ascontiguousarray(patch),
        (min(n_across, width), min(n_across, height)),
        interpolation=cv2.INTER_AREA,
    )
    smooth = cv2.resize(fields, (width, height), interpolation=cv2.INTER_LINEAR)
    patch[...] = smooth.reshape(patch.shape)
