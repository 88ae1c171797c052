"""Rank correlation, over all and within groups, with intervals."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pipeline.stats.bootstrap import Interval
from pipeline.stats.drawn import LEVEL, welch_df

LEVELS = 65_536
_SAMPLE = 50_000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def ranks(values: Floats) -> Floats:
    """Ranks from 1, (n,); equal values share their mean rank."""
    return ranks_in_order(values, np.argsort(values, kind="stable"))


def ranks_in_order(values: NDArray[np.floating], order: Ints, groups: Ints | None = None) -> Floats:
    """Ranks from 1 within each group, (n,), given the order that sorts by group, then value.

    groups: codes (n,), None for one group. Equal values of a group share their mean rank.
    """
    ordered = values[order]
    is_new = np.empty(len(order), np.bool_)
    is_new[:1] = True
    is_new[1:] = ordered[1:] != ordered[:-1]
    start = 0.0 if groups is None else np.zeros(len(order))
    if groups is not None:
        codes = groups[order]
        is_first = np.empty(len(order), np.bool_)
        is_first[:1] = True
        is_first[1:] = codes[1:] != codes[:-1]
        is_new |= is_first
        begin = np.flatnonzero(is_first)
        start = np.repeat(begin.astype(np.float64), np.diff(begin, append=len(order)))
    first = np.flatnonzero(is_new)
    size = np.diff(first, append=len(order))
    found = np.empty(len(order), np.float64)
    found[order] = np.repeat(first + (size + 1) / 2, size) - start
    return found


def rank_correlation(x: Floats, y: Floats, *, level: float = LEVEL) -> Interval:
    """Spearman's rho of n independent pairs, with the interval of Bonett & Wright (2000,
    Psychometrika 65, 23-28): Fisher's z with variance (1 + rho^2 / 2) / (n - 3).

    NaN when one of them does not vary; NaN limits below 10 pairs.
    """
    n = len(x)
    estimate = correlation(ranks(x), ranks(y)) if n > 1 else math.nan
    if math.isnan(estimate) or n < 10 or abs(estimate) >= 1:
        return Interval(estimate, math.nan, math.nan, float(n), n, 0)
    half = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt((1 + estimate**2 / 2) / (n - 3))
    low, high = (math.tanh(math.atanh(estimate) + sign * half) for sign in (-1, 1))
    return Interval(estimate, low, high, float(n), n, 0)


def correlation(x: Floats, y: Floats) -> float:
    """Pearson's r, NaN when one of them does not vary."""
    x, y = x - x.mean(), y - y.mean()
    scale = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / scale if scale else math.nan


