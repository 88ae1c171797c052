"""The routes of the rating screen: a page, its few files, what it asks and what it shows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import BaseRoute, Route

from dashboard.rating.desk import NotCurrentError, RatingDesk
from dashboard.rating.passes import (
    ALONE_COOKIE,
    DASHBOARD_COOKIE,
    NO_LABEL,
    NOT_KNOWN,
    TOO_MANY,
    CookieJar,
    Pass,
)
from dashboard.rating.screens import CodeScreen, EndedScreen, Screen
from dashboard.rating.sent import RefusedError, answer_of, code_of, fields_of, label_of
from dashboard.rating.tries import WrongTries
from pipeline.access.refusals import RefusalLog, Refused
from pipeline.errors import CoviewError, MediaError, RatingError
from pipeline.people.raters import join

ROUTE = "/rate"
_NOT_NOW = "This does not work now. Try again in a moment."
_WEB = Path(__file__).parent / "web"
_FILES = {
    "rating.css": "text/css",
    "rating.js": "text/javascript",
    "sending.js": "text/javascript",
    "trial.js": "text/javascript",
    "label.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
}
_Answer = Callable[["RatingRoutes", Request], Awaitable[Response]]


def rating_routes(
    study_root: Callable[[], Path],
    base_path: str = "",
    *,
    is_alone: bool = False,
    signed_in: Callable[[Request], str] = lambda request: "",
    refusals: RefusalLog | None = None,
) -> list[BaseRoute]:
    """The routes of the rating screen of a study.

    `base_path` is the server's baseUrlPath. `is_alone` says that no dashboard is served beside
    it, so that the cookie need not reach other paths. `signed_in` names who sends a request, where
    people have to sign in; `refusals` counts what is refused, without it they are its own.
    """
    base = base_path.strip("/")
    root = f"/{base}" if base else ""
    jar = (
        CookieJar(ALONE_COOKIE, f"{root}{ROUTE}")
        if is_alone
        else CookieJar(DASHBOARD_COOKIE, root or "/")
    )
    at = f"{root}{ROUTE}"
    served = RatingRoutes(
        RatingDesk(study_root), jar, f"{at}/", signed_in, refusals or RefusalLog(study_root)
    )
    return [
        Route(at, served.to_page, methods=["GET"]),
        Route(f"{at}/", served.page, methods=["GET"]),
        Route(f"{at}/web/{{name}}", served.file, methods=["GET"]),
        Route(f"{at}/k/{{code}}", served.enter, methods=["GET"]),
        Route(f"{at}/join/{{code}}", served.enter_open, methods=["GET"]),
        Route(f"{at}/now", served.now, methods=["GET"]),
        Route(f"{at}/code", served.code, methods=["POST"]),
        Route(f"{at}/agree", served.agree, methods=["POST"]),
        Route(f"{at}/answer", served.answer, methods=["POST"]),
        Route(f"{at}/label", served.label, methods=["POST"]),
        Route(f"{at}/leave", served.leave, methods=["POST"]),
        Route(f"{at}/picture/{{shown:path}}/{{number:int}}.jpg", served.picture, methods=["GET"]),
        Route(f"{at}/sound/{{shown:path}}.m4a", served.sound, methods=["GET"]),
    ]


def _told(answer: _Answer) -> _Answer:
    """Turn what is expected to go wrong into an answer that the page understands."""

    async def told(self: RatingRoutes, request: Request) -> Response:
        try:
            return await answer(self, request)
        except RefusedError as problem:
            found = _problem(problem.status, problem.sentence)
            if problem.status == 403:
                await self.refused(request, problem.sentence)
        except NotCurrentError:
            found = _problem(404, "This is not what you are asked now.")
            await self.refused(request, "not what this rater is asked now")
        except RatingError as problem:
            found = _shown(EndedScreen(problem.message))
        except MediaError as problem:
            found = _problem(404, problem.message)
        except CoviewError:
            found = _problem(503, _NOT_NOW)
            if "text/html" in request.headers.get("accept", ""):
                # A link that a person opened, not our page.
                return PlainTextResponse(_NOT_NOW, 503, headers=_HEADERS)
        return found

    return told


class RatingRoutes:
    """Answers the rating screen's requests. What waits for a disk does so in a thread."""

    def __init__(
        self,
        desk: RatingDesk,
        jar: CookieJar,
        page_path: str,
        signed_in: Callable[[Request], str],
        refusals: RefusalLog,
    ) -> None:
        self._signed_in = signed_in
        self._refusals = refusals
        self._desk = desk
        self._jar = jar
        self._page_path = page_path
        self._tries = WrongTries()

    async def to_page(self, request: Request) -> Response:
        """The page's own address ends with a slash."""
        return RedirectResponse(self._page_path, 307, headers=_HEADERS)

    async def page(self, request: Request) -> Response:
        """The page, the same for everyone."""
        return FileResponse(_WEB / "rating.html", media_type="text/html", headers=_HEADERS)

    async def file(self, request: Request) -> Response:
        """One of the page's own files."""
        name = request.path_params["name"]
        if name not in _FILES:
            return _problem(404, "There is no such file.")
        headers = {**_HEADERS, "Cache-Control": "no-cache"}
        return FileResponse(_WEB / name, media_type=_FILES[name], headers=headers)

    @_told
    async def enter(self, request: Request) -> Response:
        """An invitation's link: let in, and leave the code out of the address bar."""
        given = Pass(request.path_params["code"])
        told = await self._why_not(request, given)
        return self._to_page(request, given, told)

    @_told
    async def enter_open(self, request: Request) -> Response:
        """An open link: join under the label that the address ends with."""
        code = request.path_params["code"]
        label = request.query_params.get("PROLIFIC_PID") or request.query_params.get("id") or ""
        if not _LABEL.fullmatch(label):
            return self._to_page(request, None, NO_LABEL)
        given = Pass(code, label)
        if self._tries.is_blocked(_address(request)) and not self._tries.is_right(given.text):
            return self._to_page(request, None, TOO_MANY)
        try:
            await run_in_threadpool(join, self._desk.store, code, label)
        except RatingError as problem:
            await self.refused(request, "an open link that lets nobody in")
            await asyncio.sleep(self._tries.was_wrong(_address(request)))
            return self._to_page(request, None, problem.message)
        self._tries.was_right(given.text)
        return self._to_page(request, given, "")

    @_told
    async def now(self, request: Request) -> Response:
        """What this rater sees now."""
        given = await self._let_in(request)
        if isinstance(given, CodeScreen):
            return _shown(given)
        return _shown(await run_in_threadpool(self._desk.screen, given))

    @_told
    async def code(self, request: Request) -> Response:
        """A code that was typed."""
        given = Pass(code_of(await fields_of(request)))
        told = await self._why_not(request, given)
        if told:
            return _shown(CodeScreen(told))
        response = _shown(await run_in_threadpool(self._desk.screen, given))
        self._jar.hand(request, response, given)
        return response

    @_told
    async def agree(self, request: Request) -> Response:
        """The consent text was agreed to."""
        await fields_of(request)
        given = await self._let_in(request)
        if isinstance(given, CodeScreen):
            return _shown(given)
        return _shown(await run_in_threadpool(self._desk.agree, given))

    @_told
    async def answer(self, request: Request) -> Response:
        """An answer: when this replies, it is on disk."""
        sent = answer_of(await fields_of(request))
        given = await self._let_in(request)
        if isinstance(given, CodeScreen):
            return _shown(given)
        try:
            screen = await run_in_threadpool(
                self._desk.answer,
                given,
                sent.trial_id,
                selected_position=sent.selected_position,
                rt_ms=sent.rt_ms,
            )
        except NotCurrentError:
            screen = await run_in_threadpool(self._desk.screen, given)
            return _shown(screen, 409)
        return _shown(screen)

    @_told
    async def label(self, request: Request) -> Response:
        """A label: when this replies, it is on disk."""
        sent = label_of(await fields_of(request))
        given = await self._let_in(request)
        if isinstance(given, CodeScreen):
            return _shown(given)
        screen = await run_in_threadpool(
            self._desk.label,
            given,
            sent.item_id,
            label=sent.label,
            referent=sent.referent,
            rt_ms=sent.rt_ms,
        )
        return _shown(screen)

    @_told
    async def leave(self, request: Request) -> Response:
        """Sign out on this device."""
        await fields_of(request)
        response = _shown(CodeScreen())
        self._jar.take(request, response)
        return response

    @_told
    async def picture(self, request: Request) -> Response:
        """A picture of what this rater sees now; of nothing else."""
        given = await self._let_in(request)
        if isinstance(given, CodeScreen):
            raise NotCurrentError
        shown, number = request.path_params["shown"], request.path_params["number"]
        who = self._signed_in(request)
        picture = await run_in_threadpool(self._desk.picture, given, shown, number, who)
        return Response(picture, media_type="image/jpeg", headers=_HEADERS)

    @_told
    async def sound(self, request: Request) -> Response:
        """The sound of what this rater sees now; of nothing else."""
        given = await self._let_in(request)
        if isinstance(given, CodeScreen):
            raise NotCurrentError
        who = self._signed_in(request)
        path = await run_in_threadpool(self._desk.sound, given, request.path_params["shown"], who)
        return FileResponse(path, media_type="audio/mp4", headers=_HEADERS)

    async def _let_in(self, request: Request) -> Pass | CodeScreen:
        """Whoever asks, or the screen that asks them for a code."""
        given = self._jar.read(request)
        if given is None:
            return CodeScreen(self._jar.told(request))
        told = await self._why_not(request, given)
        return CodeScreen(told) if told else given

    async def _why_not(self, request: Request, given: Pass) -> str:
        """Why a pass lets nobody in; empty when it does. A wrong one is answered slowly."""
        address = _address(request)
        if self._tries.is_right(given.text):
            return ""  # One that was replaced since then is noticed by the desk.
        if self._tries.is_blocked(address):
            return TOO_MANY
        if await run_in_threadpool(self._desk.is_known, given):
            self._tries.was_right(given.text)
            return ""
        await self.refused(request, "a code that is not known")
        await asyncio.sleep(self._tries.was_wrong(address))
        return NOT_KNOWN

    async def refused(self, request: Request, why: str) -> None:
        """Count that somebody was refused."""
        note = Refused("rating", why, self._signed_in(request))
        await run_in_threadpool(self._refusals.note, note)

    def _to_page(self, request: Request, given: Pass | None, told: str) -> Response:
        response = RedirectResponse(self._page_path, 303, headers=_HEADERS)
        if given is None or told:
            self._jar.take(request, response, told)
        else:
            self._jar.hand(request, response, given)
        return response


def _shown(screen: Screen, status: int = 200) -> JSONResponse:
    return JSONResponse(asdict(screen), status, headers=_HEADERS)


def _problem(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"problem": sentence}, status, headers=_HEADERS)


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host
