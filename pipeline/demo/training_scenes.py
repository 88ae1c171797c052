"""Random frames of the toy world, cut as the pipeline cuts them, with what each cut shows.

A word is a positive of a cut only if its object is in that cut: an object at the top of a
portrait frame is a positive of the padded frame and a negative of the centre crop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.scenes import ROOMS, Backdrop, Placement, render
from pipeline.demo.vocabulary import word_names

Pixels = NDArray[np.uint8]

HEIGHT_PER_WIDTH = 16 / 9
CUTS = ("center", "pad", "squash", "square")
"""Cuts of a scene, in the order of the rows of `CutScene`; the last is a random square."""

SHOWN_FROM = 0.6
"""Part of a drawing's square that must be inside a cut for its word to count as shown."""
HIDDEN_BELOW = 0.12
"""Below this part the word counts as not shown; between the two it is left out of training."""

_HOUR_S = 3600.0
_ANGLE_SD_DEG = 14.0
_EMPTY_CLOSE_UPS = 6
"""Pictures without an object are this many times as frequent as those of any one word."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of a frame in pixels, right and bottom excluded."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class CutScene:
    """All cuts of one frame.

    ``images``: uint8 RGB (n_cuts, size, size, 3). ``shown``: float32 (n_cuts, n_words), 1 where the
    word's object is in the cut, 0 where it is not, NaN where it is partly cut off.
    """

    images: Pixels
    shown: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CloseUps:
    """Small square pictures uint8 RGB (n, size, size, 3), and the index of the word each shows,
    int64 (n,), -1 for none."""

    images: Pixels
    words: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SceneStyle:
    """What the random frames look like."""

    designs: tuple[str, ...]
    width_range: tuple[float, float] = (0.26, 0.7)
    count_shares: tuple[float, ...] = (0.08, 0.3, 0.34, 0.28)
    frame_width_px: int = 180


class SceneSampler:
    """An endless stream of cut frames; the same seed gives the same stream."""

    def __init__(self, style: SceneStyle, size_px: int, seed: int, n_backdrops: int) -> None:
        rooms = list(ROOMS)
        self._style = style
        self._size_px = size_px
        self._rng = np.random.default_rng([seed, n_backdrops])
        first = int(self._rng.integers(2**30))
        self._backdrops = [
            Backdrop(first + index, rooms[index % len(rooms)]) for index in range(n_backdrops)
        ]

    def scenes(self, n_scenes: int) -> list[CutScene]:
        """The next `n_scenes` scenes."""
        return [self._scene() for _ in range(n_scenes)]

    def close_ups(self, n_pictures: int, size_px: int) -> CloseUps:
        """The next `n_pictures` pictures of single objects."""
        drawn = [self._close_up(size_px) for _ in range(n_pictures)]
        images = np.stack([picture for picture, _ in drawn])
        return CloseUps(images, np.array([word for _, word in drawn], dtype=np.int64))

    def _scene(self) -> CutScene:
        rng = self._rng
        placements = random_placements(self._style, rng)
        width_px = self._style.frame_width_px
        frame = render(
            self._backdrop(),
            float(rng.uniform(0, _HOUR_S)),
            placements,
            width_px,
            round(width_px * HEIGHT_PER_WIDTH),
            blur_px=float(rng.uniform(0.0, 0.006)) * width_px,
        )
        return cut_scene(degraded(frame, rng, 35), placements, self._size_px, rng)

    def _close_up(self, size_px: int) -> tuple[Pixels, int]:
        """A small square picture of one object, or of none, and the word's index or -1."""
        rng = self._rng
        word = int(rng.integers(-_EMPTY_CLOSE_UPS, len(word_names())))
        placements: list[Placement] = []
        if word >= 0:
            width = float(np.exp(rng.uniform(np.log(0.34), 0.0)))
            spare = max(0.0, 0.55 - width / 2)
            placements.append(
                Placement(
                    word=word_names()[word],
                    design=self._style.designs[int(rng.integers(len(self._style.designs)))],
                    center_x=0.5 + float(rng.uniform(-spare, spare)),
                    center_y=0.5 + float(rng.uniform(-spare, spare)),
                    width=width,
                    angle_deg=float(rng.normal(0, _ANGLE_SD_DEG)),
                )
            )
        # Some are squashed as the squash cut does it.
        height_px = round(size_px * (HEIGHT_PER_WIDTH if rng.random() < 0.2 else 1.0))
        time_s, blur_px = float(rng.uniform(0, _HOUR_S)), float(rng.uniform(0.0, 0.6))
        picture = render(self._backdrop(), time_s, placements, size_px, height_px, blur_px=blur_px)
        return squashed(degraded(picture, rng, 70), size_px), max(word, -1)

    def _backdrop(self) -> Backdrop:
        return self._backdrops[int(self._rng.integers(len(self._backdrops)))]


def random_placements(style: SceneStyle, rng: np.random.Generator) -> tuple[Placement, ...]:
    """Up to three different objects that hardly cover each other, anywhere in the frame."""
    count = int(rng.choice(len(style.count_shares), p=style.count_shares))
    words = rng.choice(len(word_names()), size=count, replace=False)
    placed: list[Placement] = []
    for word in words.tolist():
        for _ in range(12):
            candidate = _random_placement(word_names()[word], style, rng)
            if all(_overlap(candidate, other) < 0.15 for other in placed):
                placed.append(candidate)
                break
    return tuple(placed)


