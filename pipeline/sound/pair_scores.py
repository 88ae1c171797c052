"""Three scores for each utterance: see-say, hear-say, see-hear, each against two nulls.

The null asks how alike things are that do not belong together. It keeps the utterance's words
(for see-hear: its picture) and takes the other side from other moments:

- within: elsewhere in the same recording, so that sharing a room counts for nothing;
- others: other recordings of the same child, as for the study's scores of frames.

Moments that overlap the utterance's clip, or in scores of words have an equal text, are no null.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Float32Array, Int64Array
from pipeline.sound.clip_set import ClipSet, Kind
from pipeline.sound.heads import Heads
from pipeline.sound.systems import Modality

NULL_DRAWS = 100
FEWEST_NULLS = 8
SURE_Z = 1.645
"""A z reached by one null in twenty where nulls are normal."""


class Pair(str, Enum):
    """Which two sides are compared."""

    SEE_SAY = "see_say"
    HEAR_SAY = "hear_say"
    SEE_HEAR = "see_hear"


class Quadrant(str, Enum):
    """Whether an utterance's words go with what is seen and what is heard."""

    BOTH = "seen and heard"
    SEEN = "seen only"
    HEARD = "heard only"
    NEITHER = "neither"


_SIDES: dict[Pair, tuple[Modality, Modality]] = {
    Pair.SEE_SAY: (Modality.TEXT, Modality.VISUAL),
    Pair.HEAR_SAY: (Modality.TEXT, Modality.AUDIO),
    Pair.SEE_HEAR: (Modality.VISUAL, Modality.AUDIO),
}


@dataclass(frozen=True, slots=True)
class NullScores:
    """float32 (n,): mean and SD of up to NULL_DRAWS null cosines, and (cosine - mean) / SD.

    NaN where fewer than FEWEST_NULLS moments can serve. n_nulls: int16 (n,).
    """

    mean: Float32Array
    sd: Float32Array
    z: Float32Array
    n_nulls: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class PairScores:
    """One pair's cosines, float32 (n,), and what they are beside each null."""

    pair: Pair
    cosine: Float32Array
    within: NullScores
    others: NullScores


def pair_scores(heads: Heads, clips: ClipSet, kind: Kind, seed: int) -> list[PairScores]:
    """Scores of all clips by heads that have not learnt from any of them; pairs without heads are
    left out. Draws depend on the seed, the clips' recordings and their order in them.
    """
    block = clips.texts[kind]
    placed = {
        modality: heads.place(modality, features)
        for modality, features in (
            (Modality.VISUAL, clips.visual),
            (Modality.AUDIO, clips.audio),
            (Modality.TEXT, block.vectors[block.start[:-1]]),
        )
        if heads.has(modality)
    }
    group = block.group[block.start[:-1]]
    return [
        _scored(pair, placed[asks], placed[given], _nulls(clips, group, asks, seed))
        for pair, (asks, given) in _SIDES.items()
        if asks in placed and given in placed
    ]


@dataclass(frozen=True, slots=True)
class _Nulls:
    """For each clip the clips that serve as its nulls, in its recording and in others."""

    within: list[Int64Array]
    others: list[Int64Array]


def _nulls(clips: ClipSet, group: Int64Array, asks: Modality, seed: int) -> _Nulls:
    within: list[Int64Array] = [np.zeros(0, np.int64)] * len(clips)
    others: list[Int64Array] = [np.zeros(0, np.int64)] * len(clips)
    for recording in np.unique(clips.recording).tolist():
        rows = np.flatnonzero(clips.recording == recording)
        rng = np.random.default_rng([seed, 8, recording])
        child = clips.child[rows[0]]
        pool = np.flatnonzero((clips.child == child) & (clips.recording != recording))
        for row in rows.tolist():
            apart = (clips.onset_ms[rows] >= clips.offset_ms[row]) | (
                clips.offset_ms[rows] <= clips.onset_ms[row]
            )
            within[row] = _drawn(rows[apart], group, row, asks, rng)
            # More than are needed, as some may have an equal text.
            wider = pool if len(pool) <= 2 * NULL_DRAWS else rng.choice(pool, 2 * NULL_DRAWS, False)
            others[row] = _drawn(wider, group, row, asks, rng)
    return _Nulls(within, others)


def _drawn(
    candidates: Int64Array, group: Int64Array, row: int, asks: Modality, rng: np.random.Generator
) -> Int64Array:
    if asks is Modality.TEXT:
        candidates = candidates[group[candidates] != group[row]]
    if len(candidates) > NULL_DRAWS:
        candidates = rng.choice(candidates, NULL_DRAWS, replace=False)
    return candidates


def _scored(pair: Pair, asking: Float32Array, given: Float32Array, nulls: _Nulls) -> PairScores:
    own = np.einsum("ij,ij->i", asking, given).astype(np.float32)
    return PairScores(
        pair,
        own,
        _against(own, asking, given, nulls.within),
        _against(own, asking, given, nulls.others),
    )


def quadrants(see_say_z: Float32Array, hear_say_z: Float32Array) -> list[Quadrant | None]:
    """The quadrant of each utterance, None where either z is missing."""
    found: list[Quadrant | None] = []
    for see, hear in zip(see_say_z.tolist(), hear_say_z.tolist(), strict=True):
        if np.isnan(see) or np.isnan(hear):
            found.append(None)
        elif see >= SURE_Z:
            found.append(Quadrant.BOTH if hear >= SURE_Z else Quadrant.SEEN)
        else:
            found.append(Quadrant.HEARD if hear >= SURE_Z else Quadrant.NEITHER)
    return found


def _against(
    own: Float32Array, asking: Float32Array, given: Float32Array, nulls: list[Int64Array]
) -> NullScores:
    n = len(own)
    mean, sd = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
    for row, chosen in enumerate(nulls):
        if len(chosen) >= FEWEST_NULLS:
            values = given[chosen] @ asking[row]
            mean[row], sd[row] = values.mean(), values.std(ddof=1)
    z = (own - mean) / np.maximum(sd, np.float32(1e-6))
    n_nulls = np.array([len(chosen) for chosen in nulls], np.int16)
    return NullScores(mean, sd, z.astype(np.float32), n_nulls)
