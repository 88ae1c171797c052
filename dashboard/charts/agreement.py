"""Two scorers on the same utterances: their joint distribution, and agreement by child."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts.error_bars import error_bars
from dashboard.charts.look import Chart, Look, figure, level_at, line_at


def joint_distribution(
    a: Sequence[float],
    b: Sequence[float],
    counts: NDArray[np.int64],
    *,
    names: tuple[str, str],
    thresholds: tuple[float, float],
    look: Look,
) -> Chart:
    """Counts in squares, darker with more utterances (logarithmic), both thresholds marked.

    a, b: middles of the bins; counts: (len(b), len(a)). Empty bins are left out.
    """
    chart = figure(look, height_px=460, x_title=names[0], y_title=names[1])
    top = int(counts.max(initial=1))
    ticks = [10**k for k in range(len(str(top)))]
    chart.add_heatmap(
        x=np.round(a, 4),
        y=np.round(b, 4),
        z=np.where(counts > 0, np.round(np.log10(np.maximum(counts, 1)), 3), np.nan),
        customdata=counts,
        colorscale=[[0, look.accent_fill], [1, look.accent]],
        hoverongaps=False,
        colorbar={
            "title": {"text": "utterances", "side": "right"},
            "tickvals": [np.log10(tick) for tick in ticks],
            "ticktext": [f"{tick:,}" for tick in ticks],
            "thickness": 12,
            "outlinewidth": 0,
        },
        hovertemplate=f"{names[0]} %{{x:.3f}}<br>{names[1]} %{{y:.3f}}<br>"
        "%{customdata:,} utterances<extra></extra>",
    )
    line_at(chart, thresholds[0], color=look.ink, width=1, dash="dot")
    level_at(chart, thresholds[1], color=look.ink, width=1, dash="dot")
    return chart


def agreement_by_child(rows: pd.DataFrame, *, overall: float, look: Look) -> Chart:
    """Spearman's rho of each child with its interval, the highest on top; grey line: all.

    rows: child_id, n, rho, low, high. A click on a dot selects the child.
    """
    rows = rows.dropna(subset=["rho"]).sort_values(["rho", "child_id"])
    chart = figure(
        look, height_px=max(190, 78 + 27 * len(rows)), x_title="Rank correlation (Spearman’s rho)"
    )
    chart.add_scatter(
        x=rows["rho"],
        y=rows["child_id"],
        mode="markers",
        marker={"size": 9, "color": look.accent},
        error_x=error_bars(rows, look.accent, of="rho"),
        cliponaxis=False,
        customdata=rows[["child_id", "n"]],
        hovertemplate="%{customdata[0]}: %{x:.3f}<br>n = %{customdata[1]:,}<extra></extra>",
        showlegend=False,
    )
    if not np.isnan(overall):
        line_at(chart, overall, color=look.faint_ink, width=1)
    chart.update_yaxes(showgrid=True, type="category")
    return chart
