"""Below the curve: the mixed model, times, places on the screen, kinds of trial."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.charts.human_detail import choices_by_position, times_by_part
from dashboard.charts.predictors import Reference, effects
from dashboard.components.captions import p_text
from dashboard.components.figure import current_look, show_figure
from dashboard.components.human_choice import MODES, HumanChoice
from dashboard.components.human_words import counts, setting_words, share_words, size_words
from dashboard.components.predictor_tables import coefficient_table, random_table
from dashboard.data import StoreHandle
from pipeline.published import PUBLISHED_CHOICE_SLOPE, is_published_model
from pipeline.validation.results import HumanFits, HumanResults, Scale


def mixed_part(store: StoreHandle, choice: HumanChoice, fits: HumanFits) -> None:
    """The logistic mixed model, the published slope beside it where it can be compared."""
    st.caption(
        f"{fits.formula}, logistic, by maximum likelihood (Laplace), as glmer of lme4. It takes "
        "no account of guessing: that the worst accuracy is 25 % makes it shallower than the curve."
    )
    if fits.mixed is None:
        assert fits.mixed_problem is not None
        st.info(fits.mixed_problem.message, icon=":material/block:")
        st.markdown(fits.mixed_problem.hint)
        return
    slope = fits.mixed.effect(choice.results.scale.value)
    assert slope is not None
    models = {model.scorer: model for model in store.options.models}
    model = models.get(choice.scorer)
    is_comparable = (
        choice.results.scale is Scale.SCORE and model is not None and is_published_model(model)
    )
    published = PUBLISHED_CHOICE_SLOPE
    unit = "cosine" if choice.results.scale is Scale.SCORE else "z"
    show_figure(
        effects(
            pd.DataFrame(
                {
                    "label": [f"Effect of {unit}"],
                    "series": [""],
                    "estimate": [slope.estimate],
                    "lower": [slope.lower],
                    "upper": [slope.upper],
                    "text": [f"{slope.estimate:.3g} ({slope.lower:.3g} to {slope.upper:.3g})"],
                }
            ),
            x_title=f"Log-odds of a right choice per unit of {unit}",
            reference=Reference(published.text, published.estimate, published.low, published.high)
            if is_comparable
            else None,
            look=current_look(),
        ),
        key="human_effect",
        title=f"Effect of {unit} on choosing rightly",
        caption=f"b = {slope.estimate:.3g} (95 % {slope.lower:.3g} to {slope.upper:.3g}); n = "
        f"{labels.plural(fits.mixed.n, 'answer')}. Chance and no relation: 0. Published: b = "
        f"{published.estimate} [{published.low:.1f}, {published.high}] ({published.text})"
        + (". " if is_comparable else ", not drawn: another model or scale. ")
        + ("SIMULATED answers." if choice.is_simulated else ""),
        setting=setting_words(choice),
        subject="",
        table=coefficient_table(fits.mixed),
    )
    left, right = st.columns([3, 2])
    # A whole unit of cosine is far beyond the data, and so is the odds ratio of it.
    terms = coefficient_table(fits.mixed).drop(columns="Odds ratio")
    terms["p"] = [p_text(p) for p in terms["p"]]
    left.dataframe(terms, hide_index=True, key="human_fixed")
    right.dataframe(random_table(fits.mixed), hide_index=True, key="human_random")
    for message in fits.mixed.messages:
        st.caption(message)


def time_part(choice: HumanChoice, results: HumanResults) -> None:
    """Time per trial, and whether a place on the screen is preferred."""
    left, right = st.columns(2, gap="large")
    simulated = " SIMULATED answers." if choice.is_simulated else ""
    with left:
        st.subheader("Time per trial", anchor=False)
        rows = _times(results)
        if rows["median"].isna().all():
            st.info("No time was measured for these answers.")
        else:
            show_figure(
                times_by_part(rows, look=current_look()),
                key="human_times",
                title="Time per trial",
                caption="Median with 95 % interval, clustered by rater and item; grey: the middle "
                f"half of the times. Bins of the score below. {counts(results)}{simulated}",
                setting=setting_words(choice),
                subject="",
                table=rows.rename(columns={"low": "95 % from", "high": "95 % to"}),
            )
    with right:
        st.subheader("Place on the screen", anchor=False)
        places = _positions(results)
        show_figure(
            choices_by_position(places, chance=results.chance, look=current_look()),
            key="human_places",
            title="Choices by place on the screen",
            caption="Without a liking for a place each is chosen in 25 % of trials (dashed), since "
            f"the right option stands anywhere. {counts(results)}{simulated}",
            setting=setting_words(choice),
            subject="",
            table=places,
        )


def mode_part(results: HumanResults) -> None:
    """Accuracy of each kind of trial, whichever is chosen above."""
    st.dataframe(
        pd.DataFrame(
            {
                "Trials": [MODES.get(one.name, one.name) for one in results.modes],
                "People right": [share_words(one.people) for one in results.modes],
                "Model right": [share_words(one.model) for one in results.modes],
                "n": [size_words(one.people).removeprefix("n = ") for one in results.modes],
            }
        ),
        hide_index=True,
        key="human_modes",
    )
    st.caption("Chance is 25 % in both. After leaving raters out; intervals 95 %.")


def _times(results: HumanResults) -> pd.DataFrame:
    rows = [one for one in results.times if one.median.n]
    return pd.DataFrame(
        {
            "name": [one.name for one in rows],
            "median": [one.median.estimate / 1000 for one in rows],
            "low": [one.median.low / 1000 for one in rows],
            "high": [one.median.high / 1000 for one in rows],
            "quarter": [one.quarter / 1000 for one in rows],
            "three_quarters": [one.three_quarters / 1000 for one in rows],
            "n": [one.median.n for one in rows],
        }
    )


def _positions(results: HumanResults) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "position": [one.position for one in results.positions],
            "chosen": [one.chosen.estimate for one in results.positions],
            "low": [one.chosen.low for one in results.positions],
            "high": [one.chosen.high for one in results.positions],
            "target_share": [one.target_share for one in results.positions],
            "right_there": [one.right_there.estimate for one in results.positions],
            "n": [one.chosen.n for one in results.positions],
        }
    )
