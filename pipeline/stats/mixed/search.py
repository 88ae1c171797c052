"""Minimise a deviance over relative covariance factors (and other parameters) by its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.stats.mixed.design import Floats

SINGULAR_BELOW = 1e-4
"""lme4's tolerance: a relative SD this small is taken for none."""
LARGEST = 1e4
"""Beyond this many residual SDs rounding errors exceed what is left to estimate."""
BEYOND = 0.9 * LARGEST
_MOST_EVALUATIONS = 1_000
_PROBE = 1e-3
_RESTARTS = (0.1, 0.03, 0.01, 0.003)
"""Where to begin anew beside 0: from far away a long step may end at 0 again."""
_STEP = 1e-3
_FLAT_BELOW = 2e-3
"""lme4's tolerance for the gradient scaled by the Hessian."""

Objective = Callable[[Floats], tuple[float, Floats]]
"""Parameters (m,) to the deviance and its gradient (m,)."""


@dataclass(frozen=True, slots=True)
class Minimum:
    """`parameters` (m,), the deviance there, its gradient and Hessian (m, m)."""

    parameters: Floats
    deviance: float
    gradient: Floats
    hessian: Floats
    has_converged: bool


def minimise(
    objective: Objective, start: Floats, is_sd: NDArray[np.bool_], scale: Floats
) -> Minimum:
    """The minimum with every entry where `is_sd` (m,) kept at 0 or above.

    `scale` (m,) is about how far each parameter can move before the deviance changes by 1. A
    deviance is even in each SD, so its slope at 0 is 0 even where 0 is a maximum: an end at 0 is
    left again when the deviance falls beside it. It may also have a second, better minimum away
    from 0, so the search is done once more from there.
    """
    found = _descent(objective, start, is_sd, scale)
    for beside in _RESTARTS:
        away = _falls_beside_zero(objective, found.place, is_sd)
        if not away.any():
            break
        found = _descent(objective, np.where(away, beside, found.place), is_sd, scale)
    is_at_zero = is_sd & (found.place < SINGULAR_BELOW)
    if is_at_zero.any():
        other = _descent(objective, np.where(is_at_zero, start, found.place), is_sd, scale)
        if other.deviance < found.deviance:
            found = other
    hessian = hessian_of(objective, found.place, scale)
    is_flat = _is_flat(found.gradient, hessian, found.place, is_sd)
    in_reach = bool(np.all(np.abs(found.place[is_sd]) < BEYOND))
    return Minimum(found.place, found.deviance, found.gradient, hessian, is_flat and in_reach)


@dataclass(frozen=True, slots=True)
class _End:
    """Where one search stopped: place (m,), deviance and its gradient (m,)."""

    place: Floats
    deviance: float
    gradient: Floats


def _descent(objective: Objective, start: Floats, is_sd: NDArray[np.bool_], scale: Floats) -> _End:
    from scipy import optimize

    begin, first_gradient = objective(start)

    def fallen(z: Floats) -> tuple[float, Floats]:
        """What the deviance fell since the start: its own size, of a million in large data,
        would hide small changes from the search's relative tolerance."""
        if np.array_equal(z * scale, start):
            return 0.0, first_gradient * scale
        deviance, gradient = objective(z * scale)
        return deviance - begin, gradient * scale

    found = optimize.minimize(
        fallen,
        start / scale,
        jac=True,
        method="L-BFGS-B",
        bounds=[
            (0.0, LARGEST / s) if sd else (None, None) for sd, s in zip(is_sd, scale, strict=True)
        ],
        options={
            "ftol": 1e-10,
            # Below this the deviance changes by less than its rounding errors.
            "gtol": max(1e-4, 1e-9 * abs(begin)),
            "maxfun": _MOST_EVALUATIONS,
            "maxcor": 20,
        },
    )
    place = np.asarray(found.x * scale, dtype=np.float64)
    return _End(place, begin + float(found.fun), np.asarray(found.jac / scale, dtype=np.float64))


def hessian_of(objective: Objective, here: Floats, scale: Floats) -> Floats:
    """Hessian (m, m) from central differences of the gradient."""
    steps = _STEP * np.maximum(np.abs(here), scale)
    rows = [
        (objective(here + move)[1] - objective(here - move)[1]) / (2 * step)
        for move, step in zip(np.diag(steps), steps, strict=True)
    ]
    hessian = np.array(rows)
    return np.asarray((hessian + hessian.T) / 2)


def _falls_beside_zero(
    objective: Objective, here: Floats, is_sd: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    away = np.zeros(len(here), dtype=bool)
    for place in np.flatnonzero(is_sd & (here < _PROBE)):
        beside = here.copy()
        beside[place] = _PROBE
        away[place] = objective(beside)[1][place] < 0
    return away


def _is_flat(gradient: Floats, hessian: Floats, here: Floats, is_sd: NDArray[np.bool_]) -> bool:
    """Whether a Newton step from here would change little, among parameters not held at 0."""
    free = ~(is_sd & (here < SINGULAR_BELOW))
    if not free.any():
        return True
    values, vectors = np.linalg.eigh(hessian[np.ix_(free, free)])
    slopes = np.abs(vectors.T @ gradient[free])
    if not np.isfinite(slopes).all() or values.min() < -_FLAT_BELOW * max(values.max(), 1.0):
        return False
    return bool(np.all(slopes < _FLAT_BELOW * np.sqrt(np.maximum(values, 1.0))))
