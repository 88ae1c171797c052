"""Charts of sound: recall, distributions of z, shares by group, what there was to hear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dashboard.charts.error_bars import chance_tick, error_bars
from dashboard.charts.look import Chart, Look, category_colours, figure, level_at, mark_value
from dashboard.labels import QUADRANTS

SHARE_NAMES: dict[str, str] = {
    "seen": "Seen",
    "heard": "Heard",
    "seen_and_heard": "Seen and heard",
}
"""Shares of utterances that are drawn by group -> their names."""

_LARGEST_DOT_PX = 17.0


def quadrant_colours(look: Look) -> dict[str, str]:
    """One colour for each quadrant, on every chart of sound."""
    return {
        "seen_and_heard": look.categories[3],
        "seen_only": look.categories[0],
        "heard_only": look.categories[1],
        "neither": look.muted,
    }


def recall_dots(rows: pd.DataFrame, systems: Sequence[str], *, look: Look) -> Chart:
    """Recall of each query with its interval, one dot for each system; ticks: chance.

    rows: label (of the query), system (its title), recall, low, high, chance, n. The first label
    stands on top; `systems` says which colour a system has.
    """
    labels = list(dict.fromkeys(rows["label"]))
    drawn = [name for name in systems if name in set(rows["system"])]
    colours = category_colours(systems, look)
    chart = figure(
        look,
        height_px=110 + len(labels) * max(34, 15 * len(drawn) + 14),
        x_title="Recall at 10 (% of queries whose own clip is among the ten best)",
    )
    places = {label: len(labels) - 1 - place for place, label in enumerate(labels)}
    step = min(0.16, 0.7 / max(1, len(drawn)))
    for number, name in enumerate(drawn):
        part = rows[rows["system"] == name]
        shift = ((len(drawn) - 1) / 2 - number) * step
        y = part["label"].map(places).to_numpy(np.float64) + shift
        chart.add_scatter(
            x=100 * part["chance"],
            y=y,
            mode="markers",
            marker=chance_tick(look, 12),
            name="By guessing",
            legendgroup="chance",
            showlegend=number == 0,
            hovertemplate="by guessing: %{x:.1f} %<extra></extra>",
        )
        chart.add_scatter(
            x=100 * part["recall"],
            y=y,
            mode="markers",
            marker={"size": 9, "color": colours[name]},
            error_x=error_bars(part, colours[name], of="recall", scale=100),
            name=name,
            cliponaxis=False,
            hovertext=[
                f"{name}<br>{label}: {100 * recall:.0f} % ({100 * low:.0f} to {100 * high:.0f} %)"
                f"<br>n = {n:,} clips"
                for label, recall, low, high, n in zip(
                    *(part[c] for c in ("label", "recall", "low", "high", "n")), strict=True
                )
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    chart.update_yaxes(
        tickvals=list(places.values()),
        ticktext=list(places),
        range=[-0.6, len(labels) - 0.4],
        showgrid=False,
    )
    chart.update_xaxes(rangemode="tozero")
    return chart


def z_distribution(
    bins: pd.DataFrame, *, width: float, threshold: float, name: str, look: Look
) -> Chart:
    """Observed z as bars, what chance would give as a line, the threshold marked.

    bins: bin_start, n, share, expected (shares 0-1, NaN when unknown).
    """
    chart = figure(look, height_px=260, x_title=f"{name} (z)", y_title="Utterances in each bin (%)")
    is_drawn = (bins["n"] > 0) | (bins["expected"] > 0.0005)
    rows = bins[is_drawn.cummax() & is_drawn[::-1].cummax()[::-1]]
    is_sure = rows["bin_start"] > threshold - width * 1e-3
    for title, part, colour in (
        (f"Below {threshold:g}", rows[~is_sure], look.accent_fill),
        (f"{threshold:g} or more", rows[is_sure], look.accent),
    ):
        chart.add_bar(
            x=part["bin_start"] + width / 2,
            y=100 * part["share"],
            width=width * 0.96,
            name=title,
            marker={"color": colour, "line": {"width": 0}},
            showlegend=False,
            customdata=part["n"].to_numpy(np.int32),
            hovertemplate="z about %{x:.2f}<br>%{customdata:,} utterances (%{y:.1f} %)"
            "<extra></extra>",
        )
    if rows["expected"].notna().any():
        chart.add_scatter(
            x=rows["bin_start"] + width / 2,
            y=100 * rows["expected"],
            mode="lines",
            line={"color": look.ink, "width": 1.5, "shape": "spline"},
            name="By chance",
            hovertemplate="by chance: %{y:.1f} %<extra></extra>",
        )
    mark_value(chart, look, threshold, "", dash="dot")
    chart.update_yaxes(rangemode="tozero")
    return chart


def shares_of_groups(rows: pd.DataFrame, *, axis: str, look: Look) -> Chart:
    """Share of utterances seen, heard and both, for each group, with intervals; ticks: chance.

    rows: label, code, kind (of SHARE_NAMES), share, low, high, expected, n. A click selects code
    and kind.
    """
    labels = list(dict.fromkeys(rows["label"]))[::-1]
    places = {label: place for place, label in enumerate(labels)}
    chart = figure(look, height_px=max(200, 96 + 46 * len(labels)), x_title=axis)
    palette = quadrant_colours(look)
    colours = {
        "seen": palette["seen_only"],
        "heard": palette["heard_only"],
        "seen_and_heard": palette["seen_and_heard"],
    }
    for number, (kind, name) in enumerate(SHARE_NAMES.items()):
        part = rows[rows["kind"] == kind]
        y = part["label"].map(places).to_numpy(np.float64) + (1 - number) * 0.22
        chart.add_scatter(
            x=100 * part["expected"],
            y=y,
            mode="markers",
            marker=chance_tick(look, 10),
            name="By chance",
            legendgroup="chance",
            showlegend=number == 0,
            hovertemplate=f"{name} by chance: %{{x:.1f}} %<extra></extra>",
        )
        chart.add_scatter(
            x=100 * part["share"],
            y=y,
            mode="markers",
            marker={"size": 9, "color": colours[kind]},
            error_x=error_bars(part, colours[kind], of="share", scale=100),
            name=name,
            cliponaxis=False,
            customdata=[[str(code), kind] for code in part["code"]],
            hovertext=[
                f"{label}: {name.lower()} {100 * share:.1f} %<br>n = {n:,} utterances"
                for label, share, n in zip(part["label"], part["share"], part["n"], strict=True)
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    chart.update_yaxes(
        tickvals=list(places.values()),
        ticktext=labels,
        range=[-0.6, len(labels) - 0.4],
        showgrid=False,
    )
    chart.update_xaxes(rangemode="tozero")
    return chart


def seen_by_heard(squares: pd.DataFrame, *, width: float, threshold: float, look: Look) -> Chart:
    """One dot for each square of see-say z by hear-say z: its area grows with the utterances in
    it, its colour is its quadrant. A click selects the quadrant.

    squares: see, hear (lower edges), quadrant, n.
    """
    chart = figure(look, height_px=470, x_title="See–say (z)", y_title="Hear–say (z)")
    top = max(1, int(squares["n"].max())) if len(squares) else 1
    colours = quadrant_colours(look)
    for name, words in QUADRANTS.items():
        part = squares[squares["quadrant"] == name]
        chart.add_scatter(
            x=(part["see"] + width / 2).to_numpy(np.float32),
            y=(part["hear"] + width / 2).to_numpy(np.float32),
            mode="markers",
            marker={
                "size": np.maximum(2.5, _LARGEST_DOT_PX * np.sqrt(part["n"] / top)).to_numpy(
                    np.float32
                ),
                "color": colours[name],
                "line": {"width": 0},
            },
            name=f"{words} ({int(part['n'].sum()):,})",
            customdata=[[name, n] for n in part["n"].tolist()],
            hovertemplate=f"{words}<br>%{{customdata[1]:,}} utterances<extra></extra>",
        )
    mark_value(chart, look, threshold, "", dash="dot")
    level_at(chart, threshold, color=look.ink, width=1, dash="dot")
    chart.update_layout(legend={"itemsizing": "constant"})
    return chart


def speech_around(rows: pd.DataFrame, *, look: Look) -> Chart:
    """How much of the ten seconds is speech, for utterances with scores and without.

    rows: bin_start (0-0.9), n_scored, n_missing.
    """
    chart = figure(
        look,
        height_px=260,
        x_title="Share of the ten seconds that is speech (%)",
        y_title="Utterances",
    )
    for column, name, colour in (
        ("n_scored", "With scores", look.accent),
        ("n_missing", "Without", look.muted),
    ):
        chart.add_bar(
            x=100 * rows["bin_start"] + 5,
            y=rows[column],
            width=9.4,
            name=name,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate=f"{name}: %{{y:,}} utterances<extra></extra>",
        )
    chart.update_layout(barmode="stack")
    chart.update_xaxes(range=[0, 100], dtick=20)
    return chart


def level_around(rows: pd.DataFrame, *, look: Look) -> Chart:
    """How loud the ten seconds are. rows: bin_start (dBFS, 5 wide), n."""
    chart = figure(
        look,
        height_px=260,
        x_title="Level of the ten seconds (dBFS)",
        y_title="Utterances",
    )
    chart.add_bar(
        x=rows["bin_start"] + 2.5,
        y=rows["n"],
        width=4.7,
        marker={"color": look.accent, "line": {"width": 0}},
        hovertemplate="%{x:.0f} dB: %{y:,} utterances<extra></extra>",
        showlegend=False,
    )
    return chart
