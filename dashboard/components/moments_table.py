"""A short table of moments under a title; a chosen row opens its moment."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from dashboard import labels
from dashboard.navigation import open_moment

SCORE_COLUMN = st.column_config.NumberColumn(format="%.3f", width="small")


def moments_table(
    rows: pd.DataFrame,
    shown: dict[str, str],
    *,
    title: str,
    key: str,
    columns: dict[str, ColumnConfig],
) -> None:
    """Draw the table.

    rows: recording_id, utterance_id, text, child_id and the columns named in `shown` (title ->
    column), which stand between the words and the child; `columns` says how they look.
    """
    st.markdown(f"**{title}**")
    if rows.empty:
        st.caption("None.")
        return
    rows = rows.reset_index(drop=True)
    drawn = {"Words": "text", **shown, "Child": "child_id"}
    event = st.dataframe(
        pd.DataFrame({name: rows[column] for name, column in drawn.items()}),
        hide_index=True,
        placeholder=labels.NO_VALUE,
        height=320,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Words": st.column_config.TextColumn(width="medium"),
            **columns,
            "Child": st.column_config.TextColumn(width="small"),
        },
    )
    chosen = event["selection"]["rows"]
    if chosen:
        row = rows.iloc[chosen[0]]
        open_moment(str(row["recording_id"]), str(row["utterance_id"]))
