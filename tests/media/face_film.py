"""A film of one head that moves, as a clip of a person would show it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from benchmarks.shaded_heads import HeadPose, ShadedHead

WIDTH, HEIGHT, SIDE, FPS = 320, 240, 130, 15


def center(time_s: float) -> tuple[float, float]:
    return 110 + 45 * time_s, 120


def scene(time_s: float) -> np.ndarray:
    """A head that moves to the right; from .8 to 1.2 s it is turned away, as no detector sees."""
    rng = np.random.default_rng(4)
    coarse = Image.fromarray(rng.integers(140, 200, (12, 16, 3), np.uint8))
    image = np.array(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
    pose = HeadPose(0, 0, 180) if 0.8 <= time_s < 1.2 else HeadPose(0, 0, 0)
    ShadedHead(3).draw(image, center(time_s), SIDE, pose)
    return image


def write_film(path: Path) -> Path:
    """Two seconds of `scene`."""
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=FPS, options={"crf": "16", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(2 * FPS):
            frame = av.VideoFrame.from_ndarray(scene(number / FPS), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


def pictures(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as container:
        return [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="gray").astype(float))
            for frame in container.decode(video=0)
        ]


def detail_of_face(grey: np.ndarray, time_s: float) -> float:
    """Differences between neighbours, which eyes, brows and mouth make and a blur does not."""
    x, y = center(time_s)
    half = SIDE // 4
    face = grey[int(y) - half : int(y) + half, int(x) - half : int(x) + half]
    return float(np.abs(np.diff(face, axis=1)).mean())
