"""Charts on the page: in the theme the person chose, and opened by a click."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from dashboard.charts.look import DARK, LIGHT, Look

_CONFIG = {"displayModeBar": False, "scrollZoom": False}


def current_look() -> Look:
    """Colours for the theme that the browser shows."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def show_figure(chart: go.Figure, *, key: str) -> None:
    """Draw a chart that is only looked at."""
    st.plotly_chart(chart, key=key, theme=None, config=_CONFIG)


def clicked_point(chart: go.Figure, *, key: str) -> list[str] | None:
    """Draw a chart whose points open something; the clicked point's customdata, or None."""
    event = st.plotly_chart(
        chart,
        key=key,
        theme=None,
        config=_CONFIG,
        on_select="rerun",
        selection_mode="points",
    )
    points = event["selection"]["points"]
    if not points or not points[0].get("customdata"):
        return None
    return [str(value) for value in points[0]["customdata"]]