def _random_placement(word: str, style: SceneStyle, rng: np.random.Generator) -> Placement:
    low, high = style.width_range
    width = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    zone = rng.random()
    if zone < 0.45:
        center_y = float(rng.uniform(0.32, 0.68))
    elif zone < 0.85:
        edge = float(rng.uniform(0.06, 0.2))
        center_y = edge if rng.random() < 0.5 else 1 - edge
    else:
        center_y = float(rng.uniform(0.02, 0.98))
    return Placement(
        word=word,
        design=style.designs[int(rng.integers(len(style.designs)))],
        center_x=float(rng.uniform(0.15, 0.85)),
        center_y=center_y,
        width=width,
        angle_deg=float(rng.normal(0, _ANGLE_SD_DEG)),
    )


def _overlap(one: Placement, other: Placement) -> float:
    """Shared area of two drawings' squares over the area of the smaller."""
    reach = (one.width + other.width) / 2
    across = min(reach - abs(one.center_x - other.center_x), one.width, other.width)
    down = min(
        reach - abs(one.center_y - other.center_y) * HEIGHT_PER_WIDTH, one.width, other.width
    )
    return max(0.0, across) * max(0.0, down) / min(one.width, other.width) ** 2


def degraded(frame: Pixels, rng: np.random.Generator, worst_quality: int) -> Pixels:
    """The frame with another exposure and the marks of compression, at worst this JPEG quality."""
    import cv2

    gain, offset = float(rng.uniform(0.75, 1.2)), float(rng.uniform(-18, 18))
    frame = np.asarray(cv2.convertScaleAbs(np.maximum(frame, 1), alpha=gain, beta=max(offset, 0)))
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(worst_quality, 96))]
    _, encoded = cv2.imencode(".jpg", frame, quality)
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)


def cut_scene(
    frame: Pixels, placements: Sequence[Placement], size_px: int, rng: np.random.Generator
) -> CutScene:
    """Every cut of `CUTS` of one frame (height, width, 3), and which objects each holds."""
    height_px, width_px = frame.shape[:2]
    whole = Box(0, 0, width_px, height_px)
    boxes = (center_box(width_px, height_px), whole, whole, random_box(width_px, height_px, rng))
    shapes: tuple[Callable[[Pixels, int], Pixels], ...] = (squashed, padded, squashed, squashed)
    images = np.stack(
        [
            shape(frame[box.top : box.bottom, box.left : box.right], size_px)
            for shape, box in zip(shapes, boxes, strict=True)
        ]
    )
    shown = np.zeros((len(boxes), len(word_names())), dtype=np.float32)
    for placement in placements:
        column = word_names().index(placement.word)
        for row, box in enumerate(boxes):
            part = part_inside(placement, box, width_px, height_px)
            is_unclear = HIDDEN_BELOW <= part < SHOWN_FROM
            shown[row, column] = np.nan if is_unclear else float(part >= SHOWN_FROM)
    return CutScene(images=images, shown=shown)


def center_box(width_px: int, height_px: int) -> Box:
    """The largest centred square."""
    side = min(width_px, height_px)
    left, top = (width_px - side) // 2, (height_px - side) // 2
    return Box(left, top, left + side, top + side)


def random_box(width_px: int, height_px: int, rng: np.random.Generator) -> Box:
    """A square of at least 70 % of the shorter side, anywhere in the frame."""
    side = int(min(width_px, height_px) * rng.uniform(0.7, 1.0))
    left = int(rng.integers(0, width_px - side + 1))
    top = int(rng.integers(0, height_px - side + 1))
    return Box(left, top, left + side, top + side)


def part_inside(placement: Placement, box: Box, width_px: int, height_px: int) -> float:
    """Part of the drawing's square that lies inside the box, 0 to 1."""
    side = placement.width * width_px
    left = placement.center_x * width_px - side / 2
    top = placement.center_y * height_px - side / 2
    across = min(left + side, box.right) - max(left, box.left)
    down = min(top + side, box.bottom) - max(top, box.top)
    return max(0.0, across) * max(0.0, down) / side**2


def squashed(picture: Pixels, size_px: int) -> Pixels:
    """The picture resized to a square without keeping its proportions."""
    return _resized(picture, size_px, size_px)


def padded(picture: Pixels, size_px: int) -> Pixels:
    """The whole picture in its proportions, black beside it (letterbox)."""
    height_px, width_px = picture.shape[:2]
    scale = size_px / max(height_px, width_px)
    width, height = max(1, round(width_px * scale)), max(1, round(height_px * scale))
    square = np.zeros((size_px, size_px, 3), dtype=np.uint8)
    top, left = (size_px - height) // 2, (size_px - width) // 2
    square[top : top + height, left : left + width] = _resized(picture, width, height)
    return square


def _resized(picture: Pixels, width_px: int, height_px: int) -> Pixels:
    """Bicubic with antialiasing, as CLIP's own preprocessing resizes."""
    from PIL import Image

    whole = Image.fromarray(np.ascontiguousarray(picture))
    return np.asarray(whole.resize((width_px, height_px), Image.Resampling.BICUBIC))
