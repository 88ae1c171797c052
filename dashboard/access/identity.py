"""The e-mail address that a sign-in vouches for, from what a browser sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.access.table import Access, SignIn

USER_COOKIE = "_streamlit_user"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in. `session` tells one sign-in from the next; `since_s` is when it was made,
    None where that is not known (a proxy does not tell)."""

    email: str
    session: str
    since_s: float | None


def identity_of(
    access: Access, headers: Mapping[str, str], cookies: Mapping[str, str]
) -> Identity | None:
    """Who asks, or None for nobody that is signed in.

    The header of a proxy is believed: the gate lets only proxies speak.
    """
    if access.sign_in is SignIn.PROXY:
        # Header names have no capitals of their own; Streamlit and Starlette differ in them.
        email = headers.get(access.header) or headers.get(access.header.lower())
        email = (email or "").strip()
        return Identity(email, email.casefold(), None) if email else None
    return _of_cookie(cookies)


def _of_cookie(cookies: Mapping[str, str]) -> Identity | None:
    """Who the cookie of `st.login` names; it is signed with the server's secret."""
    raw = _signed_value(cookies)
    if raw is None:
        return None
    try:
        claims = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(claims, dict) or claims.get("is_logged_in") is not True:
        return None
    email, since = claims.get("email"), claims.get("iat")
    # A provider that lets people write any address says whether it is theirs.
    if not isinstance(email, str) or claims.get("email_verified", True) not in (True, "true"):
        return None
    if isinstance(since, bool) or not isinstance(since, int | float):
        return None
    return Identity(email, hashlib.sha256(raw).hexdigest(), float(since))


def _signed_value(cookies: Mapping[str, str]) -> bytes | None:
    if USER_COOKIE not in cookies:
        return None
    # Streamlit reads its cookie for a page only; a route has to read it itself. Should a later
    # Streamlit keep it elsewhere, nobody is signed in on routes, and a test says so.
    from streamlit.auth_util import get_cookie_with_chunks
    from streamlit.web.server.server_util import get_cookie_secret
    from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

    secret = get_cookie_secret()

    def part(name: str) -> bytes | None:
        value = cookies.get(name)
        if value is None:
            return None
        return decode_signed_value(secret, name, value.encode("latin-1", "replace"))

    return get_cookie_with_chunks(part, USER_COOKIE)
