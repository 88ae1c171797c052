"""What the route of the clips asks the store before it shows anything."""

from __future__ import annotations

from dataclasses import dataclass

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
