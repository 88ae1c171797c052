"""What a predictor does to the outcome, from a fitted model and the rows it was fitted to.

Coefficients answer for categories at their reference level and for numbers at zero; with an
interaction, that is an age of zero months. Here the other predictors stay as they are in the
rows, and the answer is averaged over these.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import FitError
from pipeline.predictors.columns import BY_NAME
from pipeline.stats.mixed.result import BINOMIAL, MixedFit
from pipeline.stats.multiple import holm

Floats = NDArray[np.float64]

_MOST_ROWS = 4_000
"""The answer is averaged over this many evenly spaced rows; more would not change it."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a predictor does to the outcome, in the outcome's own unit: a share (0-1), a cosine.

    For a number the change per unit of it, for a category the difference of a level from the
    reference. For a binomial model the difference of predicted shares; its p and its interval are
    those of the log-odds, the limits carried over to shares. `p_holm` is p corrected after Holm
    for the number of effects of the model that were asked for. `words` names the comparison.
    """

    predictor: str
    words: str
    estimate: float
    lower: float
    upper: float
    p: float
    p_holm: float


@dataclass(frozen=True, slots=True)
class JointTest:
    """Whether a predictor with several coefficients matters at all: a Wald test of them all.

    `statistic` is F with `df` and `residual_df` degrees of freedom (the fewest of its terms), for
    a binomial model chi-square divided by `df`, and `residual_df` is infinite.
    """

    predictor: str
    statistic: float
    df: int
    residual_df: float
    p: float


@dataclass(frozen=True, slots=True)
class _Change:
    """One predictor set from one value to another; a number goes up by one."""

    column: str
    levels: tuple[str, ...] = ()
    place: int = 0

    @property
    def words(self) -> str:
        if self.levels:
            return f"{self.levels[self.place]} against {self.levels[0]}"
        return per_unit(self.column)

    def applied(self, rows: pd.DataFrame, *, is_after: bool) -> pd.DataFrame:
        if self.levels:
            level = self.levels[self.place] if is_after else self.levels[0]
            value = pd.Categorical([level] * len(rows), categories=list(self.levels))
            return rows.assign(**{self.column: value})
        return rows.assign(**{self.column: rows[self.column] + 1.0}) if is_after else rows


def per_unit(column: str) -> str:
    """'for each second': the unit in which the slope of a number is given."""
    words = {
        "duration_s": "for each second",
        "n_words": "for each word",
        "n_frames": "for each frame",
        "age_months": "for each month of age",
        "age_own_months": "for each month older than the child’s mean",
        "age_mean_months": "for each month of the child’s mean age",
    }
    unit = BY_NAME[column].unit if column in BY_NAME else ""
    return words.get(column, f"for 1 {unit}".rstrip() if unit else "for 1")


def used_rows(fit: MixedFit, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows without missing predictors, thinned evenly to a few thousand."""
    complete = np.flatnonzero(~np.isnan(fit.coding.matrix(rows)).any(axis=1))
    step = max(1, math.ceil(len(complete) / _MOST_ROWS))
    return rows.iloc[complete[::step]]


def effects_of(fit: MixedFit, rows: pd.DataFrame, focus: Sequence[str]) -> tuple[Effect, ...]:
    """Effects of the predictors in `focus`, "a:b" for an interaction.

    Predictors that the model dropped, or that it uses as something else than a number or a
    category, have none.
    """
    used = used_rows(fit, rows)
    found: list[Effect] = []
    for predictor in focus:
        for changes in itertools.product(*(_changes(used, name) for name in predictor.split(":"))):
            try:
                found.append(_effect(fit, used, predictor, changes))
            except FitError:
                continue
    corrected = holm(np.array([effect.p for effect in found])).tolist()
    return tuple(
        Effect(e.predictor, e.words, e.estimate, e.lower, e.upper, e.p, p_holm)
        for e, p_holm in zip(found, corrected, strict=True)
    )


