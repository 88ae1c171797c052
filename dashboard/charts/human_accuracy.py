"""Accuracy of people, and of the model on the same trials, over the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts.distribution import faded
from dashboard.charts.error_bars import error_bars
from dashboard.charts.look import Chart, Look, band, figure, level_at, mark_value

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """A fitted curve over scores, all (m,); the threshold with its limits, NaN where there is none
    to draw."""

    scores: Floats
    accuracy: Floats
    low: Floats
    high: Floats
    ceiling: float
    threshold: float
    threshold_low: float
    threshold_high: float


@dataclass(frozen=True, slots=True)
class Level:
    """A published accuracy, drawn as a thin line with its name, if it has one."""

    accuracy: float
    name: str


def accuracy_by_score(
    bins: pd.DataFrame,
    *,
    curve: Curve | None,
    chance: float,
    levels: tuple[Level, ...],
    x_title: str,
    look: Look,
) -> Chart:
    """Shares of right choices by bin, with the fitted curve.

    bins: middle, people, people_low, people_high, model, n, n_raters, n_items; NaN limits draw no
    interval, a NaN model no mark.
    """
    chart = figure(look, height_px=430, x_title=x_title, y_title="Right choices (%)")
    for level in levels:
        level_at(chart, 100 * level.accuracy, color=look.grid, width=1)
        if not level.name:
            continue
        chart.add_annotation(
            x=0,
            xref="x domain",
            xanchor="left",
            y=100 * level.accuracy,
            yanchor="bottom",
            text=level.name,
            font={"size": 11, "color": look.faint_ink},
            showarrow=False,
        )
    level_at(chart, 100 * chance, color=look.muted, width=1.5, dash="dash")
    chart.add_annotation(
        x=1.01,
        xref="x domain",
        xanchor="left",
        y=100 * chance,
        yanchor="middle",
        text=f"chance<br>{100 * chance:.0f} %",
        font={"size": 12, "color": look.faint_ink},
        showarrow=False,
    )
    if curve is not None:
        _curve(chart, curve, look)
    chart.add_scatter(
        x=bins["middle"],
        y=100 * bins["model"],
        mode="markers",
        marker={
            "symbol": "diamond-open",
            "size": 9,
            "color": look.ink,
            "line": {"width": 1.5, "color": look.ink},
        },
        name="Model, same trials",
        hovertemplate="model: %{y:.1f} %<extra></extra>",
    )
    chart.add_scatter(
        x=bins["middle"],
        y=100 * bins["people"],
        mode="markers",
        marker={"size": 10, "color": look.accent},
        error_y=error_bars(
            bins, look.accent, of="people", low="people_low", high="people_high", scale=100
        ),
        name="People, 95 % interval",
        customdata=bins[["n", "n_raters", "n_items"]],
        hovertemplate="%{y:.1f} % right<br>%{customdata[0]:,} answers of %{customdata[1]:,} "
        "raters to %{customdata[2]:,} items<extra></extra>",
    )
    chart.update_yaxes(range=[-4, 104], dtick=20)
    chart.update_layout(margin={"r": 56})
    return chart


def _curve(chart: Chart, curve: Curve, look: Look) -> None:
    level_at(chart, 100 * curve.ceiling, color=look.muted, width=1, dash="dot")
    chart.add_annotation(
        x=1.01,
        xref="x domain",
        xanchor="left",
        y=100 * curve.ceiling,
        yanchor="middle",
        text=f"ceiling<br>{100 * curve.ceiling:.0f} %",
        font={"size": 12, "color": look.faint_ink},
        showarrow=False,
    )
    x, low, high = curve.scores, 100 * curve.low, 100 * curve.high
    chart.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        mode="none",
        fill="toself",
        fillcolor=faded(look.accent, 0.16),
        hoverinfo="skip",
        showlegend=False,
    )
    chart.add_scatter(
        x=x,
        y=100 * curve.accuracy,
        mode="lines",
        line={"color": look.accent, "width": 2},
        name="Fitted curve, 95 % band",
        hovertemplate="%{x:.3g}: %{y:.1f} % expected<extra></extra>",
    )
    if not np.isnan(curve.threshold):
        ends = (
            max(curve.threshold_low, float(x[0])),
            min(curve.threshold_high, float(x[-1])),
        )
        band(chart, look.muted_fill, x=ends)
        mark_value(
            chart,
            look,
            curve.threshold,
            f"\u00a0halfway: {curve.threshold:.3g}",
            place="bottom right",
        )
