"""Mean scores of lemmas against norms, one norm at a time and all together.

Words are the units. Their means are weighted by 1 / (tau2 + v), as in a meta-regression with
random effects, not fitted utterance by utterance: an utterance holds several words and would
enter a mixed model once for each. Coefficients are tested with Student's t after Knapp & Hartung,
which keeps to its level with few words.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.errors import FitError
from pipeline.stats.bootstrap import LEVEL
from pipeline.stats.lemmas.collinearity import Collinearity, collinearity
from pipeline.stats.lemmas.random_effects import Floats, RandomEffectsFit, fit_random_effects
from pipeline.stats.multiple import holm

WORDS_BEYOND = 3
"""Words that a model needs beyond one for each coefficient."""


FREQUENCY_HERE = "frequency in this study"
_FIRST = ("concreteness", "age of acquisition", "babiness", "valence")


def usual_norms(known: Collection[str]) -> tuple[str, ...]:
    """The predictors of the literature as far as their norms are known, with one frequency: that
    of a norm, else how often words are heard in the study."""
    frequency = next((norm for norm in known if "frequency" in norm.lower()), FREQUENCY_HERE)
    first = [name for name in _FIRST if name in known]
    at = 1 if "concreteness" in first else 0
    return (*first[:at], frequency, *first[at:])


@dataclass(frozen=True, slots=True)
class Slope:
    """What one unit more of a norm goes with, in units of the score.

    estimate, se, low, high: for one unit of the norm; sd_estimate, sd_low, sd_high: for one
    standard deviation of it over the words; standardised: that, in standard deviations of the
    words' means. p_holm: p after Holm's correction over the norms of the same kind of model.
    """

    norm: str
    estimate: float
    se: float
    df: int
    p: float
    p_holm: float
    low: float
    high: float
    sd_estimate: float
    sd_low: float
    sd_high: float
    standardised: float


@dataclass(frozen=True, slots=True, eq=False)
class NormsModel:
    """One model of lemma means.

    r2: share of the variance between words, sampling apart, that the norms account for
    (NaN when words differ no more than by chance); sd_left: standard deviation of what is left.
    partial: lemma, norm, value, partial (the norm's part plus the residual), fitted, weight: rows
    of component-plus-residual plots, for each norm and lemma.
    """

    slopes: tuple[Slope, ...]
    r2: float
    sd_left: float
    n: int
    partial: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class NormsRegression:
    """Each norm alone and all together, over the same `n` lemmas.

    joint is None where it cannot be had, and then `problem` says why. n_left_out lemmas lack a
    value of one of the norms; sd_between: standard deviation between the words' true means.
    """

    alone: tuple[NormsModel, ...]
    joint: NormsModel | None
    problem: str
    collinearity: Collinearity
    n: int
    n_left_out: int
    sd_between: float


def regress_on_norms(
    table: pd.DataFrame, norms: Sequence[str], *, level: float = LEVEL
) -> NormsRegression:
    """Regress lemma means on norms.

    table: one row per lemma with `lemma`, `mean`, `variance` (of the mean) and a column for each
    of `norms`. Lemmas that lack any of these numbers are left out and counted.

    Raises FitError for no norm, too few lemmas, or a norm that is the same for all of them.
    """
    if not norms:
        raise FitError("No norm is chosen.", hint="Choose at least one.")
    numbers = table[["mean", "variance", *norms]].to_numpy(np.float64)
    is_whole = np.isfinite(numbers).all(axis=1)
    numbers, lemmas = numbers[is_whole], table["lemma"].to_numpy()[is_whole]
    means, variances, values = numbers[:, 0], numbers[:, 1], numbers[:, 2:]
    needed = 2 + WORDS_BEYOND
    if len(means) < needed:
        raise FitError(
            f"{len(means)} words have a score and a value of every chosen norm; a regression "
            f"needs {needed}.",
            hint="Lower the minimum count, choose fewer norms, or take off a filter.",
        )
    for place, norm in enumerate(norms):
        if np.ptp(values[:, place]) <= 1e-12 * np.abs(values[:, place]).max():
            raise FitError(
                f"All {len(means)} words have the same {norm}.", hint="Leave this norm out."
            )
    shared = collinearity(values, tuple(norms))
    total = fit_random_effects(means, variances, np.ones((len(means), 1)))
    data = _Data(lemmas, means, variances, total, level)
    alone = [_model(data, values[:, [i]], (norm,)) for i, norm in enumerate(norms)]
    joint, problem = None, ""
    if shared.is_singular:
        same = ", ".join(n for n, vif in zip(norms, shared.inflation, strict=True) if vif > 1e12)
        problem = f"No joint model: {same or 'some norms'} can be worked out from each other."
    elif len(means) < len(norms) + 1 + WORDS_BEYOND:
        problem = (
            f"No joint model: {len(norms)} norms need {len(norms) + 1 + WORDS_BEYOND} words, "
            f"there are {len(means)}."
        )
    else:
        joint = _model(data, values, tuple(norms))
    return NormsRegression(
        _corrected_together(alone),
        joint,
        problem,
        shared,
        len(means),
        int((~is_whole).sum()),
        math.sqrt(total.tau2),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """What the models of one regression share."""

    lemmas: np.ndarray[tuple[int], np.dtype[np.object_]]
    means: Floats
    variances: Floats
    total: RandomEffectsFit
    level: float


def _model(data: _Data, values: Floats, norms: tuple[str, ...]) -> NormsModel:
    from scipy.special import stdtr, stdtrit

    centre, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
    scaled = (values - centre) / spread
    fit = fit_random_effects(
        data.means, data.variances, np.column_stack([np.ones(len(values)), scaled])
    )
    errors = np.sqrt(fit.scale * np.diag(fit.covariance))[1:]
    slopes = fit.coefficients[1:]
    half = float(stdtrit(fit.df, (1 + data.level) / 2)) * errors
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * np.asarray(stdtr(fit.df, -np.abs(slopes / errors)), np.float64)
    adjusted = holm(p)
    sd_means = float(data.means.std(ddof=1))
    found = tuple(
        Slope(
            norm,
            float(slopes[i] / spread[i]),
            float(errors[i] / spread[i]),
            fit.df,
            float(p[i]),
            float(adjusted[i]),
            float((slopes[i] - half[i]) / spread[i]),
            float((slopes[i] + half[i]) / spread[i]),
            float(slopes[i]),
            float(slopes[i] - half[i]),
            float(slopes[i] + half[i]),
            float(slopes[i] / sd_means),
        )
        for i, norm in enumerate(norms)
    )
    before = data.total.tau2
    r2 = max(0.0, 1 - fit.tau2 / before) if before > 0 else math.nan
    partial = _partial(data, values, norms, fit, scaled)
    return NormsModel(found, r2, math.sqrt(fit.tau2), len(values), partial)


def _partial(
    data: _Data, values: Floats, norms: tuple[str, ...], fit: RandomEffectsFit, scaled: Floats
) -> pd.DataFrame:
    """Component plus residual of each norm (Larsen & McCleary 1972, Technometrics 14, 781-790),
    set at the mean score of a word that is average in all norms."""
    level = float(fit.coefficients[0])
    parts = []
    for i, norm in enumerate(norms):
        fitted = level + scaled[:, i] * fit.coefficients[i + 1]
        parts.append(
            pd.DataFrame(
                {
                    "lemma": data.lemmas,
                    "norm": norm,
                    "value": values[:, i],
                    "partial": fitted + fit.residuals,
                    "fitted": fitted,
                    "weight": fit.weights,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _corrected_together(models: Sequence[NormsModel]) -> tuple[NormsModel, ...]:
    """Models of one norm each, with Holm's correction over all of them."""
    adjusted = holm(np.array([model.slopes[0].p for model in models]))
    return tuple(
        replace(model, slopes=(replace(model.slopes[0], p_holm=float(p)),))
        for model, p in zip(models, adjusted, strict=True)
    )
