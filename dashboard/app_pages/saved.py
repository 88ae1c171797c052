"""What people starred, tagged, noted and put into playlists."""

from __future__ import annotations

import streamlit as st

from dashboard import data, labels, navigation
from dashboard.components.saved_choice import list_actions, playlist_actions, saved_choice
from dashboard.components.saved_rows import saved_rows
from dashboard.components.saved_state import current_saved, read_problem, write_problem
from dashboard.components.view import bare_view
from dashboard.queries.saved import saved_rows as facts_of
from dashboard.saved_tables import keys_of, saved_frame, saved_list
from pipeline.spreadsheet import csv_text

view = bare_view()
st.title("Saved", anchor=False)
saved = current_saved(view.store)
if saved.problem is not None:
    read_problem(saved)
    st.stop()
marked = saved_choice(saved)
rows = saved_list(saved, marked) if marked is not None else ()
facts = data.load(view.store, facts_of, keys_of(rows), view.measure)
table = saved_frame(rows, facts)
n_lost = sum(row.key is None for row in rows)
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    if marked is not None:
        list_actions(marked, len(rows) - n_lost)
    if marked is None or marked.kind == "playlist":
        playlist_actions(view.store, saved, marked)
    st.download_button(
        "CSV",
        csv_text(table).encode(),
        file_name=f"saved-{marked.kind if marked else 'playlists'}.csv",
        mime="text/csv",
        icon=":material/download:",
        key="saved_csv",
        on_click="ignore",
        disabled=not rows,
    )
write_problem()
if marked is None or not rows:
    st.info(
        "Nothing here yet. Open a moment: S stars it, and its tags, notes and playlists are beside "
        "the star.",
        icon=":material/star:",
    )
    if st.button("Open the moments", key="saved_open_moments"):
        navigation.open_list({})
else:
    score = labels.setting(view.measure.crop, view.measure.window, view.measure.statistic)
    lost = f" {labels.count(n_lost)} without a moment in this build." if n_lost else ""
    st.caption(f"{labels.count(len(rows))} saved.{lost} Filters do not apply here. Score: {score}.")
    saved_rows(view.store, saved, marked, rows, table)
