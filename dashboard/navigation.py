"""Ways from one page to another: a child, a moment, a filtered list.

URL parameters `rec` and `utt` name the opened moment, so that a moment has a link.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

import streamlit as st

from dashboard.filters import Filters, to_params

OVERVIEW = "app_pages/overview.py"
CHILDREN = "app_pages/children.py"
MOMENTS = "app_pages/moments.py"
WORDS = "app_pages/words.py"
SAVED = "app_pages/saved.py"
COMPARE = "app_pages/compare_windows.py"
MODELS = "app_pages/models.py"
AGREEMENT = "app_pages/agreement.py"
RATE = "app_pages/rating.py"
PREDICTORS = "app_pages/predictors.py"
DRIVES = "app_pages/drives.py"
SOUND = "app_pages/sound.py"
QUALITY = "app_pages/quality.py"
PROVENANCE = "app_pages/provenance.py"
EXPORT = "app_pages/export.py"
OPENED = "app_pages/opened.py"
WELCOME = "app_pages/welcome.py"

RECORDING_PARAM = "rec"
UTTERANCE_PARAM = "utt"
CHILD_PARAM = "open"
PRESENT_PARAM = "present"
FILTERS_STATE = "filters"


@dataclass(frozen=True, slots=True)
class MomentKey:
    """The utterance a moment is about."""

    recording_id: str
    utterance_id: str


def moment_from_url() -> MomentKey | None:
    """The moment that the address bar names, or None."""
    recording_id = st.query_params.get(RECORDING_PARAM, "")
    utterance_id = st.query_params.get(UTTERANCE_PARAM, "")
    if not recording_id or not utterance_id:
        return None
    return MomentKey(recording_id, utterance_id)


def set_moment_in_url(key: MomentKey) -> None:
    """Name the opened moment in the address bar without leaving the page."""
    st.query_params[RECORDING_PARAM] = key.recording_id
    st.query_params[UTTERANCE_PARAM] = key.utterance_id


def open_moment(recording_id: str, utterance_id: str) -> NoReturn:
    """Go to the Moments page with this moment opened; the filters stay."""
    _go(MOMENTS, {RECORDING_PARAM: [recording_id], UTTERANCE_PARAM: [utterance_id]})


def open_drives(recording_id: str, utterance_id: str) -> NoReturn:
    """Go to the page What drives the score with this moment opened."""
    _go(DRIVES, {RECORDING_PARAM: [recording_id], UTTERANCE_PARAM: [utterance_id]})


def open_list(params: Mapping[str, str], *, is_presented: bool = False) -> NoReturn:
    """Go to the Moments page narrowed by these parameters, if wanted in present mode."""
    present = {PRESENT_PARAM: ["1"]} if is_presented else {}
    _go(MOMENTS, {**{name: [value] for name, value in params.items()}, **present})


def open_moments_of_child(filters: Filters, child_id: str) -> NoReturn:
    """Go to the Moments page, filtered to one child."""
    st.session_state[FILTERS_STATE] = replace(filters, children=(child_id,))
    _go(MOMENTS, {})


def open_moments_in_range(score_from: float, score_to: float) -> NoReturn:
    """Go to the Moments page and list the scores from the one to below the other."""
    _go(MOMENTS, {"from": [f"{score_from:.6g}"], "to": [f"{score_to:.6g}"]})


def open_with_filters(filters: Filters) -> NoReturn:
    """Go to the Moments page with other filters."""
    st.session_state[FILTERS_STATE] = filters
    _go(MOMENTS, {})


def open_moments_with_word(lemma: str) -> NoReturn:
    """Go to the Moments page, to the utterances with any form of a word."""
    _go(MOMENTS, {"q": [lemma], "form": ["any"]})


def open_child(child_id: str) -> NoReturn:
    """Go to the Children page with one child marked; the filters stay."""
    _go(CHILDREN, {CHILD_PARAM: [child_id]})


def child_from_url() -> str | None:
    """The child that the address bar marks on the Children page, or None."""
    return st.query_params.get(CHILD_PARAM) or None


def _go(page: str, extra: dict[str, list[str]]) -> NoReturn:
    filters = st.session_state.get(FILTERS_STATE, Filters())
    st.switch_page(page, query_params={**to_params(filters), **extra})
