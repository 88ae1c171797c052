"""Charts of one probed moment: what its words add, and what other words would score."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard.charts.look import Chart, Look, figure, level_at, line_at

_ROW_PX = 40
_MOST_CHARS = 46
_LEAST_SD = 0.5
"""The bars' axis reaches at least so far, or hair's breadths would look like effects."""


def word_bars(words: pd.DataFrame, *, y_title: str, look: Look) -> Chart:
    """What each word adds to the match with the own frame, and to that with chance frames.

    words: word, on_frame, on_null, in the order in which they were said.
    """
    chart = figure(look, height_px=310, x_title="Words, as they were said", y_title=y_title)
    places = list(range(len(words)))
    for name, column, colour in (
        ("Own best frame", "on_frame", look.accent),
        ("Chance frames, mean", "on_null", look.muted),
    ):
        chart.add_bar(
            x=places,
            y=words[column],
            marker={"color": colour},
            name=name,
            text=words["word"],
            textposition="none",
            hovertemplate=f"%{{text}}: %{{y:+.2f}}<br>{name.lower()}<extra></extra>",
        )
    level_at(chart, 0, color=look.ink, width=1)
    chart.update_xaxes(
        tickmode="array",
        tickvals=places,
        ticktext=words["word"].tolist(),
        range=[-0.6, len(words) - 0.4],
        showgrid=False,
        tickfont={"size": 14, "color": look.ink},
    )
    shown = words[["on_frame", "on_null"]].to_numpy(np.float64)
    low, high = float(shown.min()), float(shown.max())
    chart.update_yaxes(range=[min(1.1 * low, -_LEAST_SD / 2), max(1.1 * high, _LEAST_SD)])
    chart.update_layout(barmode="group", bargap=0.35)
    return chart


def variant_scores(rows: pd.DataFrame, *, least_span: float, look: Look) -> Chart:
    """Cosines of an utterance and of its changed texts: own frame against chance frames.

    rows: label (what was done), text, own, chance. The first row is the utterance itself; lines
    stand at its two values. The axis covers at least `least_span`.
    """
    chart = figure(look, height_px=96 + _ROW_PX * len(rows), x_title="Cosine")
    places = list(range(len(rows) - 1, -1, -1))
    for place, own, chance in zip(places, rows["own"], rows["chance"], strict=True):
        chart.add_scatter(
            x=[chance, own],
            y=[place, place],
            mode="lines",
            line={"color": look.grid, "width": 4},
            hoverinfo="skip",
            showlegend=False,
        )
    for name, column, colour, symbol in (
        ("Chance frames, mean", "chance", look.muted, "circle-open"),
        ("Own best frame", "own", look.accent, "circle"),
    ):
        line_at(chart, float(rows[column].iloc[0]), color=colour, width=1, dash="dot")
        chart.add_scatter(
            x=rows[column],
            y=places,
            mode="markers",
            marker={"size": 10, "color": colour, "symbol": symbol, "line": {"width": 2}},
            cliponaxis=False,
            name=name,
            customdata=rows[["label", "text"]],
            hovertemplate="%{customdata[0]}: “%{customdata[1]}”<br>"
            f"{name.lower()}: %{{x:.3f}}<extra></extra>",
        )
    values = rows[["own", "chance"]].to_numpy(np.float64)
    low, high = float(values.min()), float(values.max())
    missing = max(0.0, least_span - (high - low)) / 2
    margin = 0.04 * max(high - low, least_span)
    chart.update_xaxes(range=[low - missing - margin, high + missing + margin])
    chart.update_yaxes(
        tickmode="array",
        tickvals=places,
        ticktext=[
            f'{_cut(text)}<br><span style="font-size: 11px; fill: {look.faint_ink}">{label}</span>'
            for text, label in zip(rows["text"], rows["label"], strict=True)
        ],
        range=[-0.6, len(rows) - 0.4],
        showgrid=False,
        tickfont={"size": 13, "color": look.ink},
        ticklabelstandoff=8,
    )
    return chart


def _cut(text: str) -> str:
    """A text as Plotly may draw it, which takes what is between < and > for mark-up."""
    plain = text.replace("<", "‹").replace(">", "›")
    return plain if len(plain) <= _MOST_CHARS else f"{plain[: _MOST_CHARS - 1]}…"
