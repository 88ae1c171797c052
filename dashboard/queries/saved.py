"""The moments of the open store that people wrote about."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from duckdb import DuckDBPyConnection

from dashboard.queries.selection import Measure, Query
from pipeline.people.attach import Attachment, attach
from pipeline.people.marks import SavedMoment
from pipeline.people.store import MomentRef
from pipeline.records import TimeSpan

Keys = tuple[tuple[str, str], ...]
"""Utterances, each as (recording_id, utterance_id)."""


def attachments(con: DuckDBPyConnection, saved: Sequence[SavedMoment]) -> tuple[Attachment, ...]:
    """Where the saved moments are in this store, in their order; see `pipeline.people.attach`."""
    if not saved:
        return ()
    sql = """
        SELECT DISTINCT u.recording_id, u.utterance_id, u.onset_ms, u.offset_ms
        FROM utterances u JOIN (
            SELECT unnest($recording_ids) AS recording_id, unnest($onsets_ms) AS onset_ms,
                unnest($offsets_ms) AS offset_ms) s
            ON u.recording_id = s.recording_id
            AND u.onset_ms < s.offset_ms AND u.offset_ms > s.onset_ms"""
    found = con.execute(
        sql,
        {
            "recording_ids": [moment.ref.recording_id for moment in saved],
            "onsets_ms": [moment.ref.span.onset_ms for moment in saved],
            "offsets_ms": [moment.ref.span.offset_ms for moment in saved],
        },
    ).fetchall()
    near = [
        MomentRef(recording_id, utterance_id, TimeSpan(onset_ms, offset_ms))
        for recording_id, utterance_id, onset_ms, offset_ms in found
    ]
    return attach(saved, near)


def among(keys: Keys) -> Query:
    """Condition over `utterance_number`: one of these utterances."""
    return Query(
        """utterance_number IN (
            SELECT u.utterance_number FROM utterances u JOIN (
                SELECT unnest($key_recordings) AS recording_id,
                    unnest($key_utterances) AS utterance_id) k
            ON u.recording_id = k.recording_id AND u.utterance_id = k.utterance_id)""",
        {
            "key_recordings": [recording_id for recording_id, _ in keys],
            "key_utterances": [utterance_id for _, utterance_id in keys],
        },
    )


def saved_rows(con: DuckDBPyConnection, keys: Keys, measure: Measure) -> pd.DataFrame:
    """One row for each of the keys that the store has, in no order.

    Columns: recording_id, utterance_id, child_id, age_days, speaker, onset_ms, offset_ms, text,
    score (of the measure; NULL without one) and has_clip.
    """
    here = among(keys)
    sql = f"""
        SELECT u.recording_id, u.utterance_id, u.child_id, r.age_days, u.speaker, u.onset_ms,
            u.offset_ms, u.text, s.score,
            coalesce(r.permission IN ('media', 'excerpts') AND r.media_path IS NOT NULL, FALSE)
                AS has_clip
        FROM (SELECT * FROM utterances WHERE {here.sql}) u
        JOIN recordings r ON r.recording_id = u.recording_id
        LEFT JOIN (
            SELECT utterance_number, {measure.score} AS score FROM scores_wide
            WHERE scorer = $scorer AND {here.sql}
        ) s ON s.utterance_number = u.utterance_number"""
    return Query(sql, {**here.params, "scorer": measure.scorer}).frame(con)
