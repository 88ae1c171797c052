"""What is said around a moment; a click on a line opens it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.charts.look import speaker_colours
from dashboard.components.figure import current_look
from dashboard.components.moment_state import open_by_hand
from dashboard.components.moment_web import Json, Piece
from dashboard.navigation import MomentKey

_KEY = "moment_lines"
_LINES = Piece("transcript_lines", html='<ol class="lines"></ol>')


def transcript(lines: pd.DataFrame, opened: MomentKey) -> None:
    """Draw the lines around the opened one; see `queries.moment.transcript_around`."""
    colours = speaker_colours(current_look())
    drawn: list[Json] = [
        {
            "utterance": str(row["utterance_id"]),
            "is_open": row["utterance_id"] == opened.utterance_id,
            "onset_ms": int(row["onset_ms"]),
            "offset_ms": int(row["offset_ms"]),
            "time": labels.clock(int(row["onset_ms"])),
            "speaker": labels.SPEAKERS.get(str(row["speaker"]), str(row["speaker"])),
            "colour": colours.get(str(row["speaker"]), colours["NA"]),
            "text": str(row["text"]) or labels.NO_WORDS,
        }
        for row in lines.to_dict("records")
    ]

    def open_clicked() -> None:
        clicked = st.session_state[_KEY].opened
        if clicked:
            open_by_hand(MomentKey(opened.recording_id, str(clicked)))

    result = _LINES.draw(key=_KEY, data={"lines": drawn}, on_opened=open_clicked)
    if result.get("opened"):
        st.rerun()
