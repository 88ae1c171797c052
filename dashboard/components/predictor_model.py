"""One model in full: predictions over the data, coefficients, groups, and how well it fits."""

from __future__ import annotations

import math
from itertools import zip_longest

import streamlit as st

from dashboard import labels
from dashboard.charts.look import speaker_colours
from dashboard.charts.predictors import against_normal, predictions, residuals_by_fitted
from dashboard.components.figure import current_look, show_figure
from dashboard.components.predictor_tables import (
    coefficient_table,
    correlation_words,
    random_table,
)
from dashboard.components.view import View
from pipeline.predictors.analysis import AnalysisResult
from pipeline.predictors.columns import BY_NAME
from pipeline.predictors.diagnosing import Diagnostics
from pipeline.predictors.predicting import Curve
from pipeline.predictors.words import Outcome, outcome_of, test_words
from pipeline.stats.mixed.result import BINOMIAL, MixedFit

_SMALL_P = 0.001
_P_HELP = "Below .001 the first digits say nothing more than that."


def model_view(view: View, result: AnalysisResult) -> None:
    """Draw everything about a fitted model."""
    fit = result.fit
    if fit is None:
        return
    if fit.messages:
        st.warning("  \n".join(fit.messages), icon=":material/info:")
    outcome = outcome_of(result.analysis.formula, result.analysis.family)
    st.subheader("Coefficients", anchor=False)
    _coefficients(result, fit)
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.subheader("Predictions over the data", anchor=False)
        for curve in result.curves[:1]:
            _curve(view, result, curve, outcome)
        if not result.curves:
            st.caption("The model has no predictor to draw.")
    with right:
        st.subheader("Groups", anchor=False)
        _groups(fit)
        for curve in result.curves[1:2]:
            _curve(view, result, curve, outcome)
    for pair in zip_longest(result.curves[2::2], result.curves[3::2]):
        for column, curve in zip(st.columns(2, gap="large"), pair, strict=True):
            with column:
                if curve is not None:
                    _curve(view, result, curve, outcome)
    if result.diagnostics is not None:
        st.subheader("Does the model fit?", anchor=False)
        _diagnostics(result.diagnostics, fit, outcome)


def _curve(view: View, result: AnalysisResult, curve: Curve, outcome: Outcome) -> None:
    look = current_look()
    scale = outcome.scale
    predicted = curve.predicted.assign(
        **{name: scale * curve.predicted[name] for name in ("estimate", "lower", "upper")}
    )
    observed = curve.observed.assign(mean=scale * curve.observed["mean"])
    groups = curve.groups.assign(mean=scale * curve.groups["mean"])
    column = BY_NAME.get(curve.predictor)
    words = column.words if column else curve.predictor
    unit = f" ({column.unit})" if column and column.unit else ""
    people = speaker_colours(look)
    colours = {"adult": people["FEM"], "child": people["CHI"]}
    colours |= {
        str(side): look.categories[i % len(look.categories)]
        for i, side in enumerate(dict.fromkeys(predicted["by"]))
        if side and str(side) not in colours
    }
    show_figure(
        predictions(
            predicted,
            observed,
            groups,
            is_number=curve.is_number,
            x_title=f"{words[:1].upper()}{words[1:]}{unit}",
            y_title=outcome.axis,
            colours=colours,
            look=look,
        ),
        key=f"curve_{result.analysis.key}_{curve.predictor}",
        title=f"{outcome.words[:1].upper()}{outcome.words[1:]} by {words}",
        caption="Predicted with the other predictors at their average and its 95 % interval; "
        + (
            "dots: observed means of rows of similar value."
            if curve.is_number
            else "circles: observed means; grey: each child."
        )
        + f" n = {labels.count(result.fit.n if result.fit else 0)} rows.",
    )


