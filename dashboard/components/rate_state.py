"""What the page Rate knows: the sets of the study, their raters, and codes told once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import streamlit as st

from dashboard.components.saved_state import people
from dashboard.data import StoreHandle
from dashboard.plain import escaped
from dashboard.rating.routes import ROUTE
from pipeline.errors import CoviewError
from pipeline.people.raters import OpenLink, RaterProgress, open_links_of, progress_of
from pipeline.people.trial_records import SetKind, TrialSet
from pipeline.people.trial_sets import n_main_items, trial_sets

_CODES_STATE = "rate_codes"
_TOLD_STATE = "rate_told"
_ADDRESS_STATE = "rate_address"
_USUAL_ADDRESS = "http://127.0.0.1:8501"


@dataclass(frozen=True, slots=True)
class RatedSet:
    """A set with its raters. `n_main` counts the items that enter results."""

    one: TrialSet
    n_main: int
    progress: tuple[RaterProgress, ...]
    links: tuple[OpenLink, ...]

    @property
    def is_labels(self) -> bool:
        return self.one.kind is SetKind.LABELS

    @property
    def is_open(self) -> bool:
        return self.one.closed_at is None

    @property
    def n_answers(self) -> int:
        return sum(each.n_answered for each in self.progress)


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code that was just made; `label` is None for a link that anyone may use."""

    set_id: int
    label: str | None
    code: str


@dataclass(frozen=True, slots=True)
class _Told:
    """What came of the last action: sentences, or why it was not carried out."""

    sentences: tuple[str, ...]
    is_problem: bool = False


def sets_of(store: StoreHandle) -> tuple[TrialSet, ...]:
    """All sets of the study, newest first."""
    with people(store).reading() as con:
        return trial_sets(con)


def rated_set(store: StoreHandle, one: TrialSet) -> RatedSet:
    """A set with its raters as they are now."""
    with people(store).reading() as con:
        return RatedSet(
            one,
            n_main_items(con, one.set_id),
            progress_of(con, one.set_id),
            open_links_of(con, one.set_id),
        )


def attempt(action: Callable[[], tuple[str, ...]]) -> None:
    """Carry out an action from a callback; `show_told` says what came of it."""
    try:
        told = _Told(action())
    except CoviewError as problem:
        told = _Told((str(problem),), is_problem=True)
    except ValueError as problem:
        # The people's store refuses names with a half sentence.
        text = str(problem)
        told = _Told((f"{text[:1].upper()}{text[1:]}.",), is_problem=True)
    st.session_state[_TOLD_STATE] = told


def show_told() -> None:
    """Say once what came of the last action."""
    told: _Told | None = st.session_state.pop(_TOLD_STATE, None)
    if told is None or not told.sentences:
        return
    draw, icon = (
        (st.error, ":material/error:") if told.is_problem else (st.success, ":material/check:")
    )
    draw("\n\n".join(map(escaped, told.sentences)), icon=icon)
    # Whoever clicked far below sees it, too.
    st.toast(escaped(told.sentences[0]), icon=icon)


def keep_codes(codes: list[NewCode]) -> None:
    """Show these codes until the person has kept them: they are stored nowhere."""
    st.session_state[_CODES_STATE] = [*codes_of(None), *codes]


def codes_of(set_id: int | None) -> list[NewCode]:
    """Codes that were made in this session and not yet put away, of one set or of all."""
    codes: list[NewCode] = st.session_state.get(_CODES_STATE, [])
    return [one for one in codes if set_id is None or one.set_id == set_id]


def put_codes_away(set_id: int) -> None:
    """Forget the codes of a set."""
    st.session_state[_CODES_STATE] = [one for one in codes_of(None) if one.set_id != set_id]


def raters_address() -> str:
    """A field for the address at which raters reach this server; where this page was opened."""
    if _ADDRESS_STATE not in st.session_state:
        st.session_state[_ADDRESS_STATE] = _own_address()
    typed = st.text_input(
        "Address for raters",
        key=_ADDRESS_STATE,
        help="Where raters reach this server, with https if they come over a network. The links "
        "below begin with it.",
        width=420,
    )
    return str(typed).strip().rstrip("/")


def rating_screen() -> str:
    """Path of the rating screen on this server."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}{ROUTE}/"


def link_of(code: NewCode, address: str) -> str:
    """What to send to a rater. A link for anyone takes the name from Prolific."""
    if code.label is None:
        return f"{address}{ROUTE}/join/{code.code}?PROLIFIC_PID={{{{%PROLIFIC_PID%}}}}"
    return f"{address}{ROUTE}/k/{code.code}"


def _own_address() -> str:
    opened = urlsplit(st.context.url or "")
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    start = f"{opened.scheme}://{opened.netloc}" if opened.netloc else _USUAL_ADDRESS
    return f"{start}/{base}" if base else start
