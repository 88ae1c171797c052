"""Whether a model fits its data: residuals against fitted values, and against the normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import FitError
from pipeline.stats.mixed.formula import parse_formula
from pipeline.stats.mixed.frame import model_frame
from pipeline.stats.mixed.result import BINOMIAL, MixedFit

Floats = NDArray[np.float64]

_BINS = 20
_FEWEST_IN_BIN = 5
_POINTS = 200
_LEVELS_NAMED = 200
_NO_SPREAD = 1e-4


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """What residuals and random effects look like.

    `by_fitted`: fitted, residual (mean), low, high (95 % of the mean), n: rows in bins of equal
    size by fitted value; a model that fits has means around 0. `residuals`: expected, observed:
    quantiles of the standard normal and of the standardised residuals; empty for a binomial
    model and for an outcome of 0 and 1, whose residuals cannot be normal. `levels`: group, term,
    level, expected, observed: each level's effect (in SDs of its group) against the normal, at most
    200 of a group.
    """

    by_fitted: pd.DataFrame
    residuals: pd.DataFrame
    levels: pd.DataFrame


def diagnose(fit: MixedFit, rows: pd.DataFrame) -> Diagnostics | None:
    """Diagnostics from the rows the model was fitted to; None where they cannot be made."""
    from pipeline.predictors.modes import conditional_fit

    is_binomial = fit.family == BINOMIAL
    try:
        frame = model_frame(rows, parse_formula(fit.formula), is_binomial=is_binomial)
    except FitError:
        return None
    found = conditional_fit(fit, frame)
    # Levels that do not differ have no distribution to look at.
    smallest = _NO_SPREAD * (1.0 if is_binomial else fit.residual_sd)
    levels = [
        _against_normal(one.values, {"group": one.group, "term": one.term}, one.levels)
        for one in found.effects
        if float(np.std(one.values)) > smallest
    ]
    columns = ["group", "term", "level", "expected", "observed"]
    return Diagnostics(
        _binned(found.fitted, found.residuals),
        pd.DataFrame(columns=["expected", "observed"])
        if is_binomial or len(np.unique(frame.design.response)) < 3
        else _against_normal(found.residuals, {}),
        pd.concat(levels, ignore_index=True) if levels else pd.DataFrame(columns=columns),
    )


def _binned(fitted: Floats, residuals: Floats) -> pd.DataFrame:
    n_bins = int(min(_BINS, max(1, len(fitted) // _FEWEST_IN_BIN)))
    order = np.argsort(fitted, kind="stable")
    parts = [part for part in np.array_split(order, n_bins) if len(part)]
    mean = np.array([residuals[part].mean() for part in parts])
    n = np.array([len(part) for part in parts])
    spread = np.array([residuals[part].std(ddof=1) if len(part) > 1 else np.nan for part in parts])
    reach = 1.96 * spread / np.sqrt(n)
    return pd.DataFrame(
        {
            "fitted": [fitted[part].mean() for part in parts],
            "residual": mean,
            "low": mean - reach,
            "high": mean + reach,
            "n": n,
        }
    )


def _against_normal(
    values: Floats, labels: dict[str, str], levels: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Ordered values over their SD against normal quantiles, thinned evenly from many."""
    from scipy.special import ndtri

    order = np.argsort(values, kind="stable")
    places = (np.arange(len(values)) + 0.5) / len(values)
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else 1.0
    standard = (values[order] - values.mean()) / (sd or 1.0)
    most = _LEVELS_NAMED if levels else _POINTS
    kept = np.unique(np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int))
    found = pd.DataFrame({"expected": ndtri(places[kept]), "observed": standard[kept]})
    if levels:
        found["level"] = [levels[order[i]] for i in kept]
    for name, label in labels.items():
        found[name] = label
    return found
