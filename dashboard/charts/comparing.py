"""Two settings of the same score: paired differences, lag profile, threshold sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from dashboard.charts.distribution import faded
from dashboard.charts.look import Chart, Look, band, figure, line_at, mark_value
from pipeline.published import PublishedShare
from pipeline.stats.bootstrap import Interval

_LAG_TITLE = "Frame before the start (-) or<br>after the end (+) of the utterance (s)"


def paired_differences(
    bins: pd.DataFrame, mean: Interval, *, width: float, unit: str, look: Look
) -> Chart:
    """How many utterances score how much higher or lower under B; the mean difference marked.

    bins: is_equal, bin_start, n. Exactly equal scores are a bar of their own, at zero.
    """
    chart = figure(
        look,
        height_px=300,
        x_title=f"Score under B minus score under A ({unit})",
        y_title="Share of utterances in each bin (%)",
    )
    total = max(1, int(bins["n"].sum()))
    is_lower = ~bins["is_equal"] & (bins["bin_start"] < 0)
    is_higher = ~bins["is_equal"] & (bins["bin_start"] >= 0)
    for name, rows, colour in (
        ("Lower under B", bins[is_lower], look.muted),
        ("Higher under B", bins[is_higher], look.accent),
    ):
        share = int(rows["n"].sum()) / total
        chart.add_bar(
            x=rows["bin_start"] + width / 2,
            y=100 * rows["n"] / total,
            width=width * 0.94,
            name=f"{name} ({100 * share:.0f} %)",
            marker={"color": colour, "line": {"width": 0}},
            customdata=np.stack([rows["bin_start"], rows["bin_start"] + width, rows["n"]], axis=1),
            hovertemplate="%{customdata[0]:.4f} to %{customdata[1]:.4f}<br>"
            "%{customdata[2]:,} utterances (%{y:.1f} %)<extra></extra>",
        )
    equal = int(bins.loc[bins["is_equal"], "n"].sum())
    # Room above the bars for the note.
    drawn = bins.loc[~bins["is_equal"], "n"]
    if len(drawn):
        chart.update_yaxes(range=[0, 116 * int(drawn.max()) / total])
    line_at(chart, 0, color=look.ink, width=1)
    if mean.is_known:
        band(chart, look.accent_fill, x=(mean.low, mean.high))
        line_at(chart, mean.estimate, color=look.accent, width=2)
    if equal:
        chart.add_annotation(
            x=0,
            y=1,
            yref="y domain",
            text=f"equal: {100 * equal / total:.0f} %",
            showarrow=False,
            xanchor="left",
            yanchor="top",
            xshift=4,
            font={"size": 12, "color": look.ink},
        )
    return chart


def lag_profile(profiles: Mapping[str, pd.DataFrame], *, look: Look) -> Chart:
    """Mean cosine by lag for one or two crops, each with its chance level dashed.

    profiles: name -> lag_s, cosine, baseline (NaN when unknown), n_at_lag, low, high (of the
    mean; NaN draws no band).
    """
    chart = figure(
        look,
        height_px=340,
        x_title=_LAG_TITLE,
        y_title="Mean cosine of words and frames",
    )
    for (name, rows), colour in zip(
        profiles.items(), (look.accent, look.categories[1]), strict=False
    ):
        _area(chart, rows, "lag_s", colour, f"{name}, 95 % band")
        chart.add_scatter(
            x=rows["lag_s"],
            y=rows["cosine"],
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2},
            marker={"size": 6},
            customdata=rows[["n_at_lag", "lag_s"]],
            hovertemplate=f"{name}, %{{customdata[1]:+d}} s: %{{y:.4f}}<br>"
            "%{customdata[0]:,} frames<extra></extra>",
        )
        if rows["baseline"].notna().any():
            chart.add_scatter(
                x=rows["lag_s"],
                y=rows["baseline"],
                mode="lines",
                name=f"{name}, by chance",
                line={"color": colour, "width": 1.2, "dash": "dash"},
                hovertemplate="by chance: %{y:.4f}<extra></extra>",
            )
    band(chart, look.muted_fill, x=(-0.5, 0.5))
    chart.update_xaxes(dtick=2)
    return chart


def lag_difference(rows: pd.DataFrame, *, names: tuple[str, str], look: Look) -> Chart:
    """The second of two crops minus the first by lag, with its band; zero is marked.

    rows: lag_s, difference, low, high, n_at_lag.
    """
    chart = figure(
        look,
        height_px=240,
        x_title=_LAG_TITLE,
        y_title="Difference (cosine)",
    )
    _area(chart, rows, "lag_s", look.accent, "95 % band")
    chart.add_scatter(
        x=rows["lag_s"],
        y=rows["difference"],
        mode="lines+markers",
        name=f"{names[1]} minus {names[0].lower()}",
        line={"color": look.accent, "width": 2},
        marker={"size": 6},
        customdata=rows[["n_at_lag", "lag_s"]],
        hovertemplate="%{customdata[1]:+d} s: %{y:+.4f}<br>%{customdata[0]:,} utterances"
        "<extra></extra>",
    )
    chart.add_shape(
        type="line", x0=0, x1=1, xref="x domain", y0=0, y1=0, line={"color": look.ink, "width": 1}
    )
    band(chart, look.muted_fill, x=(-0.5, 0.5))
    chart.update_xaxes(dtick=2)
    return chart


def _area(
    chart: Chart, rows: pd.DataFrame, x: str, colour: str, name: str, scale: float = 1.0
) -> None:
    """A band between low and high; nothing where they are unknown."""
    known = rows.dropna(subset=["low", "high"])
    if not len(known):
        return
    chart.add_scatter(
        x=[*known[x], *known[x][::-1]],
        y=[*(scale * known["high"]), *(scale * known["low"][::-1])],
        mode="none",
        fill="toself",
        fillcolor=faded(colour, 0.22),
        name=name,
        hoverinfo="skip",
    )


def threshold_sweep(
    sweeps: Mapping[str, pd.DataFrame],
    bands: Mapping[str, pd.DataFrame],
    *,
    threshold: float,
    anchors: Sequence[PublishedShare] = (),
    axis_title: str,
    look: Look,
) -> Chart:
    """Share at or above every threshold, for one or two settings, with chance dashed.

    sweeps: name -> threshold, share, chance (NaN when unknown). bands: name -> threshold, low,
    high. anchors are drawn as crosses.
    """
    chart = figure(
        look,
        height_px=320,
        x_title=f"Threshold ({axis_title})",
        y_title="Share of utterances at or above it (%)",
    )
    for (name, rows), colour in zip(sweeps.items(), (look.muted, look.accent), strict=False):
        if name in bands:
            _area(chart, bands[name], "threshold", colour, f"{name}, 95 % band", 100)
        chart.add_scatter(
            x=rows["threshold"],
            y=100 * rows["share"],
            mode="lines",
            name=name,
            line={"color": colour, "width": 2},
            hovertemplate=f"{name}<br>from %{{x:.3f}}: %{{y:.1f}} %<extra></extra>",
        )
        if rows["chance"].notna().any():
            chart.add_scatter(
                x=rows["threshold"],
                y=100 * rows["chance"],
                mode="lines",
                name=f"{name}, by chance",
                line={"color": colour, "width": 1.2, "dash": "dash"},
                hovertemplate="by chance from %{x:.3f}: %{y:.1f} %<extra></extra>",
            )
    if anchors:
        chart.add_scatter(
            x=[anchor.threshold for anchor in anchors],
            y=[100 * anchor.share for anchor in anchors],
            mode="markers",
            marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": look.ink}},
            name="Published",
            hovertext=[anchor.text for anchor in anchors],
            hovertemplate="%{hovertext}<br>from %{x:.2f}: %{y:.1f} %<extra></extra>",
        )
    mark_value(chart, look, threshold, f"threshold {threshold:g}")
    chart.update_yaxes(rangemode="tozero")
    return chart
