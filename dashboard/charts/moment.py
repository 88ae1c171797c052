"""One moment: its cosine by lag, and its place among the child's other moments."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from dashboard.charts.look import Chart, Look, band, figure, line_at


@dataclass(frozen=True, slots=True)
class ChanceBand:
    """The matched null of the moment's maximum: mean and SD, in cosine."""

    mean: float
    sd: float


def lag_curve(
    frames: pd.DataFrame,
    crop: str,
    *,
    duration_ms: int,
    window_s: tuple[int, int],
    best_time_ms: int | None,
    chance: ChanceBand | None,
    look: Look,
) -> Chart:
    """Cosine of the words with each frame, by seconds from the start of the utterance.

    frames: time_ms, lag_ms, seconds (from the onset) and one column of cosines per crop. The
    utterance is shaded, its window outlined, the band is the null mean plus and minus one SD.
    A point's customdata is its time_ms.
    """
    chart = figure(look, height_px=280, x_title="Time from utterance onset (s)", y_title="Cosine")
    rows = frames[frames[crop].notna()]
    ends_s = duration_ms / 1000
    band(chart, look.accent_fill, x=(0, ends_s))
    before_s, after_s = window_s
    if before_s or after_s:
        for edge in (-before_s, ends_s + after_s):
            line_at(chart, edge, color=look.accent, width=1, dash="dot")
    if chance is not None and len(rows):
        low_s, high_s = float(rows["seconds"].min()), float(rows["seconds"].max())
        band(chart, look.muted_fill, y=(chance.mean - chance.sd, chance.mean + chance.sd))
        chart.add_scatter(
            x=[low_s, high_s],
            y=[chance.mean, chance.mean],
            mode="lines",
            line={"color": look.muted, "width": 1.5, "dash": "dash"},
            name="Chance ± 1 SD",
            hoverinfo="skip",
        )
    before_s, after_s = window_s
    is_counted = rows["lag_ms"].between(-1_000 * before_s, 1_000 * after_s)
    is_best = rows["time_ms"] == best_time_ms
    chart.add_scatter(
        x=rows["seconds"],
        y=rows[crop],
        mode="lines",
        line={"color": look.muted, "width": 1.2},
        hoverinfo="skip",
        showlegend=False,
    )
    for name, part, size, colour in (
        ("Other", rows[~is_counted], 7, look.muted),
        ("Counted", rows[is_counted & ~is_best], 9, look.accent),
        ("Best", rows[is_counted & is_best], 14, look.accent),
    ):
        chart.add_scatter(
            x=part["seconds"],
            y=part[crop],
            mode="markers",
            marker={
                "size": size,
                "color": colour,
                "symbol": "star" if name == "Best" else "circle",
                "line": {"color": look.paper, "width": 1},
            },
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
            name=name,
            showlegend=name != "Other",
            # Text, because Plotly packs numbers so that a click returns them in another shape.
            customdata=[[str(time_ms)] for time_ms in part["time_ms"]],
            hovertemplate="%{x:+.1f} s: cosine %{y:.3f}<extra></extra>",
        )
    return chart


def place_width(n: int, low: float, high: float) -> float:
    """Width of a bin, a round number, so that n scores from low to high fill 8 to 40 bins."""
    wanted = (high - low) / min(40, max(8, 2 * math.sqrt(n)))
    if wanted <= 0:
        return 0.01
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= wanted * 0.999)


def place_among(
    bins: pd.DataFrame,
    *,
    width: float,
    score: float | None,
    threshold: float,
    axis_title: str,
    look: Look,
) -> Chart:
    """The child's scores in bins (bin_start, n) with this moment marked."""
    chart = figure(look, height_px=280, x_title=axis_title, y_title="Utterances")
    here = (
        bins["bin_start"].le(score + 1e-9) & bins["bin_start"].gt(score - width + 1e-9)
        if score is not None
        else bins["bin_start"].isna()
    )
    for part, colour in ((bins[~here], look.accent_fill), (bins[here], look.accent)):
        chart.add_bar(
            x=part["bin_start"] + width / 2,
            y=part["n"],
            width=width * 0.96,
            marker={"color": colour, "line": {"width": 0}},
            customdata=(part["bin_start"] + width).to_numpy().reshape(-1, 1),
            hovertemplate="up to %{customdata[0]:.3f}: %{y:,} utterances<extra></extra>",
            showlegend=False,
        )
    line_at(chart, threshold, color=look.ink, width=1, dash="dot")
    if score is not None:
        line_at(chart, score, color=look.accent, width=2.5)
    return chart
