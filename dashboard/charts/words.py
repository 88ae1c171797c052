"""Lemmas against what is known of them from elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard.charts.look import Chart, Look, figure


def score_and_norm(
    rows: pd.DataFrame, *, marked: str | None, x_title: str, y_title: str, look: Look
) -> Chart:
    """One dot per lemma, larger with more utterances; a click selects the lemma.

    rows: word, n, mean, norm. The marked lemma is named and in the accent.
    """
    chart = figure(look, height_px=380, x_title=x_title, y_title=y_title)
    size = np.clip(2.5 + 1.1 * np.log2(rows["n"].to_numpy(dtype=np.float64)), 4, 22)
    is_marked = (rows["word"] == marked).to_numpy()
    for part, colour, mode in (
        (~is_marked, look.accent_fill, "markers"),
        (is_marked, look.accent, "markers+text"),
    ):
        shown = rows[part]
        chart.add_scattergl(
            x=shown["norm"].round(3),
            y=shown["mean"].round(4),
            mode=mode,
            text=shown["word"],
            textposition="top center",
            textfont={"color": look.ink},
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
    return chart


def partial_residuals(
    rows: pd.DataFrame, *, marked: str | None, x_title: str, y_title: str, look: Look
) -> Chart:
    """Component plus residual: one dot per lemma, larger with more weight, and the line of the
    model; a click selects the lemma.

    rows: word, n, mean (what is drawn upwards), norm, fitted.
    """
    chart = score_and_norm(rows, marked=marked, x_title=x_title, y_title=y_title, look=look)
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
