"""What may be shown to others: recordings whose families allowed excerpts, or what an admin
confirmed.

The permission `media` is for those who work with the study, at their desks. Whether only such
people watch present mode, Coview cannot know; an admin can say so, for as long as this page is
open, and that is written down.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.access.session import confirmed, current_viewer
from dashboard.clip_tokens import Purpose
from dashboard.components.moment_player import why_no_clip
from dashboard.place import study_root
from dashboard.queries.moment import Moment
from pipeline.current_rules import rules_now
from pipeline.errors import MediaError

_CONFIRMED_STATE = "presents_media"
_NOT_FOR_TALKS = (
    "This recording may be played by those who work with the study, not shown in talks: its "
    "permission in metadata/recordings.csv is `media`, not `excerpts`."
)


def why_not_presented(moment: Moment) -> str:
    """Why a moment is not shown in present mode, in words; empty when it is."""
    reason = why_no_clip(moment)
    if reason or _may_leave(moment) or _is_confirmed():
        return reason
    ask = "" if current_viewer().role.manages else " An admin can show it to people of the study."
    return _NOT_FOR_TALKS.replace("`", "") + ask


def may_confirm(moment: Moment) -> bool:
    """Whether the moment is not shown for want of an admin's word, and an admin is here."""
    return (
        not why_no_clip(moment)
        and bool(why_not_presented(moment))
        and current_viewer().role.manages
    )


def purpose_of(moment: Moment) -> Purpose:
    """What the link to a moment that is presented is made for."""
    return Purpose.PRESENT if _may_leave(moment) else Purpose.CONFIRMED


def _may_leave(moment: Moment) -> bool:
    """Whether a moment may be shown in talks, as the store and the metadata say now: a permission
    may have become stricter since the store was built."""
    if not moment.may_leave:
        return False
    try:
        return rules_now(study_root()).shown(moment.recording_id).permission.may_leave
    except MediaError:
        return False


def ask_to_confirm(go: Callable[[str], None], *, has_next: bool) -> None:
    """Ask the admin who presents; `go` takes "next" or "leave"."""
    _, middle, _ = st.columns([1, 3, 1])
    with middle, st.container(key="talk_permission", height="stretch"):
        st.header("Not for talks", anchor=False)
        st.write(_NOT_FOR_TALKS)
        st.write(
            "If everybody who watches works with the study, you can show such recordings until "
            "this page is closed. That you did so is written down."
        )
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Only people of the study watch: show it",
                key="confirm_talk",
                type="primary",
                on_click=_confirm,
            )
            if has_next:
                st.button("Next moment", key="skip_talk", on_click=go, args=("next",))
            st.button("Leave present mode", key="leave_talk", on_click=go, args=("leave",))


def _confirm() -> None:
    confirmed("present mode with recordings that are not for talks")
    st.session_state[_CONFIRMED_STATE] = True


def _is_confirmed() -> bool:
    return bool(st.session_state.get(_CONFIRMED_STATE)) and current_viewer().role.manages
