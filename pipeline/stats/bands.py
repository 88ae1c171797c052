"""Simultaneous bands: curves of means or shares (lag profiles, threshold sweeps).

An interval at each of 21 lags lets one lag in twenty stray by chance alone. A simultaneous band
holds the whole curve with 95 %: its half width is a multiple of the standard error at each point,
found from the 95 % quantile of the largest of all |t| (sup-t; Montiel Olea & Plagborg-Moller 2019,
Journal of Applied Econometrics 34, 1-17).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.stats.drawn import DRAWS, LEVEL, Floats, Ints, welch_df

_BAND_DRAWS = 4 * DRAWS


@dataclass(frozen=True, slots=True)
class Band:
    """A curve with its band, (n_points,) each; NaN where a point has no denominator, NaN limits
    where there is no spread between clusters.

    `n` is the summed denominator of each point, `beyond` how often a single point strays (two
    sides together), `n_clusters` the recordings with any denominator.
    """

    estimate: Floats
    low: Floats
    high: Floats
    n: Floats
    beyond: float
    n_clusters: int

    def excludes(self, value: float) -> NDArray[np.bool_]:
        """Where the band lies wholly above or below a value: bool (n_points,)."""
        return np.asarray((self.low > value) | (self.high < value))


def simultaneous_band(
    tops: Floats,
    bottoms: Floats,
    strata: Ints,
    *,
    draws: int = _BAND_DRAWS,
    seed: int = 1,
    level: float = LEVEL,
) -> Band:
    """Curve of sum(tops) / sum(bottoms) at every point, over clusters within strata.

    tops and bottoms are (n_clusters, n_points), strata (n_clusters,). Drawing clusters makes the
    points' deviations together nearly normal with the covariance of the clusters' linearised
    parts; that is drawn from directly, which takes as long for 16,000 clusters as for ten, and
    divided by the root of a chi-square over its degrees of freedom (Welch's, for the variance of
    all points together), because the standard errors are estimated. The largest |t| so found says
    how rarely one point may stray; each point's half width is that quantile of Student's t with
    its own degrees of freedom. With fewer spare clusters than points their covariance is not
    known well enough, and the points share the level as Bonferroni has it, which is wider.
    """
    from scipy.special import stdtrit

    kept = (bottoms > 0).any(axis=1)
    tops, bottoms, strata = tops[kept], bottoms[kept], strata[kept]
    totals = bottoms.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = np.where(totals > 0, tops.sum(axis=0) / totals, np.nan)
    nowhere = np.full_like(estimate, np.nan)
    places, sizes = np.unique(strata, return_inverse=True, return_counts=True)[1:]
    is_known = totals > 0
    if not (sizes > 1).any() or not is_known.any():
        return Band(estimate, nowhere, nowhere, totals, float("nan"), len(strata))
    curve, total = estimate[is_known], totals[is_known]
    parts = (tops[:, is_known] - curve * bottoms[:, is_known]) / total
    means = np.stack([np.bincount(places, part) for part in parts.T], axis=1) / sizes[:, None]
    parts -= means[places]
    parts *= np.sqrt(sizes / np.maximum(sizes - 1, 1))[places, None]
    covariance = parts.T @ parts
    se = np.sqrt(np.diagonal(covariance))
    varies = se > 1e-9 * max(1e-300, float(np.abs(se).max()))
    if not varies.any():
        return Band(estimate, nowhere, nowhere, totals, float("nan"), len(strata))
    parts, se, weights = parts[:, varies], se[varies], bottoms[:, is_known][:, varies] ** 2
    if int((sizes - 1).sum()) < len(se):
        beyond = (1 - level) / len(se)
    else:
        of_curve = (parts**2 / se**2).mean(axis=1)
        df = _df(of_curve, weights.mean(axis=1), places, sizes)
        beyond = _beyond_sup_t(covariance[np.ix_(varies, varies)], df, draws, seed, level)
    point_df = np.array(
        [_df(part**2, own, places, sizes) for part, own in zip(parts.T, weights.T, strict=True)]
    )
    half = nowhere.copy()
    half[np.flatnonzero(is_known)[varies]] = se * stdtrit(point_df, 1 - beyond / 2)
    return Band(estimate, estimate - half, estimate + half, totals, beyond, len(strata))


def _df(of_clusters: Floats, weights: Floats, places: Ints, sizes: Ints) -> float:
    """Degrees of freedom of a variance that clusters add to: (n_clusters,).

    Welch's, or fewer where long clusters make up most of the variance: as many equally long ones
    as vary as much, when a cluster's variance goes with the square of its length (after Bell &
    McCaffrey 2002, Survey Methodology 28, 169-181). weights: squared lengths.
    """
    by_stratum = welch_df(np.bincount(places, of_clusters).astype(np.float64), sizes)
    equal = float(weights.sum()) ** 2 / float((weights**2).sum())
    return max(1.0, min(by_stratum, equal * float((sizes - 1).sum()) / float(sizes.sum())))


def _beyond_sup_t(covariance: Floats, df: float, draws: int, seed: int, level: float) -> float:
    """Two-sided tail of the quantile of the largest |t| of points with this covariance (n, n)."""
    from scipy.special import stdtr

    scale = np.sqrt(np.diagonal(covariance))
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal((draws, len(scale)))
    points = normal * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    spread = np.sqrt(rng.chisquare(df, draws) / df)
    critical = float(np.quantile(np.abs(points).max(axis=1) / spread, level))
    return float(2 * stdtr(df, -critical))
