"""What a fitted mixed model says: one type for linear and binomial models."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pipeline.stats.mixed.coding import FixedCoding

GAUSSIAN = "gaussian"
BINOMIAL = "binomial"
FAMILIES = (GAUSSIAN, BINOMIAL)


@dataclass(frozen=True, slots=True)
class FixedEffect:
    """One coefficient with its standard error, 95 % interval and two-sided p.

    `term` is named as R names it. Linear models: `statistic` is t with `df` degrees of freedom
    (Satterthwaite). Binomial models: log-odds, `statistic` is z and `df` infinite.
    """

    term: str
    estimate: float
    se: float
    df: float
    statistic: float
    p: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class RandomEffect:
    """SD of the levels of `group` in `term`, `(Intercept)` or a slope, in units of the linear
    predictor."""

    group: str
    term: str
    sd: float


@dataclass(frozen=True, slots=True)
class RandomCorrelation:
    """Correlation of two effects of the same group; NaN where one of them does not vary."""

    group: str
    first: str
    second: str
    value: float


@dataclass(frozen=True, slots=True)
class GroupSize:
    """How many levels a grouping factor has in the rows that were used."""

    group: str
    n_levels: int


@dataclass(frozen=True, slots=True)
class Satterthwaite:
    """What degrees of freedom of any linear combination of fixed effects need.

    `jacobian` (m, p, p) holds the derivative of the fixed effects' covariance by each of the m
    variance parameters, `covariance` (m, m) the covariance of these (Kuznetsova, Brockhoff and
    Christensen 2017, Journal of Statistical Software 82(13)).
    """

    jacobian: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def df(self, rows: NDArray[np.float64], variances: NDArray[np.float64]) -> NDArray[np.float64]:
        """Degrees of freedom (r,) of the combinations `rows` (r, p) with `variances` (r,)."""
        slopes = np.einsum("rp,mpq,rq->rm", rows, self.jacobian, rows, optimize=True)
        spread = np.einsum("rm,mk,rk->r", slopes, self.covariance, slopes, optimize=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(spread > 0, 2 * variances**2 / spread, math.inf))


@dataclass(frozen=True, slots=True)
class MixedFit:
    """A fitted mixed model.

    `family` is "gaussian" or "binomial", `method` a phrase for the criterion and `p_method` one
    for the approximation behind df and p. `residual_sd` is NaN for binomial models. `loglik` is
    the REML criterion over -2 where the method is REML. `n` rows were used, `n_missing` were left
    out since a value was missing. `icc` gives for each group the share of the variance not
    explained by fixed effects that lies between its levels; `r2_marginal` and `r2_conditional`
    follow Nakagawa, Johnson and Schielzeth (2017), with pi^2 / 3 for the residual variance of a
    binomial model. `messages` are sentences for the reader. `covariance` (p, p) belongs to the
    fixed effects. `coding` turns new rows into theirs.
    """

    formula: str
    family: str
    method: str
    response: str
    fixed: tuple[FixedEffect, ...]
    random: tuple[RandomEffect, ...]
    correlations: tuple[RandomCorrelation, ...]
    residual_sd: float
    loglik: float
    n: int
    n_missing: int
    groups: tuple[GroupSize, ...]
    icc: tuple[tuple[str, float], ...]
    r2_marginal: float
    r2_conditional: float
    p_method: str
    has_converged: bool
    is_singular: bool
    messages: tuple[str, ...]
    covariance: NDArray[np.float64] = field(repr=False, compare=False)
    coding: FixedCoding = field(repr=False, compare=False)
    satterthwaite: Satterthwaite | None = field(repr=False, compare=False)

    def effect(self, term: str) -> FixedEffect | None:
        """The fixed effect of this name, None where the model has none."""
        return next((effect for effect in self.fixed if effect.term == term), None)
