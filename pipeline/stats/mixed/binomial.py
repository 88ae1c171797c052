"""Fit a binomial mixed model with logit link by the Laplace approximation, as glmer does."""

from __future__ import annotations

import math

import numpy as np

from pipeline.errors import FitError
from pipeline.stats.mixed.design import Floats, MixedDesign, split_theta
from pipeline.stats.mixed.estimates import Estimates
from pipeline.stats.mixed.laplace import LaplaceDeviance
from pipeline.stats.mixed.search import SINGULAR_BELOW, minimise
from pipeline.stats.mixed.separation import logistic_start, separating

_START = 0.5
"""SD in log-odds to begin with."""


def fit_binomial(design: MixedDesign, trials: Floats) -> Estimates:
    """Minimise the Laplace deviance over theta and beta together; standard errors from its
    Hessian.

    `design.response` are successes out of `trials` (n,). Raises FitError where the fixed effects
    decide the outcome (separation), numpy.linalg.LinAlgError where there is no solution.
    """
    start = logistic_start(design, trials)
    if start.is_extreme:
        _refuse_separation(design, trials)
    laplace = LaplaceDeviance(design, trials)
    is_theta_sd = np.concatenate([term.is_diagonal_entry() for term in design.terms])
    n_theta = laplace.n_theta
    is_sd = np.concatenate((is_theta_sd, np.zeros(len(start.beta), dtype=bool)))
    sizes = [
        np.full(term.n_parameters, _START / math.sqrt(2 * term.n_levels)) for term in design.terms
    ]
    found = minimise(
        laplace.deviance_and_gradient,
        np.concatenate((_START * is_theta_sd, start.beta)),
        is_sd,
        np.concatenate((*sizes, start.se)),
    )
    theta = found.parameters[:n_theta]
    covariance, is_certain = _covariance(found.hessian, is_sd & (found.parameters < SINGULAR_BELOW))
    return Estimates(
        beta=found.parameters[n_theta:],
        covariance=covariance[n_theta:, n_theta:],
        satterthwaite=None,
        factors=tuple(split_theta(design.terms, theta)),
        sigma=math.nan,
        loglik=-found.deviance / 2,
        theta=theta,
        is_singular=bool(np.any(theta[is_theta_sd] < SINGULAR_BELOW)),
        has_converged=found.has_converged and is_certain,
    )


def _covariance(hessian: Floats, is_at_zero: np.ndarray) -> tuple[Floats, bool]:
    """Twice the inverse Hessian of the deviance, and whether the deviance rises in all directions.

    At an SD of zero the deviance does not depend on its sign, so such an entry is taken to be
    known and left out.
    """
    free = np.flatnonzero(~is_at_zero)
    inner = hessian[np.ix_(free, free)]
    # Parameters have very different units; the test of rising is made without them.
    size = np.sqrt(np.maximum(np.abs(np.diagonal(inner)), 1e-300))
    values, vectors = np.linalg.eigh(inner / np.outer(size, size))
    is_rising = bool(values.min() > 1e-8)
    values = np.maximum(values, 1e-8)
    covariance = np.zeros_like(hessian)
    covariance[np.ix_(free, free)] = 2 * (vectors / values) @ vectors.T / np.outer(size, size)
    return covariance, is_rising


def _refuse_separation(design: MixedDesign, trials: Floats) -> None:
    names, n_rows = separating(design, trials)
    if names:
        raise FitError(
            f"{' and '.join(names)} decide{'s' if len(names) == 1 else ''} the outcome in "
            f"{n_rows:,} of {len(trials):,} row(s) (separation): no finite effect fits best.",
            hint="Leave it out, merge categories in which the outcome never differs, or use more "
            "rows.",
        )
