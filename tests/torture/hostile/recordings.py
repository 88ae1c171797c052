"""Small whole recordings of many kinds, made here, to be spoilt afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

N_PICTURES = 40
_RATE_HZ = 10
_SIZE_PX = (160, 128)
_SOUND_HZ = 16_000

KINDS = {
    "h264.mp4": ("libx264", "aac"),
    "h264.mkv": ("libx264", "libmp3lame"),
    "vp8.webm": ("libvpx", "libopus"),
    "mpeg4.avi": ("mpeg4", "libmp3lame"),
    "mpeg2.ts": ("mpeg2video", "mp2"),
    "hevc.mov": ("libx265", "pcm_s16le"),
    "mjpeg.mov": ("mjpeg", "pcm_s16le"),
    "pcm.wav": ("", "pcm_s16le"),
    "mp3.mp3": ("", "libmp3lame"),
    "flac.flac": ("", "flac"),
    "opus.ogg": ("", "libopus"),
}
"""Codecs of pictures ("" for none) and of sound, by the name of a file."""


def make_recordings(folder: Path) -> tuple[Path, ...]:
    """Four seconds of pictures and sound in every container, as far as FFmpeg here writes it."""
    return tuple(
        make_recording(name, folder / name)
        for name, codecs in KINDS.items()
        if all(not codec or codec in av.codecs_available for codec in codecs)
    )


def make_recording(kind: str, path: Path) -> Path:
    """One of KINDS, as a file of any name with the same ending."""
    video_codec, audio_codec = KINDS[kind]
    with av.open(str(path), "w") as target:
        # Streams are named before the first packet is written.
        pictures = _picture_stream(target, video_codec) if video_codec else None
        sound = target.add_stream(audio_codec, rate=_SOUND_HZ, layout="mono")
        assert isinstance(sound, av.AudioStream)
        packets: list[Packet[VideoStream] | Packet[AudioStream]] = []
        if pictures is not None:
            packets += _encoded_pictures(pictures)
        packets += _encoded_sound(sound)
        for packet in sorted(packets, key=lambda one: float((one.dts or 0) * one.time_base)):
            target.mux(packet)
    return path


def _picture_stream(target: OutputContainer, codec: str) -> VideoStream:
    stream = target.add_stream(codec, rate=_RATE_HZ)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height = _SIZE_PX
    stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    if codec == "libx265":
        stream.options = {"x265-params": "log-level=none:pools=none:frame-threads=1"}
    stream.codec_context.thread_count = 1
    stream.codec_context.gop_size = _RATE_HZ
    return stream


def _encoded_pictures(stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    for n in range(N_PICTURES):
        frame = av.VideoFrame.from_ndarray(_picture(n), format="rgb24")
        frame.pts, frame.time_base = n, Fraction(1, _RATE_HZ)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _encoded_sound(stream: AudioStream) -> Iterator[Packet[AudioStream]]:
    context = stream.codec_context
    resampler = av.AudioResampler(context.format, "mono", _SOUND_HZ, context.frame_size or 1_024)
    heard = av.AudioFrame.from_ndarray(_sound(), format="s16", layout="mono")
    heard.sample_rate, heard.pts = _SOUND_HZ, 0
    for frame in (*resampler.resample(heard), *resampler.resample(None)):
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _picture(n: int) -> NDArray[np.uint8]:
    chance = np.random.default_rng(n // 10)
    picture = chance.integers(0, 255, (_SIZE_PX[1] // 8, _SIZE_PX[0] // 8, 3), np.uint8)
    return np.roll(picture.repeat(8, 0).repeat(8, 1), n, 1)


def _sound() -> NDArray[np.int16]:
    times = np.arange(N_PICTURES * _SOUND_HZ // _RATE_HZ) / _SOUND_HZ
    return (np.sin(times * 2 * np.pi * 300) * 8_000).astype(np.int16)[None, :]
