"""Answers in detail: times, places on the screen, experts' labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts.error_bars import error_bars
from dashboard.charts.look import Chart, Look, figure, level_at, line_at


def times_by_part(rows: pd.DataFrame, *, look: Look) -> Chart:
    """Median time per trial with its interval, over the middle half of the times.

    rows: name, median, low, high, quarter, three_quarters (seconds), n. The first is on top.
    """
    chart = figure(look, height_px=92 + 30 * len(rows), x_title="Time per trial (s)")
    for place, quarter, three in zip(
        rows["name"], rows["quarter"], rows["three_quarters"], strict=True
    ):
        chart.add_scatter(
            x=[quarter, three],
            y=[place, place],
            mode="lines",
            line={"color": look.muted_fill, "width": 12},
            hoverinfo="skip",
            showlegend=False,
        )
    chart.add_scatter(
        x=rows["median"],
        y=rows["name"],
        mode="markers",
        marker={"size": 9, "color": look.accent},
        error_x=error_bars(rows, look.accent, of="median"),
        customdata=rows[["n"]],
        hovertemplate="%{x:.2f} s, %{customdata[0]:,} answers<extra></extra>",
        showlegend=False,
    )
    chart.update_yaxes(
        type="category", categoryorder="array", categoryarray=rows["name"].tolist()[::-1]
    )
    chart.update_xaxes(rangemode="tozero")
    return chart


def choices_by_position(rows: pd.DataFrame, *, chance: float, look: Look) -> Chart:
    """How often each place was chosen, with intervals. rows: position, chosen, low, high, n."""
    chart = figure(look, height_px=300, x_title="Place on the screen", y_title="Chosen (%)")
    level_at(chart, 100 * chance, color=look.muted, width=1.5, dash="dash")
    chart.add_scatter(
        x=rows["position"],
        y=100 * rows["chosen"],
        mode="markers",
        marker={"size": 10, "color": look.accent},
        error_y=error_bars(rows, look.accent, of="chosen", scale=100),
        hovertemplate="place %{x}: %{y:.1f} %<extra></extra>",
        showlegend=False,
    )
    chart.update_xaxes(dtick=1, range=[0.5, 4.5])
    chart.update_yaxes(rangemode="tozero")
    return chart


def scores_by_label(rows: pd.DataFrame, *, overall: float, x_title: str, look: Look) -> Chart:
    """Mean score of moments by experts' label. rows: label, mean, low, high, n."""
    chart = figure(look, height_px=92 + 34 * len(rows), x_title=x_title)
    chart.add_scatter(
        x=rows["mean"],
        y=rows["label"],
        mode="markers",
        marker={"size": 10, "color": look.accent},
        error_x=error_bars(rows, look.accent, of="mean"),
        customdata=rows[["n"]],
        hovertemplate="%{x:.3g}, %{customdata[0]:,} labels<extra></extra>",
        showlegend=False,
    )
    line_at(chart, overall, color=look.faint_ink, width=1)
    chart.update_yaxes(
        type="category", categoryorder="array", categoryarray=rows["label"].tolist()[::-1]
    )
    return chart


def label_confusion(counts: NDArray[np.int64], names: list[str], *, look: Look) -> Chart:
    """Pairs of raters of a moment by their two labels: (k, k), symmetric."""
    chart = figure(look, height_px=330, x_title="One rater", y_title="Another rater")
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    chart.add_heatmap(
        z=(100 * shares).tolist(),
        x=names,
        y=names,
        text=[[f"{value:,}" for value in row] for row in counts.tolist()],
        texttemplate="%{text}",
        colorscale=[[0, look.paper], [1, look.accent]],
        showscale=False,
        hovertemplate="%{y}, then %{x}: %{text} (%{z:.0f} % of the row)<extra></extra>",
    )
    chart.update_yaxes(autorange="reversed", showgrid=False)
    chart.update_xaxes(showgrid=False)
    return chart
