"""Charts of a whole probe: true against chance frames, carrier sentences, added words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts.distribution import faded
from dashboard.charts.look import Chart, Look, figure, level_at

Floats = NDArray[np.float64]

_HALF_WIDTH = 0.42
_POINTS = 80
_MOST_COLUMNS = 200


def true_and_chance(
    groups: Sequence[tuple[str, Floats, Floats]], *, y_title: str, look: Look
) -> Chart:
    """For each group a violin of two halves: own frames (left) and chance frames (right).

    groups: name, values at own frames (n,), values at chance frames (m,). Lines are means.
    """
    chart = figure(look, height_px=380, x_title="Child", y_title=y_title)
    for place, (name, own, chance) in enumerate(groups):
        for side, values, colour, label in (
            (-1, own, look.accent, "Own best frame"),
            (1, chance, look.muted, "Best chance frame"),
        ):
            _half(chart, place, side, values, colour, f"{label}, {name}", label, place == 0)
    chart.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(groups))),
        ticktext=[name for name, *_ in groups],
        range=[-0.6, len(groups) - 0.4],
        showgrid=False,
        tickfont={"color": look.ink},
    )
    return chart


def _half(
    chart: Chart,
    place: int,
    side: int,
    values: Floats,
    colour: str,
    name: str,
    label: str,
    is_named: bool,
) -> None:
    y, density = _density(values)
    reach = place + side * _HALF_WIDTH * density
    chart.add_scatter(
        x=np.concatenate([reach, np.full(len(y), place)]),
        y=np.concatenate([y, y[::-1]]),
        mode="lines",
        fill="toself",
        fillcolor=faded(colour, 0.3),
        line={"color": colour, "width": 1.2},
        name=label,
        legendgroup=label,
        showlegend=is_named,
        hoverinfo="skip",
    )
    mean = float(values.mean())
    chart.add_scatter(
        x=[place, place + side * _HALF_WIDTH * 0.9],
        y=[mean, mean],
        mode="lines",
        line={"color": colour, "width": 2.5},
        showlegend=False,
        hovertemplate=f"{name}: mean %{{y:.3f}}, n = {len(values):,}<extra></extra>",
    )


def _density(values: Floats) -> tuple[Floats, Floats]:
    """Places (m,) and the density there as a share of its peak: Gaussian kernel, Scott's rule."""
    sd = float(values.std())
    width = max(1.06 * sd * len(values) ** -0.2, 1e-4)
    y = np.linspace(values.min() - width, values.max() + width, _POINTS)
    step = (y[1] - y[0]) or 1.0
    # Counted in fine bins first, so that sixteen thousand values cost no more than eighty.
    counts, _ = np.histogram(values, bins=np.append(y - step / 2, y[-1] + step / 2))
    density = np.exp(-0.5 * ((y[:, None] - y[None, :]) / width) ** 2) @ counts
    return y, density / max(float(density.max()), 1e-12)


def carriers_by_frames(
    cosines: Floats, sentences: Sequence[str], wins: Floats, words: Sequence[str], *, look: Look
) -> Chart:
    """Cosines of carrier sentences with frames: rows are sentences, columns frames.

    cosines (n_frames, n_carriers); wins (n_carriers,): share of frames for which the sentence is
    best. Sentences from the highest mean on; frames likewise, at most 200 of them, evenly drawn.
    """
    chart = figure(look, height_px=430, x_title="Frames, each with its noun", y_title="")
    order = np.argsort(cosines.mean(axis=0), kind="stable")
    frames = np.argsort(-cosines.mean(axis=1), kind="stable")
    if len(frames) > _MOST_COLUMNS:
        frames = frames[np.linspace(0, len(frames) - 1, _MOST_COLUMNS).astype(np.int64)]
    names = [f"{sentences[i]}  ({100 * wins[i]:.0f} %)" for i in order.tolist()]
    shown = cosines[np.ix_(frames, order)].T
    chart.add_heatmap(
        z=shown,
        x=list(range(1, len(frames) + 1)),
        y=names,
        customdata=[[words[i] for i in frames.tolist()]] * len(names),
        colorscale=[[0, look.paper], [1, look.accent]],
        colorbar={
            "title": {"text": "Cosine", "font": {"size": 12}},
            "thickness": 12,
            "outlinewidth": 0,
            "tickfont": {"size": 12, "color": look.faint_ink},
        },
        hovertemplate="%{y}<br>noun: %{customdata}<br>cosine %{z:.3f}<extra></extra>",
    )
    chart.update_xaxes(showticklabels=False, ticks="", showgrid=False)
    chart.update_yaxes(tickfont={"color": look.ink}, showgrid=False, ticklabelstandoff=6)
    return chart


def added_words(points: pd.DataFrame, *, y_title: str, look: Look) -> Chart:
    """Mean score after each added word, at own frames and at chance frames (dashed).

    points: kind, k, n, on_frame, on_null.
    """
    chart = figure(look, height_px=380, x_title="Words added", y_title=y_title)
    level_at(chart, 0, color=look.ink, width=1)
    colours = (look.accent, look.categories[1], look.muted)
    for kind, colour in zip(dict.fromkeys(points["kind"]), colours, strict=False):
        part = points[points["kind"] == kind]
        chart.add_scatter(
            x=part["k"],
            y=part["on_frame"],
            mode="lines+markers+text",
            line={"color": colour, "width": 2.4},
            marker={"size": 8},
            text=[f"n {n:,}" if k else "" for k, n in zip(part["k"], part["n"], strict=True)],
            textposition="top center",
            textfont={"size": 12, "color": look.faint_ink},
            cliponaxis=False,
            name=f"{kind}, own frame",
            customdata=part[["n"]],
            hovertemplate=f"{kind}, %{{x}} added: %{{y:+.2f}}<br>own frame, "
            "%{customdata[0]:,} utterances<extra></extra>",
        )
        chart.add_scatter(
            x=part["k"],
            y=part["on_null"],
            mode="lines+markers",
            line={"color": colour, "width": 1.4, "dash": "dot"},
            marker={"size": 6, "symbol": "circle-open"},
            name=f"{kind}, chance frames",
            hovertemplate=f"{kind}, %{{x}} added: %{{y:+.2f}}<br>chance frames<extra></extra>",
        )
    chart.update_xaxes(dtick=1)
    return chart
