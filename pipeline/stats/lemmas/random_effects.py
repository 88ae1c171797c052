"""Means that differ truly and by chance: regression with a random effect for each unit.

The mean y of a unit, known with variance v, is y = x'b + u + e, with u ~ N(0, tau2) and
e ~ N(0, v): the model of small-area estimation (Fay & Herriot 1979, Journal of the American
Statistical Association 74, 269-277) and of meta-analysis. tau2 is found by restricted maximum
likelihood, b by weighting each unit by 1 / (tau2 + v).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import FitError

Floats = NDArray[np.float64]

_MOST_STEPS = 60


@dataclass(frozen=True, slots=True, eq=False)
class RandomEffectsFit:
    """coefficients (p,) and their covariance (p, p) when only tau2 is estimated; scale: factor of
    Knapp & Hartung (2003, Statistics in Medicine 22, 2693-2710), by which the covariance is
    multiplied when tested with Student's t of `df` degrees of freedom; weights and residuals (n,);
    tau2, the variance of the units that neither x nor chance accounts for."""

    coefficients: Floats
    covariance: Floats
    scale: float
    df: int
    tau2: float
    weights: Floats
    residuals: Floats


def fit_random_effects(means: Floats, variances: Floats, design: Floats) -> RandomEffectsFit:
    """Fit means (n,) known with variances (n,) on a design (n, p) of full rank.

    Raises FitError when there are not more units than coefficients, a value is not finite, a
    variance is negative, or nothing varies.
    """
    n, p = design.shape
    if n <= p:
        raise FitError(
            f"There are {n} words for {p} coefficients.",
            hint="Lower the minimum count, or choose fewer norms.",
        )
    if not (
        np.isfinite(means).all() and np.isfinite(variances).all() and np.isfinite(design).all()
    ):
        raise FitError("A mean, its variance or a norm is missing.", hint="Leave that word out.")
    if (variances < 0).any():
        raise FitError("A variance is negative.", hint="Variances of means cannot be.")
    spread = float(np.var(means))
    if np.ptp(means) <= 1e-12 * np.abs(means).max():
        raise FitError("All words have the same mean score.", hint="Take off a filter.")
    tau2 = _tau2(means, variances, design, spread)
    weights = _weights(variances, tau2, spread)
    coefficients, covariance, residuals = _weighted(means, design, weights)
    scale = float(weights @ residuals**2) / (n - p)
    return RandomEffectsFit(coefficients, covariance, scale, n - p, tau2, weights, residuals)


def _tau2(means: Floats, variances: Floats, design: Floats, spread: float) -> float:
    """Where the slope of the restricted likelihood is zero; 0 if it falls from there on."""
    from scipy.optimize import brentq

    def slope(tau2: float) -> float:
        return _restricted_slope(means, design, _weights(variances, tau2, spread))

    if variances.min() > 0 and slope(0.0) <= 0:
        return 0.0
    high = spread
    for _ in range(_MOST_STEPS):
        if slope(high) <= 0:
            break
        high *= 4
    low = 0.0 if variances.min() > 0 else min(high, spread) * 1e-12
    if slope(low) <= 0:
        return 0.0
    return float(brentq(slope, low, high, xtol=1e-12 * spread, rtol=1e-10))


def _restricted_slope(means: Floats, design: Floats, weights: Floats) -> float:
    """Twice the derivative of the restricted log-likelihood by tau2: y'PPy - tr(P)
    (Viechtbauer 2005, Journal of Educational and Behavioral Statistics 30, 261-293)."""
    _, covariance, residuals = _weighted(means, design, weights)
    squared = (design * (weights**2)[:, None]).T @ design
    trace = float(weights.sum() - np.sum(covariance * squared))
    return float((weights * residuals) @ (weights * residuals)) - trace


def _weighted(means: Floats, design: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Weighted least squares: coefficients (p,), inverse of X'WX (p, p), residuals (n,)."""
    weighted = design * weights[:, None]
    covariance: Floats = np.linalg.inv(weighted.T @ design).astype(np.float64, copy=False)
    coefficients = covariance @ (weighted.T @ means)
    return coefficients, covariance, means - design @ coefficients


def _weights(variances: Floats, tau2: float, spread: float) -> Floats:
    """1 / (tau2 + v); a mean that is known exactly does not get all the weight there is."""
    return np.asarray(1 / np.maximum(tau2 + variances, 1e-12 * spread), np.float64)
