"""Encode the pictures and the sound of a clip as an mp4 that starts to play before it is loaded."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipeline.media.hiding import black_like
from pipeline.media.picture import PictureSize, Upright
from pipeline.media.source import Sound
from pipeline.records import TimeSpan

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


class HidesFaces(Protocol):
    """Changes pictures in yuv420p, each of them once it is known where its faces are."""

    @property
    def known_until_ms(self) -> float:
        """Up to which time of the recording that is known."""
        ...

    def hide(self, picture: VideoFrame, time_ms: float) -> None:
        """Hide what is a face in the picture shown from `time_ms` of the recording on."""
        ...


_CLOCK = Fraction(1, 90_000)
_AUDIO_RATE_HZ = 48_000
_AAC_FRAME_SAMPLES = 1_024
_MIN_FRAME_MS = 1000.0 / 61.0
_PICTURE_OPTIONS = {"preset": "superfast", "crf": "22", "bf": "0", "g": "15"}
"""No B-frames and a keyframe twice a second, so that stepping to a frame is quick and exact."""


class ClipWriter:
    """Writes one clip of `wanted`: pictures as they come, then `finish` with the sound."""

    def __init__(
        self,
        path: Path,
        wanted: TimeSpan,
        size: PictureSize,
        heard: Sound | None,
        faces: HidesFaces | None = None,
    ) -> None:
        """`faces` changes each picture that is not black; pictures wait for it."""
        import av

        self._wanted = wanted
        self._heard = heard
        self._upright = Upright(size)
        self._faces = faces
        self._target: OutputContainer = av.open(
            str(path), "w", format="mp4", options={"movflags": "+faststart"}
        )
        self._pictures = _picture_track(self._target, size)
        self._sound = None if heard is None else sound_track(self._target, heard)
        self._times: list[int] = []
        self._hidden: list[bool] = []
        self._n_upright = 0
        self._waiting: deque[tuple[VideoFrame, bool]] = deque()
        self._packets: list[Packet[VideoStream]] = []
        self._last_ms = -_MIN_FRAME_MS
        self._last_frame_ms = 0.0

    def add(self, time_ms: float, frame: VideoFrame, is_hidden: bool = False) -> None:
        """Show `frame`, or black in its place, from `time_ms` of the recording on, until the next.

        More than 60 frames a second are thinned out.
        """
        shown_ms = max(0.0, time_ms - self._wanted.onset_ms)
        since_last_ms = shown_ms - self._last_ms
        if since_last_ms < _MIN_FRAME_MS:
            return
        length = frame.duration * frame.time_base if frame.duration and frame.time_base else 0
        self._last_frame_ms = float(length) * 1000.0 or since_last_ms
        self._last_ms = shown_ms
        self._times.append(round(shown_ms / 1000.0 / _CLOCK))
        self._hidden.append(is_hidden)
        self._take(self._upright.turn(frame))
        known_ms = math.inf if self._faces is None else self._faces.known_until_ms
        self._encode(until_ms=known_ms)

    def finish(self) -> float:
        """Write everything; returns the clip's length in milliseconds.

        The last picture stands until the wanted end, or until the recording's own end.
        """
        length_ms = self._length_ms()
        self._take(self._upright.finish())
        self._encode(until_ms=math.inf)
        self._packets += self._pictures.encode(None)
        last = self._packets[-1]
        assert last.pts is not None
        last.duration = max(1, round(length_ms / 1000.0 / _CLOCK) - last.pts)
        packets: list[tuple[float, Packet[VideoStream] | Packet[AudioStream]]] = [
            (float((p.dts or 0) * p.time_base), p) for p in self._packets
        ]
        if self._heard is not None and self._sound is not None:
            n_samples = round(length_ms * self._heard.rate_hz / 1000.0)
            packets += [
                (float((p.dts or 0) * p.time_base), p)
                for p in sound_packets(self._sound, self._heard, n_samples)
            ]
        for _, packet in sorted(packets, key=lambda entry: entry[0]):
            self._target.mux(packet)
        return length_ms

    def close(self) -> None:
        """Close the file; whole only after `finish`."""
        self._target.close()

    def _length_ms(self) -> float:
        wanted_ms = float(self._wanted.duration_ms)
        ends_ms = self._last_ms + self._last_frame_ms
        if self._heard is not None:
            ends_ms = max(ends_ms, self._heard.heard_until_ms - self._wanted.onset_ms)
        if wanted_ms - ends_ms < max(2 * self._last_frame_ms, 100.0):
            return max(wanted_ms, self._last_ms + 1.0)
        return ends_ms

    def _take(self, pictures: Iterator[VideoFrame]) -> None:
        for whole in pictures:
            is_hidden = self._hidden[self._n_upright]
            picture = black_like(whole) if is_hidden else whole
            picture.pts = self._times[self._n_upright]
            picture.time_base = _CLOCK
            picture.pict_type = 0  # The encoder chooses; the source's choice means nothing here.
            self._waiting.append((picture, is_hidden))
            self._n_upright += 1

    def _encode(self, until_ms: float) -> None:
        """Encode what waits and is shown from `until_ms` of the recording or earlier."""
        while self._waiting:
            picture, is_hidden = self._waiting[0]
            shown_ms = self._wanted.onset_ms + float((picture.pts or 0) * _CLOCK) * 1000.0
            if shown_ms > until_ms:
                return
            if self._faces is not None and not is_hidden:
                self._faces.hide(picture, shown_ms)
            self._packets += self._pictures.encode(picture)
            self._waiting.popleft()


def _picture_track(target: OutputContainer, size: PictureSize) -> VideoStream:
    stream = target.add_stream("libx264", rate=30, options=_PICTURE_OPTIONS)
    stream.width, stream.height = size.width_px, size.height_px
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = _CLOCK
    stream.time_base = _CLOCK
    return stream


def sound_track(target: OutputContainer, heard: Sound) -> AudioStream:
    stream = target.add_stream("aac", rate=_AUDIO_RATE_HZ)
    stream.codec_context.layout = _layout(heard)
    stream.codec_context.format = "fltp"
    stream.codec_context.bit_rate = 128_000
    return stream


def sound_packets(
    stream: AudioStream, heard: Sound, n_samples: int
) -> Iterator[Packet[AudioStream]]:
    import av

    resampler = av.AudioResampler(
        format="fltp", layout=_layout(heard), rate=_AUDIO_RATE_HZ, frame_size=_AAC_FRAME_SAMPLES
    )
    whole = av.AudioFrame.from_ndarray(
        heard.samples[:, :n_samples].copy(), format="fltp", layout=_layout(heard)
    )
    whole.sample_rate = heard.rate_hz
    whole.time_base = Fraction(1, heard.rate_hz)
    whole.pts = 0
    for frame in (*resampler.resample(whole), *resampler.resample(None)):
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _layout(heard: Sound) -> str:
    return "mono" if heard.samples.shape[0] == 1 else "stereo"
