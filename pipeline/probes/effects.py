"""Effects of changing words, as differences in differences.

    surplus(u) = (c(u, f) - c(u, g)) / s0
    G_p(u)     = ((c(p(u), f) - c(u, f)) - (c(p(u), g) - c(u, g))) / s0

The second bracket of G is what the change of the text does on any frame. s0 is the SD of the
cosines of utterances with frames that are not theirs. Over the null windows of an utterance the
mean is taken for g.

Utterances with z >= 1 ("hits") are not all about what was in view: of windows by chance about one
in six is as high, and those fall back under whatever change. What chance hits show is known from
the null windows with z >= 1, each window standing in turn for f and the others for g. It is
subtracted in the proportion in which utterances are not about what was in view,

    w = (1 - share of hits) / (1 - share of null windows that are hits),

at most 1: exact where whatever is in view makes a hit, and a little too much otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.probes.changes import Change
from pipeline.probes.material import Floats
from pipeline.probes.measured import Cosines, Measured


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """A change by utterance, in units of s0; NaN where it is not possible.

    `best`, `middle` (n,): G at f* and at the middle frame; `shift` (n,): what the change does at
    frames that nobody chose; `null` (n, K): G with null window k in the place of f*.
    """

    best: Floats
    middle: Floats
    shift: Floats
    null: Floats


class Effects:
    """Surplus, G and hits of a probe; arrays over its n utterances and K null windows.

    units: SD of null pairs to divide by; without it that of these utterances.
    """

    def __init__(self, measured: Measured, hit_z: float, s0: float | None = None) -> None:
        self.measured = measured
        self.plain = measured.cosines(Change.PLAIN)
        self.s0 = null_sd(self.plain) if s0 is None else s0
        raw = measured.cosines(Change.RAW)
        sampled = measured.utterances
        self.is_hit = (sampled.z >= hit_z).astype(np.float64)
        null_z = (raw.null_best - sampled.null_mean[:, None]) / sampled.null_sd[:, None]
        self.is_null_hit = (null_z >= hit_z).astype(np.float64)

    @cached_property
    def surplus(self) -> Effect:
        """How far an utterance as a whole is above its null."""
        return self._against_null(self.plain)

    def of(self, change: Change) -> Effect:
        """G of a change."""
        changed = self.measured.cosines(change)
        plain = self.plain
        return self._against_null(
            Cosines(
                changed.best - plain.best,
                changed.middle - plain.middle,
                changed.null_best - plain.null_best,
                changed.null_middle - plain.null_middle,
                changed.wins_best,
                changed.wins_null,
            )
        )

    def hits_of(self, own: Floats, null: Floats) -> Floats:
        """What hits and chance hits show: own (n,), null (n, K) -> (n, 2), to be added up."""
        return np.stack([own * self.is_hit, np.mean(null * self.is_null_hit, axis=1)], axis=1)

    @cached_property
    def hits(self) -> Floats:
        """Whether a hit, and the share of null windows that are: (n, 2)."""
        return np.stack([self.is_hit, self.is_null_hit.mean(axis=1)], axis=1)

    def _against_null(self, found: Cosines) -> Effect:
        n_null = found.null_best.shape[1]
        mean = found.null_best.mean(axis=1)
        # Of the other windows alone: a window must not be part of what it is compared with.
        others = (n_null * mean[:, None] - found.null_best) / (n_null - 1)
        scale = 1.0 / self.s0
        return Effect(
            (found.best - mean) * scale,
            (found.middle - found.null_middle.mean(axis=1)) * scale,
            found.null_middle.mean(axis=1) * scale,
            (found.null_best - others) * scale,
        )


def beyond_chance(sums: Floats, hits: Floats, n: Floats) -> Floats:
    """Sums over hits (d, 2) less their part by chance: (d,).

    sums: of what `Effects.hits_of` gives; hits (d, 2): of `Effects.hits`; n (d,) utterances.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.minimum(1.0, (n - hits[:, 0]) / (n - hits[:, 1]))
    return np.asarray(sums[:, 0] - weight * sums[:, 1])


def null_sd(plain: Cosines) -> float:
    """s0: SD of the cosines of utterances with middle frames of their null windows."""
    values = plain.null_middle[~np.isnan(plain.null_middle)]
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")
