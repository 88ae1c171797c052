"""Take the data out: utterances, whole tables, files for annotators, clips, report, methods."""

from __future__ import annotations

import streamlit as st

from dashboard.components.captions import setting_note
from dashboard.components.chips import filters_in_words
from dashboard.components.export_clips import playlist_export
from dashboard.components.export_recordings import recordings_export
from dashboard.components.export_report import report_export
from dashboard.components.export_tables import (
    chosen_utterances_export,
    file_stem,
    format_choice,
    methods_of,
    whole_table_export,
)
from dashboard.components.view import open_view
from dashboard.plain import escaped

view = open_view("Export")
st.caption(
    escaped(f"Utterances: {filters_in_words(view.filters)}. {setting_note(view.measure)}")
    + " Every file says this again. Charts are saved where they stand, with “Save figure”."
)
file_format = format_choice()
left, right = st.columns(2, gap="large")
with left:
    st.subheader("Chosen utterances with their scores", anchor=False)
    chosen_utterances_export(view, file_format)
with right:
    st.subheader("A whole table", anchor=False)
    whole_table_export(view, file_format)

st.subheader("Chosen utterances for ELAN, Praat and players", anchor=False)
recordings_export(view)

st.subheader("Clips of a playlist", anchor=False)
playlist_export(view)

st.subheader("Report", anchor=False)
report_export(view)

st.subheader("Methods paragraph", anchor=False)
st.caption("What was run, in words, from the store itself. Copy it with the button on its right.")
text = methods_of(view)
st.code(text, language=None, wrap_lines=True)
st.download_button(
    "Save as text",
    text,
    file_name=f"{file_stem(view, 'methods')}.txt",
    mime="text/plain",
    on_click="ignore",
    icon=":material/download:",
)
