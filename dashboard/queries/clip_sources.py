"""What the route of the clips asks the store before it shows anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import duckdb
from duckdb import DuckDBPyConnection

from pipeline.records import Permission, TimeSpan


@dataclass(frozen=True, slots=True)
class ClipSource:
    """Where an utterance lies and whether its recording may be played."""

    media_path: str | None
    permission: Permission
    child_id: str
    span: TimeSpan


def clip_source(con: DuckDBPyConnection, recording_id: str, utterance_id: str) -> ClipSource | None:
    """The source of an utterance's clip, or None when the store has no such utterance."""
    row = con.execute(
        """SELECT r.media_path, r.permission, r.child_id, u.onset_ms, u.offset_ms
           FROM utterances u JOIN recordings r ON r.recording_id = u.recording_id
           WHERE u.recording_id = ? AND u.utterance_id = ?""",
        [recording_id, utterance_id],
    ).fetchone()
    if row is None:
        return None
    media_path, permission, child_id, onset_ms, offset_ms = row
    known = {p.value for p in Permission}
    return ClipSource(
        media_path,
        Permission(permission) if permission in known else Permission.SCORES_ONLY,
        str(child_id or ""),
        TimeSpan(onset_ms, offset_ms),
    )


class ClipSources:
    """Asks one store at a time and keeps it open: a player asks for a clip in many pieces, and
    opening a store takes longer than asking it. Threads may share this."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: tuple[tuple[Path, int, int], DuckDBPyConnection] | None = None

    def find(self, store: Path | None, recording_id: str, utterance_id: str) -> ClipSource | None:
        """`clip_source` of the store at this path as it is now; None also without a store.

        Raises duckdb.Error when it cannot be read.
        """
        with self._lock:
            con = self._connection(store)
            cursor = None if con is None else con.cursor()
        if cursor is None:
            return None
        with cursor:
            return clip_source(cursor, recording_id, utterance_id)

    def _connection(self, store: Path | None) -> DuckDBPyConnection | None:
        try:
            status = None if store is None else store.stat()
        except FileNotFoundError:
            status = None
        if store is None or status is None:
            self._open = None
            return None
        key = (store, status.st_ino, status.st_mtime_ns)
        if self._open is None or self._open[0] != key:
            # Whoever still asks the one before keeps it open as long as that takes.
            self._open = None
            self._open = (key, duckdb.connect(str(store), read_only=True))
        return self._open[1]
