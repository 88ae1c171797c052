"""Test videos that cost what real ones cost, and whose frames carry their number in their pixels.

A textured picture drifts as in a walk under sensor noise that changes with every frame, so that the
encoder has the bits of real footage to spend. The number of each frame is drawn in bars along the
top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
RATE = 30
N_BITS = 16
TICKS_HZ = 90_000
_MARGIN_PX = 400
_NOISE = 5.0


@dataclass(frozen=True, slots=True)
class Film:
    """How a test video is made.

    `is_uneven`: frames 24 to 43 ms apart, as telephones film; else 30 a second. `rotation_degrees`
    is what the container says the picture is to be turned by, counterclockwise.
    """

    name: str
    codec: str
    size: tuple[int, int]
    options: Mapping[str, str] = field(default_factory=dict)
    megabits: float = 30.0
    is_uneven: bool = False
    rotation_degrees: int = 0

    def ticks(self, n_frames: int) -> list[int]:
        """Timestamps of the first `n_frames` frames, in units of 1 / TICKS_HZ s."""
        steps: Sequence[int] = [TICKS_HZ // RATE] * n_frames
        if self.is_uneven:
            steps = np.random.default_rng(3).integers(2160, 3870, n_frames).tolist()
        return [0, *np.cumsum(steps).tolist()][:n_frames]


def write_film(film: Film, path: Path, seconds: int) -> list[float]:
    """Encode a film of about `seconds`; the true times of its frames in ms, by their number."""
    import av
    from av.video.stream import VideoStream

    width, height = film.size
    ticks = film.ticks(seconds * RATE)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as output:
        stream = output.add_stream(film.codec, rate=RATE, options=dict(film.options))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = round(film.megabits * 1e6)
        stream.codec_context.time_base = Fraction(1, TICKS_HZ)
        if film.rotation_degrees:
            stream.set_display_rotation(film.rotation_degrees)
        for number, planes in enumerate(_pictures(film, len(ticks))):
            frame = av.VideoFrame(width, height, "yuv420p")
            for plane, values in zip(frame.planes, planes, strict=True):
                padded = np.zeros((plane.height, plane.line_size), np.uint8)
                padded[:, : values.shape[1]] = values
                plane.update(padded.tobytes())
            frame.pts, frame.time_base = ticks[number], Fraction(1, TICKS_HZ)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return [1000.0 * tick / TICKS_HZ for tick in ticks]


def number_of(image: Image) -> int:
    """The number that an upright frame (h, w, 3) shows; colours may be in any order."""
    height, width = image.shape[:2]
    row = image[height // 40 : height // 10].mean(axis=(0, 2))
    centres = (np.arange(N_BITS) + 0.5) * width / N_BITS
    return sum(int(row[int(centre)] > 120) << bit for bit, centre in enumerate(centres))


def _pictures(film: Film, n_frames: int) -> Iterator[tuple[Image, Image, Image]]:
    """Brightness (h, w) and the two colour planes (h / 2, w / 2) of each frame as it is stored.

    The camera sways and tilts by fractions of a pixel, so that no picture is a copy of the last.
    """
    import cv2

    width, height = film.size
    rng = np.random.default_rng(0)
    scene = _texture(rng, height, width, 8, 28.0)
    colours = [_texture(rng, height // 2, width // 2, 16, 14.0) for _ in range(2)]
    noise = rng.normal(0, _NOISE, (height + 64, width + 64)).astype(np.int16)
    for number in range(n_frames):
        angle = 0.03 * np.sin(number / 23)
        x = _MARGIN_PX / 2 * (1 + 0.9 * np.cos(number / 35))
        y = _MARGIN_PX / 2 * (1 + 0.9 * np.sin(number / 25))
        planes: list[Image] = []
        for plane, scale in ((scene, 1.0), (colours[0], 0.5), (colours[1], 0.5)):
            turn = np.array(
                [[1.0, -angle, (x + angle * height / 2) * scale], [angle, 1.0, y * scale]]
            )
            size = (round(width * scale), round(height * scale))
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            moved = cv2.warpAffine(plane, turn, size, flags=flags, borderMode=cv2.BORDER_REFLECT)
            planes.append(np.asarray(moved, np.uint8))
        noise_y, noise_x = rng.integers(0, 64, 2)
        light = planes[0] + noise[noise_y : noise_y + height, noise_x : noise_x + width]
        planes[0] = np.clip(light, 16, 235).astype(np.uint8)
        _draw_number(film.rotation_degrees, number, *planes)
        yield planes[0], planes[1], planes[2]


def _texture(
    rng: np.random.Generator, height: int, width: int, finest_px: int, contrast: float
) -> Image:
    """Soft patches of several sizes, larger than the frame by the way that the camera sways."""
    import cv2

    rows, columns = height + _MARGIN_PX, width + _MARGIN_PX
    total = np.full((rows, columns), 128.0)
    for patch in (finest_px, 4 * finest_px, 16 * finest_px):
        coarse = rng.normal(0, contrast, (rows // patch + 2, columns // patch + 2))
        total += cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_LINEAR)
    texture: Image = np.clip(total, 16, 235).astype(np.uint8)
    return texture


def _draw_number(rotation_degrees: int, number: int, light: Image, blue: Image, red: Image) -> None:
    """Bars along the edge that is at the top once the picture is turned upright."""
    for plane, dark, bright in ((light, 16, 235), (blue, 128, 128), (red, 128, 128)):
        upright = np.rot90(plane, rotation_degrees // 90)
        height, width = upright.shape
        edges = np.linspace(0, width, N_BITS + 1).astype(int)
        for bit in range(N_BITS):
            value = bright if number >> bit & 1 else dark
            upright[: height // 8, edges[bit] : edges[bit + 1]] = value
