"""The corpus or one child: sums over its recordings, their intervals, and verdicts on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.probes.effects import Effects
from pipeline.probes.intervals import Ints, ratio, share_interval, statistic_interval
from pipeline.probes.material import Floats
from pipeline.probes.ratios import share
from pipeline.probes.settings import ProbeSettings
from pipeline.probes.templates import eta2
from pipeline.probes.verdicts import Index
from pipeline.stats.bootstrap import within_one

FEWEST = 20
"""Utterances below which neither an interval nor a verdict is given: ratios of so few are not
spread as the interval takes them to be."""


class Scope:
    """The indices of the corpus or of one child."""

    def __init__(
        self, name: str, mask: NDArray[np.bool_], effects: Effects, settings: ProbeSettings
    ) -> None:
        self.name, self.mask, self.effects, self.settings = name, mask, effects, settings
        utterances = effects.measured.utterances
        recordings, self._recording = np.unique(
            np.asarray(utterances.recording_ids, dtype=object).astype(str), return_inverse=True
        )
        children = np.asarray(utterances.child_ids, dtype=object).astype(str)
        first = np.zeros(len(recordings), np.int64)
        first[self._recording[::-1]] = np.arange(len(children))[::-1]
        self._strata: Ints = np.unique(children[first], return_inverse=True)[1].astype(np.int64)
        self.ones = np.ones((len(mask), 1))
        self.excess = effects.hits[:, 0] - effects.hits[:, 1]

    def mean(self, name: str, values: Floats, note: str = "") -> Index:
        """Mean over utterances that have a value; 0 where nothing drives the score."""
        has = self.mask & ~np.isnan(values)
        columns = np.stack([values, np.ones(len(values))], axis=1)
        return self.index(name, ratio, columns, has, int(has.sum()), 0.0, note)

    def index(
        self,
        name: str,
        statistic: Callable[[Floats], Floats],
        columns: Floats,
        has: NDArray[np.bool_],
        n: int,
        chance: float | None,
        note: str,
    ) -> Index:
        """Sums by recording over utterances `has` (n,) of columns (n, m), and their interval."""
        codes, rows = np.unique(self._recording[has], return_inverse=True)
        sums = np.zeros((len(codes), columns.shape[1]))
        np.add.at(sums, rows, columns[has])
        if not len(codes):
            return Index(name, self.name, None, None, None, 0, 0, chance, None, note)
        strata, seed = self._strata[codes], self.settings.seed
        if statistic is share:
            found = share_interval(sums, strata, n, seed=seed)
        elif statistic is eta2:
            found = within_one(statistic_interval(statistic, sums, strata, n, seed=seed))
        else:
            found = statistic_interval(statistic, sums, strata, n, seed=seed)
        low, high = (found.low, found.high) if n >= FEWEST else (math.nan, math.nan)
        value, lower, upper = (_known(one) for one in (found.estimate, low, high))
        if n < FEWEST:
            note = f"{note}; cannot be told: fewer than {FEWEST} utterances"
        elif lower is None:
            note = f"{note}; cannot be told: too few recordings or too little that varies"
        return Index(name, self.name, value, lower, upper, n, len(codes), chance, None, note)

    def hit_columns(self, top: Floats, bottom: Floats | None = None) -> Floats:
        """Columns of `ratio_of_hits`; without a bottom the mean over hits beyond chance."""
        hits = self.effects.hits
        return np.concatenate([top, hits if bottom is None else bottom, hits, self.ones], axis=1)

    def n_hits(self, has: NDArray[np.bool_]) -> int:
        return int((self.effects.is_hit[has] > 0).sum())

    def explained(self, index: Index, has: NDArray[np.bool_]) -> Index:
        """The index, without any number where the utterances do not match their frames beyond
        chance: then there is nothing of which it could be a part."""
        if index.n < FEWEST:
            return index
        hits = self.mean("hits", np.where(has, self.excess, np.nan))
        if hits.lower is None or hits.lower <= 0:
            note = f"{index.note}; cannot be told: too few match their frames beyond chance"
            return replace(index, value=None, lower=None, upper=None, note=note)
        return index

    def judged(
        self,
        index: Index,
        verdict: bool | None,
        has: NDArray[np.bool_],
        finding: str,
        needs_hits: bool = True,
    ) -> Index:
        """The index with its verdict; none where there is too little to explain."""
        if needs_hits:
            index = self.explained(index, has)
        if index.lower is None:
            return index
        words = {
            True: f"supported: {finding}",
            False: f"not supported: {finding}",
            None: f"cannot be told whether {finding}",
        }[verdict]
        return replace(index, supports=verdict, note=f"{index.note}; {words}")


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
