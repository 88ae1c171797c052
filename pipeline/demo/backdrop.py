"""Cluttered rooms filmed by a camera on a moving head.

A room is a picture larger than the view. It holds walls, floor, furniture-like blocks, cords,
rugs and patches of pattern, but nothing that the vocabulary names. The camera wanders over it
the way a head does (slow turns, some roll, a shake of a few hertz), as a function of time alone,
so any frame can be drawn without drawing the ones before it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import SettingsError

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

VIEW_WIDTH_UNITS = 270.0
"""How much of the room a view spans; a unit is one pixel of the room's picture."""
_ROOM_WIDTH, _ROOM_HEIGHT = 660, 960


@dataclass(frozen=True, slots=True)
class RoomColours:
    """The colours (RGB) that make a room recognisable as the same place."""

    wall: Colour
    floor: Colour
    things: tuple[Colour, ...]
    horizon: float


_BRIGHT: tuple[Colour, ...] = (
    (214, 62, 56),
    (240, 190, 60),
    (66, 140, 210),
    (88, 170, 90),
    (150, 96, 180),
    (236, 140, 60),
    (240, 240, 236),
    (40, 42, 48),
)

ROOMS: dict[str, RoomColours] = {
    "kitchen": RoomColours(
        (222, 216, 200), (150, 132, 112), ((238, 236, 230), (120, 90, 60), (170, 176, 180)), 0.62
    ),
    "living_room": RoomColours(
        (196, 190, 176), (128, 98, 70), ((88, 96, 120), (150, 70, 62), (206, 184, 150)), 0.6
    ),
    "bedroom": RoomColours(
        (190, 202, 216), (176, 160, 140), ((226, 208, 214), (110, 120, 150), (246, 240, 230)), 0.56
    ),
    "bathroom": RoomColours(
        (206, 222, 222), (170, 182, 186), ((244, 246, 246), (96, 150, 160), (214, 200, 180)), 0.6
    ),
    "garden": RoomColours(
        (170, 204, 226), (112, 148, 76), ((74, 110, 60), (140, 112, 84), (196, 190, 170)), 0.48
    ),
    "street": RoomColours(
        (186, 192, 198), (120, 120, 122), ((150, 84, 70), (92, 98, 106), (204, 190, 160)), 0.5
    ),
}


@dataclass(frozen=True, slots=True)
class CameraPose:
    """Where the camera points: centre of the view in the room's units, roll, and magnification."""

    center_x: float
    center_y: float
    roll_deg: float
    zoom: float


