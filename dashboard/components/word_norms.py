"""Lemmas against norms: what makes a word match what is seen?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.charts.predictors import effects
from dashboard.components.captions import score_axis
from dashboard.components.figure import current_look, show_figure
from dashboard.components.problems import show_problem
from dashboard.components.url_choice import keep_in_url, url_value
from dashboard.components.view import View
from dashboard.components.word_partial import named, partial_plot
from dashboard.queries.word_index import WordIndex
from dashboard.queries.word_norms import (
    predictors,
    regression_table,
    unit_of,
)
from dashboard.queries.word_scores import LemmaScores
from dashboard.word_list import WordList
from pipeline.errors import FitError
from pipeline.stats.lemmas.collinearity import HIGH_VIF, Collinearity
from pipeline.stats.lemmas.norms import (
    NormsModel,
    NormsRegression,
    Slope,
    regress_on_norms,
    usual_norms,
)

_PARAM = "norms"
_CHOICE = "word_norms_choice"
_ALONE, _TOGETHER = "Each alone", "All together"


def norms_choice(index: WordIndex) -> tuple[str, ...]:
    """Choose the norms, in the order in which they are offered; says how to add some."""
    if not index.norms:
        st.info(
            "This study has no word norms yet. Put files such as concreteness or age of "
            "acquisition into metadata/norms of the study, as they were published or with the "
            "columns word, norm, value, and run it again.",
            icon=":material/info:",
        )
    offered, usual = predictors(index), usual_norms(index.norms)

    def is_allowed(text: str) -> bool:
        return all(norm in offered for norm in text.split("|"))

    current = url_value(_PARAM, "|".join(usual), is_allowed).split("|")

    def take() -> None:
        chosen = [norm for norm in offered if norm in st.session_state[_CHOICE]]
        keep_in_url(_PARAM, "|".join(chosen or usual), "|".join(usual))

    st.session_state[_CHOICE] = current
    st.pills(
        "Norms",
        offered,
        selection_mode="multi",
        key=_CHOICE,
        format_func=named,
        on_change=take,
        help="Words without a value of one of them are left out.",
    )
    return tuple(norm for norm in offered if norm in current)


def word_norms(
    view: View,
    index: WordIndex,
    scores: LemmaScores,
    norms: tuple[str, ...],
    listing: WordList,
    opened: str | None,
) -> None:
    """The regression of mean scores on norms, its plots, and how much the norms say the same."""
    table = regression_table(index, scores, norms, listing.min_count, listing.part_of_speech)
    try:
        found = regress_on_norms(table, norms)
    except FitError as problem:
        show_problem(problem)
        return
    st.subheader("What goes with a word's score", anchor=False)
    st.markdown(_answer(found))
    units = {norm: unit_of(index, norm) for norm in norms}
    _coefficients(view, found, listing, units)
    partial_plot(view, found, table, opened, units)
    _collinearity(found)


def _answer(found: NormsRegression) -> str:
    """What the joint model says of each norm, else the models of one norm."""
    is_joint = found.joint is not None and len(found.joint.slopes) > 1
    slopes = found.joint.slopes if found.joint is not None else [m.slopes[0] for m in found.alone]
    return "\n".join(f"- {_sentence(slope, len(slopes), is_joint=is_joint)}" for slope in slopes)


def _sentence(slope: Slope, n_norms: int, *, is_joint: bool) -> str:
    others = " with the other norms held equal" if is_joint else ""
    interval = f"95 % interval {slope.sd_low:+.3f} to {slope.sd_high:+.3f}"
    if slope.low <= 0 <= slope.high:
        return (
            f"**{named(slope.norm)}**: no clear relation{others} ({slope.sd_estimate:+.3f} for "
            f"one SD, {interval}, p {p_text(slope.p)})."
        )
    way = "higher" if slope.estimate > 0 else "lower"
    corrected = f", corrected for {n_norms} norms p {p_text(slope.p_holm)}" if n_norms > 1 else ""
    doubt = " After the correction this may be chance." if slope.p_holm >= 0.05 > slope.p else ""
    return (
        f"**{named(slope.norm)}**: words one SD higher in it score {abs(slope.sd_estimate):.3f} "
        f"{way}{others} ({interval}, p {p_text(slope.p)}{corrected}).{doubt}"
    )


def _coefficients(
    view: View, found: NormsRegression, listing: WordList, units: dict[str, str]
) -> None:
    rows = [
        _row(name, slope)
        for name, models in _series(found).items()
        for model in models
        for slope in model.slopes
    ]
    joint = found.joint
    r2 = f" {_r2(joint)}" if joint is not None else ""
    left_out = (
        f" {labels.plural(found.n_left_out, 'word')} without a value of one of them left out."
        if found.n_left_out
        else ""
    )
    what = f"{listing.part_of_speech}s" if listing.part_of_speech else "words"
    show_figure(
        effects(
            pd.DataFrame(rows),
            x_title=f"Score change for one SD ({labels.SCALE_UNITS[view.measure.scale]})",
            reference=None,
            look=current_look(),
        ),
        key="word_norms_effects",
        title="Word norms and the mean score of words",
        caption=f"n = {labels.count(found.n)} {what} heard in at least {listing.min_count} scored "
        f"utterances.{left_out}{r2} Words are the units, weighted by 1 / (τ² + v): τ² the "
        "variance between words (REML), v that of a word's mean, with utterances of one recording "
        f"as alike as they are. Score of a word: {score_axis(view.measure).lower()}, mean over its "
        "utterances. Intervals: 95 %, Student's t (Knapp & Hartung); chance level 0; corrected p: "
        "Holm. Published direction (Tan et al. 2025): concreteness and frequency positive. "
        f"{'; '.join(f'{named(norm)}: {unit}' for norm, unit in units.items())}.",
        table=pd.DataFrame([_numbers(name, row) for name, row in _slopes(found)]),
    )
    if found.problem:
        st.info(found.problem, icon=":material/info:")


def _series(found: NormsRegression) -> dict[str, tuple[NormsModel, ...]]:
    if found.joint is None or len(found.alone) == 1:
        return {"": found.alone}
    return {_ALONE: found.alone, _TOGETHER: (found.joint,)}


def _slopes(found: NormsRegression) -> list[tuple[str, Slope]]:
    return [
        (name or _ALONE, slope)
        for name, models in _series(found).items()
        for model in models
        for slope in model.slopes
    ]


def _row(series: str, slope: Slope) -> dict[str, object]:
    return {
        "label": named(slope.norm),
        "series": series,
        "estimate": slope.sd_estimate,
        "lower": slope.sd_low,
        "upper": slope.sd_high,
        "text": f"{named(slope.norm)}: {slope.sd_estimate:+.4f} "
        f"[{slope.sd_low:+.4f}, {slope.sd_high:+.4f}], p {p_text(slope.p)}",
    }


def _numbers(series: str, slope: Slope) -> dict[str, object]:
    return {
        "Model": series,
        "Norm": slope.norm,
        "For one SD": slope.sd_estimate,
        "SD: from": slope.sd_low,
        "SD: to": slope.sd_high,
        "For one unit": slope.estimate,
        "Standard error": slope.se,
        "Unit: from": slope.low,
        "Unit: to": slope.high,
        "Standardised (SD per SD)": slope.standardised,
        "Degrees of freedom": slope.df,
        "p": slope.p,
        "p (Holm)": slope.p_holm,
    }


def _r2(model: NormsModel) -> str:
    if model.r2 != model.r2:
        return "Words differ no more than by chance, so there is nothing to account for."
    return (
        f"Together the norms account for {100 * model.r2:.0f} % of the variance between words "
        f"that is not chance; SD of what is left {model.sd_left:.3f}."
    )


def _collinearity(found: NormsRegression) -> None:
    shared = found.collinearity
    if len(shared.names) < 2:
        return
    st.subheader("How much the norms say the same", anchor=False)
    for norm in shared.inflated:
        st.warning(_inflated(shared, norm), icon=":material/warning:")
    table = pd.DataFrame(shared.correlations, columns=[named(n) for n in shared.names])
    table.insert(0, "Norm", [named(n) for n in shared.names])
    table["VIF"] = shared.inflation
    st.dataframe(
        table,
        hide_index=True,
        placeholder=labels.NO_VALUE,
        height="content",
        column_config={
            **{named(n): st.column_config.NumberColumn(format="%.2f") for n in shared.names},
            "VIF": st.column_config.NumberColumn(
                format="%.1f",
                help="Variance inflation factor: how many times larger the variance of the "
                "coefficient is than if the other norms did not say the same",
            ),
        },
    )
    st.caption(
        f"Pearson's r over {labels.plural(found.n, 'word')}. Condition number of the standardised "
        f"norms: {shared.condition:.1f} (1: nothing shared; above 30: not to be told apart)."
    )


def _inflated(shared: Collinearity, norm: str) -> str:
    place = shared.names.index(norm)
    vif = float(shared.inflation[place])
    size = "is given by them exactly" if vif > 1e6 else f"has a VIF of {vif:.1f}"
    return (
        f"{named(norm)} says nearly what the other norms say: it {size} (above {HIGH_VIF:g}). "
        "Its own part cannot be told from theirs; look at it alone, or leave one of them out."
    )


def p_text(p: float) -> str:
    """'< .001' or '= .034'."""
    return "< .001" if p < 0.001 else f"= {p:.3f}".replace("0.", ".", 1)
