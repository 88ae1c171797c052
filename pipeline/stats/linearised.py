"""A fast interval for a ratio: linearised, with recordings as clusters within children.

What `bootstrap.ratio_interval` finds by drawing recordings, worked out by formula (Taylor
linearisation, Woodruff 1971, Journal of the American Statistical Association 66, 411-414): for
tables of many ratios, where drawing would take seconds. Children are held fixed, as there.
"""

from __future__ import annotations

import math

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
