"""Which words of an utterance its score rests on: each is left out in turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.probes.changes import Change
from pipeline.probes.measured import Measured, place_of


@dataclass(frozen=True, slots=True)
class WordShare:
    """What one word adds, in units of s0: `on_frame` to the cosine with the best frame, `on_null`
    to that with chance frames (mean), `grounded` the difference. `place` counts words from 0."""

    place: int
    word: str
    on_frame: float
    on_null: float

    @property
    def grounded(self) -> float:
        return self.on_frame - self.on_null


def word_shares(measured: Measured, utterance: int, s0: float) -> tuple[WordShare, ...]:
    """The words of a sampled utterance, given by its place; empty for one of a single word."""
    rows = measured.rows
    mine = rows.utterance == utterance
    plain = np.flatnonzero(mine & (rows.change == place_of(Change.PLAIN)))
    chosen = mine & (rows.change == place_of(Change.WORD_LEFT_OUT)) & ~np.isnan(rows.best)
    base = int(plain[0])
    return tuple(
        WordShare(
            int(rows.number[row]),
            rows.word[row],
            float(rows.best[base] - rows.best[row]) / s0,
            float((rows.null_best[base] - rows.null_best[row]).mean()) / s0,
        )
        for row in np.flatnonzero(chosen).tolist()
    )
