"""Which list is shown and which moment is open, kept in step with the address bar."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from dashboard import data, labels, moment_list
from dashboard.components.sentence_search import sentence_hits
from dashboard.components.url_choice import keep_list_in_url
from dashboard.components.view import View
from dashboard.filters import ROW_FIELDS
from dashboard.moment_list import PAGE_ROWS, MomentList
from dashboard.navigation import MomentKey, moment_from_url, set_moment_in_url
from dashboard.queries.moments import MomentCount, looking_page, moment_count, moment_page
from dashboard.queries.search import Hits

MARKED_STATE = "marked"
"""What the list is narrowed to; see `marked_choice`."""
_LIST_STATE = "moment_list"
_LIST_CHANGED_STATE = "moment_list_changed"
_SHOWN_STATE = "moment_shown"
_BY_HAND_STATE = "moment_by_hand"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the page showed last: to tell a changed list from a followed link."""

    key: MomentKey | None
    list_signature: str


def current_list() -> MomentList:
    """The list of this run; the address bar wins unless a widget has just changed the list."""
    saved: MomentList | None = st.session_state.get(_LIST_STATE)
    asked = moment_list.from_params(st.query_params.to_dict())
    just_changed = st.session_state.pop(_LIST_CHANGED_STATE, False)
    if saved is None or (asked != MomentList() and not just_changed):
        saved = asked
    _keep(saved)
    return saved


def change_list(listing: MomentList) -> None:
    """Take over a list from a widget's callback, before the page runs again."""
    st.session_state[_LIST_CHANGED_STATE] = True
    _keep(listing)


def saved_list() -> MomentList:
    """The list as it is now, for callbacks."""
    saved: MomentList = st.session_state.get(_LIST_STATE, MomentList())
    return saved


def open_by_hand(key: MomentKey, listing: MomentList | None = None) -> None:
    """Open a moment because the person asked for it: only then does its clip start by itself."""
    if listing is not None:
        change_list(listing)
    set_moment_in_url(key)
    st.session_state[_BY_HAND_STATE] = key


def was_opened_by_hand(key: MomentKey) -> bool:
    """Whether the person opened this moment on this page."""
    return bool(st.session_state.get(_BY_HAND_STATE) == key)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the list: `count` over all pages, `rows` of this one.

    `keys` are the saved moments that the list is narrowed to, None when it is not. `hits` is the
    whole order when a sentence gives it.
    """

    listing: MomentList
    count: MomentCount
    rows: pd.DataFrame
    keys: tuple[MomentKey, ...] | None = None
    hits: Hits | None = None


def listed_moments(
    view: View, listing: MomentList, keys: tuple[MomentKey, ...] | None = None
) -> Listed:
    """Ask the store for a page of the list."""
    only = None if keys is None else tuple((k.recording_id, k.utterance_id) for k in keys)
    hits = sentence_hits(view, listing, only) if listing.look else None
    if hits is not None:
        shown = slice(listing.first_rank, listing.first_rank + PAGE_ROWS)
        page = (hits.numbers[shown], hits.cosines[shown])
        rows = data.load(view.store, looking_page, view.measure, *page)
        return Listed(listing, MomentCount(len(hits.numbers), hits.n_chosen), rows, keys, hits)
    count = data.load_given(
        view.store, view.store.arrays, moment_count, view.filters, view.measure, listing, only
    )
    rows = data.load_given(
        view.store, view.store.arrays, moment_page, view.filters, view.measure, listing, only
    )
    return Listed(listing, count, rows, keys)


def opened_moment(view: View, listed: Listed) -> MomentKey | None:
    """The moment to show: that of the address bar, else the first of the list.

    When other utterances were chosen and the moment shown before is not on the page, the first of
    the list takes its place. It stays when only the way of scoring changed, so that its scores
    can be compared, and when a link or another page asks for it.
    """
    keys = row_keys(listed.rows)
    asked = moment_from_url()
    chosen = tuple(getattr(view.filters, name) for name in ROW_FIELDS)
    narrowed = st.session_state.get(MARKED_STATE)
    signature = f"{view.store.key} {chosen} {replace(listed.listing, page=0)} {narrowed}"
    before: _Shown | None = st.session_state.get(_SHOWN_STATE)
    has_left = (
        before is not None
        and asked == before.key
        and signature != before.list_signature
        and asked not in keys
    )
    key = asked if asked is not None and not has_left else next(iter(keys), None)
    if key is not None and key != asked:
        set_moment_in_url(key)
    st.session_state[_SHOWN_STATE] = _Shown(key, signature)
    return key


def row_keys(rows: pd.DataFrame) -> list[MomentKey]:
    """The moments of a page of the list, in its order."""
    return [
        MomentKey(str(recording_id), str(utterance_id))
        for recording_id, utterance_id in zip(
            rows["recording_id"], rows["utterance_id"], strict=True
        )
    ]


def rank_of(listed: Listed, key: MomentKey) -> int:
    """Where in the list the open moment stands, from 1; 0 when it is not on this page."""
    keys = row_keys(listed.rows)
    return listed.listing.first_rank + keys.index(key) + 1 if key in keys else 0


def rank_note(listed: Listed, key: MomentKey) -> str:
    """'3 of 12', empty when the open moment is not on this page of the list."""
    rank = rank_of(listed, key)
    return f"{labels.count(rank)} of {labels.count(listed.count.n_listed)}" if rank else ""


@dataclass(frozen=True, slots=True)
class Step:
    """A moment beside the open one, with the page of the list it is on."""

    key: MomentKey
    listing: MomentList
    has_clip: bool


def beside(view: View, listed: Listed, key: MomentKey, by: int) -> Step | None:
    """The moment `by` places (1 or -1) from the open one, or None at the ends of the list.

    From a moment that is not on this page the next is the page's first.
    """
    keys, listing = row_keys(listed.rows), listed.listing
    place = keys.index(key) + by if key in keys else (0 if by > 0 else -1)
    if 0 <= place < len(keys):
        return _step(listed.rows, place, listing)
    rank = listing.first_rank + place
    if key not in keys or not 0 <= rank < listed.count.n_listed:
        return None
    other = replace(listing, page=rank // PAGE_ROWS)
    neighbours = listed_moments(view, other, listed.keys).rows
    index = rank - other.first_rank
    return _step(neighbours, index, other) if index < len(neighbours) else None


def _step(rows: pd.DataFrame, place: int, listing: MomentList) -> Step:
    return Step(row_keys(rows)[place], listing, bool(rows["has_clip"].iloc[place]))


def _keep(listing: MomentList) -> None:
    st.session_state[_LIST_STATE] = listing
    keep_list_in_url(moment_list.to_params(listing), moment_list.URL_KEYS.values())
