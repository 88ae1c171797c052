"""Shares of highly aligned utterances as dots with intervals: by child, group, age, setting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts.error_bars import chance_tick, error_bars
from dashboard.charts.look import Chart, Look, figure, line_at, mark_value

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReferenceLine:
    """A published value to show beside one's own."""

    share: float
    text: str


def shares_by_child(
    rows: pd.DataFrame, *, overall: float, reference: ReferenceLine | None, look: Look
) -> Chart:
    """One line per child, the largest share on top; a click on a dot selects the child.

    rows: child_id, label, share, low, high, chance, n. NaN limits draw no interval, NaN chance
    no tick.
    """
    rows = rows.sort_values(["share", "child_id"], na_position="first")
    chart = figure(
        look,
        height_px=max(190, 78 + 27 * len(rows)),
        x_title="Share of highly aligned utterances (%)",
    )
    hover = _hover(rows)
    if rows["chance"].notna().any():
        chart.add_scatter(
            x=100 * rows["chance"],
            y=rows["label"],
            mode="markers",
            marker=chance_tick(look, 13),
            name="Expected by chance",
            hovertemplate="expected by chance: %{x:.1f} %<extra></extra>",
        )
    chart.add_scatter(
        x=100 * rows["share"],
        y=rows["label"],
        mode="markers",
        marker={"size": 9, "color": look.accent},
        cliponaxis=False,
        error_x=error_bars(rows, look.accent, of="share", scale=100),
        name="Observed, 95 % interval",
        customdata=rows[["child_id"]],
        hovertext=hover,
        hovertemplate="%{hovertext}<extra></extra>",
    )
    line_at(chart, 100 * overall, color=look.faint_ink, width=1)
    if reference is not None:
        x = 100 * reference.share
        mark_value(chart, look, x, reference.text, place="bottom right", dash="dash")
    chart.update_yaxes(showgrid=True, type="category")
    chart.update_xaxes(rangemode="tozero")
    return chart


def shares_by_age(
    rows: pd.DataFrame,
    together: pd.DataFrame,
    *,
    colours: dict[str, str],
    marked: str | None,
    look: Look,
) -> Chart:
    """One dot per row, joined by child. rows: child_id, name, months, share, n. together: all
    children by age: months, n, n_children, share, low, high, chance.

    More children than there are colours are all drawn grey, but for the marked one.
    """
    is_crowded = rows["child_id"].nunique() > len(look.categories)
    largest = max(1.0, float(rows["n"].max())) if len(rows) else 1.0
    chart = figure(
        look,
        height_px=330,
        x_title="Age (months)",
        y_title="Share of highly aligned utterances (%)",
    )
    dots = _dots(rows)
    if is_crowded:
        is_marked = dots.child == marked
        parts = [("Children", look.muted, ~is_marked), (marked, look.accent, is_marked)]
    else:
        parts = [
            (str(child), colours[str(child)], dots.child == child)
            for child in dict.fromkeys(dots.child)
        ]
    for name, colour, is_part in parts:
        if not is_part.any():
            continue
        drawn = _with_gaps(dots, np.flatnonzero(is_part))
        chart.add_scatter(
            x=drawn.months.astype(np.float32),
            y=(100 * drawn.share).astype(np.float32),
            mode="lines+markers",
            line={"color": colour, "width": 1 if is_crowded else 1.4},
            marker={
                "color": colour,
                "size": (4 + 7 * np.sqrt(np.nan_to_num(drawn.n) / largest)).astype(np.float32),
                "line": {"width": 0},
            },
            name=str(name),
            hovertext=[
                None if child is None else f"{child}, {what}<br>{n:,.0f} utterances"
                for child, what, n in zip(drawn.child, drawn.name, drawn.n.tolist(), strict=True)
            ],
            hovertemplate="%{hovertext}<br>%{x:.1f} months: %{y:.1f} %<extra></extra>",
        )
    _all_children(chart, together, look)
    chart.update_layout(showlegend=not is_crowded)
    chart.update_yaxes(rangemode="tozero")
    return chart


