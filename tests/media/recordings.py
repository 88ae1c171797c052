"""Synthetic recordings whose pictures and sound say what time it is.

Each picture carries its number in ten black or white bars; each second of sound has its own pitch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH_PX, HEIGHT_PX = 160, 96
N_BITS = 10
RATE_HZ = 48_000


@dataclass(frozen=True)
class Shown:
    """One picture of a clip: when it is shown and which picture of the recording it is."""

    time_ms: float
    number: int


def picture(number: int) -> np.ndarray:
    image = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    bar = WIDTH_PX // N_BITS
    for bit in range(N_BITS):
        if number >> bit & 1:
            image[:, bit * bar : (bit + 1) * bar] = 255
    return image


def number_of(image: np.ndarray) -> int:
    bar = image.shape[1] / N_BITS
    row = image[image.shape[0] // 2, :, 0]
    return sum(int(row[int((bit + 0.5) * bar)] > 128) << bit for bit in range(N_BITS))


def pitch_hz(second: int) -> float:
    return 400.0 + 150.0 * second


def tone(seconds: int) -> np.ndarray:
    time = np.arange(RATE_HZ * seconds) / RATE_HZ
    phase = np.cumsum(2 * np.pi * (400.0 + 150.0 * np.floor(time)) / RATE_HZ)
    return (0.5 * np.sin(phase)).astype(np.float32)[None]


def record(
    path: Path,
    *,
    seconds: int = 8,
    fps: int = 30,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    audio_codec: str | None = "aac",
    audio_offset_ms: int = 0,
    rotation: int = 0,
    times_ms: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a recording with a keyframe every two seconds.

    `times_ms` makes it a recording of variable frame rate: picture i is shown from times_ms[i].
    `rotation` stores the upright pictures turned, with the note that players need to turn them.
    """
    stamps = times_ms or [round(i * 1000 / fps) for i in range(seconds * fps)]
    clock = Fraction(1, fps if times_ms is None else 1_000)
    turns = rotation // 90
    with av.open(str(path), "w") as target:
        video = target.add_stream(
            codec, rate=fps, options={"g": str(2 * fps), "bf": "0", **(options or {})}
        )
        turned = np.rot90(picture(0), -turns)
        video.height, video.width = turned.shape[:2]
        video.pix_fmt = pixel_format
        video.codec_context.time_base = clock
        if rotation:
            video.set_display_rotation(rotation)
        audio = None
        if audio_codec:
            audio = target.add_stream(audio_codec, rate=RATE_HZ, layout="mono")
        for number, stamp in enumerate(stamps):
            image = np.ascontiguousarray(np.rot90(picture(number), -turns))
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.time_base = clock
            frame.pts = number if times_ms is None else stamp
            target.mux(video.encode(frame))
        target.mux(video.encode(None))
        if audio is not None:
            _record_sound(target, audio, seconds, audio_offset_ms)
    return path


def _record_sound(target, audio, seconds: int, offset_ms: int) -> None:
    whole = av.AudioFrame.from_ndarray(tone(seconds), format="fltp", layout="mono")
    whole.sample_rate = RATE_HZ
    whole.time_base = Fraction(1, RATE_HZ)
    whole.pts = offset_ms * RATE_HZ // 1000
    resampler = av.AudioResampler(
        format=audio.codec_context.format or "fltp",
        layout="mono",
        rate=RATE_HZ,
        frame_size=audio.codec_context.frame_size or 1024,
    )
    for frame in (*resampler.resample(whole), *resampler.resample(None)):
        target.mux(audio.encode(frame))
    target.mux(audio.encode(None))


def shown_pictures(path: Path) -> list[Shown]:
    with av.open(str(path)) as clip:
        return [
            Shown(float(f.pts * f.time_base) * 1000, number_of(f.to_ndarray(format="rgb24")))
            for f in clip.decode(video=0)
        ]


def heard_samples(path: Path) -> np.ndarray:
    """Samples (n,) of the clip's first channel at 48 kHz, from the clip's time 0."""
    with av.open(str(path)) as clip:
        track = clip.streams.audio[0]
        chunks, first = [], None
        for frame in clip.decode(track):
            first = frame.pts * frame.time_base if first is None else first
            chunks.append(frame.to_ndarray()[0])
    samples = np.concatenate(chunks)
    lead = round(float(first) * RATE_HZ)
    return samples[-lead:] if lead < 0 else np.concatenate([np.zeros(lead), samples])


def pitch_at(samples: np.ndarray, at_ms: int, length_ms: int = 80) -> float:
    """Loudest frequency of a short piece, in Hz; 0 when it is silent."""
    low = at_ms * RATE_HZ // 1000
    piece = samples[low : low + length_ms * RATE_HZ // 1000]
    if np.max(np.abs(piece)) < 0.02:
        return 0.0
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), n=1 << 16))
    return float(np.argmax(spectrum)) * RATE_HZ / (1 << 16)
