"""Look for a withdrawn child's names in what is left of the study."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.pending_withdrawal import FOLDER
from pipeline.withdrawal.target import STAGE_FOLDERS, Target

_PIECE_BYTES = 1 << 22
_MIN_BINARY = 6
"""Shorter names come about by chance in packed numbers."""


def mentions_left(root: Path, target: Target) -> tuple[str, ...]:
    """Files that still hold an id or a file name of what was withdrawn, or carry it as their name.

    Videos are passed over (they stay unless asked for), as are shards, which are named after their
    recording. Names that are bare numbers or shorter than three letters are not looked for.
    """
    found = []
    for path in _files_left(root):
        inner = path.relative_to(root).as_posix()
        if target.mention.search(inner) or _holds(path, target):
            found.append(inner)
    return tuple(found)


def _files_left(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if parts[0] in ("recordings", FOLDER) or not path.is_file() or path.is_symlink():
            continue
        if parts[0] == "derived" and len(parts) > 1 and parts[1] in STAGE_FOLDERS:
            continue
        yield path


def _holds(path: Path, target: Target) -> bool:
    overlap = max((len(text.encode()) for text in target.searched), default=0) + 1
    before = b""
    try:
        with path.open("rb") as file:
            is_binary: bool | None = None
            while piece := file.read(_PIECE_BYTES):
                if is_binary is None:
                    is_binary = b"\0" in piece[:8192]
                if _found_in(before + piece, target, is_binary):
                    return True
                before = piece[-overlap:]
    except OSError:
        return False
    return False


def _found_in(raw: bytes, target: Target, is_binary: bool) -> bool:
    text = raw.decode("latin-1")
    for match in target.mention.finditer(raw.decode("utf-8", errors="replace")):
        if not is_binary or len(match.group()) >= _MIN_BINARY:
            return True
    return is_binary and any(
        len(name) >= _MIN_BINARY and name.encode().decode("latin-1") in text
        for name in target.searched
    )