class Backdrop:
    """One room as one head camera films it; the same seed and room give the same film."""

    def __init__(self, seed: int, room: str = "living_room") -> None:
        """Paints the room (about 10 ms). Raises SettingsError for a room that does not exist."""
        if room not in ROOMS:
            raise SettingsError(f'There is no room "{room}".', hint=f"Use {', '.join(ROOMS)}.")
        self.seed = seed
        self.room = room
        rng = np.random.default_rng([seed, *room.encode()])
        self._picture = paint_room(ROOMS[room], rng)
        # Rows: x, y, roll, zoom. Columns: slow turns, then shake.
        slow_hz = rng.uniform(0.03, 0.22, size=(4, 3))
        shake_hz = rng.uniform(1.7, 6.5, size=(4, 3))
        self._hz = np.concatenate([slow_hz, shake_hz], axis=1)
        self._phase = rng.uniform(0, 2 * math.pi, size=(4, 6))
        share = rng.dirichlet([2.0, 2.0, 2.0], size=8).reshape(2, 4, 3)
        slow_size = np.array([170.0, 200.0, 8.0, 0.1])[:, None]
        shake_size = np.array([3.0, 3.5, 0.8, 0.006])[:, None]
        self._size = np.concatenate([share[0] * slow_size, share[1] * shake_size], axis=1)

    def pose(self, time_s: float) -> CameraPose:
        """Where the camera points at a time of the recording."""
        waves = self._size * np.sin(2 * math.pi * self._hz * time_s + self._phase)
        x, y, roll_deg, zoom = waves.sum(axis=1).tolist()
        return CameraPose(_ROOM_WIDTH / 2 + x, _ROOM_HEIGHT / 2 + y, roll_deg, 1.0 + zoom)

    def view(self, time_s: float, width_px: int, height_px: int) -> Pixels:
        """What the camera sees: uint8 RGB (height_px, width_px, 3), without objects."""
        import cv2

        pose = self.pose(time_s)
        units_per_px = VIEW_WIDTH_UNITS / (width_px * pose.zoom)
        roll = math.radians(pose.roll_deg)
        cosine, sine = units_per_px * math.cos(roll), units_per_px * math.sin(roll)
        half_w, half_h = (width_px - 1) / 2, (height_px - 1) / 2
        view_to_room = np.array(
            [
                [cosine, -sine, pose.center_x - cosine * half_w + sine * half_h],
                [sine, cosine, pose.center_y - sine * half_w - cosine * half_h],
            ]
        )
        seen = cv2.warpAffine(
            self._picture,
            view_to_room,
            (width_px, height_px),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        return np.asarray(seen, dtype=np.uint8)


def paint_room(colours: RoomColours, rng: np.random.Generator) -> Pixels:
    """A room's picture, uint8 RGB: two planes, clutter over both, uneven light, fine grain."""
    picture = np.empty((_ROOM_HEIGHT, _ROOM_WIDTH, 3), dtype=np.uint8)
    horizon = int(_ROOM_HEIGHT * (colours.horizon + rng.uniform(-0.06, 0.06)))
    picture[:horizon] = _varied(colours.wall, rng, 14)
    picture[horizon:] = _varied(colours.floor, rng, 14)
    _pattern(picture[:horizon], rng)
    _pattern(picture[horizon:], rng)
    for _ in range(int(rng.integers(45, 75))):
        _clutter(picture, colours, rng)
    return _lit(picture, rng)


def _varied(colour: Colour, rng: np.random.Generator, spread: int) -> Colour:
    red, green, blue = (int(c + rng.integers(-spread, spread + 1)) for c in colour)
    return (min(max(red, 0), 255), min(max(green, 0), 255), min(max(blue, 0), 255))


def _shaded(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(max(int(c * factor), 0), 255) for c in colour)
    return (red, green, blue)


def _pattern(plane: Pixels, rng: np.random.Generator) -> None:
    """Boards, tiles or dots in a slightly different shade of the plane's own colour."""
    import cv2

    height, width = plane.shape[:2]
    red, green, blue = plane[0, 0].tolist()
    line = _shaded((red, green, blue), float(rng.choice([0.82, 0.9, 1.1])))
    step = int(rng.integers(22, 70))
    kind = int(rng.integers(4))
    if kind in (0, 2):
        for x in range(int(rng.integers(step)), width, step):
            cv2.line(plane, (x, 0), (x + int(rng.integers(-6, 7)), height), line, 2)
    if kind in (1, 2):
        for y in range(int(rng.integers(step)), height, step):
            cv2.line(plane, (0, y), (width, y), line, 2)
    if kind == 3:
        for y in range(step // 2, height, step):
            for x in range(step // 2, width, step):
                cv2.circle(plane, (x, y), 3, line, -1, cv2.LINE_AA)


def _clutter(picture: Pixels, colours: RoomColours, rng: np.random.Generator) -> None:
    """One thing without a name: a block, a disc, a rag, a cord, or a patch of stripes."""
    import cv2

    is_bright = rng.random() < 0.45
    palette = _BRIGHT if is_bright else colours.things
    colour = _varied(palette[int(rng.integers(len(palette)))], rng, 24)
    edge = _shaded(colour, float(rng.uniform(0.55, 0.85)))
    x, y = int(rng.integers(_ROOM_WIDTH)), int(rng.integers(_ROOM_HEIGHT))
    size = float(rng.choice([18, 30, 48, 80, 130], p=[0.22, 0.28, 0.25, 0.17, 0.08]))
    size *= float(rng.uniform(0.7, 1.3))
    aspect = float(rng.uniform(0.35, 1.8))
    angle = float(rng.uniform(0, 180))
    kind = int(rng.integers(6))
    if kind == 0:
        corners = cv2.boxPoints(((x, y), (size, size * aspect), angle * 0.15)).astype(np.int32)
        cv2.fillPoly(picture, [corners], colour, cv2.LINE_AA)
        cv2.polylines(picture, [corners], True, edge, 2, cv2.LINE_AA)
        cv2.line(picture, tuple(corners[0].tolist()), tuple(corners[2].tolist()), edge, 1)
    elif kind == 1:
        axes = (max(3, int(size / 2)), max(3, int(size * aspect / 2)))
        cv2.ellipse(picture, (x, y), axes, angle, 0, 360, colour, -1, cv2.LINE_AA)
        inner = (max(2, int(axes[0] * 0.6)), max(2, int(axes[1] * 0.6)))
        cv2.ellipse(picture, (x, y), inner, angle, 0, 360, edge, 2, cv2.LINE_AA)
    elif kind == 2:
        n_corners = int(rng.integers(3, 8))
        turns = np.sort(rng.uniform(0, 2 * math.pi, n_corners))
        reach = rng.uniform(0.3, 0.7, n_corners) * size
        rag = np.stack([x + reach * np.cos(turns), y + reach * np.sin(turns)], axis=1)
        cv2.fillPoly(picture, [rag.astype(np.int32)], colour, cv2.LINE_AA)
    elif kind == 3:
        steps = np.array([x, y]) + rng.normal(0, size * 0.5, size=(6, 2)).cumsum(axis=0)
        cv2.polylines(picture, [steps.astype(np.int32)], False, colour, 3, cv2.LINE_AA)
    elif kind == 4:
        half = max(4, int(size / 2))
        patch = picture[max(0, y - half) : y + half, max(0, x - half) : x + half]
        patch[:: int(rng.integers(4, 10))] = colour
        patch[1 :: int(rng.integers(4, 10))] = edge
    else:
        half = max(4, int(size / 2))
        for offset in range(-half, half, max(6, half // 4)):
            start = (x + offset, y - int(half * aspect))
            cv2.line(picture, start, (x + offset, y + int(half * aspect)), colour, 4, cv2.LINE_AA)


def _lit(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """The room under soft light patches, with the grain of cloth and wood."""
    import cv2

    size = (_ROOM_WIDTH, _ROOM_HEIGHT)
    light = rng.normal(1.0, 0.16, size=(6, 4)).astype(np.float32)
    light = np.clip(light, 0.5, 1.5) * 128
    gain = cv2.resize(light.astype(np.uint8), size, interpolation=cv2.INTER_CUBIC)
    lit = cv2.multiply(picture, cv2.merge([gain, gain, gain]), scale=1 / 128)
    # Grain is added and taken off in two uint8 steps because it has both signs.
    grain = rng.integers(0, 30, size=(_ROOM_HEIGHT // 2, _ROOM_WIDTH // 2), dtype=np.uint8)
    rough = cv2.resize(grain, size, interpolation=cv2.INTER_LINEAR)
    lit = cv2.add(lit, cv2.merge([rough, rough, rough]))
    return np.asarray(cv2.subtract(lit, np.full_like(picture, 15)), dtype=np.uint8)
