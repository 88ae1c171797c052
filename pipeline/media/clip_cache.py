"""Clips that were cut before, kept under derived/clips up to a size.

A clip's name is a digest of everything that shapes it, the recording's content included, so a
replaced video never shows an old clip. Names carry nothing about a family.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from functools import lru_cache
from pathlib import Path

from filelock import FileLock

from pipeline.media.clips import CLIP_FORMAT, ClipSettings, clip_span, cut_clip
from pipeline.records import TimeSpan
from pipeline.study import media_digest

_STALE_PARTIAL_S = 3_600.0
_MAX_CUTS_AT_ONCE = 2


class ClipCache:
    """Clips of one study. Threads and processes may ask for the same clip at the same time.

    One cuts and the others wait. When the folder outgrows `max_bytes`, the clips that were asked
    for least recently go first.
    """

    def __init__(self, study_root: Path, *, max_bytes: int) -> None:
        self.folder = study_root / "derived" / "clips"
        self._max_bytes = max_bytes
        self._room = threading.Semaphore(_MAX_CUTS_AT_ONCE)

    def clip(self, source: Path, span: TimeSpan, settings: ClipSettings) -> Path:
        """The file of the clip, cut now if it is not there. Raises MediaError as `cut_clip`."""
        path = self.path_of(source, span, settings)
        if _mark_used(path):
            return path
        self.folder.mkdir(parents=True, exist_ok=True)
        # A lock for each first byte of the name: few files, and they never need deleting.
        with FileLock(self.folder / f"{path.name[:2]}.lock", thread_local=False), self._room:
            if not _mark_used(path):
                cut_clip(source, span, path, settings)
                self.prune(keep=path)
        return path

    def path_of(self, source: Path, span: TimeSpan, settings: ClipSettings) -> Path:
        """Where the clip lies once it is cut."""
        return self.folder / f"{clip_name(source, span, settings)}.mp4"

    def n_kept(self) -> int:
        """How many clips are kept."""
        return len(self._clips())

    def size_bytes(self) -> int:
        """Bytes of all clips kept."""
        return sum(size for _, _, size in self._clips())

    def prune(self, keep: Path | None = None) -> int:
        """Delete least recently used clips until they fit; returns how many went."""
        self._remove_stale_partials()
        clips = sorted(self._clips())
        excess = sum(size for _, _, size in clips) - self._max_bytes
        n_removed = 0
        for _, path, size in clips:
            if excess <= 0:
                break
            if path == keep:
                continue
            try:
                path.unlink()
            except OSError:
                continue  # Gone already, or being played on a system that then refuses.
            excess -= size
            n_removed += 1
        return n_removed

    def _clips(self) -> list[tuple[int, Path, int]]:
        """(last use in ns, path, bytes) of each clip."""
        found = []
        for path in self.folder.glob("*.mp4"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found.append((status.st_mtime_ns, path, status.st_size))
        return found

    def _remove_stale_partials(self) -> None:
        for path in self.folder.glob("*.partial"):
            try:
                if time.time() - path.stat().st_mtime > _STALE_PARTIAL_S:
                    path.unlink()
            except OSError:
                continue


def clip_name(source: Path, span: TimeSpan, settings: ClipSettings) -> str:
    """Digest of the recording's content, the stretch shown and the way it is encoded."""
    shown = clip_span(span, settings)
    try:
        status = source.stat()
        content = _content(source, status.st_size, status.st_mtime_ns)
    except OSError:
        content = source.name  # `cut_clip` says what is wrong with the file.
    parts = (
        CLIP_FORMAT,
        content,
        shown.onset_ms,
        shown.offset_ms,
        settings.max_height_px,
        settings.audio_track,
    )
    return hashlib.sha256(":".join(str(part) for part in parts).encode()).hexdigest()[:32]


@lru_cache(maxsize=4_096)
def _content(source: Path, size: int, mtime_ns: int) -> str:
    return media_digest(source)


def _mark_used(path: Path) -> bool:
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True
