"""For admins: who opened which clip, picture or export when, and whether the record is whole."""

from __future__ import annotations

import streamlit as st

from dashboard import labels
from dashboard.access.session import current_viewer
from dashboard.access.viewer import NotLetInError, Refusal
from dashboard.components.view import page_style
from dashboard.opened_rows import SHOWN_ROWS, OpenedChoice, opened_csv, opened_frame
from dashboard.place import study_root
from pipeline.access.audit import read_lines, verify


def _named(name: str) -> str:
    return name or "All"


if not current_viewer().role.manages:
    raise NotLetInError(Refusal.NOT_ALLOWED)
page_style()
st.title("Who opened what", anchor=False)
st.caption(
    "One line each time somebody opened a clip, an export, or the pictures of a moment, or was "
    "refused; the same refusal again is counted. Lines are only ever added, and each is tied to "
    "the one before. Times are UTC."
)
verdict = verify(study_root())
lines = list(read_lines(study_root()))
if verdict.holds:
    st.success(
        f"The record is whole: {labels.plural(verdict.n_lines, 'line')}. Last digest: "
        f"`{verdict.digest[:16]}`. Keep it elsewhere to prove later that nothing before changed.",
        icon=":material/verified_user:",
    )
else:
    st.error(f"The record was changed: {verdict.problem}.", icon=":material/error:")
if not lines:
    st.caption("Nothing was opened yet.")
    st.stop()
who, what, recording, day = st.columns(4, gap="small")
choice = OpenedChoice(
    who.selectbox("Who", ["", *sorted({line.opened.who for line in lines})], format_func=_named),
    what.selectbox("What", ["", *sorted({line.opened.what for line in lines})], format_func=_named),
    recording.text_input("Recording", max_chars=200).strip(),
    day.date_input("Day", value=None),
)
rows = opened_frame(lines, choice)
n_left_out = max(0, len(rows) - SHOWN_ROWS)
more = f" The newest {SHOWN_ROWS:,} are shown." if n_left_out else ""
st.caption(f"{labels.plural(len(rows), 'line')} of {len(lines):,}.{more}")
shown = rows.head(SHOWN_ROWS)
at_seconds = shown["Time (UTC)"].str.slice(0, 19).str.replace("T", " ")
st.dataframe(shown.assign(**{"Time (UTC)": at_seconds}), hide_index=True)
st.download_button(
    "Save as CSV",
    opened_csv(rows),
    file_name="opened.csv",
    mime="text/csv",
    on_click="ignore",
    icon=":material/download:",
)
