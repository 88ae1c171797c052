"""Who looks at this page: the door's answer for the running session."""

from __future__ import annotations

import atexit
from collections.abc import Mapping

import streamlit as st
from starlette.requests import Request
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.access.door import Door
from dashboard.access.page_files import PageFiles
from dashboard.access.viewer import NotLetInError, Refusal, Viewer
from dashboard.access.way_back import WaysBack
from dashboard.place import study_root
from pipeline.access.audit import Opened, write_opened
from pipeline.access.refusals import RefusalLog, Refused

_NAME_STATE = "viewer_name"
_PICTURES_STATE = "pictures_opened"
_REFUSED_STATE = "refused_as"

DOOR = Door(study_root)
"""This server's door. Pages and routes run in one process, so both ask the same one."""
FILES = PageFiles()
"""Whose are the files of this server's pages."""
REFUSALS = RefusalLog(study_root)
"""What this server refused; the count that is left goes into the audit at its end."""
atexit.register(REFUSALS.close)
WAYS_BACK = WaysBack()
"""Where people of this server were before they signed in."""


def current_viewer(*, is_activity: bool = True) -> Viewer:
    """Who looks. Raises NotLetInError; what another person did in this session is forgotten."""
    headers, cookies = sent()
    viewer = DOOR.viewer(headers, cookies, is_activity=is_activity)
    before = st.session_state.get(_NAME_STATE)
    if before != viewer.name:
        if before is not None:
            st.session_state.clear()
        st.session_state[_NAME_STATE] = viewer.name
    context = get_script_run_ctx()
    if context is not None and not viewer.is_local:
        FILES.note_session(context.session_id, viewer.name)
    return viewer


def signed_in_name(request: Request) -> str:
    """Who sends a request to a route; empty where nobody has to sign in, or nobody did."""
    try:
        viewer = DOOR.viewer(request.headers, request.cookies, is_activity=False)
    except NotLetInError:
        return ""
    return "" if viewer.is_local else viewer.name


def refused_here(problem: NotLetInError) -> None:
    """Write down, once in a session, that somebody was not let in on a page."""
    if st.session_state.get(_REFUSED_STATE) != problem.refusal:
        st.session_state[_REFUSED_STATE] = problem.refusal
        REFUSALS.note(Refused("sign-in", problem.refusal.value, problem.who))


def keep_way_back() -> None:
    """Remember where this browser is, for after the sign-in that it goes to now."""
    params = {name: st.query_params.get_all(name) for name in st.query_params}
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    WAYS_BACK.keep(sent()[1], st.context.url or "", params, base)


def pictures_opened(recording_id: str, utterance_id: str = "") -> None:
    """Write down, once in a session, that pictures of a recording are shown to who is signed in.

    Raises AuditError when it cannot be written: then they may not be shown.
    """
    viewer = current_viewer()
    if viewer.is_local:
        return
    known: set[tuple[str, str]] = st.session_state.setdefault(_PICTURES_STATE, set())
    if (recording_id, utterance_id) not in known:
        write_opened(
            study_root(),
            Opened(viewer.name, viewer.role.value, "picture", recording_id, utterance_id),
        )
        known.add((recording_id, utterance_id))


def confirmed(what: str) -> None:
    """Write down that an admin takes something on them; `what` is Coview's own words.

    Raises AuditError when it cannot be written, and NotLetInError for who is no admin.
    """
    viewer = current_viewer()
    if not viewer.role.manages:
        raise NotLetInError(Refusal.NOT_ALLOWED, viewer.name)
    write_opened(study_root(), Opened(viewer.name, viewer.role.value, "confirmed", detail=what))


def sent() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The headers and cookies that the browser opened this session with."""
    return st.context.headers, st.context.cookies
