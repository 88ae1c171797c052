"""Opening a video and reading from it what the other modules need; the one place that knows av."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import MediaError
from pipeline.media_file import open_media
from pipeline.records import Int64Array
from pipeline.vision.orientation import UPRIGHT, Orientation, UInt8Array, orientation_of

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_MICROSECONDS = 1_000_000
RECOPY = "Copy it again from the camera, or set discard to 1 in metadata/recordings.csv."


@dataclass(slots=True)
class VideoFile:
    """An open video. `start_s` is where the container starts, on the clock of its timestamps.

    Audio and video share that start, so a time measured from it means the same in both.
    """

    path: Path
    container: InputContainer
    stream: VideoStream
    start_s: float
    _orientation: Orientation | None = None

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def tick_s(self) -> float:
        """Seconds per unit of a video timestamp."""
        base = self.stream.time_base
        return float(base) if base is not None else 1.0 / _MICROSECONDS

    def time_ms(self, pts: int) -> float:
        """Milliseconds from the start of the recording for a video timestamp."""
        return (pts * self.tick_s - self.start_s) * 1000.0

    def times_ms(self, pts: Int64Array) -> NDArray[np.float64]:
        """`time_ms` of an array of video timestamps (n,)."""
        return np.multiply(pts, self.tick_s, dtype=np.float64) * 1000.0 - self.start_s * 1000.0

    def picture(self, frame: VideoFrame) -> UInt8Array:
        """Upright RGB picture (h, w, 3) of a decoded frame, with square pixels."""
        width_px = _square_pixel_width(frame.width, self.stream)
        image = frame.to_ndarray(format="rgb24", width=width_px, height=frame.height)
        return self.orientation(frame).apply(image.astype(np.uint8, copy=False))

    def picture_size(self, frame: VideoFrame) -> tuple[int, int]:
        """(width, height) in pixels of `picture(frame)`."""
        width_px = _square_pixel_width(frame.width, self.stream)
        return self.orientation(frame).size(width_px, frame.height)

    def orientation(self, frame: VideoFrame) -> Orientation:
        """How the container has its pictures turned, from the first frame that is asked for.

        Reading side data makes a frame wait for the garbage collector, with all its pixels; from
        every frame, that would take gigabytes.
        """
        if self._orientation is None:
            self._orientation = _orientation_of_frame(frame)
        return self._orientation


@contextmanager
def open_video(path: Path) -> Iterator[VideoFile]:
    """Open a video for reading.

    Raises MediaError when the file is missing, empty, unreadable, or without a video track that
    can be decoded.
    """
    from av.error import FFmpegError

    name = path.name
    if not path.is_file():
        raise MediaError(f"{name} does not exist.", hint="Put the video there.")
    if path.stat().st_size == 0:
        raise MediaError(f"{name} is empty (0 bytes).", hint=RECOPY)
    with ExitStack() as opened:
        try:
            container = opened.enter_context(open_media(path))
        except (FFmpegError, OSError) as problem:
            raise MediaError(
                f"{name} cannot be read as video ({_reason(problem)}).", hint=RECOPY
            ) from problem
        yield VideoFile(path, container, _video_stream(name, container), _start_s(container))


def _orientation_of_frame(frame: VideoFrame) -> Orientation:
    from av.sidedata.sidedata import SideData

    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:
        # Some versions of av stop at side data newer than they are; the angle is still readable.
        return _quarter_turns(frame.rotation)
    return orientation_of(bytes(matrix) if isinstance(matrix, SideData) else None)


def _quarter_turns(counterclockwise_degrees: int) -> Orientation:
    turns = round(counterclockwise_degrees / 90) % 4
    return (
        UPRIGHT,
        Orientation(True, flips_vertically=True),
        Orientation(False, flips_horizontally=True, flips_vertically=True),
        Orientation(True, flips_horizontally=True),
    )[turns]


def _video_stream(name: str, container: InputContainer) -> VideoStream:
    import av.stream

    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not streams:
        raise MediaError(
            f"{name} has no video track.",
            hint="Name the right file in metadata/recordings.csv, or set discard to 1 there.",
        )
    # As ffmpeg chooses: some cameras keep a small copy for previews beside the picture itself.
    largest = max(streams, key=_n_pixels)
    if largest.codec_context is None:
        raise MediaError(
            f"{name} uses a video codec that cannot be decoded here.",
            hint="Convert it to H.264, for example with: ffmpeg -i IN -c:v libx264 OUT.mp4",
        )
    return largest


def _n_pixels(stream: VideoStream) -> int:
    context: VideoCodecContext | None = stream.codec_context
    return 0 if context is None else context.width * context.height


def _start_s(container: InputContainer) -> float:
    start: int | None = container.start_time
    return 0.0 if start is None else start / _MICROSECONDS


def _square_pixel_width(width_px: int, stream: VideoStream) -> int:
    ratio = stream.sample_aspect_ratio
    if ratio is None or not 0.25 <= ratio <= 4 or ratio == 1:
        return width_px
    return max(2, round(width_px * ratio))


def _reason(problem: Exception) -> str:
    text = getattr(problem, "strerror", None) or str(problem)
    return str(text).lower().removesuffix(".")
