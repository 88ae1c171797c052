"""How much predictors say the same: words that are learnt early are also frequent and concrete."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.stats.lemmas.random_effects import Floats

HIGH_VIF = 5.0
"""From here on the coefficients of a joint model are worth little on their own."""
_SAME = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Collinearity:
    """names (p,); correlations (p, p), Pearson's; inflation (p,): the variance inflation factor
    1 / (1 - R2) of each predictor on the others, infinite for one that the others give exactly;
    condition: the condition number of the standardised predictors, infinite likewise."""

    names: tuple[str, ...]
    correlations: Floats
    inflation: Floats
    condition: float

    @property
    def is_singular(self) -> bool:
        """Whether some predictor is an exact combination of others."""
        return math.isinf(self.condition)

    @property
    def inflated(self) -> tuple[str, ...]:
        """Predictors whose variance inflation factor is above HIGH_VIF."""
        pairs = zip(self.names, self.inflation, strict=True)
        return tuple(name for name, vif in pairs if vif > HIGH_VIF)


def collinearity(values: Floats, names: tuple[str, ...]) -> Collinearity:
    """Collinearity of predictors (n, p), each of which varies.

    Formulas: Belsley, Kuh & Welsch 1980, Regression Diagnostics, chapter 3, on predictors with
    mean 0 and equal length.
    """
    centred = values - values.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=0)
    correlations = np.clip(unit.T @ unit, -1, 1)
    np.fill_diagonal(correlations, 1.0)
    singular = np.linalg.svd(unit, compute_uv=False)
    inflation = np.array([_inflation(unit, place) for place in range(len(names))])
    is_singular = len(singular) < len(names) or singular[-1] <= _SAME * singular[0]
    condition = math.inf if is_singular else float(singular[0] / singular[-1])
    return Collinearity(names, correlations, inflation, condition)


def _inflation(unit: Floats, place: int) -> float:
    """Variance inflation factor of one column of unit length on the others."""
    others = np.delete(unit, place, axis=1)
    if not others.shape[1]:
        return 1.0
    fitted = others @ np.linalg.lstsq(others, unit[:, place], rcond=_SAME)[0]
    left = float(np.sum((unit[:, place] - fitted) ** 2))
    return math.inf if left <= _SAME**2 else 1 / left
