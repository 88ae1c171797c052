"""Lemmas against what is known of them from elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard.charts.look import Chart, Look, figure

_MOST_SVG = 3_000
"""So many dots are drawn without WebGL, which some browsers on remote desktops do not have."""


def partial_residuals(
    rows: pd.DataFrame, *, marked: str | None, x_title: str, y_title: str, look: Look
) -> Chart:
    """One dot per lemma, larger with more utterances, and the line of the model; a click selects
    the lemma. With a single norm the dots are plain means, with several component plus residual.

    rows: word, n, mean (what is drawn upwards), norm, fitted. The marked lemma is named and in
    the accent.
    """
    chart = figure(look, height_px=380, x_title=x_title, y_title=y_title)
    size = np.clip(2.5 + 1.1 * np.log2(rows["n"].to_numpy(dtype=np.float64)), 4, 22)
    is_marked = (rows["word"] == marked).to_numpy()
    add_dots = chart.add_scatter if len(rows) <= _MOST_SVG else chart.add_scattergl
    for part, colour in ((~is_marked, look.accent_fill), (is_marked, look.accent)):
        shown = rows[part]
        add_dots(
            x=shown["norm"].round(3),
            y=shown["mean"].round(4),
            mode="markers",
            marker={
                "size": np.round(size[part], 1),
                "color": colour,
                "line": {"width": 0.6, "color": look.accent},
            },
            customdata=shown[["word", "n"]],
            hovertemplate="%{customdata[0]}<br>norm %{x:.2f}, mean score %{y:.3f}<br>"
            "n = %{customdata[1]:,} utterances<extra></extra>",
            showlegend=False,
        )
    for place in np.flatnonzero(is_marked):
        row = rows.iloc[int(place)]
        chart.add_annotation(
            x=row["norm"],
            y=row["mean"],
            text=row["word"],
            showarrow=False,
            yshift=14,
            font={"size": 13, "color": look.ink},
            bgcolor=look.paper,
            opacity=0.9,
        )
    ends = rows.loc[[rows["norm"].idxmin(), rows["norm"].idxmax()]]
    chart.add_scatter(
        x=ends["norm"],
        y=ends["fitted"],
        mode="lines",
        line={"color": look.ink, "width": 2},
        hoverinfo="skip",
        showlegend=False,
    )
    return chart
