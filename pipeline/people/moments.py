"""The rows of moments that marks stand for."""

from __future__ import annotations

import sqlite3

from pipeline.people.store import MomentRef


def moment_id_of(con: sqlite3.Connection, moment: MomentRef) -> int:
    """The row of `moments` that stands for this moment, made if needed."""
    key = (
        moment.recording_id,
        moment.utterance_id,
        moment.span.onset_ms,
        moment.span.offset_ms,
    )
    con.execute(
        "INSERT OR IGNORE INTO moments (recording_id, utterance_id, onset_ms, offset_ms) "
        "VALUES (?, ?, ?, ?)",
        key,
    )
    found = con.execute(
        "SELECT moment_id FROM moments WHERE recording_id = ? AND utterance_id = ? "
        "AND onset_ms = ? AND offset_ms = ?",
        key,
    ).fetchone()
    return int(found[0])
