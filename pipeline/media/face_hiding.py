"""Hide faces in the pictures that people see: of a clip, of a frame."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.faces.blur import FaceBlur, blur_faces
from pipeline.faces.boxes import FaceBox
from pipeline.faces.scan import UInt8Array
from pipeline.media.face_search import FaceSearch, faces_of, with_hold
from pipeline.media.picture import plane_pixels
from pipeline.media.source import shown_during, video_frames
from pipeline.records import TimeSpan

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_JPEG_QUALITY = 80


class FaceHider:
    """Hides the faces of a stretch of a recording while it is decoded, which is done once."""

    def __init__(self, stream: VideoStream, span: TimeSpan, blur: FaceBlur) -> None:
        self._stream = stream
        self._span = span
        self._blur = blur
        self._search = FaceSearch(stream)
        self._looked_at: Iterator[tuple[float, VideoFrame]] = iter(())

    def frames(self, container: InputContainer) -> Iterator[tuple[float, VideoFrame]]:
        """Frames shown during the span, as `video_frames`; those around it are searched, too."""
        self._looked_at = self._looking(container)
        return shown_during(self._looked_at, self._span)

    def _looking(self, container: InputContainer) -> Iterator[tuple[float, VideoFrame]]:
        for time_ms, frame in video_frames(container, self._stream, with_hold(self._span)):
            self._search.look(time_ms, frame)
            yield time_ms, frame

    def look_on(self) -> None:
        """Search what comes shortly after the span."""
        for _ in self._looked_at:
            pass

    @property
    def known_until_ms(self) -> float:
        """Pictures shown up to this time of the recording can have their faces hidden now."""
        return self._search.known_until_ms

    def hide(self, picture: VideoFrame, time_ms: float) -> None:
        """Hide the faces at `time_ms` in a yuv420p picture, in place."""
        boxes = self._search.at(time_ms)
        if boxes:
            _hide_in_frame(picture, boxes, self._blur)

    def close(self) -> None:
        """End the search."""
        self._search.close()


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
