"""What every request passes before a page or a route sees it.

The gate refuses whoever may not ask, puts headers of protection on every answer, and bounds what
may be sent. What is shown of which child is decided behind it: where the store is opened, and in
the routes of clips and exports. Paths that are not named here need somebody who is signed in.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access.door import Door
from dashboard.access.page_files import PageFiles
from dashboard.access.policy import content_policy
from dashboard.access.viewer import NotLetInError, Refusal, Viewer
from pipeline.access.binding import is_loopback
from pipeline.access.roles import Role
from pipeline.access.table import Access, SignIn
from pipeline.errors import AccessError

MAX_SENT_BYTES = 6_000_000
"""A little more than the largest file that a page takes (server.maxUploadSize is 5 MB)."""

_PROTECTION = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex",
}
_NOT_KEPT = ("media", "clips", "exports", "rate")
"""First parts of paths whose answers no browser or proxy may keep."""

# The empty frame of the pages and the way to sign in: nothing of any study is in them.
_OPEN_EXACT = {"", "favicon.png", "auth/login", "auth/logout", "oauth2callback"}
_OPEN_CORE = {"_stcore/health", "_stcore/host-config", "_stcore/stream"}
_PAGE = re.compile(r"[a-z][a-z-]{0,40}(?:/_stcore/(?:health|host-config))?")
"""The address of a page; from there Streamlit's script first seeks the server below the page."""
_ROLES: dict[str, Callable[[Role], bool]] = {
    "clips": lambda role: role.sees_media,
    "exports": lambda role: role.opens_pages,
    "media": lambda role: role.opens_pages,
    "_stcore": lambda role: role.opens_pages,
    "rate": lambda role: role.rates,
}


class Gate:
    """ASGI middleware around the whole server."""

    def __init__(
        self,
        app: ASGIApp,
        door: Door,
        base_path: str = "",
        allowed_hosts: Callable[[], list[str]] = list,
        files: PageFiles | None = None,
    ) -> None:
        self._app = app
        self._door = door
        self._base = base_path.strip("/")
        self._allowed_hosts = allowed_hosts
        self._files = files or PageFiles()
        self._protection = {**_PROTECTION, "Content-Security-Policy": content_policy()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path = self._path(scope)
        refused = self._why_not(scope, path)
        if scope["type"] == "websocket":
            if refused is None:
                await self._app(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        protected = _protected(send, path, self._protection)
        if refused is not None:
            status, refusal = refused
            response = PlainTextResponse(
                refusal.value, status, headers={"Cache-Control": "no-store"}
            )
            await response(scope, receive, protected)
        elif _declared_bytes(scope) > MAX_SENT_BYTES:
            too_much = PlainTextResponse("This is too much to send.", 413)
            await too_much(scope, receive, protected)
        else:
            await self._app(scope, _bounded(receive), protected)

    def _path(self, scope: Scope) -> str:
        path = str(scope["path"]).lstrip("/")
        if self._base and (path == self._base or path.startswith(f"{self._base}/")):
            path = path[len(self._base) :].lstrip("/")
        return path

    def _why_not(self, scope: Scope, path: str) -> tuple[int, Refusal] | None:
        """Status and sentence for who may not ask this; None for who may."""
        try:
            access = self._door.access()
        except AccessError:
            return 503, Refusal.CLOSED
        refusal = self._wrong_place(scope, access)
        if refusal is not None:
            return 403, refusal
        if access is None:
            return None
        is_open = _is_open(path)
        if is_open and access.sign_in is SignIn.OIDC:
            return None
        if path == "_stcore/health":
            return None
        try:
            viewer = viewer_of(self._door, scope, is_activity=False)
        except NotLetInError as problem:
            if problem.refusal is Refusal.IDLE and is_open:
                return None  # the page offers to come back
            is_known = problem.refusal in (Refusal.UNKNOWN, Refusal.CLOSED)
            return (403 if is_known else 401), problem.refusal
        first = path.partition("/")[0]
        allowed = _ROLES.get(first)
        if allowed is not None and not is_open and not allowed(viewer.role):
            return 403, Refusal.NOT_ALLOWED
        if first == "media" and not self._files.is_on_a_page_of(viewer.name, path):
            return 404, Refusal.NOT_HERE
        return None

    def _wrong_place(self, scope: Scope, access: Access | None) -> Refusal | None:
        """Why this connection may not speak at all: where it comes from, or what it calls us."""
        peer = (scope.get("client") or ("", 0))[0]
        if access is None:
            if not is_loopback(peer):
                return Refusal.ELSEWHERE
        elif access.sign_in is SignIn.PROXY and _plain_address(peer) not in access.proxies:
            return Refusal.NOT_PROXY
        headers = Headers(scope=scope)
        if access is not None and access.header and len(headers.getlist(access.header)) > 1:
            return Refusal.NOT_PROXY  # the second may be the browser's own
        hosts = [*(access.hosts if access is not None else ()), *self._allowed_hosts()]
        if hosts and not _is_named(headers.get("host", ""), hosts):
            return Refusal.WRONG_HOST
        origin = headers.get("origin")
        if scope["type"] == "websocket" and access is not None and origin is not None:
            # Streamlit also takes pages of this machine's other addresses for its own.
            names = {headers.get("host", ""), *access.hosts}
            place = urlsplit(origin)
            if place.netloc not in names and (place.hostname or "") not in names:
                return Refusal.WRONG_HOST
        return None


def viewer_of(door: Door, scope: Scope, *, is_activity: bool = True) -> Viewer:
    """Who sends a request. Raises NotLetInError."""
    connection = HTTPConnection(scope)
    return door.viewer(connection.headers, connection.cookies, is_activity=is_activity)


def _is_open(path: str) -> bool:
    if path in _OPEN_EXACT or path in _OPEN_CORE or path.startswith("static/"):
        return True
    # Addresses of pages all answer with the same empty frame.
    return path.partition("/")[0] not in _ROLES and _PAGE.fullmatch(path) is not None


def _is_named(host: str, allowed: list[str]) -> bool:
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    for one in allowed:
        pattern = one.strip().casefold().rstrip(".")
        if pattern == "*" or name == pattern:
            return True
        if pattern.startswith("*.") and name.endswith(pattern[1:]):
            return True
    return False


def _plain_address(text: str) -> str:
    """An address as access.toml's are kept: IPv4 also where it came in over IPv6."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    return str(getattr(found, "ipv4_mapped", None) or found)


def _declared_bytes(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "0")
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def _bounded(receive: Receive) -> Receive:
    """Ends a request that sends more than it may, whatever it said before."""
    n_bytes = 0

    async def bounded() -> Message:
        nonlocal n_bytes
        message = await receive()
        if message["type"] == "http.request":
            n_bytes += len(message.get("body", b""))
            if n_bytes > MAX_SENT_BYTES:
                return {"type": "http.disconnect"}
        return message

    return bounded


def _protected(send: Send, path: str, protection: dict[str, str]) -> Send:
    """Puts the headers of protection on an answer that has not its own."""

    async def protected(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in protection.items():
                headers.setdefault(name, value)
            if path.partition("/")[0] in _NOT_KEPT:
                headers["Cache-Control"] = "private, no-store"
        await send(message)

    return protected
