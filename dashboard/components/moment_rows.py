"""The list of moments: one row each, a click opens it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.charts.look import speaker_colours
from dashboard.components.figure import current_look
from dashboard.components.moment_state import open_by_hand, row_keys
from dashboard.components.moment_web import Json, Piece
from dashboard.navigation import MomentKey
from dashboard.queries.selection import Measure, is_high
from dashboard.saved import Saved

_KEY = "moment_rows"
_ROWS = Piece("moment_rows", html='<ol class="rows"></ol>')


def moment_rows(
    rows: pd.DataFrame, opened: MomentKey | None, measure: Measure, saved: Saved
) -> None:
    """Draw one page of the list; see `queries.moments.moment_page` for the columns."""
    colours = speaker_colours(current_look())
    drawn: list[Json] = []
    for key, row in zip(row_keys(rows), rows.to_dict("records"), strict=True):
        has_score = not pd.isna(row["score"])
        drawn.append(
            {
                "recording": key.recording_id,
                "utterance": key.utterance_id,
                "is_open": key == opened,
                "is_high": has_score
                and "look" not in row
                and is_high(float(row["score"]), measure),
                **_numbers(row, measure),
                "text": str(row["text"]) or labels.NO_WORDS,
                "is_starred": saved.marks_of(key).is_starred,
                "marks": saved.marks_of(key).summary,
                "meta": _meta(row["child_id"], row["speaker"], row["age_days"], row["onset_ms"]),
                "colour": colours.get(str(row["speaker"]), colours["NA"]),
            }
        )
    titles: list[Json] = ["Cosine", "z"] if measure.scale == "raw" else ["z", "Cosine"]
    if "look" in rows:
        titles = ["View", titles[0]]
    _ROWS.draw(
        key=_KEY,
        data={"titles": [*titles, "Words, child, speaker, time"], "rows": drawn},
        on_opened=_open_clicked,
    )


def _numbers(row: Mapping[Hashable, object], measure: Measure) -> dict[str, Json]:
    """The two numbers of a row: the score and its other scale, or how well the view fits a
    sentence and the score."""
    cosine, z = _written(row["cosine"], ".3f"), _written(row["z"], "+.1f")
    score, other = (cosine, z) if measure.scale == "raw" else (z, cosine)
    if "look" in row:
        return {"score": _written(row["look"], ".3f"), "other": score}
    return {"score": score, "other": other}


def _written(value: object, style: str) -> str:
    return f"{value:{style}}" if isinstance(value, float) and value == value else labels.NO_VALUE


def _meta(child_id: object, speaker: object, age_days: object, onset_ms: object) -> str:
    parts = [str(child_id), labels.SPEAKERS.get(str(speaker), str(speaker))]
    if isinstance(age_days, int | float) and not pd.isna(age_days):
        parts.append(f"{labels.months(float(age_days))} months")
    parts.append(labels.clock(int(str(onset_ms))))
    return " · ".join(parts)


def _open_clicked() -> None:
    clicked = st.session_state[_KEY].opened
    if clicked:
        open_by_hand(MomentKey(str(clicked["recording"]), str(clicked["utterance"])))
