"""A chart as what the browser's Plotly is sent: plain dictionaries.

Plotly's own Figure looks at every property as it is set, which takes 5 to 15 ms for a chart and
most of the time of a page; here the same names set the same properties without a look. The tests
let Plotly look at every chart instead (`tests/dashboard/test_chart.py`).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Properties = dict[str, object]

_PACKED = {"f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4"}
"""Numbers that Plotly unpacks from bytes."""

_PLAIN = {str, int, bool, type(None)}


class Chart:
    """Traces and layout, with the methods and properties of plotly.graph_objects.Figure."""

    def __init__(self, layout: Mapping[str, object]) -> None:
        self.data: list[Properties] = []
        self.layout: Properties = {"xaxis": {}, "yaxis": {}, **layout}

    def add_scatter(self, **properties: object) -> None:
        self._add("scatter", properties)

    def add_scattergl(self, **properties: object) -> None:
        self._add("scattergl", properties)

    def add_bar(self, **properties: object) -> None:
        self._add("bar", properties)

    def add_heatmap(self, **properties: object) -> None:
        self._add("heatmap", properties)

    def add_shape(self, **properties: object) -> None:
        self._listed("shapes").append(properties)

    def add_annotation(self, **properties: object) -> None:
        self._listed("annotations").append(properties)

    def update_layout(self, **properties: object) -> None:
        """Set properties of the layout; what is within a dictionary is added to what is there."""
        _merge(self.layout, properties)

    def update_xaxes(self, **properties: object) -> None:
        self._update_axes("xaxis", properties)

    def update_yaxes(self, **properties: object) -> None:
        self._update_axes("yaxis", properties)

    def axis_title(self, name: str) -> str:
        """Title of "xaxis", "yaxis2" ... in one line, "" without one."""
        axis = self.layout.get(name)
        title = axis.get("title") if isinstance(axis, Mapping) else None
        text = title.get("text") if isinstance(title, Mapping) else None
        return str(text or "").replace("<br>", " ")

    def to_dict(self) -> Properties:
        """What is sent: arrays of numbers as bytes, others as lists."""
        return {
            "data": [_sendable(trace) for trace in self.data],
            "layout": _sendable(self.layout),
        }

    def _add(self, kind: str, properties: Properties) -> None:
        self.data.append({"type": kind, **properties})

    def _listed(self, name: str) -> list[object]:
        found = self.layout.setdefault(name, [])
        assert isinstance(found, list)
        return found

    def _update_axes(self, kind: str, properties: Properties) -> None:
        for name, axis in self.layout.items():
            if name.startswith(kind) and isinstance(axis, dict):
                _merge(axis, properties)


def _merge(into: Properties, properties: Mapping[str, object]) -> None:
    for name, value in properties.items():
        there = into.get(name)
        if isinstance(there, dict) and isinstance(value, Mapping):
            _merge(there, value)
        else:
            into[name] = dict(value) if isinstance(value, Mapping) else value


def _sendable(value: object) -> object:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, list | tuple):
        return _sendable_list(value)
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, Mapping):
        return {str(key): _sendable(item) for key, item in value.items()}
    if isinstance(value, pd.Series | pd.DataFrame | pd.Index):
        return _array(value.to_numpy())
    if isinstance(value, np.generic):
        value = value.item()
    # NaN is the only value unequal to itself; JSON has no word for it.
    return None if isinstance(value, float) and value != value else value


def _sendable_list(items: Sequence[object]) -> list[object]:
    return [item if type(item) in _PLAIN else _sendable(item) for item in items]


def _array(values: NDArray[np.generic]) -> object:
    if values.dtype == np.int64 and (not values.size or np.abs(values).max() < 2**31):
        values = values.astype(np.int32)
    kind = values.dtype.str[1:]
    if kind not in _PACKED or not values.size:
        return _sendable_list(values.tolist())
    packed: Properties = {"dtype": kind, "bdata": base64.b64encode(values.tobytes()).decode()}
    if values.ndim > 1:
        packed["shape"] = ", ".join(str(size) for size in values.shape)
    return packed
