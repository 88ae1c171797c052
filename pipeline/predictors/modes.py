"""What a fitted mixed model says of each group: conditional modes of the random effects (BLUPs).

With y the response, eta the linear predictor and W the weights of its working response, the
spherical effects u solve (L'Z'WZL + I) u = L'Z'W r, L being the factor of the random effects'
covariance (Bates et al. 2015, Journal of Statistical Software 67(1), equation 19); for a binomial
model the weights are renewed until u stays (penalised iteratively reweighted least squares).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

from pipeline.stats.mixed.design import RandomTerm
from pipeline.stats.mixed.frame import ModelFrame
from pipeline.stats.mixed.result import BINOMIAL, MixedFit

Floats = NDArray[np.float64]

_MOST_STEPS = 50
_STAYS = 1e-6


@dataclass(frozen=True, slots=True)
class LevelEffects:
    """Modes of one effect of one group: `values` (levels,) in the order of `levels`."""

    group: str
    term: str
    levels: tuple[str, ...]
    values: Floats


@dataclass(frozen=True, slots=True)
class ConditionalFit:
    """`fitted` and `residuals` float64 (n,) of the rows used, with the random effects at their
    modes; for a binomial model predicted shares and Pearson residuals."""

    fitted: Floats
    residuals: Floats
    effects: tuple[LevelEffects, ...]


def conditional_fit(fit: MixedFit, frame: ModelFrame) -> ConditionalFit:
    """Fitted values, residuals and modes of a model in the rows it was fitted to."""
    design = frame.design
    beta = np.array([effect.estimate for effect in fit.fixed])
    fixed = design.fixed @ beta
    factors = [_factor(fit, term) for term in design.terms]
    spherical = sparse.hstack(
        [_matrix(term) @ _repeated(f, term) for term, f in zip(design.terms, factors, strict=True)],
        format="csr",
    )
    if fit.family == BINOMIAL:
        u = _binomial_modes(spherical, fixed, design.response, frame.response.trials)
        fitted = 1 / (1 + np.exp(-(fixed + spherical @ u)))
        trials = frame.response.trials
        spread = np.sqrt(np.maximum(trials * fitted * (1 - fitted), 1e-12))
        residuals = (design.response - trials * fitted) / spread
    else:
        weight = 1 / max(fit.residual_sd, 1e-12) ** 2
        u = _solve(spherical, np.full(len(fixed), weight), design.response - fixed, None)
        fitted = fixed + spherical @ u
        residuals = design.response - fitted
    return ConditionalFit(fitted, residuals, _effects(frame, factors, u))


def _factor(fit: MixedFit, term: RandomTerm) -> Floats:
    """Lower factor (k, k) of the covariance of one level's effects."""
    sd = {one.term: one.sd for one in fit.random if one.group == term.group}
    k = len(term.columns)
    covariance = np.diag([sd[name] ** 2 for name in term.columns])
    for pair in fit.correlations:
        if pair.group != term.group or math.isnan(pair.value):
            continue
        i, j = term.columns.index(pair.first), term.columns.index(pair.second)
        shared = pair.value * sd[pair.first] * sd[pair.second]
        covariance[i, j] = covariance[j, i] = shared
    if k == 1:
        return np.sqrt(covariance)
    # A correlation of one makes the matrix singular, which a Cholesky factor cannot be made of.
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _matrix(term: RandomTerm) -> sparse.csr_matrix:
    """Z (n, levels * k), the k effects of a level side by side."""
    n, k = term.values.shape
    columns = (term.codes[:, None] * k + np.arange(k)).ravel()
    return sparse.csr_matrix(
        (term.values.ravel(), columns, np.arange(0, n * k + 1, k)), shape=(n, term.n_levels * k)
    )


def _repeated(factor: Floats, term: RandomTerm) -> sparse.csr_matrix:
    return sparse.kron(sparse.identity(term.n_levels, format="csr"), factor, format="csr")


def _solve(
    spherical: sparse.csr_matrix, weights: Floats, response: Floats, start: Floats | None
) -> Floats:
    """u of (A'WA + I) u = A'W r by conjugate gradients, which need no factor of their own."""
    weighted = spherical.multiply(weights[:, None]).tocsr()
    inner = (spherical.T @ weighted + sparse.identity(spherical.shape[1])).tocsr()
    preconditioner = sparse.diags(1 / inner.diagonal())
    found, _ = linalg.cg(
        inner, weighted.T @ response, x0=start, rtol=1e-8, maxiter=2_000, M=preconditioner
    )
    return np.asarray(found)


def _binomial_modes(
    spherical: sparse.csr_matrix, fixed: Floats, successes: Floats, trials: Floats
) -> Floats:
    u = np.zeros(spherical.shape[1])
    for _ in range(_MOST_STEPS):
        random = spherical @ u
        shares = 1 / (1 + np.exp(-(fixed + random)))
        weights = np.maximum(trials * shares * (1 - shares), 1e-10)
        working = random + (successes - trials * shares) / weights
        renewed = _solve(spherical, weights, working, u)
        moved = float(np.abs(renewed - u).max(initial=0.0))
        u = renewed
        if moved < _STAYS:
            break
    return u


def _effects(frame: ModelFrame, factors: list[Floats], u: Floats) -> tuple[LevelEffects, ...]:
    found = []
    start = 0
    for term, factor, levels in zip(frame.design.terms, factors, frame.level_names, strict=True):
        k = len(term.columns)
        own = u[start : start + term.n_levels * k].reshape(term.n_levels, k) @ factor.T
        start += term.n_levels * k
        found += [
            LevelEffects(term.group, name, levels, own[:, i]) for i, name in enumerate(term.columns)
        ]
    return tuple(found)
