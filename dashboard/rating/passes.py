"""The cookie of a rater: which code (and label, behind an open link) this browser came with.

It holds the code itself, so a rater stays signed in when the server is started anew, and a code
that was replaced lets nobody in any more. In the dashboard's server the cookie is sent to every
path, by which the pages know a rater's browser; the server that serves the rating screen only
keeps to its own path and name, so that trying a link there does not shut the dashboard.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from pipeline.people.raters import (
    ENOUGH_PEOPLE,
    HAS_OWN_CODE,
    NO_MORE_PEOPLE,
    NO_SUCH_LINK,
)

DASHBOARD_COOKIE = "coview_rater"
ALONE_COOKIE = "coview_rating"
MAX_AGE_S = 30 * 24 * 3600
NOT_KNOWN = "This code is not known here. Check that it is complete."
TOO_MANY = "Too many codes were wrong. Wait ten minutes, then try again."
NO_LABEL = "This link is not complete: it must end with your participant number."
TOLD = (
    "",
    NOT_KNOWN,
    TOO_MANY,
    NO_LABEL,
    NO_SUCH_LINK,
    NO_MORE_PEOPLE,
    ENOUGH_PEOPLE,
    HAS_OWN_CODE,
)
"""Sentences for who is not let in; the cookie has the number."""

_NUMBERS = tuple(map(str, range(len(TOLD))))
_LEFT = "left-"
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Pass:
    """What lets a rater in: a code, and the label they joined under if the link is open."""

    code: str
    label: str | None = None

    @property
    def text(self) -> str:
        """As the cookie has it: characters that need no quotes."""
        code = "".join(c for c in self.code.upper() if c.isascii() and c.isalnum())
        if self.label is None:
            return code
        return f"{code}.{base64.urlsafe_b64encode(self.label.encode()).decode().rstrip('=')}"


@dataclass(frozen=True, slots=True)
class CookieJar:
    """Where the cookie lies: its name and the path it is sent to."""

    name: str
    path: str

    def read(self, request: Request) -> Pass | None:
        """The pass of a request; None without one, after leaving, and for a malformed one."""
        return _pass_of(request.cookies.get(self.name, ""))

    def hand(self, request: Request, response: Response, given: Pass) -> None:
        """Let this browser in from now on."""
        self._set(request, response, given.text, MAX_AGE_S)

    def take(self, request: Request, response: Response, told: str = "") -> None:
        """Let this browser in no more, and tell it that sentence of TOLD.

        It is still a rater's until it is closed.
        """
        number = TOLD.index(told) if told in TOLD else 0
        self._set(request, response, f"{_LEFT}{number}", None)

    def told(self, request: Request) -> str:
        """What a browser that is not let in is told; empty when there is nothing to tell."""
        _, is_left, number = request.cookies.get(self.name, "").partition(_LEFT)
        return TOLD[int(number)] if is_left and number in _NUMBERS else ""

    def _set(self, request: Request, response: Response, value: str, max_age_s: int | None) -> None:
        response.set_cookie(
            self.name,
            value,
            max_age=max_age_s,
            path=self.path,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )


def is_raters_browser(cookies: Mapping[str, str]) -> bool:
    """Whether the dashboard is asked by a browser that someone rates in, or rated in just now."""
    given = cookies.get(DASHBOARD_COOKIE)
    # A script that is run without a browser has cookies that are no texts.
    return isinstance(given, str) and bool(given)


def _pass_of(text: str) -> Pass | None:
    code, dot, label = text.partition(".")
    if not code or len(text) > _LONGEST or not (code.isascii() and code.isalnum()):
        return None
    if not dot:
        return Pass(code)
    try:
        plain = base64.urlsafe_b64decode(label + "=" * (-len(label) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return Pass(code, plain)