def _coefficients(result: AnalysisResult, fit: MixedFit) -> None:
    table = coefficient_table(fit)
    number = st.column_config.NumberColumn
    st.dataframe(
        table,
        hide_index=True,
        placeholder=labels.NO_VALUE,
        height="content",
        column_config={
            **{
                name: number(format="%.4g")
                for name in table.columns
                if name not in ("Term", "p", "df")
            },
            "df": number(format="%.1f"),
            "p": number(format="%.2g", help=_P_HELP),
        },
    )
    outcome = outcome_of(fit.formula, fit.family)
    unit = "shares (0-1)" if outcome.is_share else outcome.unit or "the unit of the outcome"
    unit = "log-odds" if fit.family == BINOMIAL else unit
    st.caption(
        f"Estimates in {unit}. {fit.method[:1].upper()}{fit.method[1:]}; df and p: {fit.p_method}. "
        f"n = {labels.count(fit.n)} rows."
    )
    for test in result.joint_tests:
        st.caption(f"All terms of {test.predictor} together: {test_words(test)}.")


def _groups(fit: MixedFit) -> None:
    number = st.column_config.NumberColumn
    st.dataframe(
        random_table(fit),
        hide_index=True,
        height="content",
        column_config={
            "SD": number(format="%.4g", help="Spread of the effect between the levels"),
            "ICC": st.column_config.TextColumn(
                help="Share of the variance that predictors leave which lies between the levels",
            ),
        },
    )
    parts = [
        f"R² {name} {value:.3f}"
        for name, value in (
            ("marginal (predictors alone)", fit.r2_marginal),
            ("conditional (with random effects)", fit.r2_conditional),
        )
        if not math.isnan(value)
    ]
    sentences = [f"{', '.join(parts)}." if parts else "", correlation_words(fit)]
    st.caption(" ".join(filter(None, [*sentences, f"Log-likelihood {fit.loglik:.2f}."])))


def _diagnostics(found: Diagnostics, fit: MixedFit, outcome: Outcome) -> None:
    look = current_look()
    is_binomial = fit.family == BINOMIAL
    unit = "points" if outcome.is_share else outcome.unit
    kind = "Pearson residual" if is_binomial else f"residual ({unit})" if unit else "residual"
    scale = 1.0 if is_binomial else outcome.scale
    by_fitted = found.by_fitted.assign(
        fitted=outcome.scale * found.by_fitted["fitted"],
        **{name: scale * found.by_fitted[name] for name in ("residual", "low", "high")},
    )
    columns = st.columns(3 if len(found.residuals) else 2, gap="large")
    with columns[0]:
        show_figure(
            residuals_by_fitted(
                by_fitted,
                x_title="Fitted value" + (" (%)" if outcome.is_share else ""),
                y_title=f"Mean {kind}",
                look=look,
            ),
            key="residuals_by_fitted",
            title="Residuals by fitted value",
            caption="Rows in bins of equal size. Means that wander from 0 show a curve that the "
            "model has not.",
        )
    if len(found.residuals):
        with columns[1]:
            show_figure(
                against_normal(found.residuals, y_title="Residual (SD)", names=(), look=look),
                key="residuals_normal",
                title="Residuals against the normal",
                caption="On the line residuals are normal. Ends off the line matter little with "
                "many rows.",
            )
    with columns[-1]:
        _levels(found)


def _levels(found: Diagnostics) -> None:
    if not len(found.levels):
        st.caption("No group differs in this model, so there is no distribution of groups to see.")
        return
    group, term = found.levels.iloc[0][["group", "term"]]
    shown = found.levels[(found.levels["group"] == group) & (found.levels["term"] == term)]
    show_figure(
        against_normal(
            shown,
            y_title=f"Effect of each {group} (SD)",
            names=[str(level) for level in shown["level"]],
            look=current_look(),
        ),
        key="levels_normal",
        title=f"Effects of each {group} against the normal",
        caption=f"{term}, {labels.plural(len(shown), group)}. A {group} far off the line is worth "
        "a look on the Children page.",
        table=found.levels.rename(
            columns={
                "group": "Group",
                "term": "Effect",
                "level": "Level",
                "expected": "Expected (SD)",
                "observed": "Observed (SD)",
            }
        ),
    )
