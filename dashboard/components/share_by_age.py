"""The share of highly aligned utterances over age, per child and all together."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import contrasts, labels, summaries
from dashboard.charts.look import category_colours
from dashboard.charts.readable import readable
from dashboard.charts.shares import shares_by_age
from dashboard.components.figure import current_look, show_figure
from dashboard.components.view import View
from dashboard.navigation import child_from_url


def share_by_age(view: View, counts: pd.DataFrame, by_chance: pd.DataFrame) -> None:
    """counts: `counts_by_recording`; by_chance: `chance_by_recording`."""
    st.subheader("Share by age", anchor=False)
    look = current_look()
    together = contrasts.share_by_age(counts, by_chance)
    show_figure(
        shares_by_age(
            summaries.shares_by_age(counts),
            together,
            colours=category_colours(view.store.options.children, look),
            marked=child_from_url(),
            look=look,
        ),
        key="by_age",
        title="Share of highly aligned utterances by age",
        caption="One dot per recording of known age (from "
        f"{labels.count(summaries.MANY_RECORDINGS)} recordings on, per child and month of age), "
        "larger with more scored utterances; lines join those of a child. Squares: all children "
        f"over {contrasts.BAND_MONTHS} months of age, with 95 % intervals (recordings drawn within "
        "children) and chance dashed; neighbouring ages hold different children.",
        table=readable(together, "months", "n", "n_children", "share", "low", "high", "chance"),
    )
