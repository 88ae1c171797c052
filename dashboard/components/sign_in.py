"""What somebody sees who is not let in, and the sign of who is."""

from __future__ import annotations

import streamlit as st

from dashboard.access.session import (
    DOOR,
    current_viewer,
    keep_way_back,
    refused_here,
    sent,
)
from dashboard.access.viewer import NotLetInError, Refusal, Viewer
from dashboard.components.view import page_style
from pipeline.access.table import SignIn
from pipeline.errors import AccessError

_LOOK_EVERY_S = 20.0


def sign_in_screen(problem: NotLetInError) -> None:
    """Why nobody is let in, and the way in; nothing of the study."""
    refusal = problem.refusal
    if refusal in (Refusal.UNKNOWN, Refusal.CLOSED):
        refused_here(problem)
    page_style()
    _, middle, _ = st.columns([1, 2, 1])
    with middle, st.container(border=True):
        st.title("Coview", anchor=False)
        if refusal is Refusal.UNKNOWN and problem.who:
            st.caption(f"You are signed in as `{_plain(problem.who)}`.")
        st.write(refusal.value)
        _way_in(refusal)


def _way_in(refusal: Refusal) -> None:
    """The button that leads on, where there is one."""
    try:
        access = DOOR.access()
    except AccessError:
        return
    if access is None:
        return
    if access.sign_in is SignIn.PROXY:
        if refusal is Refusal.IDLE:
            st.button("Go on", key="come_back", type="primary", on_click=_come_back)
    elif refusal is Refusal.UNKNOWN:
        st.button("Use another account", key="other_account", on_click=st.logout)
    elif refusal in (Refusal.SIGNED_OUT, Refusal.IDLE):
        for provider in _providers():
            words = f"Sign in with {provider}" if provider else "Sign in"
            arguments = (provider,) if provider else ()
            st.button(
                words,
                key=f"sign_in_{provider}",
                type="primary",
                on_click=_sign_in,
                args=arguments,
            )


def signed_in_as(viewer: Viewer) -> None:
    """Whose session this is, at the foot of the sidebar, and the way out."""
    with st.sidebar:
        seen = "all children" if viewer.children is None else ", ".join(sorted(viewer.children))
        # As text: Markdown would link an address.
        st.text(f"{viewer.name} · {viewer.role.value} · {seen}")
        access = DOOR.access()
        if access is not None and access.sign_in is SignIn.OIDC:
            st.button("Sign out", key="sign_out", type="tertiary", on_click=st.logout)
    _watch()


@st.fragment(run_every=_LOOK_EVERY_S)
def _watch() -> None:
    """Clear the page of whoever was away too long, or may no longer see it."""
    try:
        current_viewer(is_activity=False)
    except NotLetInError:
        st.rerun()


def _sign_in(*provider: str) -> None:
    keep_way_back()
    st.login(*provider)


def _plain(text: str) -> str:
    """What a provider vouches for, without what would be more than text."""
    return text.replace("`", "'")[:200]


def _come_back() -> None:
    DOOR.come_back(*sent())


def _providers() -> list[str]:
    """Names of the providers of [auth.NAME] in secrets.toml; "" for the one of [auth] itself."""
    auth = st.secrets.get("auth", {})
    named = [str(name) for name, value in auth.items() if hasattr(value, "get")]
    return named if "client_id" not in auth and named else [""]
