"""The figures of the report: numbers in, SVG out. Colours mean what they mean on the dashboard."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.look import LIGHT
from pipeline.published import PublishedShare
from pipeline.report.numbers import floats
from pipeline.report.svg import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 60
"""Children that are drawn one by one."""
_PER_ROW = 6
_SHARE_AXIS = "Share of highly aligned utterances (%)"
_CHANCE = "Expected by chance (matched null)"


def distribution(
    bins: pd.DataFrame, expected: pd.DataFrame, *, width: float, threshold: float, axis_title: str
) -> str:
    """Scores of all utterances against chance. bins: bin_start, n; expected: bin_start, share."""

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        starts, n = floats(bins, "bin_start"), floats(bins, "n")
        share = 100 * n / max(1.0, n.sum())
        is_high = starts >= threshold - width * 1e-3
        for name, chosen, strength in (
            ("Below the threshold", ~is_high, 0.25),
            ("Highly aligned", is_high, 1.0),
        ):
            axes.bar(
                starts[chosen] + width / 2,
                share[chosen],
                width * 0.94,
                color=LIGHT.accent,
                alpha=strength,
                label=name,
            )
        if len(expected):
            middles = floats(expected, "bin_start") + width / 2
            axes.plot(
                middles, 100 * floats(expected, "share"), color=LIGHT.ink, lw=1.3, label=_CHANCE
            )
        _mark(axes, threshold, f"threshold {threshold:g}")
        axes.set_xlabel(axis_title)
        axes.set_ylabel("Utterances in each bin (%)")
        axes.grid(axis="y")
        _legend_above(axes)

    return drawn(draw, height_in=3.0)


def child_distributions(
    bins: pd.DataFrame, expected: pd.DataFrame, *, width: float, threshold: float, axis_title: str
) -> str:
    """A small panel for each child: scores against chance.

    bins: child_id, bin_start, share; expected: the same columns, perhaps without rows.
    """
    children = list(dict.fromkeys(bins["child_id"]))
    n_rows = math.ceil(len(children) / _PER_ROW)
    highest = 100 * max(bins["share"].max(), expected["share"].max() if len(expected) else 0.0)
    by_child = dict(tuple(bins.groupby("child_id")))
    chance = dict(tuple(expected.groupby("child_id"))) if len(expected) else {}

    def draw(figure: Figure) -> None:
        grid = figure.subplots(
            n_rows, min(_PER_ROW, len(children)), sharex=True, sharey=True, squeeze=False
        )
        panels = grid.ravel()
        for axes in panels[len(children) :]:
            axes.set_axis_off()
        for place, (axes, child) in enumerate(zip(panels, children, strict=False)):
            rows = by_child[child].sort_values("bin_start")
            edges, heights = _outline(floats(rows, "bin_start"), floats(rows, "share"), width)
            axes.stairs(100 * heights, edges, fill=True, color=LIGHT.accent, alpha=0.35, lw=0)
            if child in chance:
                line = chance[child]
                axes.plot(
                    floats(line, "bin_start") + width / 2,
                    100 * floats(line, "share"),
                    color=LIGHT.ink,
                    lw=1.0,
                )
            axes.axvline(threshold, color=LIGHT.ink, lw=0.7, ls=":")
            axes.set_title(_short(str(child)), fontsize=8, pad=2)
            axes.set_ylim(0, 1.05 * highest)
            # The lowest panel of each column says what is along it.
            axes.tick_params(labelsize=7, labelbottom=place + _PER_ROW >= len(children))
        figure.supxlabel(axis_title, fontsize=9, color=LIGHT.faint_ink)
        figure.supylabel("Utterances (%)", fontsize=9, color=LIGHT.faint_ink)

    return drawn(draw, height_in=0.55 + 1.0 * n_rows)


def shares(
    rows: pd.DataFrame,
    *,
    overall: float,
    published: PublishedShare | None = None,
    overall_name: str = "all children",
) -> str:
    """Dots with intervals, the largest on top. rows: label, share, low, high, chance."""
    height = 0.9 + 0.19 * len(rows)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        places = np.arange(len(rows))
        _ticks(axes, 100 * floats(rows, "chance"), places)
        _dots(axes, rows, places, scale=100)
        axes.axvline(100 * overall, color=LIGHT.faint_ink, lw=0.8, label=overall_name)
        if published is not None:
            name = f"{published.text}: {100 * published.share:.1f} %"
            axes.axvline(100 * published.share, color=LIGHT.ink, lw=0.9, ls="--", label=name)
        axes.set_yticks(places, [_short(str(label), 28) for label in rows["label"]])
        axes.set_ylim(-0.7, len(rows) - 0.3)
        axes.set_xlim(left=0)
        axes.set_xlabel(_SHARE_AXIS)
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        _legend_above(axes, n_columns=4)

    return drawn(draw, height_in=height)


def sweep(
    rows: pd.DataFrame,
    *,
    threshold: float,
    published: Sequence[PublishedShare],
    axis_title: str,
) -> str:
    """Share at or above every threshold. rows: threshold, share, chance (NaN when unknown)."""

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        at = floats(rows, "threshold")
        axes.plot(at, 100 * floats(rows, "share"), color=LIGHT.accent, lw=1.6, label="Observed")
        if rows["chance"].notna().any():
            chance = 100 * floats(rows, "chance")
            axes.plot(at, chance, color=LIGHT.ink, lw=1.1, ls="--", label=_CHANCE)
        if published:
            axes.plot(
                [anchor.threshold for anchor in published],
                [100 * anchor.share for anchor in published],
                ls="none",
                marker="x",
                ms=6,
                mew=1.4,
                color=LIGHT.categories[1],
                label="Published",
            )
        _mark(axes, threshold, f"threshold {threshold:g}")
        axes.set_xlabel(f"Threshold ({axis_title})")
        axes.set_ylabel("Utterances at or above it (%)")
        axes.set_ylim(0, 108)
        axes.grid(axis="y")
        _legend_above(axes)

    return drawn(draw, height_in=2.9)


def settings(rows: pd.DataFrame) -> str:
    """Shares of every crop and window at the left, their paired changes at the right.

    rows: label, is_reference, share, low, high, chance, change, change_low, change_high.
    """

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.15, 1.0))
        places = np.arange(len(rows))[::-1]
        _ticks(left, 100 * floats(rows, "chance"), places)
        _dots(left, rows, places, scale=100)
        left.set_yticks(places, list(rows["label"]))
        left.set_xlim(left=0)
        left.set_xlabel(_SHARE_AXIS)
        changes = rows.rename(columns={"share": "_", "low": "__", "high": "___"}).rename(
            columns={"change": "share", "change_low": "low", "change_high": "high"}
        )
        _dots(right, changes, places, scale=100)
        right.axvline(0, color=LIGHT.ink, lw=0.8)
        right.set_xlabel("Change against the report's setting (points)")
        for axes in (left, right):
            axes.set_ylim(-0.7, len(rows) - 0.3)
            axes.grid(axis="x")
            axes.tick_params(axis="y", length=0)
            axes.spines["left"].set_visible(False)
        _legend_above(left)

    return drawn(draw, height_in=0.95 + 0.21 * len(rows))


def ages(rows: pd.DataFrame) -> str:
    """Share by age, one dot per recording (or child and month), joined by child.

    rows: child_id, months, share, n.
    """
    children = list(dict.fromkeys(rows["child_id"]))
    is_crowded = len(children) > len(LIGHT.categories)
    most = max(1.0, float(rows["n"].max()))

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for place, child in enumerate(children):
            part = rows[rows["child_id"] == child].sort_values("months")
            colour = LIGHT.muted if is_crowded else LIGHT.categories[place]
            months, share = floats(part, "months"), 100 * floats(part, "share")
            axes.plot(months, share, color=colour, lw=0.6 if is_crowded else 1.0, alpha=0.8)
            sizes = 4 + 26 * floats(part, "n") / most
            name = None if is_crowded else _short(str(child))
            axes.scatter(months, share, s=sizes, color=colour, lw=0, label=name)
        axes.set_xlabel("Age (months)")
        axes.set_ylabel(_SHARE_AXIS)
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        if not is_crowded:
            _legend_above(axes, n_columns=8)

    return drawn(draw, height_in=3.0)


def lag_profile(rows: pd.DataFrame, *, y_title: str, has_chance: bool, has_band: bool) -> str:
    """A mean by lag with its intervals, and its simultaneous band if that is wanted.

    rows: lag_s, value, low, high (the band), own_low, own_high.
    """

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        lags, value = floats(rows, "lag_s"), floats(rows, "value")
        axes.axvspan(-0.5, 0.5, color=LIGHT.muted, alpha=0.22, lw=0, label="During the utterance")
        if has_chance:
            axes.axhline(0, color=LIGHT.ink, lw=0.8)
        if has_band:
            axes.fill_between(
                lags,
                floats(rows, "low"),
                floats(rows, "high"),
                color=LIGHT.accent,
                alpha=0.22,
                lw=0,
                label="95 % band, all lags at once",
            )
        own_low, own_high = floats(rows, "own_low"), floats(rows, "own_high")
        axes.vlines(lags, own_low, own_high, color=LIGHT.accent, lw=1.0)
        name = "Mean, 95 % interval of each lag by itself"
        axes.plot(lags, value, color=LIGHT.accent, lw=1.4, marker="o", ms=3.2, label=name)
        axes.set_xticks(np.arange(-10, 11, 2))
        axes.set_xlabel("Frame before the start (−) or after the end (+) of the utterance (s)")
        axes.set_ylabel(y_title)
        axes.grid(axis="y")
        _legend_above(axes)

    return drawn(draw, height_in=3.0)


def effects(rows: pd.DataFrame) -> str:
    """Estimates of models, a panel for each unit.

    rows: key, label, axis, unit, estimate, low, high; the key "published" marks a published value,
    which is drawn where its unit is.
    """
    own = rows[rows["key"] != "published"]
    parts = [part.reset_index(drop=True) for _, part in own.groupby("axis", sort=False)]
    published = rows[rows["key"] == "published"]
    # What is published is a raw maximum or a share: it belongs to the first panel of its unit.
    units = [str(part["unit"][0]) for part in parts]
    unit = str(published["unit"].iloc[0]) if len(published) else ""
    is_drawn = [
        bool(unit) and unit in units and place == units.index(unit) for place in range(len(parts))
    ]
    sizes = [len(part) + extra for part, extra in zip(parts, is_drawn, strict=True)]

    def draw(figure: Figure) -> None:
        panels = figure.subplots(len(parts), 1, squeeze=False, height_ratios=sizes)[:, 0]
        for axes, part, has_published, size in zip(panels, parts, is_drawn, sizes, strict=True):
            places = np.arange(size - 1, size - 1 - len(part), -1)
            _intervals(axes, part, places, colour=LIGHT.accent, marker="o")
            names = list(part["label"])
            if has_published:
                _intervals(axes, published, np.array([0]), colour=LIGHT.categories[1], marker="x")
                names.append(str(published["label"].iloc[0]))
            axes.axvline(0, color=LIGHT.ink, lw=0.8)
            axes.set_yticks(np.arange(size)[::-1], [_short(name, 48) for name in names])
            axes.set_ylim(-0.6, size - 0.4)
            axes.set_xlabel(str(part["axis"][0]))
            axes.grid(axis="x")
            axes.tick_params(axis="y", length=0)
            axes.spines["left"].set_visible(False)

    return drawn(draw, height_in=0.1 + sum(0.55 + 0.2 * size for size in sizes))


def _intervals(
    axes: Axes, rows: pd.DataFrame, places: np.ndarray, *, colour: str, marker: str
) -> None:
    axes.hlines(places, floats(rows, "low"), floats(rows, "high"), color=colour, lw=1.4)
    estimates = floats(rows, "estimate")
    axes.plot(estimates, places, ls="none", marker=marker, ms=5, mew=1.4, color=colour)


def _dots(axes: Axes, rows: pd.DataFrame, places: np.ndarray, *, scale: float) -> None:
    """Estimates as dots, intervals as lines where there are any."""
    value, low, high = (scale * floats(rows, name) for name in ("share", "low", "high"))
    axes.hlines(places, low, high, color=LIGHT.accent, lw=1.4)
    axes.plot(
        value,
        places,
        ls="none",
        marker="o",
        ms=5,
        color=LIGHT.accent,
        label="Observed, 95 % interval",
    )


def _ticks(axes: Axes, values: np.ndarray, places: np.ndarray) -> None:
    """Chance levels as short upright lines."""
    if np.isfinite(values).any():
        axes.plot(
            values,
            places,
            ls="none",
            marker="|",
            ms=9,
            mew=1.8,
            color=LIGHT.muted,
            label="Expected by chance",
        )


def _mark(axes: Axes, x: float, name: str) -> None:
    axes.axvline(x, color=LIGHT.ink, lw=0.9, ls=":")
    axes.annotate(
        name,
        (x, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -2),
        textcoords="offset points",
        va="top",
        fontsize=8.5,
        color=LIGHT.ink,
    )


def _legend_above(axes: Axes, n_columns: int = 3) -> None:
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=n_columns,
            borderaxespad=0.2,
            columnspacing=1.2,
        )


def _outline(
    starts: np.ndarray, shares_: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray]:
    """Edges (n + 1,) and heights (n,) without holes."""
    places = np.rint((starts - starts.min()) / width).astype(int)
    heights = np.zeros(places.max() + 1)
    heights[places] = shares_
    return starts.min() + np.arange(len(heights) + 1) * width, heights


def _short(name: str, most: int = 14) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
