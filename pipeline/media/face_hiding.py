"""Hide faces in the pictures that people see: of a clip, of a frame."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.faces.blur import FaceBlur, blur_faces
from pipeline.faces.boxes import FaceBox
from pipeline.faces.scan import UInt8Array
from pipeline.media.encode import HideFaces
from pipeline.media.face_search import faces_in, faces_of
from pipeline.media.picture import plane_pixels
from pipeline.records import TimeSpan

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_JPEG_QUALITY = 80


def face_hider(source: Path, span: TimeSpan, blur: FaceBlur) -> HideFaces | None:
    """Hides the faces of `span` of a recording in its upright pictures; None when blur is off.

    Raises MediaError when `source` cannot be read or has no pictures.
    """
    if blur is FaceBlur.OFF:
        return None
    faces = faces_in(source, span)

    def hide(picture: VideoFrame, time_ms: float) -> None:
        boxes = faces.at(time_ms)
        if boxes:
            _hide_in_frame(picture, boxes, blur)

    return hide


def _hide_in_frame(picture: VideoFrame, boxes: Sequence[FaceBox], blur: FaceBlur) -> None:
    """In place, in each plane of a yuv420p picture."""
    picture.make_writable()
    for plane in picture.planes:
        blur_faces(plane_pixels(plane), boxes, blur)


def without_faces(image: UInt8Array, boxes: Sequence[FaceBox], blur: FaceBlur) -> UInt8Array:
    """A copy of an RGB picture (h, w, 3) with the boxes hidden."""
    hidden = image.copy()
    blur_faces(hidden, boxes, blur)
    return hidden


def grey_of(image: UInt8Array) -> UInt8Array:
    """Luma (h, w) of an RGB picture (h, w, 3), uint8."""
    import cv2

    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def jpeg_without_faces(jpeg: bytes, blur: FaceBlur) -> bytes:
    """The picture with its faces hidden; the very same bytes when it has none or blur is off."""
    from PIL import Image

    if blur is FaceBlur.OFF:
        return jpeg
    with Image.open(io.BytesIO(jpeg)) as opened:
        image = np.asarray(opened.convert("RGB"), np.uint8)
    boxes = faces_of(grey_of(image))
    if not boxes:
        return jpeg
    written = io.BytesIO()
    Image.fromarray(without_faces(image, boxes, blur)).save(
        written, format="JPEG", quality=_JPEG_QUALITY
    )
    return written.getvalue()
