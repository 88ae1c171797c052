"""One row per child: the distribution of scores on the left, shares with intervals on the right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts.distribution import faded
from dashboard.charts.error_bars import chance_tick, error_bars
from dashboard.charts.look import Chart, Look, figure, wrapped
from dashboard.charts.ridges import add_ridges

_SPREAD = 0.56


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
    n, of these children. shares: child_id, share, low, high, n_scored, and grp where
    there is a split. A click on a dot selects the child.
    """
    chart = figure(
        look, height_px=max(240, 110 + 64 * len(children)), x_title=wrapped(axis_title, 20)
    )
    places = {str(child): place for place, child in enumerate(children["child_id"].tolist())}
    chance = children["chance"].to_numpy(np.float64)
    add_ridges(chart, bins, places, width=width, threshold=threshold, look=look)
    _add_chance(chart, chance, look)
    _add_shares(chart, shares, places, groups)
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
            "ticktext": children["label"].tolist(),
            "range": [-0.42, len(children) + 0.15],
            "tickfont": {"color": look.ink},
            "ticklabelstandoff": 8,
        },
        showlegend=len(groups) > 1 or not np.isnan(chance).all(),
    )
    return chart


def _add_chance(chart: Chart, chance: NDArray[np.float64], look: Look) -> None:
    """A tick at the chance level (n_children,) of each child where it is known."""
    known = np.flatnonzero(~np.isnan(chance))
    if not len(known):
        return
    chart.add_scatter(
        x=(100 * chance[known]).astype(np.float32),
        y=(known + 0.2).tolist(),
        xaxis="x2",
        mode="markers",
        marker=chance_tick(look, 20),
        name="Expected by chance, all speech",
        hovertemplate="expected by chance: %{x:.1f} %<extra></extra>",
    )


def _add_shares(
    chart: Chart, shares: pd.DataFrame, places: Mapping[str, int], groups: tuple[Group, ...]
) -> None:
    # Plain arrays: five groups of a frame take longer to choose than to draw.
    columns = {name: shares[name].to_numpy(np.float64) for name in ("share", "low", "high")}
    child, n = shares["child_id"].tolist(), shares["n_scored"].tolist()
    place = np.array([places[str(name)] for name in child], np.float64)
    code = shares["grp"].to_numpy(object) if "grp" in shares else None
    for number, group in enumerate(groups):
        mine = np.arange(len(child)) if code is None else np.flatnonzero(code == group.code)
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
            customdata=[[child[row], n[row]] for row in mine.tolist()],
            hovertext=[
                _limits(low, high)
                for low, high in zip(part["low"].tolist(), part["high"].tolist(), strict=True)
            ],
            hovertemplate=f"%{{customdata[0]}}, {group.name}<br>"
            "%{x:.1f} % of %{customdata[1]:,} utterances<br>%{hovertext}<extra></extra>",
        )


def _limits(low: float, high: float) -> str:
    # NaN is the only value unequal to itself.
    return "no interval" if low != low else f"95 %: {100 * low:.1f} to {100 * high:.1f} %"


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
