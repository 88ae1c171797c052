"""The numbers behind the children's chart; a chosen row opens that child's moments."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.components.captions import excess_note
from dashboard.components.view import View
from dashboard.navigation import open_moments_of_child

_FEW_RECORDINGS = 3


def child_table(view: View, children: pd.DataFrame) -> None:
    """One row per child: `summaries.shares_by` child_id with `contrasts.excess_by_child`."""
    rows = children.iloc[::-1].reset_index(drop=True)
    shown = pd.DataFrame(
        {
            "Child": rows["child_id"],
            "Age": [
                labels.age_range(low, high)
                for low, high in zip(rows["min_age_days"], rows["max_age_days"], strict=True)
            ],
            "Recordings": rows["n_recordings"],
            "Scored utterances": rows["n_scored"],
            "Highly aligned (%)": 100 * rows["share"],
            "95 % from": 100 * rows["low"],
            "95 % to": 100 * rows["high"],
            "By chance (%)": 100 * rows["chance"],
            "Above chance (points)": 100 * rows["excess"],
            "Above: 95 % from": 100 * rows["excess_low"],
            "Above: 95 % to": 100 * rows["excess_high"],
            "Mean score": rows["mean"],
            "Mean: 95 % from": rows["mean_low"],
            "Mean: 95 % to": rows["mean_high"],
        }
    )
    with st.expander("All children as a table"):
        event = st.dataframe(
            shown,
            hide_index=True,
            placeholder=labels.NO_VALUE,
            key="child_table",
            on_select="rerun",
            selection_mode="single-row",
            column_config={
                **{
                    name: st.column_config.NumberColumn(format="%.1f")
                    for name in shown.columns[4:11]
                },
                **{
                    name: st.column_config.NumberColumn(format="%.3f")
                    for name in shown.columns[11:]
                },
            },
        )
        st.caption(f"{excess_note(rows)}{_few_note(rows)}")
    chosen = event["selection"]["rows"]
    if chosen:
        open_moments_of_child(view.filters, str(rows["child_id"].iloc[chosen[0]]))


def _few_note(rows: pd.DataFrame) -> str:
    n_few = int(rows["n_recordings"].between(2, _FEW_RECORDINGS).sum())
    if not n_few:
        return ""
    return (
        f"{labels.plural(n_few, 'child')} with two or three recordings: so few say little about "
        "how a child’s recordings differ, which makes the child’s interval wide."
    )