def _all_children(chart: Chart, rows: pd.DataFrame, look: Look) -> None:
    """The share of all children by age with its interval, and chance."""
    if len(rows) < 2:
        return
    if rows["chance"].notna().any():
        chart.add_scatter(
            x=rows["months"],
            y=100 * rows["chance"],
            mode="lines",
            line={"color": look.ink, "width": 1.2, "dash": "dash"},
            name="Expected by chance",
            hovertemplate="expected by chance: %{y:.1f} %<extra></extra>",
        )
    known = rows.fillna({"low": rows["share"], "high": rows["share"]})
    chart.add_scatter(
        x=rows["months"],
        y=100 * rows["share"],
        mode="lines+markers",
        line={"color": look.ink, "width": 2},
        marker={"color": look.ink, "size": 7, "symbol": "square"},
        error_y=error_bars(known, look.ink, of="share", scale=100),
        name="All children, 95 % interval",
        hovertext=[
            f"{n_children} children, {n:,} utterances<br>{_interval_text(low, high)}"
            for n_children, n, low, high in zip(
                rows["n_children"], rows["n"], rows["low"], rows["high"], strict=True
            )
        ],
        hovertemplate="all, %{x:.1f} months: %{y:.1f} %<br>%{hovertext}<extra></extra>",
    )


def _interval_text(low: float, high: float) -> str:
    return (
        "no interval" if np.isnan(low) else f"95 % interval {100 * low:.1f} to {100 * high:.1f} %"
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Dots:
    """Shares by age, each (n,), by child and age; `child` and `name` hold text, or None for the
    empty place at which a line breaks."""

    child: NDArray[np.object_]
    name: NDArray[np.object_]
    months: Floats
    share: Floats
    n: Floats


def _dots(rows: pd.DataFrame) -> _Dots:
    child = rows["child_id"].to_numpy(object)
    months = rows["months"].to_numpy(np.float64)
    order = np.lexsort((months, pd.factorize(child, sort=True)[0]))
    return _Dots(
        child[order],
        rows["name"].to_numpy(object)[order],
        months[order],
        rows["share"].to_numpy(np.float64)[order],
        rows["n"].to_numpy(np.float64)[order],
    )


def _with_gaps(dots: _Dots, places: NDArray[np.int64]) -> _Dots:
    """The dots at `places`, with an empty one between two children."""
    child = dots.child[places]
    ends = np.flatnonzero(child[1:] != child[:-1]) + 1
    place = np.insert(places, ends, -1)
    is_gap = place < 0

    def broken(values: Floats) -> Floats:
        return np.where(is_gap, np.nan, values[place])

    names = dots.child[place]
    names[is_gap] = None
    return _Dots(
        names,
        dots.name[place],
        broken(dots.months),
        broken(dots.share),
        broken(dots.n),
    )


def shares_before_after(rows: pd.DataFrame, *, names: tuple[str, str], look: Look) -> Chart:
    """Share under A and under B per child, joined. rows: child_id, label, share_a, share_b,
    low_a, high_a, low_b, high_b, n."""
    rows = rows.sort_values(["share_a", "child_id"])
    chart = figure(
        look,
        height_px=max(200, 84 + 30 * len(rows)),
        x_title="Share of highly aligned utterances (%)",
    )
    labels = rows["label"].tolist()
    shares = 100 * rows[["share_a", "share_b"]].to_numpy(np.float64)
    chart.add_scatter(
        x=np.column_stack([shares, np.full(len(rows), np.nan)]).ravel(),
        y=[part for label in labels for part in (label, label, None)],
        mode="lines",
        line={"color": look.grid, "width": 5},
        showlegend=False,
        hoverinfo="skip",
    )
    for side, name, colour, symbol in (
        ("a", names[0], look.muted, "circle-open"),
        ("b", names[1], look.accent, "circle"),
    ):
        part = pd.DataFrame(
            {
                "label": labels,
                "n": rows["n"].to_numpy(),
                **{
                    column: rows[f"{column}_{side}"].to_numpy()
                    for column in ("share", "low", "high")
                },
            }
        )
        chart.add_scatter(
            x=100 * part["share"],
            y=labels,
            mode="markers",
            marker={
                "size": 9,
                "color": colour,
                "symbol": symbol,
                "line": {"width": 2, "color": colour},
            },
            cliponaxis=False,
            error_x=error_bars(part, colour, of="share", scale=100),
            name=name,
            customdata=rows[["child_id"]],
            hovertext=_hover(part),
            hovertemplate="%{hovertext}<extra></extra>",
        )
    chart.update_yaxes(type="category")
    chart.update_xaxes(rangemode="tozero")
    return chart


def _hover(rows: pd.DataFrame) -> list[str]:
    texts = []
    for label, share, low, high, n in zip(
        rows["label"], rows["share"], rows["low"], rows["high"], rows["n"], strict=True
    ):
        interval = _interval_text(low, high)
        texts.append(f"{label}<br>{100 * share:.1f} % of {int(n):,} utterances<br>{interval}")
    return texts
