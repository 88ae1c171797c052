"""What a probe found, as arrays over the sampled utterances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.probes.changes import Change
from pipeline.probes.material import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SampledUtterances:
    """n sampled utterances: ids, and what decides how they are grouped. Arrays are (n,)."""

    recording_ids: tuple[str, ...]
    utterance_ids: tuple[str, ...]
    child_ids: tuple[str, ...]
    onset_ms: Ints
    offset_ms: Ints
    texts: tuple[str, ...]
    languages: tuple[str, ...]
    z: Floats
    null_mean: Floats
    null_sd: Floats
    has_object: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.recording_ids)


@dataclass(frozen=True, slots=True, eq=False)
class VariantRows:
    """m variants: which utterance, what change, and the cosines (NaN where there is no text).

    `utterance` (m,) is a place among the sampled utterances; `change` (m,) the place of its
    `Change` in the enumeration; `best`, `middle` (m,), `null_best`, `null_middle` (m, K).
    """

    utterance: Ints
    change: Ints
    number: Ints
    text: tuple[str, ...]
    word: tuple[str, ...]
    reason: tuple[str, ...]
    best: Floats
    middle: Floats
    null_best: Floats
    null_middle: Floats

    def __len__(self) -> int:
        return len(self.utterance)


CHANGES = tuple(Change)
_PLACE = {change: place for place, change in enumerate(CHANGES)}


def place_of(change: Change) -> int:
    """Number that stands for a change in `VariantRows.change`."""
    return _PLACE[change]


@dataclass(frozen=True, slots=True, eq=False)
class Cosines:
    """Cosines of one change by utterance, means over its draws; NaN where it is not possible.

    `best`, `middle` (n,); `null_best`, `null_middle` (n, K). `wins_best` (n,), `wins_null` (n, K):
    in which part of the draws the plain utterance was above the changed one; ties are half.
    """

    best: Floats
    middle: Floats
    null_best: Floats
    null_middle: Floats
    wins_best: Floats
    wins_null: Floats


_TIE = 1e-5
"""Cosines this near are equal: the encoder adds single-precision numbers in another order."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A finished probe: utterances and the rows of their variants."""

    utterances: SampledUtterances
    rows: VariantRows

    def cosines(self, change: Change) -> Cosines:
        """One change by utterance."""
        rows, n = self.rows, len(self.utterances)
        is_base = rows.change == place_of(Change.PLAIN)
        base_row = np.full(n, -1)
        base_row[rows.utterance[is_base]] = np.flatnonzero(is_base)
        chosen = np.flatnonzero((rows.change == place_of(change)) & ~np.isnan(rows.best))
        owner = rows.utterance[chosen]
        base = base_row[owner]

        def mean(values: Floats) -> Floats:
            total = np.zeros((n, *values.shape[1:]))
            np.add.at(total, owner, values)
            count = np.bincount(owner, minlength=n).astype(np.float64)
            count[count == 0] = np.nan
            return total / count.reshape(-1, *[1] * (values.ndim - 1))

        return Cosines(
            mean(rows.best[chosen]),
            mean(rows.middle[chosen]),
            mean(rows.null_best[chosen]),
            mean(rows.null_middle[chosen]),
            mean(_above(rows.best[base], rows.best[chosen])),
            mean(_above(rows.null_best[base], rows.null_best[chosen])),
        )

    def by_number(self, change: Change, n_numbers: int) -> tuple[Floats, Floats]:
        """Cosines at f* by utterance and number (n, n_numbers), and at the null windows' best
        frames (n, n_numbers, K); NaN where there is no such variant."""
        rows, n = self.rows, len(self.utterances)
        chosen = np.flatnonzero((rows.change == place_of(change)) & ~np.isnan(rows.best))
        chosen = chosen[rows.number[chosen] < n_numbers]
        own = np.full((n, n_numbers), np.nan)
        null = np.full((n, n_numbers, rows.null_best.shape[1]), np.nan)
        own[rows.utterance[chosen], rows.number[chosen]] = rows.best[chosen]
        null[rows.utterance[chosen], rows.number[chosen]] = rows.null_best[chosen]
        return own, null

    def words(self, change: Change) -> tuple[str, ...]:
        """The word that a change put into each utterance's first variant; "" where there is
        none."""
        rows = self.rows
        found = [""] * len(self.utterances)
        place = place_of(change)
        for row in np.flatnonzero((rows.change == place) & (rows.number == 0)).tolist():
            found[int(rows.utterance[row])] = rows.word[row]
        return tuple(found)

    def reasons(self, change: Change) -> tuple[tuple[str, int], ...]:
        """Why the change was not possible, and for how many utterances, most frequent first."""
        place = place_of(change)
        found: dict[str, int] = {}
        for code, reason in zip(self.rows.change.tolist(), self.rows.reason, strict=True):
            if code == place and reason:
                found[reason] = found.get(reason, 0) + 1
        return tuple(sorted(found.items(), key=lambda entry: (-entry[1], entry[0])))


def _above(first: Floats, second: Floats) -> Floats:
    return np.where(first > second + _TIE, 1.0, np.where(first < second - _TIE, 0.0, 0.5))
