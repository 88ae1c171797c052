"""A fast interval for a ratio: linearised, with recordings as clusters within children.

What `bootstrap.ratio_interval` finds by drawing recordings, worked out by formula (Taylor
linearisation, Woodruff 1971, Journal of the American Statistical Association 66, 411-414): for
tables of many ratios, where drawing would take seconds. Children are held fixed, as there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.stats.bootstrap import Interval
from pipeline.stats.drawn import LEVEL, Sums, spread


def linearised_interval(
    numerators: NDArray[np.float64],
    denominators: NDArray[np.float64],
    strata: NDArray[np.int64],
    *,
    level: float = LEVEL,
) -> Interval:
    """Interval of sum(numerators) / sum(denominators) over clusters within strata.

    All arrays are (n_clusters,); clusters with denominator 0 are left out. The half width is
    Student's t, with Welch's degrees of freedom, times the standard error. NaN limits when no
    stratum has two clusters.
    """
    from scipy.special import stdtrit

    found = spread(Sums.of_one(numerators[:, None], denominators[:, None], np.ones(1), strata))
    estimate, se, df = float(found.estimate[0]), float(found.se[0]), float(found.df[0])
    half = math.nan if math.isnan(se) else float(stdtrit(df, (1 + level) / 2)) * se
    total, n_clusters = float(denominators.sum()), int(found.n_clusters[0])
    n_fixed = int(found.n_fixed[0])
    return Interval(estimate, estimate - half, estimate + half, total, n_clusters, n_fixed, df)


@dataclass(frozen=True, slots=True, eq=False)
class LinearisedIntervals:
    """Intervals of many groups, all (n_groups,): see `linearised_interval`. n_strata: strata that
    hold any of a group."""

    estimates: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: NDArray[np.float64]
    n_strata: NDArray[np.int64]


def linearised_intervals(
    numerators: NDArray[np.float64],
    denominators: NDArray[np.float64],
    strata: NDArray[np.int64],
    groups: NDArray[np.int64],
    n_groups: int,
    *,
    level: float = LEVEL,
) -> LinearisedIntervals:
    """`linearised_interval` of each group of clusters, for all groups at once.

    Arrays are (n_clusters,), denominators above 0; strata and groups count from 0. NaN where
    a group has no cluster, NaN limits where no stratum of it has two.
    """
    from scipy.special import stdtrit

    n_strata = int(strata.max()) + 1 if len(strata) else 1
    cells = groups * n_strata + strata
    total = np.bincount(groups, denominators, n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        estimates = np.bincount(groups, numerators, n_groups) / total
    residuals = numerators - estimates[groups] * denominators
    sizes = np.bincount(cells, minlength=n_groups * n_strata)
    centred = residuals - np.bincount(cells, residuals)[cells] / sizes[cells]
    variances = np.bincount(cells, centred**2, len(sizes)) * sizes / np.maximum(sizes - 1, 1)
    by_group = sizes.reshape(n_groups, n_strata)
    by_cell = variances.reshape(n_groups, n_strata)
    total_variance = by_cell.sum(axis=1)
    freedom = np.maximum(by_group - 1, 0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        df = total_variance**2 / (by_cell**2 / (by_group + 1)).sum(axis=1) - 2
        df = np.where(total_variance > 0, np.clip(df, 1, freedom), freedom)
        t = np.asarray(stdtrit(df, (1 + level) / 2), np.float64)
        half = t * np.sqrt(total_variance) / total
    half[freedom == 0] = np.nan
    return LinearisedIntervals(
        estimates,
        estimates - half,
        estimates + half,
        total.astype(np.float64),
        (by_group > 0).sum(axis=1),
    )
