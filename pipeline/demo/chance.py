"""Chance that repeats: every draw of the toy world's plan goes through these few functions.

They use only `random.Random.random`, the one sequence Python promises to keep for a seed, so the
same seed gives the same world on every version.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def stream(seed: int, label: str) -> random.Random:
    """An independent generator for one purpose of one seed."""
    return random.Random(f"{seed}/{label}")


def pick(options: Sequence[T], rng: random.Random) -> T:
    """One of `options`, all equally likely."""
    return options[int(rng.random() * len(options))]


def shuffled(items: Iterable[T], rng: random.Random) -> list[T]:
    """The items in random order, all orders equally likely."""
    order = list(items)
    for last in range(len(order) - 1, 0, -1):
        other = int(rng.random() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order


def between(low: float, high: float, rng: random.Random) -> float:
    """A number from [low, high), uniform."""
    return low + (high - low) * rng.random()


def normal(rng: random.Random) -> float:
    """A standard normal number (Box-Muller)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - rng.random()))
    return radius * math.cos(2.0 * math.pi * rng.random())


def log_normal(median: float, sigma: float, rng: random.Random) -> float:
    """A positive number whose logarithm is normal with standard deviation `sigma`."""
    return median * math.exp(sigma * normal(rng))
