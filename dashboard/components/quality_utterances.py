"""Two parts of the Quality page: what utterances carry and lack, and how well they were heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import data, labels, moment_list
from dashboard.charts.quality import count_bars, value_bins
from dashboard.components.figure import clicked_point, current_look, show_figure
from dashboard.components.view import View, stop_when_empty
from dashboard.filters import Filters, with_value
from dashboard.moment_list import MomentList
from dashboard.navigation import open_list, open_moments_of_child, open_with_filters
from dashboard.queries import quality
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.exporting import selection_counts
from dashboard.queries.selection import Measure
from pipeline.schema import UTTERANCE_FLAGS

_Query = Callable[[ScoreArrays, Filters, Measure], pd.DataFrame]

_LOW_CONFIDENCE = -1.0
_REASONS = {
    "no_frame_in_window": "No frame in the window",
    "no_null": "No chance level",
    "no_noun": "No known noun",
    "not_scored": "Not scored",
}


def quality_of_utterances(view: View) -> None:
    """Draw marks, missing scores and languages, and the same by child."""
    counts = _asked(view, quality.counts_by_child)
    n = int(counts["n"].sum())
    stop_when_empty(n)
    _numbers(counts, n)
    left, right = st.columns(2, gap="large")
    with left:
        _marks(view, counts, n)
    with right:
        _missing(counts, n)
        _languages(view, n)
    _children(view, counts)


def quality_of_speech(view: View) -> None:
    """Draw the confidence of the transcripts and the coverage by speaker labels."""
    n = data.load(view.store, selection_counts, view.filters, view.measure).n_utterances
    stop_when_empty(n)
    left, right = st.columns(2, gap="large")
    with left:
        _confidence(view, n)
    with right:
        _coverage(view)


def _asked(view: View, query: _Query) -> pd.DataFrame:
    return data.count(view.store, query, view.filters, view.measure)


def _numbers(counts: pd.DataFrame, n: int) -> None:
    columns = st.columns(4)
    for column, label, name in zip(
        columns[1:],
        ("With a score", "Shorter than 1 s", "With a mark"),
        ("n_scored", "n_short", "n_flagged"),
        strict=True,
    ):
        number = int(counts[name].sum())
        column.metric(
            label,
            labels.percent(number / n),
            delta=labels.count(number),
            delta_color="off",
            delta_arrow="off",
        )
    columns[0].metric(
        "Utterances",
        labels.count(n),
        delta=labels.plural(len(counts), "child"),
        delta_color="off",
        delta_arrow="off",
    )


def _marks(view: View, counts: pd.DataFrame, n: int) -> None:
    st.subheader("Marks of the utterances", anchor=False)
    rows = pd.DataFrame(
        [
            *((flag, labels.FLAGS.get(flag, flag), f"flag_{flag}") for flag in UTTERANCE_FLAGS),
            ("", "Shorter than 1 s", "n_short"),
            ("NA", labels.SPEAKERS["NA"], "n_unknown_speaker"),
        ],
        columns=["code", "label", "column"],
    )
    rows["n"] = [int(counts[column].sum()) for column in rows["column"]]
    rows = rows[rows["n"] > 0].sort_values("n", ascending=False)
    if rows.empty:
        st.caption("No utterance carries a mark.")
        return
    clicked = clicked_point(
        count_bars(rows, total=n, look=current_look()),
        key="quality_marks",
        title="Marks of the utterances",
        hint="A click on “Unknown speaker” opens these moments; marks can be left out in the "
        "sidebar.",
        caption=f"n = {labels.count(n)} utterances; one can carry several marks. "
        + "; ".join(
            f"{labels.FLAGS[flag]}: {UTTERANCE_FLAGS[flag]}"
            for flag in rows["code"]
            if flag in UTTERANCE_FLAGS
        )
        + ".",
        setting="",
        table=rows[["label", "n"]].rename(columns={"label": "Mark", "n": "Utterances"}),
    )
    if clicked and clicked[0] == "NA":
        open_with_filters(replace(view.filters, speakers=("NA",)))


def _missing(counts: pd.DataFrame, n: int) -> None:
    st.subheader("Why scores are missing", anchor=False)
    rows = pd.DataFrame({"code": quality.REASONS})
    rows["label"] = [_REASONS[reason] for reason in rows["code"]]
    rows["n"] = [int(counts[f"missing_{reason}"].sum()) for reason in rows["code"]]
    rows = rows[rows["n"] > 0]
    if rows.empty:
        st.caption("Every utterance has a score under this setting.")
        return
    clicked = clicked_point(
        count_bars(rows, total=n, look=current_look()),
        key="quality_missing",
        title="Utterances without a score, by reason",
        hint="A click opens the moments without a score.",
        caption=f"n = {labels.count(n)} utterances.",
        table=rows[["label", "n"]].rename(columns={"label": "Reason", "n": "Utterances"}),
    )
    if clicked:
        open_list(moment_list.to_params(MomentList(order="unscored")))


def _languages(view: View, n: int) -> None:
    st.subheader("Languages", anchor=False)
    rows = _asked(view, quality.languages)
    rows["code"] = rows["language"].fillna("")
    rows["label"] = rows["language"].fillna("unknown")
    if len(rows) == 1:
        st.caption(f"All {labels.count(n)} utterances: {rows['label'].iloc[0]}.")
        return
    shown = rows.head(12)
    clicked = clicked_point(
        count_bars(shown, total=n, look=current_look()),
        key="quality_languages",
        title="Utterances by language",
        hint="A click opens the moments in that language.",
        caption=f"n = {labels.count(n)} utterances, as the transcripts say."
        + (f" The {len(shown)} most frequent of {len(rows)}." if len(shown) < len(rows) else ""),
        setting="",
        table=rows[["label", "n"]].rename(columns={"label": "Language", "n": "Utterances"}),
    )
    if clicked and clicked[0]:
        open_with_filters(with_value(view.filters, "languages", (clicked[0],)))


def _confidence(view: View, n: int) -> None:
    st.subheader("Speech confidence", anchor=False)
    bins = _asked(view, quality.confidence_bins)
    if bins.empty:
        st.caption("The transcripts of these utterances carry no confidence.")
        return
    known = int(bins["n"].sum())
    show_figure(
        value_bins(
            bins,
            width=quality.LOGPROB_WIDTH,
            x_title="Mean log-probability of the transcript (nat)",
            look=current_look(),
            mark=_LOW_CONFIDENCE,
        ),
        key="quality_confidence",
        title="Speech confidence",
        caption=f"n = {labels.count(known)} of {labels.count(n)} utterances have one. Grey: below "
        f"{_LOW_CONFIDENCE:g}, marked as low confidence. Below {quality.LOWEST_LOGPROB:g} counts "
        "in the first bar.",
        setting="",
    )


def _coverage(view: View) -> None:
    st.subheader("Coverage by speaker labels", anchor=False)
    bins = data.load(view.store, quality.overlap_bins, view.filters.children, view.filters.speakers)
    if bins.empty:
        st.caption("Speakers come with the transcripts, or there are none.")
        return
    show_figure(
        value_bins(
            bins,
            width=quality.OVERLAP_WIDTH,
            x_title="Share of the utterance under its speaker label (0-1)",
            look=current_look(),
        ),
        key="quality_coverage",
        title="Coverage of utterances by their speaker label",
        caption=f"n = {labels.count(int(bins['n'].sum()))} utterances of the chosen children and "
        "speakers whose label was found by overlap; other filters do not apply here.",
        setting="",
    )


def _children(view: View, counts: pd.DataFrame) -> None:
    st.subheader("By child", anchor=False)
    shown = pd.DataFrame({"Child": counts["child_id"], "Utterances": counts["n"]})
    for title, name in (
        ("With a score (%)", "n_scored"),
        ("No frame in the window (%)", "missing_no_frame_in_window"),
        ("Under 1 s (%)", "n_short"),
        ("Unknown speaker (%)", "n_unknown_speaker"),
        ("Low confidence (%)", "flag_low_confidence"),
        ("Repetitive (%)", "flag_repetitive"),
        ("Probably no speech (%)", "flag_likely_no_speech"),
        ("Overlapping (%)", "flag_overlapping"),
    ):
        shown[title] = 100 * counts[name] / counts["n"]
    event = st.dataframe(
        shown,
        hide_index=True,
        placeholder=labels.NO_VALUE,
        key="quality_children",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            name: st.column_config.NumberColumn(format="%.1f")
            for name in shown.columns
            if name.endswith("(%)")
        },
    )
    st.caption("Choose a row to open the moments of that child.")
    chosen = event["selection"]["rows"]
    if chosen:
        open_moments_of_child(view.filters, str(counts["child_id"].iloc[chosen[0]]))
