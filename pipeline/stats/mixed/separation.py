"""Whether the fixed effects decide a binomial response: then no finite estimate fits best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, special

from pipeline.stats.mixed.design import Floats, MixedDesign

_MOST_STEPS = 60
_SUSPICIOUS = 10.0
"""Log-odds beyond which a logistic regression without random effects is looked at more closely."""


@dataclass(frozen=True, slots=True)
class Start:
    """Logistic regression without random effects: where a binomial model begins. `beta` (p,) and
    standard errors (p,); `is_extreme` where it found (nearly) certain rows."""

    beta: Floats
    se: Floats
    is_extreme: bool


def logistic_start(design: MixedDesign, trials: Floats) -> Start:
    """By iteratively reweighted least squares."""
    x, y = design.fixed, design.response
    beta = np.zeros(x.shape[1])
    is_settled = False
    information = np.eye(len(beta))
    for _ in range(_MOST_STEPS):
        predictor = x @ beta
        chance = special.expit(predictor)
        weights = np.maximum(trials * chance * (1 - chance), 1e-12)
        information = (x * weights[:, None]).T @ x
        step = linalg.lstsq(information, x.T @ (y - trials * chance))[0]
        largest = float(np.abs(x @ step).max())
        # A long step may overshoot; a shorter one goes the same way.
        beta = beta + step * min(1.0, 4.0 / max(largest, 1e-300))
        is_settled = largest < 1e-8
        if is_settled:
            break
    is_extreme = not is_settled or float(np.abs(x @ beta).max()) > _SUSPICIOUS
    se = np.sqrt(np.maximum(np.diagonal(linalg.pinvh(information)), 1e-12))
    return Start(beta, se, is_extreme)


def separating(design: MixedDesign, trials: Floats) -> tuple[tuple[str, ...], int]:
    """Names of the fixed effects that decide the outcome in some rows, and how many rows.

    A combination of the fixed effects that is never below 0 where there are successes and never
    above 0 where there are failures, found by linear programming (Konis 2007). None: no names.
    """
    x, y = design.fixed, design.response
    scale = np.abs(x).max(axis=0)
    x = x / np.where(scale > 0, scale, 1.0)
    is_all, is_none = y == trials, y == 0
    sign = np.where(is_all, 1.0, np.where(is_none, -1.0, 0.0))
    is_mixed = sign == 0
    signed = np.unique(x[~is_mixed] * sign[~is_mixed, None], axis=0)
    both = np.unique(x[is_mixed], axis=0)
    found = optimize.linprog(
        -signed.sum(axis=0),
        A_ub=-signed if len(signed) else None,
        b_ub=np.zeros(len(signed)) if len(signed) else None,
        A_eq=both if len(both) else None,
        b_eq=np.zeros(len(both)) if len(both) else None,
        bounds=(-1, 1),
        method="highs",
    )
    if not found.success or -found.fun < 1e-6:
        return (), 0
    decided: NDArray[np.bool_] = np.abs(x @ found.x) > 1e-7
    names = [name for name, b in zip(design.names, found.x, strict=True) if abs(b) > 1e-7]
    named = tuple(name for name in names if name != "(Intercept)") or tuple(names)
    return named, int(decided.sum())
