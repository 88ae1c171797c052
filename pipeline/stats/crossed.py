"""Intervals for answers that are crossed: every rater meets many items, every item many raters.

Answers of one rater are alike, and so are answers to one item; both count. Variances are clustered
two ways (Cameron, Gelbach & Miller 2011, Journal of Business & Economic Statistics 29, 238-249):
that by raters plus that by items minus that of single answers, which both hold. With few clusters
such a sum can fall below one of its parts; then the larger part is taken. Each part is corrected
for its number of clusters, and Student's t has Satterthwaite's degrees of freedom for the sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class CrossedInterval:
    """An estimate over `n` answers of `n_raters` to `n_items`, with its 95 % interval: about
    raters and items like these. NaN limits where one rater or one item says nothing about others,
    and around a share of exactly 0 or 1. `df`: degrees of freedom of the spread."""

    estimate: float
    low: float
    high: float
    n: int
    n_raters: int
    n_items: int
    df: float = math.nan

    @property
    def is_known(self) -> bool:
        """Whether there is an interval."""
        return not math.isnan(self.low)


@dataclass(frozen=True, slots=True, eq=False)
class CrossedVariance:
    """Variances (q,) of q estimates and their degrees of freedom (q,)."""

    variances: Floats
    df: Floats

    def reach(self, level: float = LEVEL) -> Floats:
        """Half widths (q,): Student's t times the standard error."""
        return self.quantiles(level) * np.sqrt(self.variances)

    def quantiles(self, level: float = LEVEL) -> Floats:
        """Student's t (q,) for a two-sided interval."""
        from scipy.special import stdtrit

        return np.asarray(stdtrit(self.df, (1 + level) / 2), np.float64)


def combined(
    by_rater: Floats, by_item: Floats, alone: Floats, sizes: tuple[int, int]
) -> CrossedVariance:
    """The two-way variance from its parts (q,), and `sizes`: numbers of raters and items."""
    n_raters, n_items = sizes
    variances = np.maximum(by_rater + by_item - alone, np.maximum(by_rater, by_item))
    with np.errstate(invalid="ignore", divide="ignore"):
        df = variances**2 / (by_rater**2 / (n_raters - 1) + by_item**2 / (n_items - 1))
    # Subtracting the single answers would promise more degrees of freedom than the raters or items
    # have.
    return CrossedVariance(
        variances, np.clip(np.nan_to_num(df, nan=1.0), min(sizes) - 1, max(sizes) - 1)
    )


def crossed_variance(influence: Floats, raters: Ints, items: Ints) -> CrossedVariance:
    """Variance of estimates whose influence of each answer is (n, q).

    raters, items (n,) are codes from 0, at least two of each. Parts are multiplied by
    G / (G - 1) for their G clusters.
    """
    parts = []
    for codes in (raters, items, np.arange(len(raters))):
        n_clusters = int(codes.max()) + 1
        sums = np.stack([np.bincount(codes, one, n_clusters) for one in influence.T], axis=1)
        parts.append((sums**2).sum(axis=0) * n_clusters / (n_clusters - 1))
    return combined(parts[0], parts[1], parts[2], (int(raters.max()) + 1, int(items.max()) + 1))


def crossed_mean(values: Floats, raters: Ints, items: Ints) -> CrossedInterval:
    """The mean of `values` (n,) with its interval; codes of raters and items are any integers."""
    return _interval(values, raters, items, is_share=False)


def crossed_share(values: Floats, raters: Ints, items: Ints) -> CrossedInterval:
    """The share of ones among `values` (n,) of 0 and 1.

    The interval is made on the scale of log-odds, so it stays within 0 to 1.
    """
    return _interval(values, raters, items, is_share=True)


def crossed_median(values: Floats, raters: Ints, items: Ints) -> CrossedInterval:
    """The median of `values` (n,): its limits are the quantiles at the limits of the share at or
    below it (Woodruff 1952, Journal of the American Statistical Association 47, 635-646)."""
    if not len(values):
        return CrossedInterval(math.nan, math.nan, math.nan, 0, 0, 0)
    median = float(np.median(values))
    share = crossed_share((values <= median).astype(np.float64), raters, items)
    if not share.is_known:
        low = high = math.nan
    else:
        at = 0.5 + np.array([share.low - share.estimate, share.high - share.estimate])
        low, high = (float(limit) for limit in np.quantile(values, np.clip(at, 0, 1)))
    return CrossedInterval(median, low, high, share.n, share.n_raters, share.n_items, share.df)


def _interval(values: Floats, raters: Ints, items: Ints, *, is_share: bool) -> CrossedInterval:
    n = len(values)
    if not n:
        return CrossedInterval(math.nan, math.nan, math.nan, 0, 0, 0)
    rater_codes = np.unique(raters, return_inverse=True)[1].astype(np.int64)
    item_codes = np.unique(items, return_inverse=True)[1].astype(np.int64)
    counts = (n, int(rater_codes.max()) + 1, int(item_codes.max()) + 1)
    estimate = float(values.mean())
    is_fixed = is_share and estimate in (0.0, 1.0)
    if min(counts) < 2 or is_fixed or bool((values == values[0]).all()):
        return CrossedInterval(estimate, math.nan, math.nan, *counts)
    found = crossed_variance(((values - estimate) / n)[:, None], rater_codes, item_codes)
    reach, df = float(found.reach()[0]), float(found.df[0])
    if not is_share:
        return CrossedInterval(estimate, estimate - reach, estimate + reach, *counts, df)
    odds, wide = math.log(estimate / (1 - estimate)), reach / (estimate * (1 - estimate))
    low, high = (1 / (1 + math.exp(-min(odds + side * wide, 700))) for side in (-1, 1))
    return CrossedInterval(estimate, low, high, *counts, df)
