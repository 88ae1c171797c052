"""How good the data are: counts as bars, confidence and coverage as distributions."""

from __future__ import annotations

import pandas as pd

from dashboard.charts.error_bars import error_bars
from dashboard.charts.look import Chart, Look, figure, mark_value


def count_bars(rows: pd.DataFrame, *, total: int, look: Look) -> Chart:
    """One bar per row, the first on top, as a share of `total`; a click gives its code.

    rows: code, label, n.
    """
    chart = figure(look, height_px=max(150, 84 + 30 * len(rows)), x_title="Share of utterances (%)")
    shares = 100 * rows["n"] / max(1, total)
    chart.add_bar(
        x=shares,
        y=rows["label"],
        orientation="h",
        width=0.6,
        marker={"color": look.accent, "line": {"width": 0}},
        text=[f"{share:.1f} %" for share in shares],
        textposition="outside",
        textfont={"color": look.faint_ink},
        cliponaxis=False,
        customdata=rows[["code", "n"]],
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        hovertemplate="%{y}: %{customdata[1]:,} utterances (%{x:.2f} %)<extra></extra>",
        showlegend=False,
    )
    chart.update_yaxes(type="category", autorange="reversed", ticklabelstandoff=6)
    chart.update_xaxes(range=[0, max(1.0, 1.3 * float(shares.max() if len(shares) else 0))])
    return chart


def value_bins(
    bins: pd.DataFrame, *, width: float, x_title: str, look: Look, mark: float | None = None
) -> Chart:
    """A distribution from bins (bin_start, n), as shares; `mark` is a value that means something.

    Bars below the mark are pale grey.
    """
    chart = figure(
        look, height_px=260, x_title=x_title, y_title="Share of utterances in each bin (%)"
    )
    total = max(1, int(bins["n"].sum()))
    is_low = bins["bin_start"] < (mark - width / 1e3 if mark is not None else float("-inf"))
    for part, colour in ((bins[is_low], look.muted), (bins[~is_low], look.accent)):
        chart.add_bar(
            x=part["bin_start"] + width / 2,
            y=100 * part["n"] / total,
            width=width * 0.94,
            marker={"color": colour, "line": {"width": 0}},
            customdata=part[["bin_start", "n"]],
            hovertemplate="from %{customdata[0]:.2f}: %{customdata[1]:,} utterances (%{y:.1f} %)"
            "<extra></extra>",
            showlegend=False,
        )
    return chart


def error_rate_dots(rows: pd.DataFrame, *, published: float, look: Look) -> Chart:
    """Word error rates as dots with intervals, in the order of the rows, the first on top.

    rows: label, rate, low, high, n, kind ("all" stands out). NaN limits draw no interval.
    """
    chart = figure(look, height_px=max(190, 84 + 28 * len(rows)), x_title="Word error rate")
    for is_whole, colour in ((True, look.accent), (False, look.faint_ink)):
        part = rows[(rows["kind"] == "all") == is_whole]
        chart.add_scatter(
            x=part["rate"],
            y=part["label"],
            mode="markers",
            marker={"size": 9, "color": colour},
            cliponaxis=False,
            error_x=error_bars(part, colour, of="rate"),
            customdata=part[["n"]],
            hovertemplate="%{y}: %{x:.3f} (%{customdata[0]:,} words)<extra></extra>",
            showlegend=False,
        )
    mark_value(chart, look, published, f"published {published}", place="top right", dash="dash")
    chart.update_yaxes(
        type="category", categoryorder="array", categoryarray=rows["label"][::-1].tolist()
    )
    chart.update_xaxes(rangemode="tozero")
    return chart
