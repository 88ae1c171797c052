"""Heads shaded by a formula, seen from any side: faces at places that are known.

An ellipsoid with painted eyes, brows, nostrils, lips and hair and a raised nose, lit from one side.
Nobody's face: skin, hair, features and light are drawn anew for each head.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]
UInt8Array = NDArray[np.uint8]

_SKINS = ((236, 200, 178), (214, 168, 138), (176, 126, 94), (128, 86, 60), (84, 56, 42))
N_SKINS = len(_SKINS)
_HAIRS = ((30, 24, 22), (78, 52, 34), (150, 110, 66), (120, 120, 118))


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Degrees: `yaw` to the head's left, `pitch` upwards, `roll` clockwise in the picture."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


class ShadedHead:
    """One made-up head; the same seed gives the same head."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 7])
        self.skin = int(rng.integers(N_SKINS))
        """0 is the lightest, N_SKINS - 1 the darkest."""
        self._skin = np.array(_SKINS[self.skin], float)
        self._hair = np.array(_HAIRS[int(rng.integers(len(_HAIRS)))], float)
        self._light = np.array([rng.uniform(-0.6, 0.6), rng.uniform(-0.7, -0.2), 0.8])
        self._light /= np.linalg.norm(self._light)
        self._eye_x, self._eye_y = rng.uniform(0.34, 0.40), rng.uniform(-0.16, -0.08)
        self._mouth_y, self._mouth_w = rng.uniform(0.46, 0.54), rng.uniform(0.24, 0.32)
        self._hairline = rng.uniform(-0.66, -0.5)

    def picture(self, side_px: int, pose: HeadPose) -> UInt8Array:
        """RGBA (side_px, side_px, 4): the head is 0.9 of the square high."""
        at = (np.arange(side_px) + 0.5) / side_px * 2 - 1
        x, y = np.meshgrid(at, at)
        roll = math.radians(pose.roll_deg)
        x, y = x * math.cos(roll) + y * math.sin(roll), y * math.cos(roll) - x * math.sin(roll)
        x, y = x / 0.70, y / 0.90
        inside = x * x + y * y < 1.0
        z = np.sqrt(np.clip(1.0 - x * x - y * y, 0.0, 1.0))
        face = _turned(np.stack([x, y, z], axis=-1), pose)
        colour = self._painted(face)
        normal = np.stack([x, y, z], axis=-1)
        shade = 0.45 + 0.6 * np.clip(normal @ self._light, 0.0, 1.0) + self._relief(face)
        rgb = np.clip(colour * shade[..., None], 0, 255)
        edge = np.clip((1.0 - np.sqrt(x * x + y * y)) * side_px * 0.4, 0.0, 1.0) * inside
        return np.concatenate([rgb, edge[..., None] * 255], axis=-1).astype(np.uint8)

    def draw(
        self, image: UInt8Array, center: tuple[float, float], side_px: int, pose: HeadPose
    ) -> None:
        """Put the head on an RGB picture (h, w, 3), in place; parts may lie outside it."""
        _put(image, center, self.picture(side_px, pose))

    def _painted(self, face: Float64Array) -> Float64Array:
        """Colour of each point of the head: face (h, w, 3), right, down and towards its front."""
        u, v, front = face[..., 0], face[..., 1], face[..., 2]
        colour = np.broadcast_to(self._skin, face.shape).copy()

        def paint(where: NDArray[np.bool_], paints: Float64Array, strength: float = 1.0) -> None:
            colour[where] = (1 - strength) * colour[where] + strength * paints

        is_front = front > 0.05
        for sign in (-1.0, 1.0):
            du, dv = u - sign * self._eye_x, v - self._eye_y
            socket = is_front & ((du / 0.24) ** 2 + (dv / 0.16) ** 2 < 1)
            paint(socket, self._skin * 0.7)
            paint(is_front & ((du / 0.16) ** 2 + (dv / 0.075) ** 2 < 1), np.full(3, 225.0))
            paint(is_front & (du**2 + dv**2 < 0.075**2), np.full(3, 35.0))
            lid = is_front & (np.abs(du) < 0.18) & (np.abs(dv + 0.075) < 0.022)
            paint(lid, self._skin * 0.35)
            brow = is_front & (np.abs(du) < 0.22) & (np.abs(dv + 0.21 - 0.3 * du**2) < 0.04)
            paint(brow, self._hair * 0.8 + self._skin * 0.1)
            nostril = ((u - sign * 0.08) / 0.045) ** 2 + ((v - 0.27) / 0.03) ** 2 < 1
            paint(is_front & nostril, self._skin * 0.3)
        lips = is_front & ((u / self._mouth_w) ** 2 + ((v - self._mouth_y) / 0.075) ** 2 < 1)
        paint(lips, np.array([150.0, 70, 66]) * 0.6 + self._skin * 0.3)
        line = is_front & (np.abs(u) < self._mouth_w * 0.95) & (np.abs(v - self._mouth_y) < 0.014)
        paint(line, self._skin * 0.25)
        hair = (
            (v < self._hairline + 0.35 * u**2) | (front < -0.12) | ((np.abs(u) > 0.86) & (v < 0.1))
        )
        paint(hair, self._hair)
        return colour

    def _relief(self, face: Float64Array) -> Float64Array:
        """Light and shadow of nose, chin and sockets."""
        u, v, front = face[..., 0], face[..., 1], face[..., 2]
        ridge = np.exp(-((u / 0.05) ** 2)) * np.exp(-(((v - 0.08) / 0.2) ** 4))
        sides = np.exp(-(((np.abs(u) - 0.11) / 0.05) ** 2)) * np.exp(-(((v - 0.12) / 0.18) ** 4))
        below = np.exp(-((u / 0.14) ** 2)) * np.exp(-(((v - 0.33) / 0.04) ** 2))
        chin = np.exp(-((u / 0.2) ** 2)) * np.exp(-(((v - 0.66) / 0.04) ** 2))
        relief = 0.14 * ridge - 0.10 * sides - 0.16 * below - 0.10 * chin
        return np.where(front > 0, relief, 0.0)


