"""Files that can be made again at any time, kept in one folder up to a size.

Threads and processes may ask for the same file at the same time: one makes it and the others
wait. When the folder outgrows its size, the files that were asked for least recently go first.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from pipeline.media.turns import WAITING, Asking, NotWantedError, Turns

_STALE_PARTIAL_S = 3_600.0
_OWN_NAME = re.compile(r"[0-9a-f]{16,64}\.\w+")
"""Files of another name are not ours, and never deleted: the folder may have become a link."""
_MAX_MADE_AT_ONCE = max(2, min(4, (os.cpu_count() or 2) // 2))


class FileCache:
    """The files of `folder` that end in one of `suffixes`.

    The folder is measured after every `prune_every` files that were made: for many small files
    that takes longer than making one.
    """

    def __init__(
        self, folder: Path, *, suffixes: tuple[str, ...], max_bytes: int, prune_every: int = 1
    ) -> None:
        self.folder = folder
        self._suffixes = suffixes
        self._max_bytes = max_bytes
        self._prune_every = prune_every
        self._n_made = 0
        self._turns = Turns(_MAX_MADE_AT_ONCE)

    def file(self, name: str, make: Callable[[Path], object], asking: Asking = WAITING) -> Path:
        """The file of this name, made now by `make(path)` if it is not there.

        `make` lets the file appear only when it is whole; what it raises is raised here.
        Raises NotWantedError when it would have to be made and nobody waits any more.
        """
        path = self.folder / name
        if _mark_used(path):
            return path
        self.folder.mkdir(parents=True, exist_ok=True)
        # A lock for each first byte of the name: few files, and they never need deleting. It is
        # taken last, so that who waits is not behind one who asks for the same ahead of time.
        lock = FileLock(self.folder / f"{name[:2]}.lock", thread_local=False)
        with self._turns.turn(asking), lock:
            if not _mark_used(path):
                if not asking.is_wanted():
                    raise NotWantedError
                make(path)
                self._n_made += 1
                if self._n_made % self._prune_every == 0:
                    self.prune(keep=path)
        return path

    def n_kept(self) -> int:
        """How many files are kept."""
        return len(self._kept())

    def size_bytes(self) -> int:
        """Bytes of all files kept."""
        return sum(size for _, _, size in self._kept())

    def prune(self, keep: Path | None = None) -> int:
        """Delete least recently used files until they fit; returns how many went."""
        remove_stale_partials(self.folder, time.time())
        kept = sorted(self._kept())
        excess = sum(size for _, _, size in kept) - self._max_bytes
        n_removed = 0
        for _, path, size in kept:
            if excess <= 0:
                break
            if path == keep:
                continue
            try:
                path.unlink()
            except OSError:
                continue  # Gone already, or being read on a system that then refuses.
            excess -= size
            n_removed += 1
        return n_removed

    def _kept(self) -> list[tuple[int, Path, int]]:
        """(last use in ns, path, bytes) of each file."""
        found = []
        for path in self.folder.glob("*"):
            if path.suffix not in self._suffixes or not _OWN_NAME.fullmatch(path.name):
                continue
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found.append((status.st_mtime_ns, path, status.st_size))
        return found


def remove_stale_partials(folder: Path, now_s: float) -> None:
    """Remove what somebody who was killed was making, an hour ago or more at `now_s`, which is UTC
    in seconds."""
    for path in folder.glob("*.partial"):
        try:
            if now_s - path.stat().st_mtime > _STALE_PARTIAL_S:
                path.unlink()
        except OSError:
            continue


def sweep_clips(study_root: Path, now_s: float) -> None:
    """`remove_stale_partials` of the study's clips."""
    remove_stale_partials(study_root / "derived" / "clips", now_s)


def _mark_used(path: Path) -> bool:
    """Whether the file is there, which then counts as used now.

    A link that somebody put there could lead to any file of this account, which would be served:
    it is deleted, and the file made anew.
    """
    try:
        if path.is_symlink():
            path.unlink()
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    return True
