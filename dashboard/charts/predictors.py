"""What models say: effects with intervals, predictions over the data, and how well they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.charts.distribution import faded
from dashboard.charts.error_bars import error_bars
from dashboard.charts.look import Chart, Look, band, figure, level_at, line_at, wrapped

_MOST_GROUPS = 40
_LABEL_CHARS = 34
_TITLE_CHARS = 24
_ASIDE = 0.07


@dataclass(frozen=True, slots=True)
class Reference:
    """A published estimate with its interval, in the unit of the chart."""

    name: str
    estimate: float
    lower: float
    upper: float


def effects(rows: pd.DataFrame, *, x_title: str, reference: Reference | None, look: Look) -> Chart:
    """Estimates with 95 % intervals, the first on top; series side by side in one line.

    rows: label, series, estimate, lower, upper, text (for the hover). The published estimate has
    a line of its own, below, and a pale band over the others.
    """
    labels = list(dict.fromkeys(rows["label"]))
    series = list(dict.fromkeys(rows["series"]))
    n_lines = len(labels) + (reference is not None)
    height = 84 + 40 * n_lines + 12 * len(labels) * (len(series) - 1)
    chart = figure(look, height_px=max(170, height), x_title=wrapped(x_title, _TITLE_CHARS))
    places = {label: n_lines - 1 - i for i, label in enumerate(labels)}
    for i, name in enumerate(series):
        part = rows[rows["series"] == name]
        shift = 0.0 if len(series) == 1 else 0.56 * (0.5 - i / (len(series) - 1))
        colour = look.accent if len(series) == 1 else look.categories[i % len(look.categories)]
        chart.add_scatter(
            x=part["estimate"],
            y=[places[label] + shift for label in part["label"]],
            mode="markers",
            marker={"size": 9, "color": colour},
            error_x=error_bars(part, colour, of="estimate", low="lower", high="upper"),
            cliponaxis=False,
            name=name or "This study",
            hovertext=part["text"],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    if reference is not None:
        band(chart, look.muted_fill, x=(reference.lower, reference.upper))
        published = pd.DataFrame([_numbers(reference)])
        chart.add_scatter(
            x=published["estimate"],
            y=[0],
            mode="markers",
            marker={
                "size": 10,
                "symbol": "diamond-open",
                "color": look.ink,
                "line": {"width": 2, "color": look.ink},
            },
            error_x=error_bars(published, look.ink, of="estimate", low="lower", high="upper"),
            name=reference.name,
            hovertemplate=f"{reference.name}: %{{x:.3g}}<extra></extra>",
        )
    line_at(chart, 0, color=look.ink, width=1)
    ticks = [
        *(wrapped(label, _LABEL_CHARS) for label in labels),
        *([reference.name] if reference else []),
    ]
    chart.update_yaxes(
        tickmode="array",
        tickvals=list(range(n_lines - 1, -1, -1)),
        ticktext=ticks,
        range=[-0.6, n_lines - 0.4],
        tickfont={"color": look.ink},
        showgrid=False,
        ticklabelstandoff=8,
    )
    chart.update_xaxes(exponentformat="none")
    chart.update_layout(showlegend=len(series) > 1)
    return chart


def _numbers(reference: Reference) -> dict[str, float]:
    """The numbers of a published estimate by the names of `effects`' columns."""
    return {
        "estimate": reference.estimate,
        "lower": reference.lower,
        "upper": reference.upper,
    }


def predictions(
    predicted: pd.DataFrame,
    observed: pd.DataFrame,
    groups: pd.DataFrame,
    *,
    is_number: bool,
    x_title: str,
    y_title: str,
    colours: dict[str, str],
    look: Look,
) -> Chart:
    """What the model predicts, with its 95 % interval, over what was observed.

    predicted: x, by, estimate, lower, upper. observed: x, by, mean, n. groups: x, group, mean, n
    (lines of single children over categories). `colours` of the values of `by`; "" is the accent.
    """
    chart = figure(look, height_px=350, x_title=x_title, y_title=y_title)
    if not is_number:
        levels = list(dict.fromkeys(predicted["x"].astype(str)))
        places = {level: place for place, level in enumerate(levels)}
        _group_lines(chart, groups, places, look)
        # Side by side, or predictions would hide what was observed.
        predicted = predicted.assign(x=predicted["x"].astype(str).map(places) + _ASIDE)
        observed = observed.assign(x=observed["x"].astype(str).map(places) - _ASIDE)
        chart.update_xaxes(
            tickmode="array",
            tickvals=list(places.values()),
            ticktext=[wrapped(level, _LABEL_CHARS) for level in levels],
            range=[-0.5, len(levels) - 0.5],
            showgrid=False,
        )
    chart.update_yaxes(exponentformat="none")
    largest = max(1.0, float(observed["n"].max())) if len(observed) else 1.0
    for side in dict.fromkeys(predicted["by"]):
        colour = colours.get(str(side), look.accent)
        line = predicted[predicted["by"] == side]
        dots = observed[observed["by"] == side]
        name = f"{side}, predicted" if side else "Predicted"
        if is_number:
            _ribbon(chart, line, colour, name)
        else:
            _levels(chart, line, colour, name)
        chart.add_scatter(
            x=dots["x"],
            y=dots["mean"],
            mode="markers",
            marker={
                "color": faded(colour, 0.5) if is_number else look.ink,
                "size": (5 + 6 * np.sqrt(dots["n"] / largest)).to_numpy(dtype=np.float64)
                if is_number
                else 9,
                "symbol": "circle" if is_number else "circle-open",
                "line": {"width": 1 if is_number else 2},
            },
            name=f"{side}, observed" if side else "Observed",
            customdata=dots[["n"]],
            hovertemplate="observed mean of %{customdata[0]:,} rows: %{y:.3g}<extra></extra>",
        )
    return chart


