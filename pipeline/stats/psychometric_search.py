"""Maximum likelihood of a psychometric curve with a guessing rate and a lapse rate.

P(right | x) = g + (1 - g - lapse) logistic(exp(log_slope) (x - threshold)), by damped Fisher
scoring with the gradient written out (Wichmann & Hill 2001, Perception & Psychophysics 63,
1293-1313, for the model; McCullagh & Nelder 1989, section 2.5, for the search). Each parameter
stays within its limits: at a limit that the likelihood pushes against, it is held there and the
others go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

THRESHOLD, LOG_SLOPE, LAPSE = 0, 1, 2
"""Places of the parameters in theta (3,)."""

MOST_LAPSE = 0.25
"""A larger lapse rate is not looked for: the best raters would miss more than every fourth easy
trial, and a shallower curve says the same."""

LOWEST = np.array([-8.0, np.log(0.02), 0.0])
HIGHEST = np.array([8.0, np.log(8.0), MOST_LAPSE])
"""Limits of theta for scores of mean 0 and SD 1. Steeper, a curve is a step between the scores of
two items (at 8 it rises from 12 to 88 % of its height within half an SD); shallower, or further
out, it is a line within the data."""

_STEPS = 200
_TOLERANCE = 1e-9
_TINY = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """Right answers `k` out of `n` at each standardised score `x`, all (m,); `chance` is g."""

    x: Floats
    k: Floats
    n: Floats
    chance: float


@dataclass(frozen=True, slots=True, eq=False)
class Peak:
    """Where the likelihood is largest; `is_free` (3,) says which parameters lie inside their
    limits and were not held."""

    theta: Floats
    loglik: float
    is_free: NDArray[np.bool_]
    has_converged: bool


def probabilities(x: Floats, theta: Floats, chance: float) -> Floats:
    """P(right) at each x (m,)."""
    rising = logistic(np.exp(theta[LOG_SLOPE]) * (x - theta[THRESHOLD]))
    return np.asarray(chance + (1 - chance - theta[LAPSE]) * rising)


def derivatives(x: Floats, theta: Floats, chance: float) -> Floats:
    """Derivatives (m, 3) of P(right) by threshold, log slope and lapse."""
    slope = np.exp(theta[LOG_SLOPE])
    distance = slope * (x - theta[THRESHOLD])
    rising = logistic(distance)
    by_logit = (1 - chance - theta[LAPSE]) * rising * (1 - rising)
    return np.stack((-slope * by_logit, distance * by_logit, -rising), axis=1)


def peak(tallies: Tallies, *, lapse: float | None) -> Peak:
    """The best of several searches, all within the limits; a given `lapse` is held."""
    middle = float(np.average(tallies.x, weights=tallies.n))
    first_lapse, held = (0.03, ()) if lapse is None else (lapse, (LAPSE,))
    return max(
        (
            climb(tallies, np.array([middle + shift, np.log(slope), first_lapse]), held)
            for slope in (0.7, 2.5)
            for shift in (-1.0, 0.0, 1.0)
        ),
        key=lambda one: one.loglik,
    )


def information(tallies: Tallies, theta: Floats) -> Floats:
    """Expected information (3, 3) about theta."""
    p = safe(probabilities(tallies.x, theta, tallies.chance))
    dp = derivatives(tallies.x, theta, tallies.chance)
    return np.asarray((dp * (tallies.n / (p * (1 - p)))[:, None]).T @ dp)


def climb(tallies: Tallies, start: Floats, held: Sequence[int] = ()) -> Peak:
    """The peak reached from `start` (3,), with the parameters `held` left as they are."""
    theta = np.array(start, np.float64)
    movable = np.ones(3, np.bool_)
    movable[list(held)] = False
    loglik, damping, has_converged = _loglik(tallies, theta), 1e-4, False
    is_free = movable
    for _ in range(_STEPS):
        p = safe(probabilities(tallies.x, theta, tallies.chance))
        dp = derivatives(tallies.x, theta, tallies.chance)
        weight = 1 / (p * (1 - p))
        gradient = dp.T @ ((tallies.k - tallies.n * p) * weight)
        is_stuck = ((theta <= LOWEST) & (gradient <= 0)) | ((theta >= HIGHEST) & (gradient >= 0))
        is_free = movable & ~is_stuck
        places = np.flatnonzero(is_free)
        if not len(places):
            has_converged = True
            break
        fisher = ((dp * (tallies.n * weight)[:, None]).T @ dp)[np.ix_(places, places)]
        ridge = np.diag(damping * np.maximum(np.diagonal(fisher), 1e-8))
        step = np.linalg.solve(fisher + ridge, gradient[places])
        if float(gradient[places] @ step) < _TOLERANCE:
            has_converged = True
            break
        moved = theta.copy()
        moved[places] += np.clip(step, -2.0, 2.0)
        moved[places] = np.clip(moved[places], LOWEST[places], HIGHEST[places])
        reached = _loglik(tallies, moved)
        if reached >= loglik:
            theta, loglik, damping = moved, reached, max(damping / 5, 1e-8)
        else:
            damping *= 10
            if damping > 1e12:
                break
    return Peak(theta, loglik, is_free, has_converged)


def safe(p: Floats) -> Floats:
    """Probabilities whose logarithms are finite."""
    return np.asarray(np.clip(p, _TINY, 1 - _TINY))


def _loglik(tallies: Tallies, theta: Floats) -> float:
    p = safe(probabilities(tallies.x, theta, tallies.chance))
    return float((tallies.k * np.log(p) + (tallies.n - tallies.k) * np.log1p(-p)).sum())


def logistic(values: Floats) -> Floats:
    """1 / (1 + exp(-values)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(values / 2)))