def level_scale(values: NDArray[np.floating], levels: int) -> tuple[float, float]:
    """The value at which the first of so many levels begins, and levels per unit."""
    step = max(1, len(values) // _SAMPLE)
    low, high = np.quantile(values[::step], [0.001, 0.999])
    margin = (high - low) / 2 or 1.0
    return float(low - margin), float((levels - 1) / (high - low + 2 * margin))


def clustered_correlation(
    x: Floats, y: Floats, clusters: Ints, strata: Ints, *, level: float = LEVEL
) -> Interval:
    """Pearson's r of n pairs that come in clusters; of ranks it is Spearman's rho.

    clusters: cluster of each pair, codes (n,) below len(strata); strata: stratum of each cluster.
    See `correlation_of_sums` for the interval.
    """
    return correlation_of_sums(cluster_sums(x, y, clusters, len(strata)), strata, level=level)


def cluster_sums(x: Floats, y: Floats, clusters: Ints, n_clusters: int) -> NDArray[np.float64]:
    """Sums (6, n_clusters) of 1, x, y, x^2, y^2 and xy, from which correlations are made."""
    if not len(x):
        return np.zeros((6, n_clusters))
    # Centred first, so that large sums do not swallow small differences.
    x, y = x - x.mean(), y - y.mean()
    weights = (None, x, y, x * x, y * y, x * y)
    return np.stack(
        [np.bincount(clusters, w, minlength=n_clusters).astype(np.float64) for w in weights]
    )


def correlation_of_sums(
    sums: NDArray[np.float64], strata: Ints, *, level: float = LEVEL
) -> Interval:
    """Pearson's r from `cluster_sums` (6, n_clusters), with its interval.

    Fisher's z with Student's t, Welch's degrees of freedom and the standard error of the
    delete-one-cluster jackknife within strata (Shao & Tu 1995, section 6.2); ranks are not drawn
    up anew for each deletion. Clusters that are alone in their stratum add no spread; NaN limits
    when all are.
    """
    from scipy.special import stdtrit

    kept = sums[0] > 0
    sums, strata = sums[:, kept], strata[kept]
    total = sums.sum(axis=1, keepdims=True)
    n = float(total[0, 0])
    estimate = float(_r(total)[0]) if n >= 2 else math.nan
    _, places, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    n_fixed, freedom = int((sizes == 1).sum()), int((sizes - 1).sum())
    if math.isnan(estimate) or not freedom or abs(estimate) >= 1:
        return Interval(estimate, math.nan, math.nan, n, len(strata), n_fixed)
    # A deleted cluster is made up for by the others of its stratum, each R / (R - 1) times.
    of_stratum = np.stack([np.bincount(places, row) for row in sums])[:, places]
    size = sizes[places]
    without = _r(total - (size * sums - of_stratum) / np.maximum(size - 1, 1))
    # A deletion after which nothing varies says nothing.
    without = np.where(np.isnan(without) | (size == 1), estimate, without)
    centred = without - (np.bincount(places, without) / sizes)[places]
    of_strata = np.bincount(places, centred**2) * (sizes - 1) / sizes
    df = welch_df(of_strata, sizes)
    half = float(stdtrit(df, (1 + level) / 2)) * math.sqrt(of_strata.sum()) / (1 - estimate**2)
    low, high = (math.tanh(math.atanh(estimate) + sign * half) for sign in (-1, 1))
    return Interval(estimate, low, high, n, len(strata), n_fixed)


def correlations_of_sums(
    sums: NDArray[np.float64], strata: Ints, n_strata: int, *, level: float = LEVEL
) -> list[Interval]:
    """`correlation_of_sums` of each stratum alone, all at once; n is 0 where there is nothing."""
    from scipy.special import stdtrit

    kept = sums[0] > 0
    sums, strata = sums[:, kept], strata[kept]
    size = np.bincount(strata, minlength=n_strata)
    total = np.stack(
        [np.bincount(strata, row, minlength=n_strata).astype(np.float64) for row in sums]
    )
    estimate = _r(total)
    others = np.maximum(size - 1, 1)
    without = _r((total * (1 + 1 / others))[:, strata] - (size / others)[strata] * sums)
    without = np.where(np.isnan(without), estimate[strata], without)
    mean = np.bincount(strata, without, minlength=n_strata) / np.maximum(size, 1)
    spread = np.bincount(strata, (without - mean[strata]) ** 2, minlength=n_strata)
    with np.errstate(invalid="ignore", divide="ignore"):
        half = stdtrit(others, (1 + level) / 2) * np.sqrt(spread * (size - 1) / size)
        half /= 1 - estimate**2
        middle = np.arctanh(estimate)
        low, high = np.tanh(middle - half), np.tanh(middle + half)
    is_known = (size > 1) & (np.abs(estimate) < 1)
    low, high = np.where(is_known, low, np.nan), np.where(is_known, high, np.nan)
    return [
        Interval(float(r), float(a), float(b), float(n), int(k), int(k == 1))
        for r, a, b, n, k in zip(estimate, low, high, total[0], size, strict=True)
    ]


def _r(sums: NDArray[np.float64]) -> Floats:
    """Pearson's r of sums (6, m): n, x, y, xx, yy, xy; NaN where one does not vary."""
    n, x, y, xx, yy, xy = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        spread_x, spread_y = xx - x * x / n, yy - y * y / n
        scale = np.sqrt(np.maximum(spread_x, 0) * np.maximum(spread_y, 0))
        found: Floats = np.where(scale > 0, (xy - x * y / n) / scale, np.nan)
    return found
