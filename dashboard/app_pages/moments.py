"""See and hear the moments that the numbers stand for."""

from __future__ import annotations

import streamlit as st

from dashboard import data
from dashboard.components.moment_controls import list_controls, list_note, pager
from dashboard.components.moment_rows import moment_rows
from dashboard.components.moment_state import (
    beside,
    current_list,
    open_by_hand,
    opened_moment,
    rank_note,
)
from dashboard.components.moment_view import moment_view
from dashboard.components.view import open_view
from dashboard.queries.moments import moment_count, moment_page

view = open_view("Moments")
listing = current_list()
count = data.load(view.store, moment_count, view.filters, view.measure, listing)
rows = data.load(view.store, moment_page, view.filters, view.measure, listing)
opened = opened_moment(view, listing, rows)
left, right = st.columns([5, 8], gap="large")
with left:
    list_controls(listing)
    if rows.empty:
        st.info("No moment matches. Take off a filter or a word.", icon=":material/filter_alt_off:")
    else:
        st.caption(list_note(view, listing, count))
        moment_rows(rows, opened, view.measure)
        pager(listing, count)
with right:
    if opened is None:
        st.caption("Choose a moment on the left.")
        st.stop()
    steps = {by: beside(view, listing, count, rows, opened, by) for by in (-1, 1)}
    with st.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"
    ):
        st.caption(rank_note(listing, count, rows, opened), width="content")
        for by, label, icon, key in (
            (-1, "Previous", ":material/arrow_back:", "P"),
            (1, "Next", ":material/arrow_forward:", "N"),
        ):
            step = steps[by]
            st.button(
                label,
                icon=icon,
                key=f"moment_{label.lower()}",
                shortcut=key,
                disabled=step is None,
                on_click=open_by_hand if step else None,
                args=(step.key, step.listing) if step else (),
            )
    following = steps[1]
    moment_view(view, opened, following.key if following and following.has_clip else None)
