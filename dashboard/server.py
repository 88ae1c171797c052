"""The route that serves clips, beside Streamlit's own.

Streamlit's way to show a video reads the whole file into memory and hands it to everyone who
guesses its address. This route streams one clip from disk to whom its signed link was made for,
after asking whether they may see the child and whether the recording may be played, and writes down
who opened it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import duckdb
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from dashboard.access.door import Door
from dashboard.access.viewer import NotLetInError, Refusal, Viewer
from dashboard.clip_tokens import (
    ROUTE,
    SIGNER,
    BadTokenError,
    ClipRequest,
    Purpose,
    TokenSigner,
)
from dashboard.queries.clip_sources import ClipSource, ClipSources
from dashboard.waiting import IsWanted, WaitingRoom
from pipeline.access.audit import Opened, write_opened
from pipeline.access.refusals import RefusalLog, Refused
from pipeline.current_rules import rules_now
from pipeline.errors import AuditError, CoviewError
from pipeline.media.study_clips import StudyClips
from pipeline.media.turns import Asking, NotWantedError
from pipeline.store.locate import current_store_path

_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Disposition": "inline",
}
_MAX_REMEMBERED = 10_000
_PURPOSES = {
    Purpose.DESK: "",
    Purpose.PRESENT: "present mode",
    Purpose.CONFIRMED: "present mode, confirmed",
}
"""What the audit says a clip was opened for."""
_NOT_THERE = "This moment is not in the current store."


def clip_routes(
    study_root: Callable[[], Path],
    signer: TokenSigner = SIGNER,
    base_path: str = "",
    door: Door | None = None,
    refusals: RefusalLog | None = None,
) -> list[BaseRoute]:
    """The routes to add to `st.App`; `base_path` is the server's baseUrlPath.

    door: whom it asks who is looking; refusals: where it counts whom it refused. Without them,
    they are its own.
    """
    desk = ClipDesk(
        study_root, signer, door or Door(study_root), refusals or RefusalLog(study_root)
    )
    base = base_path.strip("/")
    return [Route(f"{'/' + base if base else ''}{ROUTE}/{{token}}.mp4", desk.answer)]


class ClipDesk:
    """Answers requests for clips."""

    def __init__(
        self,
        study_root: Callable[[], Path],
        signer: TokenSigner,
        door: Door,
        refusals: RefusalLog,
    ) -> None:
        self._study_root = study_root
        self._refusals = refusals
        self._door = door
        self._signer = signer
        self._clips: dict[Path, StudyClips] = {}
        self._logged: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()
        self._waiting = WaitingRoom()
        self._sources = ClipSources()

    async def answer(self, request: Request) -> Response:
        """The clip, or a sentence saying why not. HEAD cuts the clip ahead of its showing."""
        return await self._waiting.answer(
            request, lambda is_wanted: self._answered(request, is_wanted)
        )

    def _answered(self, request: Request, is_wanted: IsWanted) -> Response:
        try:
            wanted = self._signer.read(request.path_params["token"])
        except BadTokenError as problem:
            own = problem.expired
            why = "the link is too old" if own else "the link is not this server's"
            of = own.moment.recording_id if own else ""
            self._refusals.note(Refused("clip", why, own.viewer if own else "", recording_id=of))
            return _refusal(403, "This link to a clip has expired. Open the moment again.")
        try:
            viewer = self._door.viewer(request.headers, request.cookies)
        except NotLetInError as problem:
            self._refusals.note(Refused("clip", problem.refusal.value, problem.who))
            return _refusal(401, problem.refusal.value)

        def refuse(status: int, sentence: str, why: str = "") -> Response:
            of = wanted.moment.recording_id
            note = Refused("clip", why or sentence, viewer.name, viewer.role.value, of)
            self._refusals.note(note)
            return _refusal(status, sentence)

        if viewer.name != wanted.viewer:
            return refuse(403, "This link was made for somebody else. Open the moment yourself.")
        if not viewer.role.sees_media:
            return refuse(403, Refusal.NOT_ALLOWED.value)
        root = self._study_root()
        try:
            # The current build decides, not the one a session still looks at: a permission that
            # was withdrawn since then counts at once.
            moment = wanted.moment
            source = self._sources.find(
                current_store_path(root), moment.recording_id, moment.utterance_id
            )
            # Whoever may not see a child is not told what there is of it.
            if source is None:
                return _refusal(404, _NOT_THERE)
            if not viewer.person.may_see(source.child_id):
                return refuse(404, _NOT_THERE, "not among their children")
            if not source.permission.may_be_shown:
                return refuse(403, "This recording may not be played.")
            if source.media_path is None:
                return _refusal(404, "This recording has frames but no video.")
            if wanted.purpose is Purpose.CONFIRMED and not viewer.role.manages:
                return refuse(403, Refusal.NOT_ALLOWED.value)
            if wanted.purpose is Purpose.PRESENT and not _may_leave(root, source):
                return refuse(403, "The family did not allow to show this recording in talks.")
            path = self._clips_of(root).clip(
                source.media_path,
                source.span,
                lead_ms=wanted.lead_ms,
                lag_ms=wanted.lag_ms,
                role=viewer.role.value,
                asking=Asking(is_wanted, is_ahead=request.method == "HEAD"),
            )
            if request.method == "GET":
                self._log(root, wanted, viewer)
        except NotWantedError:
            return _refusal(503, "Nobody waited for this clip.")
        except AuditError as problem:
            return _refusal(503, problem.message)
        except CoviewError as problem:
            return _refusal(404, str(problem))
        except duckdb.Error:
            return _refusal(503, "The store cannot be read now. Try again in a moment.")
        return FileResponse(path, media_type="video/mp4", headers=_HEADERS)

    def _clips_of(self, root: Path) -> StudyClips:
        with self._lock:
            if root not in self._clips:
                self._clips[root] = StudyClips(root)
            return self._clips[root]

    def _log(self, root: Path, wanted: ClipRequest, viewer: Viewer) -> None:
        """One row for each opening: a player asks for the same clip many times, in pieces.

        Raises AuditError when it cannot be written; then nothing is shown, now or later.
        """
        with self._lock:
            if wanted.nonce in self._logged:
                return
        key = wanted.moment
        write_opened(
            root,
            Opened(
                viewer.name,
                viewer.role.value,
                "clip",
                key.recording_id,
                key.utterance_id,
                _PURPOSES[wanted.purpose],
            ),
        )
        with self._lock:
            self._logged[wanted.nonce] = None
            while len(self._logged) > _MAX_REMEMBERED:
                self._logged.popitem(last=False)
        self._clips_of(root).log_opened(key.recording_id, key.utterance_id)


def _may_leave(root: Path, source: ClipSource) -> bool:
    """Whether a clip may be shown outside, as the store and the metadata say now."""
    if source.media_path is None or not source.permission.may_leave:
        return False
    return rules_now(root).shown_media(source.media_path).permission.may_leave


def _refusal(status: int, sentence: str) -> PlainTextResponse:
    return PlainTextResponse(sentence, status_code=status, headers=_HEADERS)
