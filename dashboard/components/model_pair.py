"""Two scorers, A and B: A is that of the sidebar, B is kept in the address bar."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.components.captions import threshold_text
from dashboard.components.scorer_choice import SETTINGS_HINT
from dashboard.components.url_choice import url_choice
from dashboard.components.view import View
from dashboard.filters import Filters
from dashboard.plain import escaped
from dashboard.queries.selection import Measure, resolve_measure
from pipeline.records import ModelRef
from pipeline.score_settings import PLAIN
from pipeline.store.first_pairs import first_compared

IMPORTED_WEIGHTS = "imported"


def stop_without_second_scorer(view: View) -> None:
    """Say how to add a scorer when the store has one only, and end the page."""
    if len(view.store.options.models) > 1:
        return
    st.info(
        "This store has one scorer, so there is nothing to compare it with.",
        icon=":material/compare_arrows:",
    )
    st.markdown(
        "Add scores made elsewhere, such as those of another CLIP model, of a language model or "
        "of a rater, as a CSV file with recording_id, onset_ms, offset_ms and score (or the "
        "full_clip_results.csv of earlier scripts). They stand beside the study’s own from the "
        "next build on."
    )
    st.markdown(SETTINGS_HINT)
    st.code(
        "python -m pipeline import-scores STUDY scores.csv --scorer my-scorer\n"
        "python -m pipeline run STUDY --stage publish",
        language=None,
    )
    st.stop()


def model_pair(view: View) -> tuple[Measure, Measure]:
    """Draw the choice of B; return both measures, each with its own threshold.

    Needs a store with two scorers. Imported scores have one setting only: their file's. Two scores
    of one model are put on one scale.
    """
    models = view.store.options.models
    a = next(model for model in models if model.scorer == view.measure.scorer)
    others = tuple(model for model in models if model.scorer != a.scorer)
    compared = first_compared(a, models)
    assert compared is not None
    left, right = st.columns(2, gap="large")
    with left.container(border=True):
        st.markdown(f"**A**, the model of the sidebar: {escaped(a.label)}")
        measure_a = _measure(view.filters, models, a)
        note_a = st.empty()
    with right.container(border=True):
        named = {model.scorer: model for model in others}
        chosen = url_choice(
            "B, what it is compared with",
            tuple(named),
            param="b",
            default=compared.scorer,
            words=lambda scorer: named[scorer].label,
            is_menu=True,
        )
        b = named[chosen]
        filters = replace(view.filters, scorer=b.scorer, threshold=None)
        measure_b = _measure(filters, models, b)
        if _only_b_is_z(measure_a, measure_b) and a.base == b.base:
            measure_a = _measure(replace(view.filters, scale="z"), models, a)
        st.caption(_described(measure_b, b))
    note_a.caption(_described(measure_a, a))
    return measure_a, measure_b


def _only_b_is_z(a: Measure, b: Measure) -> bool:
    """Whether B has to be judged by z and A not, though nobody chose so: the two then share z."""
    is_plain = (a.scale, a.threshold_origin) == ("raw", "chosen")
    return b.scale == "z" and a.scale == "raw" and not a.is_free and not is_plain


def _measure(filters: Filters, models: tuple[ModelRef, ...], model: ModelRef) -> Measure:
    if model.weights == IMPORTED_WEIGHTS:
        filters = replace(filters, crop="center", window="strict", scale="raw")
    return resolve_measure(replace(filters, scorer=model.scorer), models)


def _described(measure: Measure, model: ModelRef) -> str:
    threshold = f"Highly aligned from {threshold_text(measure)}"
    if measure.threshold_origin in ("model", "people", "simulated") and model.threshold_source:
        threshold += f" ({model.threshold_source})"
    elif measure.threshold_origin == "chosen":
        threshold += " (chosen)"
    if model.weights == IMPORTED_WEIGHTS:
        return f"Scores imported from {model.name}. {threshold}."
    if model.setting != PLAIN:
        return f"{escaped(model.label)}. {threshold}."
    return f"Architecture {model.name}, weights {model.weights}. {threshold}."
