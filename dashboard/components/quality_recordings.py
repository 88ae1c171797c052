"""The recordings' part of the Quality page: one row each, failures, notices."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import data, labels
from dashboard.components.url_choice import url_choice
from dashboard.components.view import View
from dashboard.navigation import open_moment
from dashboard.queries import missing, quality

_SORTS = {
    "recording_id": "Recording",
    "child_id": "Child",
    "duration_ms": "Length",
    "n_utterances": "Utterances",
    "n_scored": "Scored utterances",
    "share_unscored": "Share without a score",
    "n_missing_frames": "Missing frames",
    "n_notices": "Notices",
}
_PAGE_STATE = "quality_page"


def quality_of_recordings(view: View) -> None:
    """Draw the counts, the table with its pager, then what failed and what to know."""
    processed = data.load(view.store, quality.processed_counts, view.filters)
    columns = st.columns(4)
    for column, label, value, note in zip(
        columns,
        ("Recordings", "With utterances", "Without sound", "Failed"),
        (
            processed.n_recordings,
            processed.n_with_utterances,
            processed.n_without_audio,
            processed.n_failed,
        ),
        (labels.hours(processed.total_ms), "", "", "in the whole study"),
        strict=True,
    ):
        column.metric(
            label,
            labels.count(value),
            delta=note or None,
            delta_color="off",
            delta_arrow="off",
        )
    _table(view)
    _failures(view)
    _notices(view)


def _table(view: View) -> None:
    st.subheader("Recordings", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        sort = url_choice(
            "Sort by",
            tuple(_SORTS),
            param="sort",
            default="recording_id",
            words=_SORTS.__getitem__,
        )
        is_descending = st.toggle("Largest first", key="quality_descending", bind="query-params")
    place = (view.store.key, view.filters, view.measure, sort, is_descending)
    kept, page = st.session_state.get(_PAGE_STATE, (place, 0))
    page = page if kept == place else 0
    order = quality.RecordingsOrder(sort, is_descending, page)
    found = data.load(view.store, quality.recordings_page, view.filters, view.measure, order)
    if found.rows.empty:
        st.caption("No recording is left by the filters of child and age.")
        return
    event = st.dataframe(
        _shown(found.rows),
        hide_index=True,
        placeholder=labels.NO_VALUE,
        key=f"quality_recordings_{page}",
        height="content",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Hours": st.column_config.NumberColumn(format="%.2f"),
            "Without a score (%)": st.column_config.NumberColumn(format="%.1f"),
        },
    )
    _pager(place, page, found.n_recordings)
    chosen = event["selection"]["rows"]
    if chosen:
        row = found.rows.iloc[chosen[0]]
        if isinstance(row["first_utterance_id"], str):
            open_moment(str(row["recording_id"]), row["first_utterance_id"])


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Recording": rows["recording_id"],
            "Child": rows["child_id"],
            "Hours": rows["duration_ms"] / 3_600_000,
            "Utterances": rows["n_utterances"],
            "Scored": rows["n_scored"],
            "Without a score (%)": 100 * rows["share_unscored"],
            "Frames": rows["n_sampled"],
            "Missing frames": rows["n_missing_frames"],
            "Language": rows["language"],
            "Sound": rows["has_audio"],
            "Permission": rows["permission"],
            "Notices": rows["n_notices"],
        }
    )


def _pager(place: object, page: int, n: int) -> None:
    def go(to: int) -> None:
        st.session_state[_PAGE_STATE] = (place, to)

    first = page * quality.PAGE_ROWS
    last = min(n, first + quality.PAGE_ROWS)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f"{labels.count(first + 1)}–{labels.count(last)} of {labels.plural(n, 'recording')}. "
            "Choose a row to open its first moment. Child and age choose recordings; the other "
            "filters choose the utterances that are counted.",
            width="stretch",
        )
        for label, icon, to, is_possible in (
            ("Back", ":material/arrow_back:", page - 1, page > 0),
            ("More", ":material/arrow_forward:", page + 1, last < n),
        ):
            st.button(
                label,
                icon=icon,
                key=f"quality_{label.lower()}",
                disabled=not is_possible,
                on_click=go,
                args=(to,),
            )


def _failures(view: View) -> None:
    st.subheader("What could not be finished", anchor=False)
    rows = data.load(view.store, missing.failures)
    if rows.empty:
        st.markdown("Every recording of the study was finished.")
        return
    rows = rows.assign(stage=[labels.STAGES.get(stage, stage) for stage in rows["stage"]])
    st.dataframe(
        rows.drop(columns="n_all"),
        hide_index=True,
        placeholder=labels.NO_VALUE,
        column_config={
            "stage": st.column_config.TextColumn("Stage", width="small"),
            "recording_id": st.column_config.TextColumn("Recording", width="small"),
            "message": "What went wrong",
            "hint": "What to do",
        },
    )
    _rest(rows, "failure", "failures")


def _notices(view: View) -> None:
    st.subheader("What to know", anchor=False)
    rows = data.load(view.store, missing.notices)
    if rows.empty:
        st.markdown("No recording carries a notice.")
        return
    st.dataframe(
        rows.drop(columns="n_all"),
        hide_index=True,
        column_config={"recording_id": "Recording", "notice": "Notice"},
    )
    _rest(rows, "notice", "recordings")


def _rest(rows: pd.DataFrame, noun: str, table: str) -> None:
    n = int(rows["n_all"].iloc[0])
    if n > len(rows):
        st.caption(
            f"The first {len(rows)} of {labels.plural(n, noun)}; all are in the table {table} on "
            "the Export page."
        )