def joint_tests(fit: MixedFit, predictors: Sequence[str]) -> tuple[JointTest, ...]:
    """A Wald test for each predictor that has two terms or more in the model."""
    from scipy import stats

    names = [effect.term for effect in fit.fixed]
    estimates = np.array([effect.estimate for effect in fit.fixed])
    found = []
    for predictor in predictors:
        places = [i for i, name in enumerate(names) if _belongs(name, predictor)]
        if len(places) < 2:
            continue
        chosen = estimates[places]
        covariance = fit.covariance[np.ix_(places, places)]
        statistic = float(chosen @ np.linalg.pinv(covariance) @ chosen) / len(places)
        residual_df = min(fit.fixed[i].df for i in places)
        p = (
            float(stats.f.sf(statistic, len(places), residual_df))
            if math.isfinite(residual_df)
            else float(stats.chi2.sf(statistic * len(places), len(places)))
        )
        found.append(JointTest(predictor, statistic, len(places), residual_df, p))
    return tuple(found)


def _belongs(term: str, predictor: str) -> bool:
    """Whether a term such as "speakeradult:age_months" is of the predictor "speaker:age_months"."""
    parts, names = term.split(":"), predictor.split(":")
    return len(parts) == len(names) and all(
        part.startswith(name) for part, name in zip(parts, names, strict=True)
    )


def _changes(rows: pd.DataFrame, column: str) -> list[_Change]:
    if column not in rows.columns or not len(rows):
        return []
    values = rows[column]
    if isinstance(values.dtype, pd.CategoricalDtype):
        levels = tuple(str(level) for level in values.cat.remove_unused_categories().cat.categories)
        return [_Change(column, levels, place) for place in range(1, len(levels))]
    return [_Change(column)]


def _effect(
    fit: MixedFit, rows: pd.DataFrame, predictor: str, changes: Sequence[_Change]
) -> Effect:
    """The difference, or difference of differences, that the changes make together."""
    from scipy import stats

    beta = np.array([effect.estimate for effect in fit.fixed])
    corners = []
    for corner in itertools.product((False, True), repeat=len(changes)):
        there = rows
        for change, is_after in zip(changes, corner, strict=True):
            there = change.applied(there, is_after=is_after)
        sign = 1.0 if sum(corner) % 2 == len(changes) % 2 else -1.0
        corners.append((sign, fit.coding.matrix(there)))
    contrast = sum(sign * matrix.mean(axis=0) for sign, matrix in corners)
    direction = fit.covariance @ contrast
    variance = float(contrast @ direction)
    if not variance > 0 or not math.isfinite(variance):
        raise FitError(f"The model has no coefficient of {predictor}.", hint="It was left out.")
    df = math.inf
    if fit.satterthwaite is not None:
        df = float(fit.satterthwaite.df(contrast[None], np.array([variance]))[0])
    se = math.sqrt(variance)
    on_link = float(contrast @ beta)
    p = 2 * float(stats.t.sf(abs(on_link) / se, df))
    reach = float(stats.t.ppf(0.975, df)) * se
    if fit.family == BINOMIAL:
        # The limits are those of the log-odds: there the other coefficients are moved along, as far
        # as they go together, and everything is turned into shares.
        moved = (beta + shift * direction / variance for shift in (0.0, -reach, reach))
        estimate, *limits = (_share_difference(corners, there) for there in moved)
        lower, upper = sorted(limits)
    else:
        estimate, lower, upper = on_link, on_link - reach, on_link + reach
    words = ", ".join(change.words for change in changes)
    return Effect(predictor, words, estimate, lower, upper, p, p)


def _share_difference(corners: Sequence[tuple[float, Floats]], beta: Floats) -> float:
    return sum(
        sign * float((1 / (1 + np.exp(-(matrix @ beta)))).mean()) for sign, matrix in corners
    )