def _ribbon(chart: Chart, line: pd.DataFrame, colour: str, name: str) -> None:
    x = line["x"].to_numpy(dtype=np.float64)
    chart.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([line["upper"].to_numpy(), line["lower"].to_numpy()[::-1]]),
        mode="none",
        fill="toself",
        fillcolor=faded(colour, 0.2),
        hoverinfo="skip",
        showlegend=False,
    )
    chart.add_scatter(
        x=x,
        y=line["estimate"],
        mode="lines",
        line={"color": colour, "width": 2.2},
        name=name,
        customdata=line[["lower", "upper"]],
        hovertemplate=f"{name}: %{{y:.3g}}<br>95 %: %{{customdata[0]:.3g}} to "
        "%{customdata[1]:.3g}<extra></extra>",
    )


def _levels(chart: Chart, line: pd.DataFrame, colour: str, name: str) -> None:
    chart.add_scatter(
        x=line["x"],
        y=line["estimate"],
        mode="markers",
        marker={"size": 11, "color": colour},
        error_y=error_bars(line, colour, of="estimate", low="lower", high="upper"),
        name=f"{name}, 95 % interval",
        hovertemplate=f"{name}: %{{y:.3g}}<extra></extra>",
    )


def _group_lines(chart: Chart, groups: pd.DataFrame, places: dict[str, int], look: Look) -> None:
    """Each child's own means, joined in the order of the levels; not of more than 40 children."""
    names = list(dict.fromkeys(groups["group"])) if len(groups) else []
    if not names or len(names) > _MOST_GROUPS:
        return
    x: list[int | None] = []
    y: list[float | None] = []
    texts: list[str | None] = []
    for name in names:
        own = groups[groups["group"] == name]
        means = dict(zip(own["x"].astype(str), own["mean"], strict=True))
        for level, place in places.items():
            if level in means:
                x.append(place)
                y.append(float(means[level]))
                texts.append(f"{name}, {level}: {means[level]:.3g}")
        x.append(None)
        y.append(None)
        texts.append(None)
    chart.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line={"color": look.muted_fill, "width": 1.4},
        marker={"size": 5, "color": look.muted},
        name="Each child",
        hovertext=texts,
        hovertemplate="%{hovertext}<extra></extra>",
    )


def residuals_by_fitted(rows: pd.DataFrame, *, x_title: str, y_title: str, look: Look) -> Chart:
    """Mean residual of rows of similar fitted value. rows: fitted, residual, low, high, n."""
    chart = figure(look, height_px=270, x_title=x_title, y_title=y_title)
    level_at(chart, 0, color=look.ink, width=1)
    chart.update_xaxes(exponentformat="none")
    chart.update_yaxes(exponentformat="none")
    part = rows.rename(columns={"residual": "estimate", "low": "lower", "high": "upper"})
    chart.add_scatter(
        x=part["fitted"],
        y=part["estimate"],
        mode="markers",
        marker={"size": 7, "color": look.accent},
        error_y=error_bars(part, look.accent, of="estimate", low="lower", high="upper"),
        name="Mean residual, 95 % interval",
        customdata=part[["n"]],
        hovertemplate="fitted %{x:.3g}: %{y:.3g}<br>%{customdata[0]:,} rows<extra></extra>",
        showlegend=False,
    )
    return chart


def against_normal(rows: pd.DataFrame, *, y_title: str, names: Sequence[str], look: Look) -> Chart:
    """Quantiles against those of the normal; on the line they agree. rows: expected, observed."""
    chart = figure(look, height_px=270, x_title="Expected if normal (SD)", y_title=y_title)
    ends = [float(rows["expected"].min()), float(rows["expected"].max())]
    chart.add_scatter(
        x=ends,
        y=ends,
        mode="lines",
        line={"color": look.muted, "width": 1.2, "dash": "dash"},
        showlegend=False,
        hoverinfo="skip",
    )
    chart.add_scatter(
        x=rows["expected"],
        y=rows["observed"],
        mode="markers",
        marker={"size": 5, "color": look.accent},
        hovertext=list(names) if names else None,
        hovertemplate=("%{hovertext}: " if names else "") + "%{y:.2f} SD, expected %{x:.2f}"
        "<extra></extra>",
        name="Observed",
        showlegend=False,
    )
    return chart
