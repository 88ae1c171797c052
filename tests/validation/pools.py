"""Pools of candidates made by hand."""

from __future__ import annotations

import numpy as np

from pipeline.people.store import MomentRef
from pipeline.records import TimeSpan
from pipeline.validation.candidates import Candidate, Pool

THINGS = ("ball", "dog", "cup", "book", "shoe", "car", "spoon", "bear", "hat", "tree")
ADVERBS = ("here", "there", "now", "again", "too", "then", "maybe", "outside")


def candidate(
    number: int,
    *,
    score: float = 0.2,
    bin_: int = 0,
    child: str = "C1",
    recording: str = "R1",
    text: str | None = None,
) -> Candidate:
    """A moment two minutes after the one before it, with words of its own."""
    words = text or f"{THINGS[number % 10]} {ADVERBS[number // 10 % 8]} {'x' * (number // 80)}"
    words = " ".join(words.lower().split())
    onset_ms = 120_000 * number
    return Candidate(
        MomentRef(recording, f"u{number:05d}", TimeSpan(onset_ms, onset_ms + 1_500)),
        child,
        words.capitalize(),
        words,
        frozenset(words.split()),
        len(words.split()),
        score,
        score / 0.05,
        onset_ms + 500,
        bin_,
    )


def pool(n_by_bin: tuple[int, ...], *, n_children: int = 3) -> Pool:
    """Candidates of the given numbers by bin, of several children in turn."""
    edges = tuple(float(edge) for edge in np.linspace(0.1, 0.4, len(n_by_bin) + 1))
    found = []
    for number, n in enumerate(n_by_bin):
        for _ in range(n):
            child = len(found) % n_children
            found.append(
                candidate(
                    len(found),
                    score=edges[number] + 0.01,
                    bin_=number,
                    child=f"C{child}",
                    recording=f"R{child}",
                )
            )
    return Pool(tuple(found), edges, n_by_bin, len(found), (), "clip", "rev", "build")
