"""The route that serves clips, beside Streamlit's own.

Streamlit's way to show a video reads the whole file into memory and hands it to everyone who
guesses its address. This route streams one clip from disk to the holder of a signed link, after
asking the store whether the recording may be played, and writes down that it was opened.
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

from dashboard.clip_tokens import ROUTE, SIGNER, BadTokenError, ClipRequest, TokenSigner
from dashboard.queries.clip_sources import ClipSource, clip_source
from pipeline.errors import CoviewError
from pipeline.media.study_clips import StudyClips
from pipeline.records import Permission
from pipeline.store.locate import current_store_path

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Disposition": "inline",
}
_MAX_REMEMBERED = 10_000


def clip_routes(
    study_root: Callable[[], Path], signer: TokenSigner = SIGNER, base_path: str = ""
) -> list[BaseRoute]:
    """The routes to add to `st.App`; `base_path` is the server's baseUrlPath."""
    desk = ClipDesk(study_root, signer)
    base = base_path.strip("/")
    return [Route(f"{'/' + base if base else ''}{ROUTE}/{{token}}.mp4", desk.answer)]


class ClipDesk:
    """Answers requests for clips."""

    def __init__(self, study_root: Callable[[], Path], signer: TokenSigner) -> None:
        self._study_root = study_root
        self._signer = signer
        self._clips: dict[Path, StudyClips] = {}
        self._logged: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def answer(self, request: Request) -> Response:
        """The clip, or a sentence saying why not. HEAD cuts the clip ahead of its showing."""
        try:
            wanted = self._signer.read(request.path_params["token"])
        except BadTokenError:
            return _refusal(403, "This link to a clip has expired. Open the moment again.")
        root = self._study_root()
        try:
            source = _source(root, wanted)
            if source is None:
                return _refusal(404, "This moment is not in the current store.")
            if source.permission is not Permission.MEDIA:
                return _refusal(403, "This recording may not be played.")
            if source.media_path is None:
                return _refusal(404, "This recording has frames but no video.")
            path = self._clips_of(root).clip(
                source.media_path, source.span, lead_ms=wanted.lead_ms, lag_ms=wanted.lag_ms
            )
        except CoviewError as problem:
            return _refusal(404, str(problem))
        except duckdb.Error:
            return _refusal(503, "The store cannot be read now. Try again in a moment.")
        if request.method == "GET":
            self._log(root, wanted)
        return FileResponse(path, media_type="video/mp4", headers=_HEADERS)

    def _clips_of(self, root: Path) -> StudyClips:
        with self._lock:
            if root not in self._clips:
                self._clips[root] = StudyClips(root)
            return self._clips[root]

    def _log(self, root: Path, wanted: ClipRequest) -> None:
        """One row for each opening: a player asks for the same clip many times, in pieces."""
        with self._lock:
            if wanted.nonce in self._logged:
                return
            self._logged[wanted.nonce] = None
            while len(self._logged) > _MAX_REMEMBERED:
                self._logged.popitem(last=False)
        self._clips_of(root).log_opened(wanted.moment.recording_id, wanted.moment.utterance_id)


def _source(root: Path, wanted: ClipRequest) -> ClipSource | None:
    # The current build decides, not the one a session still looks at: a permission that was
    # withdrawn since then counts at once.
    store = current_store_path(root)
    if store is None:
        return None
    with duckdb.connect(str(store), read_only=True) as con:
        return clip_source(con, wanted.moment.recording_id, wanted.moment.utterance_id)


def _refusal(status: int, sentence: str) -> PlainTextResponse:
    return PlainTextResponse(sentence, status_code=status, headers=_HEADERS)
