"""The start of every page: the open store, the filters, and what they make of a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import streamlit as st

from dashboard import data
from dashboard.components.chips import chip_row
from dashboard.components.figure import current_look
from dashboard.components.filter_sidebar import filter_sidebar
from dashboard.components.filter_state import current_filters
from dashboard.components.theme_watch import theme_watch
from dashboard.data import StoreHandle
from dashboard.filters import Filters
from dashboard.queries.selection import Measure, resolve_measure

# Margins that suit a wide window would leave a small one no room. Streamlit writes chosen values
# and main buttons in white on the accent, which cannot be read on the light accent of the dark
# theme.
_STYLE = """<style>@media (max-width: 1200px) {{
[data-testid="stMainBlockContainer"] {{padding-left: 1.75rem; padding-right: 1.75rem;}}
}}
[data-testid="stMultiSelect"] [data-tag], [data-testid="stMultiSelect"] [data-tag] *,
[data-testid^="stBaseButton-primary"], [data-testid^="stBaseButton-primary"] * {{
color: {on_accent};
}}</style>"""


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows: one store through one set of filters."""

    store: StoreHandle
    filters: Filters
    measure: Measure


def open_view(title: str) -> View:
    """Draw the title, the sidebar and the chips; return what the page is to show."""
    view = bare_view()
    page_style()
    _offer_newer_store(view.store)
    st.title(title, anchor=False)
    if view.store.thresholds_problem:
        st.warning(
            f"Thresholds that people gave cannot be read: {view.store.thresholds_problem} The "
            "models' own are used."
        )
    filter_sidebar(view.filters, view.measure, view.store.options)
    chip_row(view.filters)
    with st.sidebar:
        theme_watch()
    return view


def page_style() -> None:
    """What every page's look needs beyond the theme."""
    st.html(_STYLE.format(on_accent=current_look().paper))


def bare_view() -> View:
    """What the page is to show, with nothing drawn."""
    store = data.current_store()
    filters = current_filters(store.options)
    return View(store, filters, resolve_measure(filters, store.options.models))


def stop_when_empty(n_utterances: int) -> None:
    """End the page kindly when no utterance is left."""
    if not n_utterances:
        stop_empty()


def stop_empty() -> NoReturn:
    """End the page kindly: no utterance is left."""
    st.info(
        "No utterance matches these filters. Take one off above, or widen it in the sidebar.",
        icon=":material/filter_alt_off:",
    )
    st.stop()


def _offer_newer_store(store: StoreHandle) -> None:
    newer = data.newer_store(store)
    if newer is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("A newer build of this study's store is available.")
        st.button("Switch to it", key="switch_store", on_click=data.switch_store, args=(newer,))
