"""Read a stretch of a recording: the frames shown in it and the sound heard in it.

Times are milliseconds from the start of the recording, which is where a player's clock reads
0:00: the container's own start time, not the first time stamp of either track. A track that
starts later (an audio offset, an edit list) therefore stays where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import MediaError
from pipeline.media_file import SteadyResampler, open_media, read_packets
from pipeline.records import Float32Array, TimeSpan

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_SEEK_MARGINS_MS = (250, 3_000, 15_000, 60_000)
"""How far before the wanted instant to aim, then the start of the file.

MPEG streams have no index: their seek may land after the wanted instant, so aim earlier.
"""
_AUDIO_JITTER_MS = 20.0
"""Time stamps this close to where the sound before them ended are taken as continuous."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples of a stretch: float32 (channels, n) at `rate_hz`, silence where nothing was."""

    samples: Float32Array
    rate_hz: int
    heard_until_ms: float


@contextmanager
def open_source(path: Path) -> Iterator[InputContainer]:
    """Open a recording for reading.

    Raises MediaError, naming the file, also for what FFmpeg reports while it is being read.
    """
    import av

    if not path.is_file():
        raise MediaError(
            f"The recording {path.name} is not where the study says.",
            hint="Put it back under recordings/raw.",
        )
    try:
        with open_media(path) as container:
            yield container
    except av.error.FFmpegError as problem:
        raise MediaError(
            f"{path.name} cannot be read: {problem.strerror}.",
            hint="Check that the file plays, and copy it again if it does not.",
        ) from problem


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The largest track of moving pictures, whose frames are scored; cover pictures do not count.

    As in `pipeline.vision.video_file`.
    """
    import av

    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not streams:
        raise MediaError(
            f"{path.name} has no video track.", hint="Give the frames of this recording."
        )
    return max(streams, key=_n_pixels)


def _n_pixels(stream: VideoStream) -> int:
    context: VideoCodecContext | None = stream.codec_context
    return 0 if context is None else context.width * context.height


def video_frames(
    container: InputContainer, stream: VideoStream, span: TimeSpan
) -> Iterator[tuple[float, VideoFrame]]:
    """Frames shown during `span` with the time at which each is shown, in order.

    The first is the one on the screen when the span begins, so its time may lie before it.
    Decoding starts at the keyframe before the span.
    """
    stream.thread_type = "AUTO"
    for aim_ms in _aims(span.onset_ms):
        _seek(container, stream, aim_ms)
        frames = _decoded(container, stream)
        first = next(frames, None)
        if first is None or (first[0] > span.onset_ms and aim_ms > 0):
            continue
        yield from shown_during(chain((first,), frames), span)
        return


def shown_during(
    frames: Iterator[tuple[float, VideoFrame]], span: TimeSpan
) -> Iterator[tuple[float, VideoFrame]]:
    """Of frames in order, each with its time, those shown during `span`.

    The first is the one on the screen when the span begins; one frame after the span is taken.
    """
    on_screen = next(frames, None)
    if on_screen is None:
        return
    for entry in frames:
        if entry[0] >= span.offset_ms:
            break
        if entry[0] > span.onset_ms and on_screen[0] < span.offset_ms:
            yield on_screen
        on_screen = entry
    if on_screen[0] < span.offset_ms:
        yield on_screen


def sound(container: InputContainer, stream: AudioStream, span: TimeSpan) -> Sound:
    """What is heard during `span`, at most two channels, at the recording's own rate."""
    for aim_ms in _aims(span.onset_ms):
        _seek(container, stream, aim_ms)
        frames = _decoded_sound(container, stream)
        first = next(frames, None)
        if first is None or (first[0] > span.onset_ms and aim_ms > 0):
            continue
        rate_hz = first[1].sample_rate
        layout = "mono" if len(first[1].layout.channels) == 1 else "stereo"
        to_float = SteadyResampler("fltp", layout, rate_hz)
        out = _Tape(span, rate_hz, 1 if layout == "mono" else 2)
        out.add(first[0], to_float.resample(first[1]))
        for time_ms, frame in frames:
            if time_ms >= span.offset_ms:
                break
            out.add(time_ms, to_float.resample(frame))
        return Sound(out.samples, rate_hz, out.heard_until_ms)
    return Sound(np.zeros((1, 0), np.float32), 48_000, float(span.onset_ms))


class _Tape:
    """Puts sound where its time stamps say, and keeps neighbours without a seam."""

    def __init__(self, span: TimeSpan, rate_hz: int, n_channels: int) -> None:
        self._span = span
        self._per_ms = rate_hz / 1000.0
        self._next: float | None = None
        n = round(span.duration_ms * self._per_ms)
        self.samples: Float32Array = np.zeros((n_channels, n), np.float32)
        self.heard_until_ms = float(span.onset_ms)

    def add(self, time_ms: float, frames: list[AudioFrame]) -> None:
        at = (time_ms - self._span.onset_ms) * self._per_ms
        if self._next is not None and abs(at - self._next) < _AUDIO_JITTER_MS * self._per_ms:
            at = self._next
        for frame in frames:
            chunk = frame.to_ndarray()
            start = round(at)
            low, high = max(0, start), min(self.samples.shape[1], start + chunk.shape[1])
            if high > low:
                self.samples[:, low:high] = chunk[:, low - start : high - start]
                self.heard_until_ms = self._span.onset_ms + high / self._per_ms
            at += chunk.shape[1]
        self._next = at


def _aims(onset_ms: int) -> Iterator[int]:
    for margin_ms in _SEEK_MARGINS_MS:
        if onset_ms <= margin_ms:
            break
        yield onset_ms - margin_ms
    yield 0


def _seek(container: InputContainer, stream: VideoStream | AudioStream, aim_ms: int) -> None:
    assert stream.time_base is not None
    aim_s = (_start_ms(container) + aim_ms) / 1000.0
    container.seek(int(aim_s / stream.time_base), stream=stream, backward=True)


def _start_ms(container: InputContainer) -> float:
    return (container.start_time or 0) / 1000.0


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[tuple[float, VideoFrame]]:
    import av

    start_ms = _start_ms(container)
    for packet in read_packets(container, stream):
        try:
            frames = stream.decode(packet if packet.size else None)
        except av.error.InvalidDataError:
            continue  # A damaged packet costs its own pictures, not the clip.
        for frame in frames:
            stamp = frame.pts if frame.pts is not None else frame.dts
            # The last frames, which the decoder held back, come without a clock of their own.
            clock = frame.time_base or stream.time_base
            if stamp is not None and clock is not None:
                yield float(stamp * clock) * 1000.0 - start_ms, frame


def _decoded_sound(
    container: InputContainer, stream: AudioStream
) -> Iterator[tuple[float, AudioFrame]]:
    import av

    start_ms = _start_ms(container)
    for packet in read_packets(container, stream):
        try:
            frames = stream.decode(packet if packet.size else None)
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            if frame.pts is not None and frame.time_base is not None:
                yield float(frame.pts * frame.time_base) * 1000.0 - start_ms, frame
