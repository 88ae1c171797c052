"""Ways to spoil the bytes of a file, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

_FLIPPED_BITS = (1, 8, 64, 512)
_HEAD_BYTES = 4_096
_EXTREMES = (b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00")


def flipped(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Some bits, anywhere."""
    return _with_flips(content, chance, len(content))


def flipped_head(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Some bits where containers say what follows."""
    return _with_flips(content, chance, min(_HEAD_BYTES, len(content)))


def flipped_tail(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Some bits at the end, where mp4 has its index."""
    n = min(_HEAD_BYTES, len(content))
    return content[:-n] + _with_flips(content[-n:], chance, n)


def cut_short(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Only the beginning."""
    return content[: chance.randrange(len(content))]


def without_head(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Only the end."""
    return content[chance.randrange(len(content)) :]


def without_middle(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """A stretch is missing."""
    start, stop = sorted(chance.sample(range(len(content) + 1), 2))
    return content[:start] + content[stop:]


def zeroed(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """A stretch is zero, as a card that fails leaves it."""
    start, stop = sorted(chance.sample(range(len(content) + 1), 2))
    return content[:start] + bytes(stop - start) + content[stop:]


def spliced(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """The beginning of one file and the end of another."""
    other = chance.choice(others)
    return content[: chance.randrange(len(content))] + other[chance.randrange(len(other)) :]


def repeated(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """A stretch comes many times."""
    start = chance.randrange(len(content))
    piece = content[start : start + chance.randrange(1, 2_000)]
    return content[:start] + piece * chance.randrange(2, 50) + content[start:]


def with_extremes(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Numbers at the ends of their range, in the head or the tail."""
    spoilt = bytearray(content)
    for _ in range(chance.randrange(1, 6)):
        n = min(_HEAD_BYTES, len(spoilt))
        place = chance.randrange(n) if chance.random() < 0.5 else len(spoilt) - n
        place += chance.randrange(n) if place else 0
        spoilt[place : place + 4] = chance.choice(_EXTREMES)
    return bytes(spoilt)


WAYS: tuple[Callable[[bytes, Sequence[bytes], random.Random], bytes], ...] = (
    flipped,
    flipped_head,
    flipped_tail,
    cut_short,
    without_head,
    without_middle,
    zeroed,
    spliced,
    repeated,
    with_extremes,
)


def _with_flips(content: bytes, chance: random.Random, n_bytes: int) -> bytes:
    spoilt = bytearray(content)
    if not n_bytes:
        return content
    for _ in range(chance.choice(_FLIPPED_BITS)):
        spoilt[chance.randrange(n_bytes)] ^= 1 << chance.randrange(8)
    return bytes(spoilt)
