"""Find faces in one picture: from the front, from both sides, and tilted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import Enum

import numpy as np

from pipeline.faces.boxes import FaceBox, Float64Array, grouped, without_doubles
from pipeline.faces.cascade import FRONTAL, PROFILE, load_cascade
from pipeline.faces.scan import UInt8Array, windows

LONG_SIDE_PX = 320
"""Pictures are made so small before they are searched."""
_MIN_SIDE_PX = 22.0
_SIZE_STEP = 1.25
_MIN_WINDOWS = {FRONTAL: 3, PROFILE: 2}
"""Fewer windows together are taken for chance; from the side faces give fewer, and less is mistaken
for one."""
_TILT_DEG = 28.0
_BRIGHTENED = np.round(255.0 * np.sqrt(np.arange(256) / 255.0)).astype(np.uint8)
"""Square root of each grey level: more levels for what is dark."""


class FaceView(Enum):
    """How a face is turned towards the camera."""

    FRONT = "front"
    LEFT_SIDE = "left side"
    RIGHT_SIDE = "right side"
    TILTED_LEFT = "tilted left"
    TILTED_RIGHT = "tilted right"


ALL_VIEWS = tuple(FaceView)
_TURN_DEG = {FaceView.TILTED_LEFT: -_TILT_DEG, FaceView.TILTED_RIGHT: _TILT_DEG}


def find_faces(grey: UInt8Array, views: Iterable[FaceView] = ALL_VIEWS) -> tuple[FaceBox, ...]:
    """Faces of an upright grey picture (h, w), uint8, in shares of it, each once."""
    small = _searched(grey)
    height, width = small.shape
    found = [
        FaceBox(left / width, top / height, (left + side) / width, (top + side) / height)
        for view in views
        for left, top, side in _seen(small, view).tolist()
    ]
    return without_doubles(found)


def _searched(grey: UInt8Array) -> UInt8Array:
    """Small and with its dark parts spread out: dark faces are missed more often without."""
    import cv2

    scale = LONG_SIDE_PX / max(grey.shape)
    if scale < 1.0:
        height, width = (max(1, round(length * scale)) for length in grey.shape)
        smaller = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
        grey = np.asarray(smaller, np.uint8)
    return _BRIGHTENED[grey]


def _seen(grey: UInt8Array, view: FaceView) -> Float64Array:
    """(n, 3) left, top and side in pixels of `grey`."""
    if view in _TURN_DEG:
        return _turned(grey, _TURN_DEG[view])
    if view is FaceView.FRONT:
        return _found(grey, FRONTAL)
    # The cascade knows faces that look to the picture's left.
    if view is FaceView.LEFT_SIDE:
        return _found(grey, PROFILE)
    found = _found(np.ascontiguousarray(grey[:, ::-1]), PROFILE)
    found[:, 0] = grey.shape[1] - found[:, 0] - found[:, 2]
    return found


def _found(grey: UInt8Array, name: str) -> Float64Array:
    passed = windows(grey, load_cascade(name), min_side_px=_MIN_SIDE_PX, size_step=_SIZE_STEP)
    return grouped(passed, _MIN_WINDOWS[name])


def _turned(grey: UInt8Array, turn_deg: float) -> Float64Array:
    """Faces of the picture turned by `turn_deg` counter-clockwise, where they are in `grey`."""
    import cv2

    height, width = grey.shape
    cosine, sine = abs(math.cos(math.radians(turn_deg))), abs(math.sin(math.radians(turn_deg)))
    wide, high = round(width * cosine + height * sine), round(width * sine + height * cosine)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1.0)
    turn[:, 2] += ((wide - width) / 2, (high - height) / 2)
    turned = np.asarray(cv2.warpAffine(grey, turn, (wide, high)), np.uint8)
    found = _found(turned, FRONTAL)
    back = np.asarray(cv2.invertAffineTransform(turn), np.float64)
    centers = found[:, :2] + found[:, 2:] / 2
    found[:, :2] = centers @ back[:, :2].T + back[:, 2] - found[:, 2:] / 2
    return found
