"""Fit a linear mixed model by REML or maximum likelihood, as lme4 and lmerTest do."""

from __future__ import annotations

import math

import numpy as np
from scipy import linalg

from pipeline.stats.mixed.design import Floats, MixedDesign, split_theta
from pipeline.stats.mixed.estimates import Estimates
from pipeline.stats.mixed.profiled import ProfiledDeviance, Slopes, Solution
from pipeline.stats.mixed.result import Satterthwaite
from pipeline.stats.mixed.search import SINGULAR_BELOW, Minimum, minimise

_START = 0.5
"""Relative SD to begin with."""


def fit_gaussian(design: MixedDesign, *, is_reml: bool = True) -> Estimates:
    """Minimise the profiled deviance over theta and derive everything from there.

    Raises numpy.linalg.LinAlgError when the fixed effects are collinear or rounding leaves
    nothing to estimate.
    """
    profiled = ProfiledDeviance(design)
    is_sd = np.concatenate([term.is_diagonal_entry() for term in design.terms])

    def deviance(theta: Floats) -> tuple[float, Floats]:
        solution, slopes = profiled.solve_with_slopes(theta)
        return (
            profiled.deviance(solution, is_reml=is_reml),
            profiled.gradient(solution, slopes, is_reml=is_reml),
        )

    # The relative precision of an SD of m levels is about 1 / sqrt(2 m).
    scale = np.concatenate(
        [np.full(term.n_parameters, _START / math.sqrt(2 * term.n_levels)) for term in design.terms]
    )
    found = minimise(deviance, _START * is_sd, is_sd, scale)
    theta = found.parameters
    solution, slopes = profiled.solve_with_slopes(theta)
    sigma = math.sqrt(solution.rss / profiled.degrees(is_reml=is_reml))
    inverse = linalg.solve_triangular(solution.fixed_factor, np.eye(len(solution.beta)))
    covariance = sigma**2 * inverse @ inverse.T
    satterthwaite = _satterthwaite(profiled, found, solution, slopes, covariance, is_reml=is_reml)
    return Estimates(
        beta=solution.beta,
        covariance=covariance,
        satterthwaite=satterthwaite,
        factors=tuple(sigma * factor for factor in split_theta(design.terms, theta)),
        sigma=sigma,
        loglik=-found.deviance / 2,
        theta=theta,
        is_singular=bool(np.any(theta[is_sd] < SINGULAR_BELOW)),
        has_converged=found.has_converged,
    )


def _satterthwaite(
    profiled: ProfiledDeviance,
    found: Minimum,
    solution: Solution,
    slopes: Slopes,
    covariance: Floats,
    *,
    is_reml: bool,
) -> Satterthwaite:
    """From the Hessian of the deviance by theta and sigma (Kuznetsova, Brockhoff and Christensen
    2017). The search has it with sigma profiled out; what profiling took away is put back."""
    degrees = profiled.degrees(is_reml=is_reml)
    sigma = math.sqrt(solution.rss / degrees)
    m = len(found.parameters)
    hessian = np.empty((m + 1, m + 1))
    hessian[m, m] = 4 * degrees / sigma**2
    hessian[m, :m] = hessian[:m, m] = -2 * slopes.rss / sigma**3
    hessian[:m, :m] = found.hessian + np.outer(hessian[m, :m], hessian[m, :m]) / hessian[m, m]
    jacobian = np.concatenate((sigma**2 * slopes.inverse, (2 / sigma * covariance)[None]), axis=0)
    return Satterthwaite(jacobian, _inverse_where_positive(2.0, hessian))


def _inverse_where_positive(factor: float, hessian: Floats) -> Floats:
    """`factor` times the inverse, leaving out directions in which the deviance does not rise."""
    values, vectors = linalg.eigh(hessian)
    kept = values > 1e-8 * max(float(values.max()), 1.0)
    return np.asarray(factor * (vectors[:, kept] / values[kept]) @ vectors[:, kept].T)
