"""The answer at the top of Human agreement, and the threshold that can be taken from it."""

from __future__ import annotations

import math

import streamlit as st

from dashboard import labels
from dashboard.components.human_choice import HumanChoice
from dashboard.components.human_curve import curve_words, threshold_words
from dashboard.components.human_words import counts, seconds, share_words
from dashboard.components.saved_state import people, write
from dashboard.data import StoreHandle
from dashboard.plain import escaped
from pipeline.people.thresholds import (
    SIMULATED_ANSWERS,
    ChosenThreshold,
    choose_threshold,
    forget_threshold,
)
from pipeline.stats.psychometric import Psychometric
from pipeline.validation.results import HumanFits, HumanResults, Scale


def human_headline(choice: HumanChoice, results: HumanResults, fits: HumanFits | None) -> None:
    """One sentence and the numbers behind it."""
    people_right, model = results.after.people, results.after.model
    who = "Simulated raters" if choice.is_simulated else "People"
    sentence = (
        f"{who} choose rightly in {labels.percent(people_right.estimate)} of trials, against "
        f"{labels.percent(results.chance, 0)} by chance"
    )
    if not math.isnan(model.estimate):
        sentence += f"; the model in {labels.percent(model.estimate)} of the same"
    st.markdown(f"### {sentence}")
    columns = st.columns(5)
    _metric(columns[0], "People right", people_right.estimate, people_right.low, people_right.high)
    _metric(columns[1], "Model right", model.estimate, model.low, model.high)
    same = results.with_model.same
    _metric(columns[2], "Same as model", same.estimate, same.low, same.high)
    curve = fits.curve if fits is not None else None
    columns[3].metric(
        "Threshold",
        _threshold(curve),
        delta=_limits(curve) if curve else "no interval",
        delta_color="off",
        delta_arrow="off",
        help="The score at which accuracy is halfway between chance and the ceiling.",
    )
    median = results.times[0].median
    columns[4].metric(
        "Median time",
        seconds(median.estimate),
        delta=f"{seconds(median.low)} to {seconds(median.high)}",
        delta_color="off",
        delta_arrow="off",
        help=f"Per trial; {labels.plural(median.n, 'answer')} with a measured time.",
    )
    model_note, n_no_choice = "", results.with_model.n_no_choice
    if n_no_choice:
        model_note = (
            f" The model makes no choice in {labels.plural(n_no_choice, 'answer')} (a cosine is "
            "missing, or two are equal)."
        )
    st.caption(
        f"{counts(results)} Intervals: 95 %, clustered by rater and item: about raters and items "
        f"like these. Same choice as the model: {share_words(same)}, chance "
        f"{labels.percent(results.chance, 0)}.{model_note}"
    )


def threshold_box(store: StoreHandle, choice: HumanChoice, fits: HumanFits) -> None:
    """The threshold in words, and the button that makes it the study's."""
    scale = choice.results.scale
    if fits.curve is not None:
        st.markdown(f"**Threshold from people: {threshold_words(fits.curve)}**")
    st.markdown(curve_words(fits, scale))
    if fits.curve is not None and store.viewer.role.manages:
        _take(store, choice, fits.curve)
    chosen = store.thresholds.get(choice.scorer)
    if chosen is None:
        return
    st.caption(escaped(f"In force for {choice.scorer}: {chosen.threshold:.3g}, {chosen.words}."))
    if not store.viewer.role.manages:
        return

    def forget() -> None:
        write(lambda: forget_threshold(people(store), choice.scorer))

    st.button(
        "Take it back",
        key="human_forget",
        on_click=forget,
        help="The model's own threshold holds again.",
    )


def _take(store: StoreHandle, choice: HumanChoice, curve: Psychometric) -> None:
    reason = _why_not(store, choice, curve)
    limits = curve.threshold
    found = ChosenThreshold(
        round(limits.estimate, 4) if not reason else math.nan,
        limits.low if math.isfinite(limits.low) else None,
        limits.high if math.isfinite(limits.high) else None,
        f"{SIMULATED_ANSWERS if choice.is_simulated else ''}halfway point of the 4AFC curve, "
        f"{labels.plural(curve.n_raters, 'rater')}, {labels.plural(curve.n_items, 'item')}"
        f"{_made_by(choice)}",
    )

    def take() -> None:
        write(lambda: choose_threshold(people(store), choice.scorer, found))

    st.button(
        "Use as this study's threshold",
        key="human_take",
        icon=":material/check:",
        disabled=bool(reason),
        on_click=take,
        help=reason or "On every page, in exports and in the report; it can be taken back.",
    )
    if reason:
        st.caption(reason)


def _made_by(choice: HumanChoice) -> str:
    """How the scores were made: a threshold holds for scores made in the same way."""
    crop, window, statistic = choice.setting
    if not (crop and window and statistic):
        return ""
    return f", {labels.setting(crop, window, statistic).lower()}"


def _why_not(store: StoreHandle, choice: HumanChoice, curve: Psychometric) -> str:
    if choice.results.scale is not Scale.SCORE:
        return "A study's threshold is a cosine: choose the cosine above to take it."
    if math.isnan(curve.threshold.estimate):
        return "The threshold lies outside the scores that raters saw, so it cannot be taken."
    if choice.scorer not in {model.scorer for model in store.options.models}:
        return "The sets do not say which of this store's models their scores are from."
    return ""


def _metric(
    place: st.delta_generator.DeltaGenerator, name: str, share: float, low: float, high: float
) -> None:
    place.metric(
        name,
        labels.percent(share),
        delta="no interval" if math.isnan(low) else labels.percent_range(low, high),
        delta_color="off",
        delta_arrow="off",
    )


def _threshold(curve: Psychometric | None) -> str:
    if curve is None:
        return labels.NO_VALUE
    if math.isnan(curve.threshold.estimate):
        return threshold_words(curve)
    return f"{curve.threshold.estimate:.3f}"


def _limits(curve: Psychometric) -> str:
    limits = curve.threshold
    if math.isnan(limits.estimate):
        return "outside the scores"
    ends = [f"{end:.3f}" if math.isfinite(end) else "?" for end in (limits.low, limits.high)]
    return " to ".join(ends)
