"""Random choices that depend on a seed and on what they are for, never on the order of work."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def stream(seed: int, *parts: str | int) -> np.random.Generator:
    """A generator of its own for every combination of parts, e.g. recording, utterance, purpose."""
    text = "\x1f".join(str(part) for part in (seed, *parts))
    return np.random.default_rng(
        int.from_bytes(hashlib.blake2b(text.encode()).digest()[:16], "big")
    )


def mixed_keys(keys: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """Keys (n,) of a seed's own order, by SplitMix64 (Steele et al. 2014)."""
    state = keys + np.uint64(seed * _GOLDEN % 2**64)
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    return np.asarray(state ^ (state >> np.uint64(31)), np.uint64)


def stratified(keys: NDArray[np.uint64], strata: Sequence[str], n: int) -> NDArray[np.int64]:
    """Rows of a sample of about n, as many of each stratum as its share of all, at least one.

    keys (m,): the smallest of each stratum are taken, so a larger sample holds a smaller one.
    Shares are made whole by the largest remainders.
    """
    names, code = np.unique(np.asarray(strata, dtype=object).astype(str), return_inverse=True)
    sizes = np.bincount(code, minlength=len(names))
    if n >= len(keys):
        return np.arange(len(keys))
    wanted = n * sizes / sizes.sum()
    taken = np.floor(wanted).astype(np.int64)
    for place in np.argsort(taken - wanted, kind="stable")[: n - int(taken.sum())]:
        taken[place] += 1
    taken = np.maximum(taken, 1)
    order = np.lexsort((keys, code))
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(len(keys)) - np.repeat(starts, sizes)
    return np.sort(order[rank < np.repeat(taken, sizes)])
