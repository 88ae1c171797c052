"""Recall at k: how often the own clip is among the k best, with chance and interval.

Arrays in, numbers out. Ties are broken at random in expectation, so a model that gives all clips
the same similarity has exactly chance recall.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Float32Array, Int64Array
from pipeline.sound.clip_set import Booleans

K = 10
DRAWS = 2_000
LEVEL = 0.95

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hits:
    """For each of q queries: the probability (0-1) that its clip is among the k best, the same by
    chance, and its clip's number. Queries with no more than k candidates tell nothing: they are
    left out and counted.
    """

    hit: Floats
    chance: Floats
    clip: Int64Array
    n_left_out: int


@dataclass(frozen=True, slots=True)
class Recall:
    """Recall at k over n clips with its clip-bootstrap interval and chance level."""

    recall: float
    lower: float
    upper: float
    chance: float
    n: int


def find_hits(
    similarity: Float32Array, own: Int64Array, is_candidate: Booleans, k: int = K
) -> Hits:
    """Hits of q queries among n clips.

    similarity: (q, n). own: (q,) the query's clip. is_candidate: bool (q, n), true for the own
    clip; false takes a clip out (another recording, an overlapping clip, an equal text).
    """
    rows = np.arange(len(own))
    mine = similarity[rows, own][:, None]
    n_better = ((similarity > mine) & is_candidate).sum(axis=1)
    n_tied = ((similarity == mine) & is_candidate).sum(axis=1)
    n_candidates = is_candidate.sum(axis=1)
    hit = np.clip((k - n_better) / np.maximum(n_tied, 1), 0.0, 1.0)
    tells = n_candidates > k
    return Hits(
        hit[tells],
        k / np.maximum(n_candidates[tells], 1),
        own[tells],
        int((~tells).sum()),
    )


def recall_of(hits: Hits, *, draws: int = DRAWS, seed: int = 1) -> Recall | None:
    """Mean over clips of their queries' hits; None without any query that tells something.

    Whole clips are drawn with replacement and percentiles taken. Where every clip hits (or none
    does) drawing shows no spread; the limit is then that of Clopper and Pearson (1934).
    """
    clips, place = np.unique(hits.clip, return_inverse=True)
    n = len(clips)
    if not n:
        return None
    counts = np.bincount(place, minlength=n)
    of_clip = np.bincount(place, hits.hit, minlength=n) / counts
    chance = float((np.bincount(place, hits.chance, minlength=n) / counts).mean())
    estimate = float(of_clip.mean())
    if np.all(of_clip == of_clip[0]) and of_clip[0] in (0.0, 1.0):
        edge = float(((1 - LEVEL) / 2) ** (1 / n))
        low, high = (edge, 1.0) if of_clip[0] else (0.0, 1 - edge)
        return Recall(estimate, low, high, chance, n)
    rng = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            of_clip[rng.integers(0, n, (size, n))].mean(axis=1)
            for size in [max(1, min(draws, 2_000_000 // n))]
            * -(-draws // min(draws, 2_000_000 // n))
        ]
    )[:draws]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Recall(estimate, float(low), float(high), chance, n)
