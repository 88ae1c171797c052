"""What every request passes before a page or a route sees it.

The gate refuses whoever may not ask, puts headers of protection on every answer, and bounds what
may be sent. What is shown of which child is decided behind it: where the store is opened, and in
the routes of clips and exports. Paths that are not named here need somebody who is signed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access.callers import wrong_caller
from dashboard.access.door import Door
from dashboard.access.page_files import PageFiles
from dashboard.access.policy import content_policy
from dashboard.access.viewer import NotLetInError, Refusal, Viewer
from dashboard.access.way_back import WaysBack
from pipeline.access.refusals import RefusalLog, Refused
from pipeline.access.roles import Role
from pipeline.access.table import SignIn
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
_UPLOAD, _PARTS_OF_PAGES = "_stcore/upload_file/", "_stcore/bidi-components/"
"""What else of Streamlit's own a page needs; whatever it serves beside these is not answered."""
_PAGE = re.compile(r"[a-z][a-z-]{0,40}(?:/_stcore/(?:health|host-config))?")
"""The address of a page; from there Streamlit's script first seeks the server below the page."""
_ROLES: dict[str, Callable[[Role], bool]] = {
    "clips": lambda role: role.sees_media,
    "exports": lambda role: role.opens_pages,
    "media": lambda role: role.opens_pages,
    "_stcore": lambda role: role.opens_pages,
    "rate": lambda role: role.rates,
}
_KINDS = {
    "clips": "clip",
    "exports": "export",
    "media": "file of a page",
    "_stcore": "page",
    "rate": "rating",
}
"""What the audit calls a thing that was refused; everything else is a page."""


class Gate:
    """ASGI middleware around the whole server."""

    def __init__(
        self,
        app: ASGIApp,
        door: Door,
        base_path: str = "",
        allowed_hosts: Callable[[], list[str]] = list,
        files: PageFiles | None = None,
        refusals: RefusalLog | None = None,
        ways_back: WaysBack | None = None,
    ) -> None:
        self._app = app
        self._refusals = refusals
        self._ways_back = ways_back or WaysBack()
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
        if refused is not None:
            await self._write_down(path, refused)
        elif path == "auth/logout":
            connection = HTTPConnection(scope)
            await run_in_threadpool(self._door.sign_out, connection.headers, connection.cookies)
        if scope["type"] == "websocket":
            if refused is None:
                await self._app(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        protected = _protected(send, path, self._protection, is_https=_is_https(scope))
        if refused is not None:
            response = PlainTextResponse(
                refused.refusal.value, refused.status, headers={"Cache-Control": "no-store"}
            )
            await response(scope, receive, protected)
        elif _has_two_lengths(scope):
            unclear = PlainTextResponse("Two lengths are given.", 400, {"Connection": "close"})
            await unclear(scope, receive, protected)
        elif _declared_bytes(scope) > MAX_SENT_BYTES:
            too_much = PlainTextResponse("This is too much to send.", 413)
            await too_much(scope, receive, protected)
        else:
            back = self._ways_back.wrapped(scope, protected, path, self._base)
            await self._app(scope, _bounded(receive), back if self._asks_provider() else protected)

    def _asks_provider(self) -> bool:
        """Whether people sign in at a provider, from where they come back to the first page."""
        try:
            access = self._door.access()
        except AccessError:
            return False
        return access is not None and access.sign_in is SignIn.OIDC

    async def _write_down(self, path: str, refused: _Refused) -> None:
        if self._refusals is not None:
            kind = _KINDS.get(path.partition("/")[0], "page")
            note = Refused(kind, refused.refusal.value, refused.who, refused.role)
            await run_in_threadpool(self._refusals.note, note)

    def _path(self, scope: Scope) -> str:
        path = str(scope["path"]).lstrip("/")
        if self._base and (path == self._base or path.startswith(f"{self._base}/")):
            path = path[len(self._base) :].lstrip("/")
        return path

    def _why_not(self, scope: Scope, path: str) -> _Refused | None:
        """Why somebody may not ask this; None for who may."""
        try:
            access = self._door.access()
        except AccessError:
            return _Refused(503, Refusal.CLOSED)
        refusal = wrong_caller(scope, access, self._allowed_hosts())
        if refusal is not None:
            return _Refused(403, refusal)
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
            return _Refused(403 if is_known else 401, problem.refusal, problem.who)
        return None if is_open else self._why_not_this(viewer, path)

    def _why_not_this(self, viewer: Viewer, path: str) -> _Refused | None:
        """Why somebody who is signed in may not have this."""
        first = path.partition("/")[0]
        allowed = _ROLES.get(first)
        if allowed is not None and not allowed(viewer.role):
            return _Refused(403, Refusal.NOT_ALLOWED, viewer.name, viewer.role.value)
        if first == "media":
            is_theirs = self._files.is_on_a_page_of(viewer.name, path)
        elif path.startswith(_UPLOAD):
            session = path.removeprefix(_UPLOAD).partition("/")[0]
            is_theirs = self._files.is_page_of(viewer.name, session)
        else:
            is_theirs = first != "_stcore" or path.startswith(_PARTS_OF_PAGES)
        if not is_theirs:
            return _Refused(404, Refusal.NOT_HERE, viewer.name, viewer.role.value)
        return None


@dataclass(frozen=True, slots=True)
class _Refused:
    """An answer to who may not ask: `who` and their `role` where these are known."""

    status: int
    refusal: Refusal
    who: str = ""
    role: str = ""


def viewer_of(door: Door, scope: Scope, *, is_activity: bool = True) -> Viewer:
    """Who sends a request. Raises NotLetInError."""
    connection = HTTPConnection(scope)
    return door.viewer(connection.headers, connection.cookies, is_activity=is_activity)


def _is_open(path: str) -> bool:
    if path in _OPEN_EXACT or path in _OPEN_CORE or path.startswith("static/"):
        return True
    # Addresses of pages all answer with the same empty frame.
    return path.partition("/")[0] not in _ROLES and _PAGE.fullmatch(path) is not None


def _has_two_lengths(scope: Scope) -> bool:
    """Whether a proxy may have taken another end of this request for its end: what follows could
    then be a request of somebody else's."""
    headers = Headers(scope=scope)
    lengths = headers.getlist("content-length")
    return len(lengths) > 1 or bool(lengths and headers.getlist("transfer-encoding"))


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


def _is_https(scope: Scope) -> bool:
    """Whether the browser came by https; whoever lies about it closes their own cookies only."""
    told = Headers(scope=scope).get("x-forwarded-proto", "").partition(",")[0].strip()
    return "https" in (scope.get("scheme"), told.casefold())


def _protected(send: Send, path: str, protection: dict[str, str], *, is_https: bool) -> Send:
    """Puts the headers of protection on an answer that has not its own.

    Streamlit leaves its cookies open to http; behind https they are not.
    """

    async def protected(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in protection.items():
                headers.setdefault(name, value)
            if path.partition("/")[0] in _NOT_KEPT:
                headers["Cache-Control"] = "private, no-store"
            if is_https:
                message["headers"] = [_closed(*one) for one in message["headers"]]
        await send(message)

    return protected


def _closed(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A header; a cookie goes back over https alone."""
    if name.lower() != b"set-cookie":
        return name, value
    marks = {part.strip().lower() for part in value.split(b";")[1:]}
    return name, value if b"secure" in marks else value + b"; Secure"
