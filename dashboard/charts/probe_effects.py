"""What changes of the words do, as dots with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from dashboard.charts.error_bars import error_bars
from dashboard.charts.look import Chart, Look, figure, line_at, wrapped

_ROW_PX = 34
_LABEL_CHARS, _TITLE_CHARS = 22, 24
_SYMBOLS = ("circle", "diamond", "circle-open")


def effect_dots(rows: pd.DataFrame, *, x_title: str, look: Look) -> Chart:
    """Means with 95 % intervals, first row on top; series side by side within a row.

    rows: label, series, value, lower, upper, n. The last of three series, which is about chance
    frames, is grey.
    """
    labels = list(dict.fromkeys(rows["label"]))
    series = list(dict.fromkeys(rows["series"]))
    chart = figure(
        look, height_px=104 + (_ROW_PX + 6 * (len(series) - 1)) * len(labels), x_title=""
    )
    colours = _colours(series, look)
    places = {label: len(labels) - 1 - i for i, label in enumerate(labels)}
    for i, name in enumerate(series):
        part = rows[rows["series"] == name]
        shift = 0.0 if len(series) == 1 else 0.5 * (0.5 - i / (len(series) - 1))
        chart.add_scatter(
            x=part["value"],
            y=[places[label] + shift for label in part["label"]],
            mode="markers",
            marker={"size": 8, "color": colours[i], "symbol": _SYMBOLS[i % len(_SYMBOLS)]},
            error_x=error_bars(part, colours[i], of="value", low="lower", high="upper"),
            cliponaxis=False,
            name=name,
            customdata=part[["lower", "upper", "n"]],
            text=part["label"],
            hovertemplate="%{text}: %{x:.2f}<br>95 %: %{customdata[0]:.2f} to "
            "%{customdata[1]:.2f}<br>%{customdata[2]:,} utterances<extra></extra>",
        )
    line_at(chart, 0, color=look.ink, width=1)
    chart.update_xaxes(title={"text": wrapped(x_title, _TITLE_CHARS)}, exponentformat="none")
    chart.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(labels) - 1, -1, -1)),
        ticktext=[wrapped(label, _LABEL_CHARS) for label in labels],
        range=[-0.6, len(labels) - 0.4],
        tickfont={"color": look.ink},
        showgrid=False,
        ticklabelstandoff=8,
    )
    chart.update_layout(showlegend=len(series) > 1)
    return chart


def _colours(series: Sequence[str], look: Look) -> list[str]:
    if len(series) == 3:
        return [look.accent, look.categories[1], look.muted]
    return [look.accent, look.categories[1]][: len(series)]
