"""What a model predicts over the range of its data, and what was observed there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import FitError
from pipeline.predictors.contrasts import used_rows
from pipeline.stats.mixed.formula import parse_formula
from pipeline.stats.mixed.result import BINOMIAL, MixedFit

Floats = NDArray[np.float64]

_STEPS = 40
_RANGE = (0.01, 0.99)
_BINS = 12


@dataclass(frozen=True, slots=True)
class Curve:
    """Predictions of one model along one predictor, with the other predictors at their average.

    `predicted`: x (a number, or a level as text), by, estimate, lower, upper (95 %) in the
    outcome's unit; a number runs over the middle 98 % of the rows. `observed`: x, by, mean, n
    (rows): means of bins of equal size, or of levels; `by` is "" or a level of the category `by`.
    `groups`: for a category, x, group, mean, n: each child's (or recording's) own mean.
    """

    predictor: str
    by: str
    is_number: bool
    predicted: pd.DataFrame
    observed: pd.DataFrame
    groups: pd.DataFrame


def curves_of(fit: MixedFit, rows: pd.DataFrame, focus: Sequence[str]) -> tuple[Curve, ...]:
    """One curve for each predictor in `focus`; an interaction with a category draws the other
    predictor for each of its levels, instead of a curve of its own."""
    used = used_rows(fit, rows)
    outcome = _outcome(fit, rows)
    found: list[Curve] = []
    for predictor in sorted(focus, key=lambda name: ":" not in name):
        by, _, name = predictor.rpartition(":")
        if by and not _is_category(rows, by):
            by, name = name, by
        if any(curve.predictor == name for curve in found) or name not in rows.columns:
            continue
        if by and not _is_category(rows, by):
            continue
        try:
            found.append(_curve(fit, used, rows, outcome, name, by))
        except FitError:
            continue
    return tuple(found)


def _is_category(rows: pd.DataFrame, name: str) -> bool:
    return name in rows.columns and isinstance(rows[name].dtype, pd.CategoricalDtype)


def _outcome(fit: MixedFit, rows: pd.DataFrame) -> pd.DataFrame:
    """Successes and trials of each row, or values and ones: their ratio is the mean."""
    from pipeline.stats.mixed.expression import evaluate

    formula = parse_formula(fit.formula)
    first = evaluate(formula.response, rows)
    if formula.failures is None:
        return pd.DataFrame({"value": first, "weight": np.ones(len(rows))}, index=rows.index)
    trials = first + evaluate(formula.failures, rows)
    return pd.DataFrame({"value": first, "weight": trials}, index=rows.index)


def _curve(
    fit: MixedFit,
    used: pd.DataFrame,
    rows: pd.DataFrame,
    outcome: pd.DataFrame,
    name: str,
    by: str,
) -> Curve:
    is_number = not isinstance(rows[name].dtype, pd.CategoricalDtype)
    places: list[float | str]
    if is_number:
        low, high = np.quantile(rows[name].dropna().to_numpy(dtype=np.float64), _RANGE)
        places = np.linspace(low, high, _STEPS).tolist()
    else:
        places = list(rows[name].cat.remove_unused_categories().cat.categories)
    sides = list(rows[by].cat.remove_unused_categories().cat.categories) if by else [""]
    lines = [
        _predicted(fit, used, {name: place, **({by: side} if by else {})})
        | {"x": place, "by": side}
        for side in sides
        for place in places
    ]
    predicted = pd.DataFrame(lines)[["x", "by", "estimate", "lower", "upper"]]
    data = pd.DataFrame({"x": rows[name], "by": rows[by] if by else "", "child": rows["child"]})
    data = data.assign(value=outcome["value"], weight=outcome["weight"]).dropna()
    return Curve(
        name,
        by,
        is_number,
        predicted,
        _binned(data) if is_number else _means(data, ["x", "by"]),
        pd.DataFrame(columns=["x", "group", "mean", "n"])
        if is_number
        else _means(data, ["x", "child"]).rename(columns={"child": "group"}),
    )


def _predicted(
    fit: MixedFit, used: pd.DataFrame, values: dict[str, float | str]
) -> dict[str, float]:
    """Estimate and interval with these values in every row and the rest averaged."""
    there = used.copy(deep=False)
    for name, value in values.items():
        if isinstance(used[name].dtype, pd.CategoricalDtype):
            categories = used[name].cat.categories
            there[name] = pd.Categorical([value] * len(used), categories=categories)
        else:
            there[name] = value
    row = fit.coding.matrix(there).mean(axis=0)
    estimate = float(row @ np.array([effect.estimate for effect in fit.fixed]))
    se = float(np.sqrt(row @ fit.covariance @ row))
    reach = _quantile(fit, row, se) * se
    ends = np.array([estimate, estimate - reach, estimate + reach])
    if fit.family == BINOMIAL:
        ends = 1 / (1 + np.exp(-ends))
    return dict(zip(("estimate", "lower", "upper"), ends.tolist(), strict=True))


def _quantile(fit: MixedFit, row: Floats, se: float) -> float:
    from scipy import stats

    if fit.satterthwaite is None:
        return 1.959963984540054
    df = float(fit.satterthwaite.df(row[None], np.array([se**2]))[0])
    return float(stats.t.ppf(0.975, df))


def _binned(data: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for side, part in data.groupby("by", observed=True, sort=False):
        n_bins = int(min(_BINS, part["x"].nunique()))
        bins = pd.qcut(part["x"], n_bins, labels=False, duplicates="drop")
        grouped = part.groupby(bins)
        sums = grouped[["value", "weight"]].sum()
        parts.append(
            pd.DataFrame(
                {
                    "x": grouped["x"].mean(),
                    "by": side,
                    "mean": sums["value"] / sums["weight"],
                    "n": grouped.size(),
                }
            )
        )
    if not parts:
        return pd.DataFrame(columns=["x", "by", "mean", "n"])
    return pd.concat(parts, ignore_index=True)


def _means(data: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    grouped = data.groupby(keys, observed=True, sort=False)
    sums = grouped[["value", "weight"]].sum()
    found = pd.DataFrame({"mean": sums["value"] / sums["weight"], "n": grouped.size()})
    return found.reset_index()
