"""One row per child: the distribution of scores on the left, shares with intervals on the right."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts.distribution import faded, outline
from dashboard.charts.error_bars import chance_tick, error_bars
from dashboard.charts.look import Chart, Look, figure, wrapped

Floats = NDArray[np.float64]

_RIDGE_HEIGHT = 0.8
_SPREAD = 0.56
_GAP = np.array([math.nan])


@dataclass(frozen=True, slots=True)
class Group:
    """One value of a split: its code in the frames, its name and colour on screen."""

    code: str
    name: str
    colour: str


def children_rows(
    children: pd.DataFrame,
    bins: pd.DataFrame,
    shares: pd.DataFrame,
    *,
    groups: tuple[Group, ...],
    width: float,
    threshold: float,
    axis_title: str,
    look: Look,
) -> Chart:
    """A ridge for each child and, beside it, its share for each group of the split.

    children: child_id, label, chance, in the order from bottom to top. bins: child_id, bin_start,
    n. shares: child_id, grp, share, low, high, n. A click on a dot selects child and group.
    """
    chart = figure(
        look, height_px=max(240, 110 + 64 * len(children)), x_title=wrapped(axis_title, 20)
    )
    places = {str(child): place for place, child in enumerate(children["child_id"])}
    _ridges(chart, bins, places, width=width, threshold=threshold, look=look)
    _chance_ticks(chart, children, places, look)
    _share_dots(chart, shares, places, groups)
    chart.update_layout(
        xaxis={"domain": [0, 0.56], "zeroline": False},
        xaxis2={
            **_axis_like(look),
            "domain": [0.6, 1],
            "anchor": "y",
            "title": {
                "text": "Share highly<br>aligned (%)",
                "font": {"size": 13, "color": look.faint_ink},
                "standoff": 10,
            },
            "rangemode": "tozero",
        },
        yaxis={
            "tickmode": "array",
            "tickvals": list(places.values()),
            "ticktext": list(children["label"]),
            "range": [-0.42, len(children) + 0.15],
            "tickfont": {"color": look.ink},
            "ticklabelstandoff": 8,
        },
        showlegend=len(groups) > 1 or bool(children["chance"].notna().any()),
    )
    return chart


class _Path:
    """Several lines in one trace, with a gap after each."""

    def __init__(self) -> None:
        self._x: list[Floats] = []
        self._y: list[Floats] = []

    def add(self, x: Floats, y: Floats) -> None:
        self._x += [x, _GAP]
        self._y += [y, _GAP]

    @property
    def x(self) -> NDArray[np.float32]:
        return np.concatenate([*self._x, _GAP[:0]]).astype(np.float32)

    @property
    def y(self) -> NDArray[np.float32]:
        return np.concatenate([*self._y, _GAP[:0]]).astype(np.float32)


def _ridges(
    chart: Chart,
    bins: pd.DataFrame,
    places: dict[str, int],
    *,
    width: float,
    threshold: float,
    look: Look,
) -> None:
    codes, names = pd.factorize(bins["child_id"])
    starts, n = bins["bin_start"].to_numpy(np.float64), bins["n"].to_numpy(np.float64)
    shares = n / np.maximum(1, np.bincount(codes, n, len(names)))[codes]
    scale = _RIDGE_HEIGHT / max(1e-9, float(shares.max(initial=0)))
    base, line = _Path(), _Path()
    percents: list[Floats] = []
    for code, child in enumerate(names):
        place = places.get(str(child))
        if place is None:
            continue
        mine = codes == code
        x, heights = outline(starts[mine], shares[mine], width)
        y, ends = place + scale * heights, np.full(2, float(place))
        base.add(x[[0, -1]], ends)
        line.add(x, y)
        percents += [100 * heights, _GAP]
    # All children in two traces: a trace for each child would take seconds with many.
    chart.add_scatter(
        x=base.x,
        y=base.y,
        mode="lines",
        line={"color": look.grid, "width": 1},
        showlegend=False,
        hoverinfo="skip",
    )
    chart.add_scatter(
        x=line.x,
        y=line.y,
        mode="lines",
        line={"color": look.accent, "width": 1.3},
        # A ridge begins and ends at its base, so that the line closes the area.
        fill="toself",
        fillcolor=look.accent_fill,
        hoveron="points",
        showlegend=False,
        # Numbers rather than words: of fifty children these would be a third of what is sent.
        hovertext=np.concatenate([*percents, _GAP[:0]]).astype(np.float32),
        hovertemplate="%{hovertext:.1f} % of utterances at %{x:.3f}<extra></extra>",
    )
    chart.add_shape(
        type="line",
        x0=threshold,
        x1=threshold,
        y0=0,
        y1=1,
        yref="y domain",
        line={"color": look.ink, "width": 1, "dash": "dot"},
    )
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


def _chance_ticks(chart: Chart, children: pd.DataFrame, places: dict[str, int], look: Look) -> None:
    chance, child = children["chance"].to_numpy(np.float64), children["child_id"].tolist()
    known = np.flatnonzero(~np.isnan(chance))
    if not len(known):
        return
    chart.add_scatter(
        x=100 * chance[known],
        y=[places[str(child[row])] + 0.2 for row in known],
        xaxis="x2",
        mode="markers",
        marker=chance_tick(look, 20),
        name="Expected by chance, all speech",
        hovertemplate="expected by chance: %{x:.1f} %<extra></extra>",
    )


def _share_dots(
    chart: Chart, shares: pd.DataFrame, places: dict[str, int], groups: tuple[Group, ...]
) -> None:
    # Plain arrays: five groups of a frame take longer to choose than to draw.
    child, code = shares["child_id"].to_numpy(object), shares["grp"].to_numpy(object)
    columns = {name: shares[name].to_numpy(np.float64) for name in ("share", "low", "high", "n")}
    place = np.array([places.get(str(name), -1) for name in child], np.float64)
    for number, group in enumerate(groups):
        mine = np.flatnonzero((code == group.code) & (place >= 0))
        if not len(mine):
            continue
        part = {name: values[mine] for name, values in columns.items()}
        shift = 0.2 if len(groups) == 1 else _SPREAD * (0.5 - number / (len(groups) - 1)) + 0.2
        chart.add_scatter(
            x=(100 * part["share"]).astype(np.float32),
            y=(place[mine] + shift).astype(np.float32),
            xaxis="x2",
            mode="markers",
            marker={"size": 9 if len(groups) == 1 else 7, "color": group.colour},
            cliponaxis=False,
            error_x=error_bars(part, faded(group.colour, 0.75), of="share", scale=100),
            name=group.name,
            customdata=[[str(name), group.code] for name in child[mine]],
            hovertext=[
                _words(low, high, int(n))
                for low, high, n in zip(
                    *(part[name].tolist() for name in ("low", "high", "n")), strict=True
                )
            ],
            hovertemplate=f"%{{customdata[0]}}, {group.name}<br>%{{x:.1f}} % of %{{hovertext}}"
            "<extra></extra>",
        )


def _words(low: float, high: float, n: int) -> str:
    # NaN is the only value unequal to itself.
    interval = "no interval" if low != low else f"95 %: {100 * low:.1f} to {100 * high:.1f} %"
    return f"{n:,} utterances<br>{interval}"


def _axis_like(look: Look) -> dict[str, object]:
    """The template applies to the first axes only; the second x axis repeats it."""
    return {
        "gridcolor": look.grid,
        "linecolor": look.grid,
        "showline": True,
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": look.grid,
        "ticklen": 4,
        "tickfont": {"size": 12, "color": look.faint_ink},
    }
