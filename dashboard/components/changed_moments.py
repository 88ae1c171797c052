"""Moments that are highly aligned under one setting only; a chosen row opens the moment."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.navigation import open_moment


def changed_moments(moments: pd.DataFrame, n_gained: int, n_lost: int) -> None:
    """Two tables side by side. moments: the frame of `comparing.changed_moments`."""
    left, right = st.columns(2, gap="large")
    with left:
        _table(moments, "gained", f"Only under B: {labels.plural(n_gained, 'moment')}")
    with right:
        _table(moments, "lost", f"Only under A: {labels.plural(n_lost, 'moment')}")


def _table(moments: pd.DataFrame, change: str, title: str) -> None:
    rows = moments[moments["change"] == change].reset_index(drop=True)
    st.markdown(f"**{title}**")
    if not len(rows):
        st.caption("None.")
        return
    event = st.dataframe(
        pd.DataFrame(
            {
                "Words": rows["text"],
                "A": rows["score_a"],
                "B": rows["score_b"],
                "Child": rows["child_id"],
            }
        ),
        hide_index=True,
        height=320,
        key=f"moments_{change}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Words": st.column_config.TextColumn(width="medium"),
            "A": st.column_config.NumberColumn(format="%.3f", width="small"),
            "B": st.column_config.NumberColumn(format="%.3f", width="small"),
            "Child": st.column_config.TextColumn(width="small"),
        },
    )
    chosen = event["selection"]["rows"]
    if chosen:
        row = rows.iloc[chosen[0]]
        open_moment(str(row["recording_id"]), str(row["utterance_id"]))
