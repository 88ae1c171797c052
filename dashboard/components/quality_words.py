"""A part of the Quality page: how many words the transcripts get wrong, where that was measured."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.charts.quality import error_rate_dots
from dashboard.components.figure import current_look, show_figure
from dashboard.components.url_choice import url_choice
from dashboard.components.view import View
from pipeline.errors import StoreError
from pipeline.published import PUBLISHED_WORD_ERROR_RATE
from pipeline.stats.word_errors import ErrorRate, error_rates
from pipeline.word_errors import WordErrors, read_word_errors


def quality_of_words(view: View) -> None:
    """Draw the word error rate by speaker and child, or say how to measure it."""
    try:
        measured = read_word_errors(view.store.study_root / "derived")
    except StoreError as problem:
        st.warning(str(problem), icon=":material/warning:")
        return
    if not measured:
        st.info(
            "No word error rate was measured yet. Put hand-made transcripts of some recordings "
            "under annotations/, for example as annotations/reference/raw/REC01.cha, and run",
            icon=":material/fact_check:",
        )
        st.code("python -m pipeline wer STUDY --reference reference", language=None)
        return
    by_name = {errors.reference: errors for errors in measured}
    chosen = next(iter(by_name))
    if len(by_name) > 1:
        chosen = url_choice("Reference", tuple(by_name), param="reference", default=chosen)
    _draw(_filtered(by_name[chosen], view))


def _filtered(errors: WordErrors, view: View) -> WordErrors:
    """What the filters of child and speaker leave; the others choose utterances, not words. The
    measures lie beside the store and are of all children, also of those not to be seen."""
    children, speakers = view.filters.children, view.filters.speakers
    rows = tuple(
        row
        for row in errors.rows
        if view.store.viewer.person.may_see(row.child_id)
        and (not children or row.child_id in children)
        and (not speakers or row.speaker.value in speakers)
    )
    return WordErrors(errors.reference, rows)


def _draw(errors: WordErrors) -> None:
    rates = error_rates(errors)
    whole = rates[0]
    if whole.rate is None:
        st.info("The reference has no words under these filters.", icon=":material/fact_check:")
        return
    counts = whole.counts
    columns = st.columns(4)
    for column, label, value, note in zip(
        columns,
        ("Word error rate", "Wrong words", "Missed words", "Added words"),
        (
            f"{whole.rate:.3f}",
            labels.percent(counts.n_substituted / counts.n_reference),
            labels.percent(counts.n_deleted / counts.n_reference),
            labels.percent(counts.n_inserted / counts.n_reference),
        ),
        (f"published {PUBLISHED_WORD_ERROR_RATE}", "", "", ""),
        strict=True,
    ):
        column.metric(label, value, delta=note or None, delta_color="off", delta_arrow="off")
    show_figure(
        error_rate_dots(_rows(rates), published=PUBLISHED_WORD_ERROR_RATE, look=current_look()),
        key="quality_words",
        title="Word error rate",
        caption=f"n = {labels.plural(counts.n_reference, 'word')} of the reference "
        f"{errors.reference} in {labels.plural(whole.n_recordings, 'recording')}. Wrong, missed "
        "and added words per word of the reference, lined up by time, without case and "
        f"punctuation. {labels.plural(counts.n_outside, 'word')} heard where the reference has no "
        "speech do not count. Interval: 95 %, bootstrap over recordings. Only "
        "the filters of child and speaker apply.",
        setting="",
        table=_table(rates),
    )


def _rows(rates: list[ErrorRate]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "label": [labels.SPEAKERS.get(rate.of, rate.of) for rate in rates],
            "rate": [math.nan if rate.rate is None else rate.rate for rate in rates],
            "low": [math.nan if rate.low is None else rate.low for rate in rates],
            "high": [math.nan if rate.high is None else rate.high for rate in rates],
            "n": [rate.counts.n_reference for rate in rates],
            "kind": [rate.kind for rate in rates],
        }
    )


def _table(rates: list[ErrorRate]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Of": [labels.SPEAKERS.get(rate.of, rate.of) for rate in rates],
            "Word error rate": [rate.rate for rate in rates],
            "Low (95 %)": [rate.low for rate in rates],
            "High (95 %)": [rate.high for rate in rates],
            "Words": [rate.counts.n_reference for rate in rates],
            "Wrong": [rate.counts.n_substituted for rate in rates],
            "Missed": [rate.counts.n_deleted for rate in rates],
            "Added": [rate.counts.n_inserted for rate in rates],
            "Outside": [rate.counts.n_outside for rate in rates],
            "Recordings": [rate.n_recordings for rate in rates],
        }
    )