class PhotoHead:
    """The square of a photograph that holds a head, as a disc; it tilts but cannot turn."""

    def __init__(self, path: Path, left_px: int, top_px: int, side_px: int) -> None:
        from PIL import Image

        with Image.open(path) as opened:
            square = opened.convert("RGB").crop(
                (left_px, top_px, left_px + side_px, top_px + side_px)
            )
        self._square = square

    def draw(
        self, image: UInt8Array, center: tuple[float, float], side_px: int, pose: HeadPose
    ) -> None:
        """As `ShadedHead.draw`; of the pose only the roll counts."""
        head = np.asarray(self._square.resize((side_px, side_px)).rotate(-pose.roll_deg))
        at = (np.arange(side_px) + 0.5) / side_px * 2 - 1
        apart = np.hypot(at[None, :], at[:, None])
        edge = np.clip((1.0 - apart) * 8, 0, 1) * 255
        _put(image, center, np.concatenate([head, edge[..., None]], axis=-1).astype(np.uint8))


def _put(image: UInt8Array, center: tuple[float, float], head: UInt8Array) -> None:
    side = head.shape[0]
    left, top = (round(at - side / 2) for at in center)
    x0, x1 = max(0, left), min(image.shape[1], left + side)
    y0, y1 = max(0, top), min(image.shape[0], top + side)
    if x1 <= x0 or y1 <= y0:
        return
    part = head[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32)
    share = part[..., 3:] / 255
    under = image[y0:y1, x0:x1]
    under[...] = (under * (1 - share) + part[..., :3] * share).astype(np.uint8)


def _turned(points: Float64Array, pose: HeadPose) -> Float64Array:
    """Points of the seen half of the head in the head's own directions."""
    yaw, pitch = math.radians(pose.yaw_deg), math.radians(pose.pitch_deg)
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    y, z = y * math.cos(pitch) + z * math.sin(pitch), z * math.cos(pitch) - y * math.sin(pitch)
    x, z = x * math.cos(yaw) - z * math.sin(yaw), z * math.cos(yaw) + x * math.sin(yaw)
    return np.stack([x, y, z], axis=-1)
