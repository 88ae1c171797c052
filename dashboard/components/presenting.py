"""Present mode: one moment fills the window, for a meeting."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboard import data, labels
from dashboard.components.marked_choice import current_marked
from dashboard.components.moment_player import clip_source, kept_margins
from dashboard.components.moment_state import (
    Step,
    beside,
    current_list,
    listed_moments,
    open_by_hand,
    opened_moment,
    rank_of,
)
from dashboard.components.moment_web import Piece
from dashboard.components.saved_state import current_saved
from dashboard.components.talk_permission import (
    ask_to_confirm,
    may_confirm,
    purpose_of,
    why_not_presented,
)
from dashboard.components.view import View, bare_view, page_style
from dashboard.marked import EVERYTHING
from dashboard.moment_list import MomentList
from dashboard.navigation import PRESENT_PARAM, MomentKey, moment_from_url, set_moment_in_url
from dashboard.queries import moment as queries
from dashboard.queries.moment import Moment

_PIECE = Piece("present")
_KEY = "present"
_BARE = """<style>
[data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stToolbar"],
[data-testid="stExpandSidebarButton"], [data-testid="stStatusWidget"] {display: none !important;}
[data-testid="stMain"] {overflow: hidden;}
</style>"""


@dataclass(frozen=True, slots=True)
class Standing:
    """The place of the shown moment: `rank` from 1, 0 when it is not in the list; `n` in all."""

    rank: int
    n: int
    before: Step | None
    after: Step | None


def is_presenting() -> bool:
    """Whether the address bar asks for present mode."""
    return st.query_params.get(PRESENT_PARAM) == "1"


def start_presenting() -> None:
    """Enter present mode, from a callback."""
    st.query_params[PRESENT_PARAM] = "1"


def stop_presenting() -> None:
    """Leave present mode, from a callback; the moment stays open."""
    if PRESENT_PARAM in st.query_params:
        del st.query_params[PRESENT_PARAM]


def present_page() -> None:
    """The page in present mode: a playlist in its order, else the list of the Moments page."""
    view = bare_view()
    saved, marked = current_saved(view.store), current_marked()
    listing = current_list()
    keys = None if marked == EVERYTHING else saved.keys(marked)
    if keys is not None and marked.kind == "playlist":
        asked = moment_from_url()
        key = asked if asked in keys else next(iter(keys), None)
        if key is not None and key != asked:
            set_moment_in_url(key)
        _present(view, key, _in_playlist(view, keys, key, listing))
        return
    listed = listed_moments(view, listing, keys)
    key = opened_moment(view, listed)
    if key is None:
        _present(view, None, Standing(0, 0, None, None))
        return
    before, after = (beside(view, listed, key, by) for by in (-1, 1))
    standing = Standing(rank_of(listed, key), listed.count.n_listed, before, after)
    _present(view, key, standing)


def _in_playlist(
    view: View, keys: tuple[MomentKey, ...], key: MomentKey | None, listing: MomentList
) -> Standing:
    if key is None:
        return Standing(0, 0, None, None)
    place = keys.index(key)

    def step(index: int) -> Step | None:
        if not 0 <= index < len(keys):
            return None
        other = _moment(view, keys[index])
        return Step(keys[index], listing, other is not None and not why_not_presented(other))

    return Standing(place + 1, len(keys), step(place - 1), step(place + 1))


def _moment(view: View, key: MomentKey) -> Moment | None:
    return data.load(view.store, queries.moment, key.recording_id, key.utterance_id, view.measure)


def _present(view: View, key: MomentKey | None, standing: Standing) -> None:
    """Draw the moment over the whole window, with nothing else."""
    st.html(_BARE)
    page_style()
    moment = None if key is None else _moment(view, key)

    def go(asked: str) -> None:
        step = {"next": standing.after, "previous": standing.before}.get(asked)
        if asked == "leave":
            stop_presenting()
        elif step is not None:
            open_by_hand(step.key, step.listing)

    margins = kept_margins()
    reason = "There is no moment to present." if moment is None else why_not_presented(moment)
    if moment is not None and may_confirm(moment):
        ask_to_confirm(go, has_next=standing.after is not None)
        return
    is_shown = moment is not None and not reason
    source = clip_source(key, margins, purpose_of(moment)) if is_shown and key and moment else ""
    following = _following(view, standing.after)
    _PIECE.draw(
        key=_KEY,
        data={
            "key": "" if key is None else f"{key.recording_id} {key.utterance_id} {margins}",
            "source": source,
            "next_source": None
            if following is None or standing.after is None
            else clip_source(standing.after.key, margins, purpose_of(following)),
            "words": "" if moment is None or reason else moment.text or labels.NO_WORDS,
            "reason": reason,
            "place": _place(standing),
            "has_previous": standing.before is not None,
            "has_next": standing.after is not None,
        },
        on_opened=lambda: go(str(st.session_state[_KEY].opened)),
        on_expired=_renew,
    )


def _following(view: View, step: Step | None) -> Moment | None:
    """The next moment, when its clip can be cut while this one plays."""
    if step is None or not step.has_clip:
        return None
    found = _moment(view, step.key)
    return None if found is None or why_not_presented(found) else found


def _place(standing: Standing) -> str:
    if not standing.rank:
        return ""
    return f"{labels.count(standing.rank)} of {labels.count(standing.n)}"


def _renew() -> None:
    """Nothing to do: running the page again makes a fresh link."""
