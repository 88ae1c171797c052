"""Clips that were cut before, kept under derived/clips up to a size.

A clip's name is a digest of everything that shapes it, the recording's content included, so a
replaced video never shows an old clip. Names carry nothing about a family.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from pipeline.faces.blur import FaceBlur
from pipeline.media.clip_job import cut_apart
from pipeline.media.clips import CLIP_FORMAT, ClipSettings, clip_span
from pipeline.media.face_search import FACES_FORMAT
from pipeline.media.file_cache import FileCache
from pipeline.media.turns import WAITING, Asking
from pipeline.records import TimeSpan
from pipeline.study import media_digest


class ClipCache:
    """Clips of one study, at most `max_bytes` of them; shared as `FileCache` says."""

    def __init__(self, study_root: Path, *, max_bytes: int) -> None:
        self.folder = study_root / "derived" / "clips"
        self._files = FileCache(self.folder, suffixes=(".mp4",), max_bytes=max_bytes)

    def clip(
        self,
        source: Path,
        span: TimeSpan,
        settings: ClipSettings,
        asking: Asking = WAITING,
    ) -> Path:
        """The file of the clip, cut now if it is not there. Raises MediaError as `cut_apart`, and
        NotWantedError as `FileCache.file`."""
        return self._files.file(
            self.path_of(source, span, settings).name,
            lambda path: cut_apart(source, span, path, settings),
            asking,
        )

    def path_of(self, source: Path, span: TimeSpan, settings: ClipSettings) -> Path:
        """Where the clip lies once it is cut."""
        return self.folder / f"{clip_name(source, span, settings)}.mp4"

    def n_kept(self) -> int:
        """How many clips are kept."""
        return self._files.n_kept()

    def size_bytes(self) -> int:
        """Bytes of all clips kept."""
        return self._files.size_bytes()

    def prune(self, keep: Path | None = None) -> int:
        """Delete least recently used clips until they fit; returns how many went."""
        return self._files.prune(keep)


def clip_name(source: Path, span: TimeSpan, settings: ClipSettings) -> str:
    """Digest of the recording's content, the stretch shown and the way it is encoded."""
    shown = clip_span(span, settings)
    parts: tuple[str | int, ...] = (
        CLIP_FORMAT,
        content_of(source),
        shown.onset_ms,
        shown.offset_ms,
        settings.max_lines,
        settings.audio_track,
    )
    hidden = settings.redactions.within(shown)
    if hidden:
        parts = (*parts, hidden.text)
    if settings.face_blur is not FaceBlur.OFF:
        parts = (*parts, "faces", settings.face_blur.value, FACES_FORMAT)
    return hashlib.sha256(":".join(str(part) for part in parts).encode()).hexdigest()[:32]


def content_of(source: Path) -> str:
    """Digest of a recording's content; its name when it is missing, which whoever opens it says."""
    try:
        status = source.stat()
        return _content(source, status.st_size, status.st_mtime_ns)
    except OSError:
        return source.name


@lru_cache(maxsize=4_096)
def _content(source: Path, size: int, mtime_ns: int) -> str:
    return media_digest(source)
