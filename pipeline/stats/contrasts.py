"""Differences with intervals and p-values: between groups, between settings, against chance.

Recordings are drawn once for both sides of a difference, so that what the sides share (the same
recordings, the same children) cancels as it does in the data; see `pipeline.stats.drawn`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from pipeline.stats.bootstrap import Interval
from pipeline.stats.drawn import DRAWS, LEVEL, Floats, Ints, Sums, limits, spread
from pipeline.stats.from_moments import RatioSpreads


@dataclass(frozen=True, slots=True)
class Contrast:
    """A difference: `interval` (its n is that of both sides together) and the two-sided `p` of no
    difference, by Student's t with the interval's degrees of freedom (NaN without interval)."""

    interval: Interval
    p: float

    @property
    def estimate(self) -> float:
        return self.interval.estimate


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a difference, summed over each cluster: (n_clusters,) each.

    For a share highly aligned and scored utterances, for a mean summed scores and their number.
    """

    tops: Floats
    bottoms: Floats


def ratio_difference(
    first: Side,
    second: Side,
    strata: Ints,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    level: float = LEVEL,
) -> Contrast:
    """First ratio minus second, over the same clusters within strata (n_clusters,).

    A cluster may hold only one of the sides. No interval where one side has no child with two
    recordings. `ratio_differences` of one group.
    """
    zeros = np.zeros(len(strata), np.int64)
    return ratio_differences(first, second, zeros, strata, draws=draws, seed=seed, level=level)[0]


def ratio_differences(
    first: Side,
    second: Side,
    groups: Ints,
    strata: Ints | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    level: float = LEVEL,
) -> list[Contrast]:
    """`ratio_difference` within each group of clusters, e.g. within each child.

    groups (n_clusters,) count from 0; without strata each group is one stratum.
    """
    tops = np.column_stack([first.tops, second.tops]).astype(np.float64)
    bottoms = np.column_stack([first.bottoms, second.bottoms]).astype(np.float64)
    n_groups = int(groups.max()) + 1 if len(groups) else 1
    sums = Sums.of_groups(tops, bottoms, np.array([1.0, -1.0]), groups, strata, n_groups)
    return _contrasts(sums, draws=draws, seed=seed, level=level)


def excess(
    successes: Floats,
    expected: Floats,
    totals: Floats,
    strata: Ints,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    level: float = LEVEL,
) -> Contrast:
    """Share minus its chance level (or mean minus null mean), with both drawn together.

    successes and expected are sums over each cluster's `totals` utterances that have a null:
    highly aligned ones and the number expected by chance, or scores and null means.
    """
    groups = np.zeros(len(totals), np.int64)
    return excesses(
        successes, expected, totals, groups, strata, draws=draws, seed=seed, level=level
    )[0]


def excesses(
    successes: Floats,
    expected: Floats,
    totals: Floats,
    groups: Ints,
    strata: Ints | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    level: float = LEVEL,
) -> list[Contrast]:
    """`excess` of each group; without strata each group is one stratum."""
    above = (successes - expected)[:, None].astype(np.float64)
    n_groups = int(groups.max()) + 1 if len(groups) else 1
    bottoms = totals[:, None].astype(np.float64)
    sums = Sums.of_groups(above, bottoms, np.ones(1), groups, strata, n_groups)
    return _contrasts(sums, draws=draws, seed=seed, level=level)


def paired_difference(
    before: Floats,
    after: Floats,
    n_both: Floats,
    strata: Ints,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    level: float = LEVEL,
) -> Contrast:
    """Mean (or share) after minus before, over the same utterances under two settings.

    before and after are sums over each cluster's `n_both` utterances scored under both.
    """
    return excess(after, before, n_both, strata, draws=draws, seed=seed, level=level)


def within(found: Contrast, reach: float) -> Contrast:
    """A difference whose limits cannot lie beyond +-reach: 1 for shares."""
    interval = found.interval
    if not interval.is_known:
        return found
    low, high = max(-reach, interval.low), min(reach, interval.high)
    return replace(found, interval=replace(interval, low=low, high=high))


def limits_and_p(spreads: RatioSpreads, reach: float = math.inf) -> tuple[Floats, Floats, Floats]:
    """Lower and upper limits, none beyond +-reach, and p of each difference: (n_problems,) each.

    NaN where nothing varies: there is nothing to test and nothing to draw.
    """
    found = spreads.spread
    columns = (
        np.maximum(spreads.low, -reach),
        np.minimum(spreads.high, reach),
        found.p_values(),
    )
    low, high, p = (np.where(found.se > 0, values, np.nan) for values in columns)
    return low, high, p


def contrasts_of(spreads: RatioSpreads) -> list[Contrast]:
    """Contrasts whose sides have one denominator, such as an excess, from their spreads."""
    low, high, p = limits_and_p(spreads)
    intervals = replace(spreads, low=low, high=high).intervals()
    return [Contrast(interval, one) for interval, one in zip(intervals, p.tolist(), strict=True)]


def _contrasts(sums: Sums, *, draws: int, seed: int, level: float) -> list[Contrast]:
    found = spread(sums)
    lows, highs = limits(sums, found, draws=draws, seed=seed, level=level)
    totals = np.zeros(sums.n_problems)
    np.add.at(totals, sums.problems, sums.bottoms.sum(axis=1))
    return contrasts_of(RatioSpreads(found, lows, highs, totals))
