"""Spreads and limits of ratios from the co-moments of their clusters (`pipeline.ratio_moments`).

The same numbers as `pipeline.stats.drawn` makes of the clusters themselves, for one ratio, but
without a look at tens of thousands of recordings. Where there are so few clusters that limits are
drawn, they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.ratio_moments import FIELDS
from pipeline.stats.bootstrap import Interval
from pipeline.stats.drawn import (
    LEVEL,
    MANY_CLUSTERS,
    Floats,
    Ints,
    Spread,
    Sums,
    degrees_of_freedom,
    limits,
    worked_out_limits,
)

_ROUNDING = 1e-13

Clusters = Callable[[int], tuple[Floats, Floats, Ints]]
"""Tops, bottoms and strata of the clusters of a problem, by its place."""


@dataclass(frozen=True, slots=True, eq=False)
class RatioSpreads:
    """Ratios side by side: `spread`, and `low`, `high` and `n` (summed denominators), each
    (n_problems,)."""

    spread: Spread
    low: Floats
    high: Floats
    n: Floats

    def intervals(self) -> list[Interval]:
        found = self.spread
        columns = (found.estimate, self.low, self.high, self.n, found.n_clusters, found.n_fixed)
        parts = (values.tolist() for values in (*columns, found.df))
        return [Interval(*values) for values in zip(*parts, strict=True)]


def ratio_spreads(
    moments: Floats, clusters: Clusters, *, together: bool = False, level: float = LEVEL
) -> RatioSpreads:
    """Ratios of the strata with these moments (n_strata, 10): of each, or `together` of all.

    `clusters` is asked for the problems with fewer than MANY_CLUSTERS clusters.
    """
    found = spread_of_moments(moments, together=together)
    low, high = worked_out_limits(found, level)
    few = (found.n_clusters < MANY_CLUSTERS) & ~np.isnan(found.se)
    for place in np.flatnonzero(few).tolist():
        tops, bottoms, strata = clusters(place)
        sums = Sums.of_one(tops[:, None], bottoms[:, None], np.ones(1), strata)
        low[place], high[place] = (
            float(limit[0]) for limit in limits(sums, _one_of(found, place), level=level)
        )
    n = _added(moments[:, 2], together)
    return RatioSpreads(found, low, high, n)


def spread_of_moments(moments: Floats, *, together: bool) -> Spread:
    """`drawn.spread` of the ratio of each stratum, or `together` of all; moments (n_strata, 10)."""
    m = dict(zip(FIELDS, moments.T, strict=True))
    n = m["n"]

    def add(values: Floats) -> Floats:
        return _added(values, together)

    total = add(m["b"])
    is_known = total > 0
    r, scale = (
        np.divide(above, total, where=is_known, out=np.zeros(len(total)))
        for above in (add(m["t"]), 1.0)
    )
    # Of each cluster's influence (t - r b) / total, and of its part b / total of the denominator.
    squares = (m["tt"] - 2 * r * m["tb"] + r**2 * m["bb"]) * scale**2
    # Where nothing varies the terms cancel but for rounding: of themselves, and of the tops.
    rounding = _ROUNDING * (m["tt"] + r**2 * m["bb"]) + (_ROUNDING * m["t"]) ** 2 / np.maximum(n, 1)
    squares = np.where(squares > rounding * scale**2, squares, 0.0)
    cubes = (m["ttt"] - 3 * r * m["ttb"] + 3 * r**2 * m["tbb"] - r**3 * m["bbb"]) * scale**3
    with_part = (m["tb"] - r * m["bb"]) * scale**2
    variance = squares * n / np.maximum(n - 1, 1)
    is_spread = add((n > 1).astype(np.float64)) > 0
    df = degrees_of_freedom(
        add(variance), add(variance**2 / (n + 1)), add(np.maximum(n - 1.0, 0.0))
    )
    summed, crossed = add(squares), add(with_part)
    return Spread(
        np.where(is_known, r, np.nan),
        np.where(is_spread, np.sqrt(add(variance)), np.nan),
        np.where(is_spread, df, np.nan),
        np.sqrt(summed),
        -crossed,
        add(cubes) - 6 * summed * crossed,
        add(n).astype(np.int64),
        add((n == 1).astype(np.float64)).astype(np.int64),
    )


def _added(values: Floats, together: bool) -> Floats:
    """Of strata (n_strata,) the values themselves, or (1,) their sum."""
    return values.sum(keepdims=True) if together else values


def _one_of(found: Spread, place: int) -> Spread:
    return Spread(*(getattr(found, name)[place : place + 1] for name in Spread.__slots__))
