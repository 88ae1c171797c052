"""Finished exports and the route that hands them out.

Streamlit's own download button keeps a file's bytes in the server's memory while the page is
open. Here a file lies on disk and is streamed to whoever made it, by a link that cannot be guessed
and dies after an hour.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from dashboard.access.door import Door
from dashboard.access.viewer import NotLetInError, Refusal, Viewer
from pipeline.access.audit import Opened, write_opened
from pipeline.access.refusals import RefusalLog, Refused
from pipeline.errors import AuditError, StoreError
from pipeline.exchange.export_folder import log_export
from pipeline.pending_withdrawal import refuse_while_pending
from pipeline.store.build_rules import refuse_if_rules_changed

LIFETIME_S = 3_600.0
ROUTE = "/exports"
_OWN_FOLDER = re.compile(r"[0-9a-f]{16}")
_GONE = "This export is no longer here. Make it again."
_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class ReadyExport:
    """A file to fetch: `token` opens it for `viewer`, who made it while they could see `children`
    (None for all). `file_name` is what it is called on arrival. `is_confirmed`: it holds what only
    an admin may take out, on their word. `build` is the store that it was made from."""

    token: str
    viewer: str
    children: frozenset[str] | None
    path: Path
    file_name: str
    what: str
    n_rows: int
    made_at_s: float
    is_confirmed: bool = False
    build: Path | None = None

    @property
    def has_media(self) -> bool:
        """Whether clips are in it."""
        return self.what.startswith("clips")

    @property
    def address(self) -> str:
        """Path of the file on this server, below its base path."""
        return f"{ROUTE}/{self.token}/{self.file_name}"


def sweep_exports(study_root: Path, now_s: float) -> None:
    """Delete folders of finished exports that nobody can fetch from any more at `now_s`, which is
    UTC in seconds. A folder of another name is not ours: the place may have become a link."""
    for folder in (study_root / "derived" / "exports").glob("*"):
        if not _OWN_FOLDER.fullmatch(folder.name):
            continue
        try:
            if now_s - folder.stat().st_mtime > LIFETIME_S:
                shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError:
            continue


class ExportDesk:
    """Keeps finished exports until they are too old."""

    def __init__(self) -> None:
        self._ready: dict[str, ReadyExport] = {}
        self._lock = Lock()

    def new_folder(self, study_root: Path) -> Path:
        """An empty folder that only this user may read; older ones are deleted."""
        parent = study_root / "derived" / "exports"
        self._sweep(study_root)
        folder = parent / secrets.token_hex(8)
        folder.mkdir(parents=True, mode=0o700)
        return folder

    def offer(
        self,
        path: Path,
        what: str,
        n_rows: int,
        viewer: Viewer,
        *,
        is_confirmed: bool = False,
        build: Path | None = None,
    ) -> ReadyExport:
        """Make a finished file available under a link of this viewer.

        build: the store that it was made from; when that may not be shown any more, nor may this.
        """
        token = secrets.token_urlsafe(24)
        ready = ReadyExport(
            token,
            viewer.name,
            viewer.children,
            path,
            path.name,
            what,
            n_rows,
            time.monotonic(),
            is_confirmed,
            build,
        )
        self.keep(ready)
        return ready

    def keep(self, ready: ReadyExport) -> None:
        """Hand out an export under its link, or another one in the place of it."""
        with self._lock:
            self._ready[ready.token] = ready

    def find(self, token: str) -> ReadyExport | None:
        """The export of a link, unless it is too old."""
        with self._lock:
            ready = self._ready.get(token)
        if ready is None or time.monotonic() - ready.made_at_s > LIFETIME_S:
            return None
        return ready if ready.path.is_file() else None

    def answer(self, request: Request, door: Door, refusals: RefusalLog) -> Response:
        """The file, or a sentence saying why not."""
        try:
            viewer = door.viewer(request.headers, request.cookies)
        except NotLetInError as problem:
            refusals.note(Refused("export", problem.refusal.value, problem.who))
            return _refusal(401, problem.refusal.value)

        def refuse(status: int, sentence: str, why: str = "") -> Response:
            refusals.note(Refused("export", why or sentence, viewer.name, viewer.role.value))
            return _refusal(status, sentence)

        ready = self.find(request.path_params["token"])
        if ready is None:
            return refuse(404, _GONE, "the link is too old or not this server's")
        if ready.viewer != viewer.name:
            return refuse(404, _GONE, "the link was made for somebody else")
        # What somebody may see can have changed since they made it.
        if not viewer.role.opens_pages or ready.children != viewer.children:
            return refuse(403, "You may see other children now. Make this export again.")
        if ready.is_confirmed and not viewer.role.manages:
            return refuse(403, Refusal.NOT_ALLOWED.value)
        if ready.has_media and not viewer.role.sees_media:
            return refuse(403, Refusal.NOT_ALLOWED.value)
        # STUDY/derived/exports/FOLDER/FILE
        root = ready.path.parents[3]
        try:
            refuse_while_pending(root)
            if ready.build is not None:
                refuse_if_rules_changed(root, ready.build)
        except StoreError as problem:
            return refuse(403, f"{problem.message} Make this export again.", "taken away since")
        if request.method == "GET":
            # What follows the first word may say what was searched for.
            kind = f"{ready.what.split()[0].rstrip(':')}, {ready.n_rows} rows"
            kind += ", also of recordings that are not for talks" * ready.is_confirmed
            try:
                write_opened(root, Opened(viewer.name, viewer.role.value, "export", detail=kind))
            except AuditError as problem:
                return _refusal(503, problem.message)
            log_export(root, ready.what, ready.n_rows)
        return FileResponse(
            ready.path, media_type="application/zip", filename=ready.file_name, headers=_HEADERS
        )

    def _sweep(self, study_root: Path) -> None:
        """Delete folders that nobody can fetch from any more."""
        with self._lock:
            for token, ready in list(self._ready.items()):
                if time.monotonic() - ready.made_at_s > LIFETIME_S:
                    del self._ready[token]
        sweep_exports(study_root, time.time())


DESK = ExportDesk()
"""This server's desk. Pages and the route run in one process, so both see the same one."""


def export_routes(
    door: Door, refusals: RefusalLog, base_path: str = "", desk: ExportDesk = DESK
) -> list[BaseRoute]:
    """The routes to add to `st.App`; `base_path` is the server's baseUrlPath."""
    base = base_path.strip("/")

    def answer(request: Request) -> Response:
        return desk.answer(request, door, refusals)

    return [Route(f"{'/' + base if base else ''}{ROUTE}/{{token}}/{{name}}", answer)]


def _refusal(status: int, sentence: str) -> PlainTextResponse:
    return PlainTextResponse(sentence, status_code=status, headers=_HEADERS)
