"""The filters of this session, kept in step with the address bar.

The address bar wins when it says something else than the session, so that a link, and the
browser's back button, restore a view. A plain change of page empties the address bar; then the
session fills it again.
"""

from __future__ import annotations

import streamlit as st

from dashboard.filters import (
    URL_KEYS,
    Filters,
    from_params,
    restricted_to,
    to_params,
    with_value,
)
from dashboard.navigation import FILTERS_STATE
from dashboard.queries.options import StoreOptions

_CHANGED_STATE = "filters_changed"


def current_filters(options: StoreOptions) -> Filters:
    """The filters of this run, without values the open store does not have."""
    saved: Filters | None = st.session_state.get(FILTERS_STATE)
    asked = from_params({key: st.query_params.get_all(key) for key in URL_KEYS.values()})
    just_changed = st.session_state.pop(_CHANGED_STATE, False)
    if saved is None or (asked != Filters() and not just_changed):
        saved = asked
    filters = restricted_to(saved, options.known())
    _keep(filters)
    return filters


def saved_filters() -> Filters:
    """The filters as they are now; callbacks start from these, not from those they were made with.

    A second click can arrive before the page was drawn again after the first.
    """
    saved: Filters = st.session_state.get(FILTERS_STATE, Filters())
    return saved


def change_filters(filters: Filters) -> None:
    """Take over filters from a widget's callback, before the page runs again."""
    st.session_state[_CHANGED_STATE] = True
    _keep(filters)


def change_field(name: str, value: object) -> None:
    """Take over one field of the filters from a widget's callback."""
    change_filters(with_value(saved_filters(), name, value))


def _keep(filters: Filters) -> None:
    st.session_state[FILTERS_STATE] = filters
    ours = set(URL_KEYS.values())
    others = {k: st.query_params.get_all(k) for k in st.query_params if k not in ours}
    wanted = {**to_params(filters), **others}
    if wanted != {k: st.query_params.get_all(k) for k in st.query_params}:
        st.query_params.from_dict(wanted)
