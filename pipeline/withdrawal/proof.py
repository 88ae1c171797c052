"""The listing that proves a withdrawal: what went, how large it was, and its digest.

It names neither the child nor the recording nor a word. Whoever knows the id can check that the
listing is about it: `who` is the SHA-256 of a random salt, the kind and the id; `recordings` are
those of the recordings that went with it. The digest of a file tells whether a copy found
elsewhere, on a backup say, is one of those that had to go.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path, PurePosixPath

from pipeline.pending_withdrawal import FOLDER
from pipeline.withdrawal.doomed import Cut, DoomedFile
from pipeline.withdrawal.target import Target

_UNDER_WAY = "pending.jsonl"
_HIDDEN = "(withdrawn)"
_PIECE_BYTES = 1 << 20
_MAX_DIGESTED_BYTES = 8 << 30


class Proof:
    """Rows written as things go, so that an interruption loses none."""

    def __init__(self, root: Path, target: Target) -> None:
        self._root = root
        self._target = target
        self._path = root / FOLDER / _UNDER_WAY

    def went(self, file: DoomedFile) -> None:
        """Write down a file that is about to be deleted."""
        is_link = file.path.is_symlink()
        size = 0 if is_link else file.path.stat().st_size
        self._add(
            {
                "removed": "file",
                "what": file.why,
                "path": self.shown(file.path),
                "n_bytes": size,
                "sha256": None if is_link or size > _MAX_DIGESTED_BYTES else _digest(file.path),
            }
        )

    def cut(self, cut: Cut) -> None:
        """Write down rows that were taken out of a file."""
        self._add(
            {
                "removed": "rows",
                "what": cut.why,
                "path": self.shown(cut.path),
                "n_rows": cut.n_gone,
            }
        )

    def finish(self, facts: Mapping[str, object]) -> Path:
        """Close the listing with `facts` and give it its name; its path."""
        now = datetime.now(timezone.utc)
        salt = secrets.token_hex(16)
        kind = "child" if self._target.child_id else "recording"
        name = self._target.child_id or self._target.gone[0].recording_id
        who = salted(salt, kind, name)
        self._add(
            {
                "withdrawn": kind,
                "salt": salt,
                "who": who,
                "recordings": sorted(
                    salted(salt, "recording", gone.recording_id) for gone in self._target.gone
                ),
                "n_recordings": len(self._target.gone),
                "finished_at": now.isoformat(timespec="seconds"),
                "coview_version": version("coview"),
                **facts,
            }
        )
        path = self._path.with_name(f"{now:%Y%m%dT%H%M%SZ}-{who[:8]}.jsonl")
        self._path.replace(path)
        return path

    def shown(self, path: Path) -> str:
        """The path below the study without what would name who was withdrawn."""
        inner = PurePosixPath(path.relative_to(self._root).as_posix())
        return "/".join(self._masked(part) for part in inner.parts)

    def _masked(self, part: str) -> str:
        stem = part.partition("~")[0]
        names = {part, stem, PurePosixPath(part).stem, part.partition(".")[0]}
        is_named = not names.isdisjoint(self._target.identifiers) or self._target.names_gone(part)
        if not is_named and not self._target.mention.search(part):
            return part
        return _HIDDEN + (
            f"~{part.partition('~')[2]}" if "~" in part else PurePosixPath(part).suffix
        )

    def _add(self, row: Mapping[str, object]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


def salted(salt: str, kind: str, name: str) -> str:
    """The digest that stands for a child or a recording in a listing."""
    return hashlib.sha256(f"{salt} {kind} {name}".encode()).hexdigest()


def _digest(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
    except OSError:
        return None
    return digest.hexdigest()
