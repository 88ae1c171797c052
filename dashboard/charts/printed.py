"""From a chart on the screen to one on paper, and to the table behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts.look import LIGHT, Chart, Look

_SERIES = "Series"


def print_colours(look: Look) -> dict[str, str]:
    """Colours of `look` -> those of the light page, each as "red,green,blue"; empty for the light
    page itself."""
    if look == LIGHT:
        return {}
    pairs: dict[str, str] = {}
    for field in fields(Look):
        old, new = getattr(look, field.name), getattr(LIGHT, field.name)
        if field.name == "name":
            continue
        olds = old if isinstance(old, tuple) else (old,)
        news = new if isinstance(new, tuple) else (new,)
        for a, b in zip(olds, news, strict=True):
            pairs.setdefault(_triple(a), _triple(b))
    return pairs


def drawn_values(chart: Chart) -> pd.DataFrame:
    """What a chart draws, as a table: one row per point, with its series, its axes' titles as
    columns, and the ends of its error bars. Pure decoration (no hover text) is left out.
    """
    parts = [part for trace in chart.data for part in _trace_rows(chart, trace)]
    if not parts:
        return pd.DataFrame()
    table = pd.concat(parts, ignore_index=True)
    if table[_SERIES].eq("").all():
        table = table.drop(columns=_SERIES)
    return table


def _trace_rows(chart: Chart, trace: Mapping[str, object]) -> Iterator[pd.DataFrame]:
    if trace.get("hoverinfo") == "skip" and not trace.get("name"):
        return
    x_title = _axis_title(chart, "xaxis", str(trace.get("xaxis", "x")), "x")
    y_title = _axis_title(chart, "yaxis", str(trace.get("yaxis", "y")), "y")
    x, y, z = (_values(trace.get(name)) for name in ("x", "y", "z"))
    if z.ndim == 2 and z.size:
        columns = {
            y_title: np.repeat(y if y.size else np.arange(z.shape[0]), z.shape[1]),
            x_title: np.tile(x if x.size else np.arange(z.shape[1]), z.shape[0]),
            _bar_title(trace): z.ravel(),
        }
        yield pd.DataFrame(columns).dropna().assign(**{_SERIES: str(trace.get("name") or "")})
        return
    if not x.size or len(x) != len(y):
        return
    table = pd.DataFrame({_SERIES: str(trace.get("name") or ""), x_title: x, y_title: y})
    for axis, title, values in (("x", x_title, x), ("y", y_title, y)):
        error = trace.get(f"error_{axis}")
        if isinstance(error, Mapping) and error.get("array") is not None:
            above = _values(error["array"])
            below = _values(error.get("arrayminus", error["array"]))
            if len(above) == len(below) == len(table):
                table[f"{title}: lower limit"] = values - below
                table[f"{title}: upper limit"] = values + above
    yield table


def _axis_title(chart: Chart, kind: str, short: str, fallback: str) -> str:
    """Title of the axis that a trace calls `short` ("x2"), which the layout calls "xaxis2"."""
    return chart.axis_title(f"{kind}{short[1:]}") or fallback


def _bar_title(trace: Mapping[str, object]) -> str:
    bar = trace.get("colorbar")
    title = bar.get("title") if isinstance(bar, Mapping) else None
    text = title.get("text") if isinstance(title, Mapping) else title
    return str(text or "value")


def _values(column: object) -> NDArray[np.object_]:
    return np.asarray([] if column is None else column, dtype=np.object_)


def _triple(colour: str) -> str:
    """'#rrggbb' or 'rgba(r, g, b, a)' as 'r,g,b'."""
    if colour.startswith("#"):
        return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return ",".join(part.strip() for part in colour[colour.index("(") + 1 :].split(",")[:3])
