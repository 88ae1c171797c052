"""What either family's fit finds, before it is put into words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.stats.mixed.design import Floats
from pipeline.stats.mixed.result import Satterthwaite


@dataclass(frozen=True, slots=True)
class Estimates:
    """`beta` (p,) with `covariance` (p, p), and what their degrees of freedom need (None: they
    are infinite); `factors` are the Cholesky factors (k, k) of each random term's covariance,
    `theta` the same relative to `sigma`, the residual SD (NaN where there is none).

    `loglik` is the REML criterion over -2 where it was fitted by REML. `is_singular`: a variance
    is estimated as (nearly) zero or a correlation as one.
    """

    beta: Floats
    covariance: Floats
    satterthwaite: Satterthwaite | None
    factors: tuple[Floats, ...]
    sigma: float
    loglik: float
    theta: Floats
    is_singular: bool
    has_converged: bool

    @property
    def df(self) -> Floats:
        """Degrees of freedom of each coefficient, (p,)."""
        p = len(self.beta)
        if self.satterthwaite is None:
            return np.full(p, np.inf)
        return self.satterthwaite.df(np.eye(p), np.diagonal(self.covariance))


def half_width(df: Floats) -> Floats:
    """Half of a 95 % interval in standard errors, by t with `df` (n,) degrees of freedom."""
    from scipy import special

    finite = np.where(np.isinf(df), 1.0, df)
    reach = np.where(np.isinf(df), special.ndtri(0.975), special.stdtrit(finite, 0.975))
    return np.asarray(reach, dtype=np.float64)


def two_sided_p(statistic: Floats, df: Floats) -> Floats:
    """Chance of a statistic (n,) at least this far from 0, by t with `df` (n,)."""
    from scipy import special

    finite = np.where(np.isinf(df), 1.0, df)
    below = -np.abs(statistic)
    tail = np.where(np.isinf(df), special.ndtr(below), special.stdtr(finite, below))
    return np.asarray(2 * tail, dtype=np.float64)
