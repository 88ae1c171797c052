"""Two crops, windows or statistics on the same utterances: what changes, and which moments."""

from __future__ import annotations

import streamlit as st

from dashboard import by_child, data, labels
from dashboard.charts import comparing as charts
from dashboard.charts.readable import readable
from dashboard.charts.shares import shares_before_after
from dashboard.components.captions import (
    interval_note,
    pair_note,
    setting_name,
)
from dashboard.components.change_headline import change_headline
from dashboard.components.changed_moments import changed_moments
from dashboard.components.figure import clicked_point, current_look, show_figure
from dashboard.components.lag_profiles import lag_profiles
from dashboard.components.settings_pair import settings_pair
from dashboard.components.threshold_sweeps import threshold_sweeps
from dashboard.components.url_choice import url_choice
from dashboard.components.view import open_view, stop_when_empty
from dashboard.navigation import open_moments_of_child
from dashboard.queries import comparing
from dashboard.queries.told import most_listed

_PARTS = {
    "moments": "Moments gained and lost",
    "lags": "Before, with or after what they name",
    "sweep": "Every threshold",
}

view = open_view("Crops and windows")
a, b = settings_pair(view)
look = current_look()
if a == b:
    st.info("A and B are the same setting. Change one of them to compare.")
    st.stop()
paired = data.count(view.store, comparing.paired_counts, view.filters, a, b)
stop_when_empty(len(paired))
asked = view.filters, a, b
change = data.count(view.store, by_child.share_change, *asked)
change_headline(a, b, paired)

left, right = st.columns(2, gap="large")
with left:
    st.subheader("Differences utterance by utterance", anchor=False)
    width = data.count(view.store, by_child.difference_width, *asked)
    show_figure(
        charts.paired_differences(
            data.count(view.store, comparing.difference_bins, *asked, width),
            data.count(view.store, by_child.mean_difference, *asked),
            width=width,
            unit=labels.SCALE_UNITS[a.scale],
            look=look,
        ),
        key="differences",
        title="Differences utterance by utterance",
        caption=f"n = {labels.count(int(change.n))} utterances scored under both settings. Line "
        f"and band: mean difference with its 95 % interval. {interval_note(change)}",
        setting=pair_note(a, b),
    )
with right:
    st.subheader("Share of each child under A and B", anchor=False)
    rows = data.count(view.store, by_child.paired_shares, *asked)
    rows["label"] = rows["child_id"]
    clicked = clicked_point(
        shares_before_after(
            rows, names=(f"A: {setting_name(a)}", f"B: {setting_name(b)}"), look=look
        ),
        key="before_after",
        title="Share of each child under A and B",
        caption=f"The same utterances under both settings. {interval_note(change)}",
        setting=pair_note(a, b),
        table=readable(
            *(rows, "child_id", "n", "share_a", "low_a", "high_a", "share_b", "low_b", "high_b")
        ),
    )
if clicked:
    open_moments_of_child(view.filters, clicked[0])

part = url_choice(
    "More about the difference",
    tuple(_PARTS),
    param="part",
    default="moments",
    words=_PARTS.__getitem__,
)
if part == "moments":
    changed_moments(
        data.load_given(
            view.store, view.store.arrays, comparing.changed_moments, view.filters, a, b
        ),
        int(paired["gained"].sum()),
        int(paired["lost"].sum()),
    )
    st.caption(
        f"The most changed come first, at most {most_listed(view.store.arrays)} of each. Choose a "
        "row to open the moment."
    )
elif part == "lags":
    lag_profiles(view, a, b)
else:
    threshold_sweeps(view, a, b)
