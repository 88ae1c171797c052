"""Intervals of any statistic of sums over recordings, as `pipeline.stats.drawn` makes them for
ratios: recordings are drawn within children, and the limits are widened for few recordings.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pipeline.stats.bootstrap import Interval
from pipeline.stats.drawn import DRAWS, LEVEL, drawn_counts, welch_df

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Statistic = Callable[[Floats], Floats]
"""Sums (d, m) -> values (d,); NaN where the sums give none."""

_STEP = 1e-4
_USABLE = 0.95
_SAME = 1e-9


def statistic_interval(
    statistic: Statistic,
    sums: Floats,
    strata: Ints,
    n: float,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    level: float = LEVEL,
) -> Interval:
    """Interval of statistic(sum of `sums` over recordings).

    sums (R, m): one row for each recording that has any; strata (R,): its child. The spread by
    which limits are widened is that of the infinitesimal jackknife (Efron 1982). NaN limits where
    no child has two recordings, and where more than 5 % of the draws give no value: then the data
    do not tell. Where every draw gives the same, that is the interval.
    """
    codes = np.unique(strata, return_inverse=True)[1].astype(np.int64)
    sizes = np.bincount(codes) if len(codes) else np.zeros(0, np.int64)
    n_fixed = int((sizes == 1).sum())
    total = sums.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = float(statistic(total[None])[0])
        unknown = Interval(estimate, math.nan, math.nan, n, len(sums), n_fixed)
        if math.isnan(estimate) or not (sizes > 1).any():
            return unknown
        influence = (statistic(total + _STEP * sums) - estimate) / _STEP
        drawn = statistic(drawn_counts(codes, draws=draws, seed=seed) @ sums)
    centred = influence - (np.bincount(codes, influence) / sizes)[codes]
    squares = np.bincount(codes, centred**2)
    variances = squares * sizes / np.maximum(sizes - 1, 1)
    usable = drawn[np.isfinite(drawn)]
    if len(usable) < _USABLE * len(drawn):
        return unknown
    if np.ptp(usable) <= _SAME * max(1.0, abs(estimate)):
        return replace(unknown, low=estimate, high=estimate)
    if not squares.sum() > 0:
        return unknown
    df = welch_df(variances, sizes)
    normal = NormalDist().inv_cdf((1 + level) / 2)
    reach = math.sqrt(variances.sum() / squares.sum()) * _student(df, level) / normal
    low, high = np.quantile(usable, [(1 - level) / 2, (1 + level) / 2])
    least = normal * float(usable.std())
    return Interval(
        estimate,
        estimate - reach * max(estimate - float(low), least),
        estimate + reach * max(float(high) - estimate, least),
        n,
        len(sums),
        n_fixed,
        df,
    )


def ratio(sums: Floats) -> Floats:
    """First sum over second; NaN where the second is not above 0."""
    return np.asarray(np.where(sums[:, 1] > 0, sums[:, 0] / sums[:, 1], np.nan))


def share_interval(sums: Floats, strata: Ints, n: float, *, seed: int = 1) -> Interval:
    """`statistic_interval` of a share, sums (R, 2), within 0 to 1.

    Draws do not vary around 0 and 1; there the limit is that of Clopper and Pearson (1934) with
    recordings as trials.
    """
    found = statistic_interval(ratio, sums, strata, n, seed=seed)
    if found.estimate not in (0.0, 1.0):
        return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))
    nearest = ((1 - LEVEL) / 2) ** (1 / len(sums))
    if found.estimate:
        return replace(found, low=nearest, high=1.0)
    return replace(found, low=0.0, high=1 - nearest)


def _student(df: float, level: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(df, (1 + level) / 2))
