"""How every chart looks: one Plotly template, in the colours of `pipeline.look`."""

from __future__ import annotations

import functools

from dashboard.charts.chart import Chart, Properties
from pipeline.look import DARK, FONT, LIGHT, Look, category_colours, speaker_colours

__all__ = [
    "DARK",
    "FONT",
    "LIGHT",
    "Chart",
    "Look",
    "band",
    "category_colours",
    "figure",
    "level_at",
    "line_at",
    "mark_value",
    "speaker_colours",
    "template",
    "wrapped",
]


def figure(look: Look, *, height_px: int, x_title: str, y_title: str = "") -> Chart:
    """An empty chart in the template; axis titles carry their units."""
    return Chart(
        {
            "template": template(look),
            "height": height_px,
            "xaxis": {"title": {"text": x_title}},
            "yaxis": {"title": {"text": y_title}},
        }
    )


@functools.cache
def template(look: Look) -> Properties:
    """The one Plotly template, for a light or a dark page."""
    axis = {
        "gridcolor": look.grid,
        "linecolor": look.grid,
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": look.grid,
        "ticklen": 4,
        "title": {"font": {"size": 13, "color": look.faint_ink}, "standoff": 10},
        "tickfont": {"size": 12, "color": look.faint_ink},
        "automargin": True,
    }
    return {
        "layout": {
            "font": {"family": FONT, "size": 13, "color": look.ink},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": list(look.categories),
            "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
            "xaxis": {**axis, "showline": True},
            "yaxis": {**axis, "showline": False, "ticks": ""},
            "hoverlabel": {
                "bgcolor": look.paper,
                "bordercolor": look.grid,
                "font": {"family": FONT, "size": 13, "color": look.ink},
                "align": "left",
            },
            "legend": {
                "orientation": "h",
                "traceorder": "normal",
                "x": 0,
                "y": 1,
                "yanchor": "bottom",
                "font": {"size": 12, "color": look.ink},
                "title": {"font": {"size": 12}},
            },
            "bargap": 0.04,
            "hovermode": "closest",
            "dragmode": False,
        }
    }


def wrapped(text: str, most_chars: int) -> str:
    """A text of more than `most_chars` in two lines, broken at the space nearest its middle."""
    spaces = [place for place, letter in enumerate(text) if letter == " "]
    if len(text) <= most_chars or "<br>" in text or not spaces:
        return text
    middle = min(spaces, key=lambda place: abs(place - len(text) / 2))
    return f"{text[:middle]}<br>{text[middle + 1 :]}"


def line_at(chart: Chart, x: float, **line: object) -> None:
    """A vertical line over the whole height."""
    chart.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, yref="y domain", line=line)


def level_at(chart: Chart, y: float, **line: object) -> None:
    """A horizontal line over the whole width."""
    chart.add_shape(type="line", x0=0, x1=1, xref="x domain", y0=y, y1=y, line=line)


def band(
    chart: Chart,
    colour: str,
    *,
    x: tuple[float, float] | None = None,
    y: tuple[float, float] | None = None,
) -> None:
    """A shaded stretch of one axis, over the whole of the other, below the data."""
    x0, x1 = x or (0, 1)
    y0, y1 = y or (0, 1)
    chart.add_shape(
        type="rect",
        x0=x0,
        x1=x1,
        xref="x" if x else "x domain",
        y0=y0,
        y1=y1,
        yref="y" if y else "y domain",
        fillcolor=colour,
        line={"width": 0},
        layer="below",
    )


def mark_value(
    chart: Chart,
    look: Look,
    x: float,
    text: str,
    *,
    place: str = "top right",
    dash: str = "dot",
) -> None:
    """A vertical line with its meaning beside it; `place` is top or bottom, left or right."""
    vertical, side = place.split()
    line_at(chart, x, color=look.ink, width=1, dash=dash)
    chart.add_annotation(
        x=x,
        y=1 if vertical == "top" else 0,
        yref="y domain",
        text=text,
        font={"size": 12, "color": look.ink},
        showarrow=False,
        xanchor="left" if side == "right" else "right",
        yanchor=vertical,
    )
