"""The distribution of scores against what the matched null leads one to expect."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts.look import Chart, Look, figure, mark_value

Floats = NDArray[np.float64]


def score_distribution(
    bins: pd.DataFrame,
    expected: pd.DataFrame,
    *,
    width: float,
    threshold: float,
    axis_title: str,
    look: Look,
) -> Chart:
    """Observed bars, chance as an outline behind them, the threshold marked.

    bins: bin_start, n. expected: bin_start, share of the null, empty when there is none. Bars at
    and above the threshold carry the accent in full.
    """
    chart = figure(
        look, height_px=320, x_title=axis_title, y_title="Share of utterances in each bin (%)"
    )
    total = max(1, int(bins["n"].sum()))
    is_high = bins["bin_start"] >= threshold - width * 1e-3
    for name, rows, colour in (
        ("Below the threshold", bins[~is_high], look.accent_fill),
        ("Highly aligned", bins[is_high], look.accent),
    ):
        chart.add_bar(
            x=rows["bin_start"] + width / 2,
            y=100 * rows["n"] / total,
            width=width * 0.96,
            name=name,
            marker={"color": colour, "line": {"width": 0}},
            customdata=np.stack([rows["bin_start"], rows["bin_start"] + width, rows["n"]], axis=1),
            hovertemplate="%{customdata[0]:.3f} to %{customdata[1]:.3f}<br>"
            "%{customdata[2]:,} utterances (%{y:.1f} %)<extra></extra>",
        )
    if len(expected):
        chart.add_scatter(
            x=expected["bin_start"] + width / 2,
            y=100 * expected["share"],
            mode="lines",
            line={"color": look.ink, "width": 1.5, "shape": "spline"},
            name="Expected by chance (matched null)",
            hovertemplate="chance: %{y:.1f} %<extra></extra>",
        )
    mark_value(chart, look, threshold, f"threshold {threshold:g}")
    highest = max(
        bins["n"].max() / total if len(bins) else 0,
        expected["share"].max() if len(expected) else 0,
    )
    # Room above the bars for the name of the threshold.
    chart.update_yaxes(range=[0, 115 * highest])
    return chart


def two_distributions(
    rows: pd.DataFrame,
    *,
    width: float,
    threshold: float,
    axis_title: str,
    colours: dict[str, str],
    look: Look,
) -> Chart:
    """The distributions of a few children as lines over each other.

    rows: name, bin_start, share (of the name's utterances, 0-1).
    """
    chart = figure(
        look, height_px=300, x_title=axis_title, y_title="Share of utterances in each bin (%)"
    )
    for name, part in rows.groupby("name", sort=True):
        centres, heights = outline(
            part["bin_start"].to_numpy(np.float64), part["share"].to_numpy(np.float64), width
        )
        chart.add_scatter(
            x=centres,
            y=100 * heights,
            mode="lines",
            line={"color": colours[str(name)], "width": 1.8, "shape": "hvh"},
            fill="tozeroy",
            fillcolor=faded(colours[str(name)]),
            name=str(name),
            hovertemplate=f"{name}<br>%{{x:.3f}}: %{{y:.1f}} %<extra></extra>",
        )
    mark_value(chart, look, threshold, f"threshold {threshold:g}")
    chart.update_yaxes(range=[0, 118 * float(rows["share"].max()) if len(rows) else 1])
    return chart


def outline(starts: Floats, shares: Floats, width: float) -> tuple[Floats, Floats]:
    """Bin centres without holes, with an empty bin at each end, and their shares.

    starts, shares (n,): the bins that hold something, in any order.
    """
    first = starts.min()
    places = np.rint((starts - first) / width).astype(np.int64)
    heights = np.zeros(int(places.max()) + 3)
    heights[places + 1] = shares
    return first + (np.arange(len(heights)) - 0.5) * width, heights


def faded(colour: str, strength: float = 0.16) -> str:
    """#rrggbb as a translucent fill."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {strength})"
