"""What was recorded, of whom, and what is missing: counts from the tables of the store."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from duckdb import DuckDBPyConnection

from pipeline.predictors.choice import Condition


@dataclass(frozen=True, slots=True)
class Totals:
    """How much was recorded, whether anybody speaks in it or not."""

    n_children: int
    n_recordings: int
    total_ms: int


@dataclass(frozen=True, slots=True)
class SpeakerOrigins:
    """Utterances of the whole study by where their speaker comes from: the speaker label that
    covers most of them, the transcript itself, or nowhere."""

    n_by_overlap: int
    n_by_transcript: int
    n_unknown: int

    @property
    def n(self) -> int:
        return self.n_by_overlap + self.n_by_transcript + self.n_unknown


def recordings(con: DuckDBPyConnection, condition: Condition) -> pd.DataFrame:
    """The recordings of the report: recording_id, child_id, age_days, duration_ms, n_utterances
    (in the store), n_frames, short_side_px, permission, has_audio, has_notice."""
    return con.execute(
        f"""SELECT recording_id, coalesce(child_id, '') AS child_id,
                CAST(age_days AS DOUBLE) AS age_days,
                CAST(coalesce(duration_ms, 0) AS BIGINT) AS duration_ms,
                coalesce(n_utterances, 0) AS n_utterances,
                CAST(n_frames AS DOUBLE) AS n_frames,
                CAST(least(width_px, height_px) AS DOUBLE) AS short_side_px,
                coalesce(permission, 'scores_only') AS permission,
                audio_codec IS NOT NULL OR media_path IS NULL AS has_audio,
                coalesce(len(notices), 0) > 0 AS has_notice
            FROM recordings WHERE {condition.sql} ORDER BY child_id, recording_id""",
        dict(condition.params),
    ).df()


def totals(rows: pd.DataFrame) -> Totals:
    """Children, recordings and hours of `recordings`."""
    return Totals(rows["child_id"].nunique(), len(rows), int(rows["duration_ms"].sum()))


def failures(con: DuckDBPyConnection) -> pd.DataFrame:
    """What a stage could not finish, in the whole study: stage, code, n_recordings."""
    return con.execute(
        """SELECT stage, code, count(DISTINCT recording_id) AS n_recordings FROM failures
           GROUP BY ALL ORDER BY stage, code"""
    ).df()


def speaker_origins(con: DuckDBPyConnection) -> SpeakerOrigins:
    """Count the utterances of the whole study by the origin of their speaker."""
    row = con.execute(
        """SELECT count(*) FILTER (speaker != 'NA' AND speaker_overlap IS NOT NULL),
               count(*) FILTER (speaker != 'NA' AND speaker_overlap IS NULL),
               count(*) FILTER (coalesce(speaker, 'NA') = 'NA') FROM utterances"""
    ).fetchone()
    return SpeakerOrigins(*(row or (0, 0, 0)))
