"""Back to where somebody was before they signed in at a provider.

Streamlit leads everybody who comes back from the provider to the first page, and a link that they
were sent would be lost. Here the page that asks to sign in leaves its address with the server,
under a random name that only this browser's cookie holds, and the answer to the provider's call
leads there instead. The address is made anew from a page's name and its parameters, so that it
cannot lead to another site.
"""

from __future__ import annotations

import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from threading import Lock
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import Message, Scope, Send

from dashboard.access.identity import USER_COOKIE

COOKIE = "coview_browser"
LIFETIME_S = 15 * 60.0
_MAX_KEPT = 10_000
_MAX_CHARACTERS = 2_000
_NAME = re.compile(r"[A-Za-z0-9_-]{20,60}")
_PAGE = re.compile(r"[a-z][a-z-]{0,40}|")


class WaysBack:
    """Keeps one address for each browser that is about to sign in; threads may share it."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def keep(
        self, cookies: Mapping[str, str], url: str, params: Mapping[str, list[str]], base: str
    ) -> None:
        """Remember for this browser the page of `url`, below `base`, with its parameters.

        What is no page of ours, or too long, is not remembered.
        """
        name = cookies.get(COOKIE, "")
        path = _page_address(url, params, base)
        if not _NAME.fullmatch(name) or path is None:
            return
        with self._lock:
            self._kept[name] = (self._now_s() + LIFETIME_S, path)
            self._kept.move_to_end(name)
            while len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)

    def take(self, cookies: Mapping[str, str]) -> str | None:
        """Where this browser was, once."""
        with self._lock:
            until_s, path = self._kept.pop(cookies.get(COOKIE, ""), (0.0, ""))
        return path if path and self._now_s() <= until_s else None

    def wrapped(self, scope: Scope, send: Send, path: str, base: str) -> Send:
        """`send` for an answer to `path`: names the browser, and leads it back."""
        if path == "oauth2callback":
            return self._leading_back(scope, send)
        connection = HTTPConnection(scope)
        is_named = _NAME.fullmatch(connection.cookies.get(COOKIE, "")) is not None
        if is_named or not _PAGE.fullmatch(path) or scope.get("method") != "GET":
            return send
        is_safe = scope.get("scheme") == "https" or (
            connection.headers.get("x-forwarded-proto") == "https"
        )
        return _naming(send, f"/{base}", is_safe=is_safe)

    def _leading_back(self, scope: Scope, send: Send) -> Send:
        async def leading_back(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (302, 303, 307):
                headers = MutableHeaders(scope=message)
                if _is_signed_in(headers.getlist("set-cookie")):
                    back = self.take(HTTPConnection(scope).cookies)
                    if back is not None:
                        headers["location"] = back
            await send(message)

        return leading_back


def _naming(send: Send, cookie_path: str, *, is_safe: bool) -> Send:
    async def naming(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            secure = "; Secure" if is_safe else ""
            MutableHeaders(scope=message).append(
                "set-cookie",
                f"{COOKIE}={secrets.token_urlsafe(24)}; Path={cookie_path}; HttpOnly; "
                f"SameSite=Lax{secure}",
            )
        await send(message)

    return naming


def _page_address(url: str, params: Mapping[str, list[str]], base: str) -> str | None:
    """Path and query of a page, made anew; None for anything else."""
    try:
        path = urlsplit(url).path.strip("/")
    except ValueError:
        return None
    if base:
        if path != base and not path.startswith(f"{base}/"):
            return None
        path = path[len(base) :].strip("/")
    if not _PAGE.fullmatch(path):
        return None
    query = urlencode(params, doseq=True)
    address = f"/{base}/{path}" if base else f"/{path}"
    whole = f"{address}?{query}" if query else address
    return whole if len(whole) <= _MAX_CHARACTERS else None


def _is_signed_in(cookies: list[str]) -> bool:
    """Whether an answer leaves the cookie of a sign-in behind."""
    for text in cookies:
        try:
            found = SimpleCookie(text).get(USER_COOKIE)
        except CookieError:
            continue
        if found is not None and found.value:
            return True
    return False
