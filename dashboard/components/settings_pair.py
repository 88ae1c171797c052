"""Two settings of the score, A and B, chosen by toggles.

A is the setting of the sidebar. B is kept in the address bar (b_crop, b_window, b_stat), so that
a comparison has a link.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from dashboard import labels
from dashboard.components.filter_state import change_field
from dashboard.components.view import View
from dashboard.filters import STATISTICS
from dashboard.queries.selection import Measure
from pipeline.schema import WINDOWS

_B_STATE = "setting_b"


@dataclass(frozen=True, slots=True)
class _Toggle:
    """One property of a setting: its field, its URL parameter for B, its values and words."""

    field: str
    param: str
    label: str
    values: tuple[str, ...]
    words: Callable[[str], str]


def settings_pair(view: View) -> tuple[Measure, Measure]:
    """Draw the toggles; return the measures A and B."""
    toggles = (
        _Toggle("crop", "b_crop", "Crop", view.store.options.crops, labels.CROPS.__getitem__),
        _Toggle("window", "b_window", "Window", tuple(WINDOWS), labels.WINDOWS.__getitem__),
        _Toggle("statistic", "b_stat", "Statistic", STATISTICS, labels.STATISTICS.__getitem__),
    )
    b = _setting_b(view, toggles)
    left, right = st.columns(2, gap="large")
    with left.container(border=True):
        st.markdown("**A**, the setting of the sidebar")
        _row("a", toggles, {t.field: str(getattr(view.measure, t.field)) for t in toggles})
    with right.container(border=True):
        st.markdown("**B**, what it is compared with")
        _row("b", toggles, b)
    return view.measure, view.measure.under(
        crop=b["crop"], window=b["window"], statistic=b["statistic"]
    )


def _setting_b(view: View, toggles: tuple[_Toggle, ...]) -> dict[str, str]:
    """B from the address bar, else as it was, else the widest other choice of the store."""
    crops = view.store.options.crops
    start = {"crop": view.measure.crop, "window": "1s", "statistic": "max"}
    if len(crops) > 1:
        start = {**start, "crop": next(c for c in (*crops[1:], *crops) if c != view.measure.crop)}
        start["window"] = view.measure.window
    saved: dict[str, str] = st.session_state.get(_B_STATE, start)
    for toggle in toggles:
        asked = st.query_params.get(toggle.param)
        if asked in toggle.values:
            saved = {**saved, toggle.field: asked}
        elif saved[toggle.field] not in toggle.values:
            saved = {**saved, toggle.field: toggle.values[0]}
    st.session_state[_B_STATE] = saved
    for toggle in toggles:
        st.query_params[toggle.param] = saved[toggle.field]
    return saved


def _row(side: str, toggles: tuple[_Toggle, ...], chosen: dict[str, str]) -> None:
    row = st.container(horizontal=True)
    for toggle in toggles:
        key = f"{side}_{toggle.field}"
        st.session_state[key] = chosen[toggle.field]
        row.segmented_control(
            toggle.label,
            toggle.values,
            key=key,
            format_func=toggle.words,
            required=True,
            on_change=_take,
            args=(side, toggle.field, toggle.param),
        )


def _take(side: str, field: str, param: str) -> None:
    value = str(st.session_state[f"{side}_{field}"])
    if side == "a":
        change_field(field, value)
    else:
        st.session_state[_B_STATE] = {**st.session_state[_B_STATE], field: value}
        st.query_params[param] = value
