"""How often does what children hear match what they see? The answer, and what it rests on."""

from __future__ import annotations

import streamlit as st

from dashboard import labels, summaries
from dashboard.charts.distribution import score_distribution
from dashboard.charts.readable import readable
from dashboard.charts.shares import shares_by_child
from dashboard.components.captions import chance_note, excess_note, interval_note, score_axis
from dashboard.components.figure import clicked_point, current_look, dragged_range
from dashboard.components.headline import Chance, headline
from dashboard.components.missing_data import missing_data
from dashboard.components.reference import reference_line, reference_note
from dashboard.components.view import open_view, stop_empty
from dashboard.navigation import open_child, open_moments_in_range
from dashboard.overview_numbers import overview_numbers

view = open_view("Overview")
measure = view.measure
numbers = overview_numbers(view.store, view.filters, measure)
if numbers is None:
    stop_empty()
share = numbers.share
headline(
    view,
    numbers.totals,
    int(numbers.counts["n_utterances"].sum()),
    share,
    Chance(numbers.expected_share, numbers.excess),
)

left, right = st.columns([3, 2], gap="large")
with left:
    st.subheader("Scores against chance", anchor=False)
    dragged = dragged_range(
        score_distribution(
            numbers.bins,
            numbers.expected,
            width=numbers.width,
            threshold=measure.threshold,
            axis_title=score_axis(measure),
            look=current_look(),
        ),
        key="distribution",
        title="Scores against chance",
        caption=f"n = {labels.count(int(share.n))} scored utterances. "
        f"{chance_note(measure, view.store.options)}",
        hint="Drag along the bars to list the moments with these scores.",
    )
    chosen = summaries.bins_within(numbers.bins, numbers.width, dragged) if dragged else None
    if chosen:
        open_moments_in_range(*chosen)
with right:
    st.subheader("Children", anchor=False)
    rows = numbers.children.assign(label=numbers.children["child_id"])
    rows["n"] = rows["n_scored"]
    clicked = clicked_point(
        shares_by_child(
            rows,
            overall=share.estimate,
            reference=reference_line(view),
            look=current_look(),
        ),
        key="children_shares",
        title="Share of highly aligned utterances by child",
        hint="A click on a dot opens that child.",
        caption=f"Grey line: all children. {interval_note(share)} {excess_note(rows)}"
        f"{reference_note(view)}",
        table=readable(
            *(rows, "child_id", "n_scored", "share", "low", "high", "chance"),
            *("excess", "excess_low", "excess_high", "p_holm"),
        ),
    )
    if clicked:
        open_child(clicked[0])

missing_data(view, numbers.counts)
