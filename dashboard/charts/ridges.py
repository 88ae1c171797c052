"""Distributions one above the other: for each child a line over its base, filled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts.look import Chart, Look, line_at

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_HEIGHT = 0.8
"""Of the highest ridge; its child's neighbour begins at 1."""


def add_ridges(
    chart: Chart,
    bins: pd.DataFrame,
    places: Mapping[str, int],
    *,
    width: float,
    threshold: float,
    look: Look,
) -> None:
    """A ridge for each child at its place, and the threshold.

    bins: child_id, bin_start, n, of children with a place.
    """
    # All children in two traces: a trace for each child would take seconds with many.
    child, names = pd.factorize(bins["child_id"])
    n = bins["n"].to_numpy(np.float64)
    shares = n / np.maximum(1, np.bincount(child, n))[child]
    x, heights, ends = outlines(child, bins["bin_start"].to_numpy(np.float64), shares, width)
    base = np.array([places[str(name)] for name in names], np.float64)
    # Each has two ends and a gap.
    n_points = ends[2::3] - ends[::3] + 1
    y = np.repeat(base, n_points) + _HEIGHT / max(1e-9, shares.max(initial=0)) * heights
    chart.add_scatter(
        x=x[ends].astype(np.float32),
        y=y[ends].astype(np.float32),
        mode="lines",
        line={"color": look.grid, "width": 1},
        showlegend=False,
        hoverinfo="skip",
    )
    chart.add_scatter(
        x=x.astype(np.float32),
        y=y.astype(np.float32),
        mode="lines",
        line={"color": look.accent, "width": 1.3},
        # A ridge begins and ends at its base, so that the line closes the area.
        fill="toself",
        fillcolor=look.accent_fill,
        hoveron="points",
        showlegend=False,
        # Numbers rather than words: of fifty children these would be a third of what is sent.
        hovertext=(100 * heights).astype(np.float32),
        hovertemplate="%{hovertext:.1f} % of utterances at %{x:.3f}<extra></extra>",
    )
    line_at(chart, threshold, color=look.ink, width=1, dash="dot")
    chart.add_annotation(
        x=threshold,
        y=1,
        yref="y domain",
        text=f"threshold {threshold:g}",
        font={"size": 12, "color": look.ink},
        showarrow=False,
        xanchor="left",
        yanchor="top",
        xshift=4,
    )


def outlines(
    child: Ints, starts: Floats, shares: Floats, width: float
) -> tuple[Floats, Floats, Ints]:
    """As `distribution.outline` for each child, one after the other, NaN behind each.

    child (n,) from 0 without a hole, starts and shares (n,): the bins that hold something. Returns
    centres and shares, and for each child the places of its first and its last centre and of the
    NaN behind it.
    """
    n_children = int(child.max(initial=-1)) + 1
    first, n_points = np.full(n_children, np.inf), np.zeros(n_children, np.int64)
    np.minimum.at(first, child, starts)
    place = np.rint((starts - first[child]) / width).astype(np.int64) + 1
    # An empty bin at each end, and the NaN.
    np.maximum.at(n_points, child, place + 3)
    end = np.cumsum(n_points)
    begin = end - n_points
    heights = np.zeros(int(n_points.sum()))
    heights[begin[child] + place] = shares
    x = np.repeat(first - width * (begin + 0.5), n_points) + width * np.arange(len(heights))
    x[end - 1] = heights[end - 1] = np.nan
    return x, heights, np.column_stack([begin, end - 2, end - 1]).ravel()
