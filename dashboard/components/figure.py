"""Charts on the page: in the theme the person chose, opened by a click, with what is under them."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from plotly.basedatatypes import BaseFigure

from dashboard.charts.chart import Properties
from dashboard.charts.look import DARK, LIGHT, Chart, Look
from dashboard.components.figure_tools import FigureText, figure_tools

_CONFIG = {"displayModeBar": False, "scrollZoom": False}


class _Ready(BaseFigure):  # type: ignore[misc]
    """A chart as Streamlit takes it: of a plain dictionary it would first make a Figure, which
    takes longer than all the rest."""

    def __init__(self, chart: Chart) -> None:
        self._sent = chart.to_dict()

    def to_dict(self) -> Properties:
        return self._sent


def current_look() -> Look:
    """Colours for the theme that the browser shows."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def show_figure(
    chart: Chart,
    *,
    key: str,
    title: str = "",
    caption: str = "",
    hint: str = "",
    setting: str | None = None,
    subject: str | None = None,
    table: pd.DataFrame | None = None,
) -> None:
    """Draw a chart that is only looked at, with its caption, its table and a way to save it.

    `title` says what it shows and `caption` gives n, interval and chance; both stand in the saved
    picture, with the filters in force and `setting`: how its scores are made, if not as the
    page's setting says. `subject` takes the place of the filters for what they do not apply to.
    `hint` says what a click does, on the page only. `table` holds the
    numbers behind the chart under readable names; without it the values drawn are listed.
    """
    st.plotly_chart(_Ready(chart), key=key, theme=None, config=_CONFIG)
    figure_tools(
        chart, current_look(), FigureText(key, title, caption, hint, setting, subject), table
    )


def clicked_point(
    chart: Chart,
    *,
    key: str,
    title: str = "",
    caption: str = "",
    hint: str = "",
    setting: str | None = None,
    table: pd.DataFrame | None = None,
) -> list[str] | None:
    """Draw a chart whose points open something; the clicked point's customdata, or None.

    The other arguments are as in `show_figure`.
    """
    event = st.plotly_chart(
        _Ready(chart),
        key=key,
        theme=None,
        config=_CONFIG,
        on_select="rerun",
        selection_mode="points",
    )
    figure_tools(chart, current_look(), FigureText(key, title, caption, hint, setting), table)
    points = event["selection"]["points"]
    if not points or not points[0].get("customdata"):
        return None
    return [str(value) for value in points[0]["customdata"]]


def dragged_range(
    chart: Chart,
    *,
    key: str,
    title: str = "",
    caption: str = "",
    hint: str = "",
    table: pd.DataFrame | None = None,
) -> tuple[float, float] | None:
    """Draw a chart along whose x axis a range can be dragged; the range, or None.

    The other arguments are as in `show_figure`.
    """
    chart.update_layout(dragmode="select", selectdirection="h")
    event = st.plotly_chart(
        _Ready(chart),
        key=key,
        theme=None,
        config=_CONFIG,
        on_select="rerun",
        selection_mode="box",
    )
    figure_tools(chart, current_look(), FigureText(key, title, caption, hint, None), table)
    boxes = event["selection"]["box"]
    if not boxes:
        return None
    first, last = sorted(float(x) for x in boxes[0]["x"])
    return first, last
