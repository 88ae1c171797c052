"""Intervals for shares and means: a bootstrap by recording within child.

Utterances of one recording share a room, a book, a meal; they are not independent. So whole
recordings are drawn, with replacement, as many for each child as the child has, and the ratio
sum(numerators) / sum(denominators) is taken over what was drawn; `pipeline.stats.drawn` says how
the limits are made and what is done about few recordings. The interval speaks about the children
of the study, not about children in general, because children are not drawn.

BCa limits (Efron 1987) were measured beside these: they correct skewness but not the lack of
spread in few recordings, and cover less often (see benchmarks/coverage.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.stats.drawn import DRAWS, Spread, Sums, limits, spread
from pipeline.stats.drawn import LEVEL as LEVEL


@dataclass(frozen=True, slots=True)
class Interval:
    """A ratio with its interval. NaN limits: nothing to draw from, or nothing that varies.

    `n` is the summed denominator; `n_clusters` counts recordings that hold any of it, and
    `n_fixed` those among them that are their child's only one and so add no spread. `df` are the
    degrees of freedom: how well the spread itself is known (NaN when not stated).
    """

    estimate: float
    low: float
    high: float
    n: float
    n_clusters: int
    n_fixed: int
    df: float = math.nan

    @property
    def is_known(self) -> bool:
        """Whether there is an interval."""
        return not math.isnan(self.low)


def ratio_interval(
    numerators: NDArray[np.float64],
    denominators: NDArray[np.float64],
    strata: NDArray[np.int64],
    *,
    draws: int = DRAWS,
    seed: int = 1,
    level: float = LEVEL,
) -> Interval:
    """Interval of sum(numerators) / sum(denominators) over clusters within strata.

    All arrays are (n_clusters,): for a share, highly aligned utterances, scored utterances and
    the child of each recording; for a mean, summed scores and their number. Clusters with
    denominator 0 are left out. The same seed gives the same interval.
    """
    sums = Sums.of_one(
        numerators[:, None].astype(np.float64),
        denominators[:, None].astype(np.float64),
        np.ones(1),
        strata,
    )
    return _intervals(sums, draws=draws, seed=seed, level=level)[0]


def ratio_intervals(
    numerators: NDArray[np.float64],
    denominators: NDArray[np.float64],
    groups: NDArray[np.int64],
    strata: NDArray[np.int64] | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    level: float = LEVEL,
) -> list[Interval]:
    """`ratio_interval` of each group, side by side: e.g. the share of each child.

    All arrays are (n_clusters,); groups count from 0. Without strata each group is one stratum.
    The intervals are those of `ratio_interval` for the group alone with the same seed.
    """
    if not len(groups):
        return []
    sums = Sums.of_groups(
        numerators[:, None].astype(np.float64),
        denominators[:, None].astype(np.float64),
        np.ones(1),
        groups,
        strata,
        int(groups.max()) + 1,
    )
    return _intervals(sums, draws=draws, seed=seed, level=level)


def share_intervals(
    successes: NDArray[np.float64],
    totals: NDArray[np.float64],
    groups: NDArray[np.int64],
    strata: NDArray[np.int64] | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    level: float = LEVEL,
) -> list[Interval]:
    """`share_interval` of each group; see `ratio_intervals`."""
    found = ratio_intervals(successes, totals, groups, strata, draws=draws, seed=seed, level=level)
    return [within_one(interval) for interval in found]


def share_interval(
    successes: NDArray[np.float64],
    totals: NDArray[np.float64],
    strata: NDArray[np.int64],
    *,
    draws: int = DRAWS,
    seed: int = 1,
    level: float = LEVEL,
) -> Interval:
    """`ratio_interval` for a share: limits stay within 0 to 1.

    A share of exactly 0 or 1 gets no interval: every draw is the same, which says nothing about
    the spread.
    """
    return within_one(
        ratio_interval(successes, totals, strata, draws=draws, seed=seed, level=level)
    )


def within_one(found: Interval) -> Interval:
    """The interval of a share: limits within 0 to 1, none around exactly 0 or 1."""
    if not found.is_known:
        return found
    if found.estimate in (0.0, 1.0):
        return replace(found, low=math.nan, high=math.nan)
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))


def _intervals(sums: Sums, *, draws: int, seed: int, level: float) -> list[Interval]:
    found: Spread = spread(sums)
    lows, highs = limits(sums, found, draws=draws, seed=seed, level=level)
    totals = np.bincount(sums.problems, sums.bottoms[:, 0], minlength=sums.n_problems)
    return [
        Interval(*values)
        for values in zip(
            found.estimate.tolist(),
            lows.tolist(),
            highs.tolist(),
            totals.tolist(),
            found.n_clusters.tolist(),
            found.n_fixed.tolist(),
            found.df.tolist(),
            strict=True,
        )
    ]
