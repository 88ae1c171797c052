"""Minibatches that depend on the seed alone, so that all systems learn from identical ones.

The order of the clips and the caption picked for a clip in an epoch come from random numbers keyed
by seed, epoch and kind of text; no system draws from the same stream as another use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.records import Int64Array
from pipeline.sound.clip_set import ClipSet, Kind

_ORDER, _CAPTION, _CHOICE = 1, 2, 3
_KIND_NUMBER = {kind: number for number, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Batch:
    """Clips of one minibatch (rows of the set), the text row of each kind for each of them, and
    the alternative drawn where a system has two (0 or 1).
    """

    rows: Int64Array
    text_rows: Mapping[Kind, Int64Array]
    choice: int


def batches_of_epoch(clips: ClipSet, size: int, seed: int, epoch: int) -> Iterator[Batch]:
    """All clips once in batches of `size`; a last one of a single clip is left out, it teaches
    nothing."""
    order = np.random.default_rng([seed, _ORDER, epoch]).permutation(len(clips))
    picked = {kind: caption_of_each(clips, kind, seed, epoch) for kind in clips.texts}
    n_batches = -(-len(clips) // size)
    choices = np.random.default_rng([seed, _CHOICE, epoch]).integers(0, 2, n_batches)
    for number, start in enumerate(range(0, len(clips), size)):
        rows = order[start : start + size]
        if len(rows) > 1:
            yield Batch(
                rows, {kind: texts[rows] for kind, texts in picked.items()}, int(choices[number])
            )


def caption_of_each(clips: ClipSet, kind: Kind, seed: int, epoch: int) -> Int64Array:
    """One text row for each clip, int64 (n,), drawn anew in every epoch."""
    block = clips.texts[kind]
    rng = np.random.default_rng([seed, _CAPTION, epoch, _KIND_NUMBER[kind]])
    chosen = block.start[:-1] + (rng.random(len(clips)) * block.counts).astype(np.int64)
    return np.asarray(chosen, np.int64)
