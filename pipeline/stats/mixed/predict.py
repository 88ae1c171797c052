"""What a fitted model expects of an average level of every group."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.errors import FitError
from pipeline.stats.mixed.columns import column_of
from pipeline.stats.mixed.estimates import half_width
from pipeline.stats.mixed.result import BINOMIAL, MixedFit

ADDED = ("estimate", "lower", "upper")


def predict(fit: MixedFit, at: pd.DataFrame) -> pd.DataFrame:
    """Rows of `at` with the columns estimate, lower and upper: the response at these predictors
    for a level whose random effects are zero, and its 95 % interval.

    Binomial models: on the scale of probabilities; such a level's probability, which is not the
    mean over levels. The interval holds the uncertainty of the fixed effects only. Raises
    FitError where `at` lacks a predictor, or holds a missing value or an unknown level.
    """
    from scipy import special

    for name in fit.coding.columns:
        if column_of(at, name).isna().any():
            raise FitError(
                f"{name} is missing in rows to predict.", hint="Give every predictor a value."
            )
    rows = fit.coding.matrix(at)
    estimate = rows @ np.array([effect.estimate for effect in fit.fixed])
    variance = np.einsum("rp,pq,rq->r", rows, fit.covariance, rows)
    if fit.satterthwaite is None:
        df = np.full(len(rows), np.inf)
    else:
        df = fit.satterthwaite.df(rows, variance)
    reach = half_width(df) * np.sqrt(variance)
    found = np.column_stack((estimate, estimate - reach, estimate + reach))
    if fit.family == BINOMIAL:
        found = special.expit(found)
    added = pd.DataFrame(found, columns=list(ADDED), index=at.index)
    return pd.concat([at.drop(columns=[c for c in ADDED if c in at.columns]), added], axis=1)
