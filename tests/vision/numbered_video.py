"""Videos whose frames carry their own number in their pixels, so that timing tests are exact.

The upper half of a frame shows its number in binary, a bright or dark block for each bit; the lower
half is a dark corner at the bottom left, which tells how the frame was turned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

N_BITS = 12
WIDTH, HEIGHT = 192, 128
RATE = 30


@dataclass(frozen=True)
class Recipe:
    """How a test video is written. `pts` are in ticks of 1 / ticks_hz."""

    name: str
    codec: str = "libx264"
    options: Mapping[str, str] | None = None
    pixels: str = "yuv420p"
    pts: Sequence[int] | None = None
    ticks_hz: int = RATE
    n_frames: int = 100
    container: str | None = None
    container_options: Mapping[str, str] | None = None
    rotation: float | None = None
    is_mirrored: bool = False
    audio_s: float = 0.0
    size: tuple[int, int] = (WIDTH, HEIGHT)
    aspect: Fraction | None = None


def numbered_image(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    image = np.full((height, width, 3), 128, np.uint8)
    edges = np.linspace(0, width, N_BITS + 1).round().astype(int)
    for bit in range(N_BITS):
        image[: height // 2, edges[bit] : edges[bit + 1]] = 235 if number >> bit & 1 else 20
    image[-height // 4 :, : width // 4] = 0
    return image


def number_of(image: np.ndarray) -> int:
    """The number shown by an upright frame of any size."""
    height, width = image.shape[:2]
    row = image[height // 8 : height * 3 // 8].mean(axis=(0, 2))
    centres = (np.arange(N_BITS) + 0.5) * (width / N_BITS)
    assert image[-height // 8 :, : width // 8].mean() < 70, "the frame is not upright"
    return sum(int(row[int(c)] > 128) << bit for bit, c in enumerate(centres))


def write_video(folder: Path, recipe: Recipe) -> Path:
    path = folder / recipe.name
    width, height = recipe.size
    pts = list(range(recipe.n_frames)) if recipe.pts is None else list(recipe.pts)
    tick = Fraction(1, recipe.ticks_hz)
    with av.open(
        str(path), "w", format=recipe.container, options=dict(recipe.container_options or {})
    ) as output:
        stream = output.add_stream(recipe.codec, rate=RATE, options=dict(recipe.options or {}))
        stream.width, stream.height, stream.pix_fmt = width, height, recipe.pixels
        stream.codec_context.time_base = tick
        if recipe.aspect is not None:
            stream.codec_context.sample_aspect_ratio = recipe.aspect
        if recipe.rotation is not None:
            stream.set_display_rotation(recipe.rotation, hflip=recipe.is_mirrored)
        sound = output.add_stream("aac", rate=16000) if recipe.audio_s else None
        if sound is not None:
            samples = int(recipe.audio_s * 16000) // 1024
            for block in range(samples):
                silence = av.AudioFrame.from_ndarray(
                    np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
                )
                silence.sample_rate, silence.pts = 16000, block * 1024
                silence.time_base = Fraction(1, 16000)
                output.mux(sound.encode(silence))
            output.mux(sound.encode(None))
        for number, when in enumerate(pts):
            image = _as_stored(numbered_image(number, width, height), recipe)
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=recipe.pixels)
            frame.pts, frame.time_base = when, tick
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def _as_stored(image: np.ndarray, recipe: Recipe) -> np.ndarray:
    """The upright image as the camera stores it: the display matrix turns it back."""
    if recipe.rotation is None:
        return image
    # The matrix rotates first and mirrors then; what is stored undoes that from the end.
    mirrored = image[:, ::-1] if recipe.is_mirrored else image
    return np.ascontiguousarray(np.rot90(mirrored, -int(recipe.rotation) // 90))


def true_times_ms(recipe: Recipe) -> list[float]:
    """Times of the frames on the recording's clock, when it starts at tick 0."""
    pts = range(recipe.n_frames) if recipe.pts is None else recipe.pts
    return [1000.0 * when / recipe.ticks_hz for when in pts]
