"""What stands under every chart: its caption, the table behind it, and a way to save it.

The picture file is made in the browser from the chart that is on the page. The drawing library
that does it is fetched from this server only when somebody saves a figure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from dashboard import data
from dashboard.charts.look import Chart, Look
from dashboard.charts.printed import drawn_values, print_colours
from dashboard.components.captions import setting_note
from dashboard.components.chips import filters_in_words
from dashboard.components.filter_state import saved_filters
from dashboard.components.moment_web import Json
from dashboard.figure_scripts import SCRIPTS_PATH
from dashboard.plain import escaped
from dashboard.queries.options import StoreOptions
from dashboard.queries.selection import resolve_measure

MAX_TABLE_ROWS = 20_000
_MAX_NAME = 60
_WEB = Path(__file__).parent / "web"
_TOOLS = st.components.v2.component(
    "coview_figure_tools",
    html=(_WEB / "figure_tools.html").read_text(encoding="utf-8"),
    css=(_WEB / "figure_tools.css").read_text(encoding="utf-8"),
    js=(_WEB / "figure_tools.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True)
class FigureText:
    """What a chart is: its key on the page, what it shows, its small print, its setting.

    `hint` is for the page only; `setting` None is the setting of the page. `subject` says what is
    shown, None for the utterances that the filters leave, empty where the caption says it.
    """

    key: str
    title: str
    caption: str
    hint: str
    setting: str | None
    subject: str | None = None


@st.fragment
def figure_tools(chart: Chart, look: Look, text: FigureText, table: pd.DataFrame | None) -> None:
    """Draw the caption, the table and the menu to save under the chart.

    A fragment: opening the table fills only the table, not the page.
    """
    if text.caption or text.hint:
        st.caption(escaped(f"{text.hint} {text.caption}".strip()))
    options = data.current_store().options
    key = f"tools_{text.key}"
    opened = st.session_state.get(key)
    is_open = bool(opened and opened.get("is_open"))
    _TOOLS(
        key=key,
        data={
            "chart": text.key,
            "title": text.title,
            "text": _in_words(text, options),
            "name": _file_name(text, options),
            "colours": dict(print_colours(look)),
            "scripts": _scripts_path(),
            "table": _cells(drawn_values(chart) if table is None else table) if is_open else None,
        },
        default={"is_open": False},
        on_is_open_change=_nothing,
    )


def _nothing() -> None:
    """The table is filled by the run that follows."""


def _in_words(text: FigureText, options: StoreOptions) -> list[Json]:
    """The lines of the saved caption: what the reader of a paper needs to know."""
    filters = saved_filters()
    setting = text.setting
    if setting is None:
        setting = setting_note(resolve_measure(filters, options.models))
    source = f"Study: {options.study_name}, store build {options.build or 'unknown'}."
    subject = text.subject
    if subject is None:
        subject = f"Utterances: {filters_in_words(filters)}."
    lines = (text.caption, setting, subject, source)
    return [line.strip() for line in lines if line.strip()]


def _file_name(text: FigureText, options: StoreOptions) -> str:
    words = f"{options.study_name} {text.title or text.key}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower())[:_MAX_NAME].strip("-") or "figure"


def _scripts_path() -> str:
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    return f"/{base}{SCRIPTS_PATH}" if base else SCRIPTS_PATH


def _cells(table: pd.DataFrame) -> dict[str, Json]:
    """The table as JSON; a value that is missing is null."""
    kept = table.head(MAX_TABLE_ROWS)
    rows: list[Json] = [
        [_cell(value) for value in row] for row in kept.itertuples(index=False, name=None)
    ]
    return {"columns": [str(name) for name in table.columns], "rows": rows, "n": len(table)}


def _cell(value: object) -> Json:
    if pd.isna(value):  # type: ignore[call-overload]
        return None
    item = getattr(value, "item", None)
    plain = item() if callable(item) else value
    return plain if isinstance(plain, bool | int | float | str) else str(plain)
