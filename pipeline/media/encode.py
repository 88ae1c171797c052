"""Encode the pictures and the sound of a clip as an mp4 that starts to play before it is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

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

HideFaces = Callable[["VideoFrame", float], None]

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
        hide_faces: HideFaces | None = None,
    ) -> None:
        """`hide_faces` changes each picture, in yuv420p, shown from a time of the recording on."""
        import av

        self._wanted = wanted
        self._heard = heard
        self._upright = Upright(size)
        self._hide_faces = hide_faces
        self._target: OutputContainer = av.open(
            str(path), "w", format="mp4", options={"movflags": "+faststart"}
        )
        self._pictures = _picture_track(self._target, size)
        self._sound = None if heard is None else sound_track(self._target, heard)
        self._times: list[int] = []
        self._hidden: list[bool] = []
        self._n_encoded = 0
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
        self._encode(self._upright.turn(frame))

    def finish(self) -> float:
        """Write everything; returns the clip's length in milliseconds.

        The last picture stands until the wanted end, or until the recording's own end.
        """
        length_ms = self._length_ms()
        self._encode(self._upright.finish())
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

    def _encode(self, pictures: Iterator[VideoFrame]) -> None:
        for whole in pictures:
            pts = self._times[self._n_encoded]
            picture = black_like(whole) if self._hidden[self._n_encoded] else whole
            if self._hide_faces is not None and picture is whole:
                self._hide_faces(picture, self._wanted.onset_ms + float(pts * _CLOCK) * 1000.0)
            picture.pts = pts
            picture.time_base = _CLOCK
            picture.pict_type = 0  # The encoder chooses; the source's choice means nothing here.
            self._n_encoded += 1
            self._packets += self._pictures.encode(picture)


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
