"""What is missing and why: scores, recordings, and notices about them."""

from __future__ import annotations

import pandas as pd
from duckdb import DuckDBPyConnection

from dashboard.filters import Filters
from dashboard.queries.selection import Measure, Query, scored


def missing_scores(con: DuckDBPyConnection, filters: Filters, measure: Measure) -> pd.DataFrame:
    """Chosen utterances without a score, by reason: reason, n. Denominator: Totals.n_utterances."""
    base = scored(filters, measure)
    sql = f"""
        SELECT missing_reason AS reason, count(*) AS n FROM ({base.sql})
        WHERE missing_reason IS NOT NULL GROUP BY missing_reason ORDER BY n DESC, reason"""
    return Query(sql, base.params).frame(con)


def failures(con: DuckDBPyConnection) -> pd.DataFrame:
    """Recordings that a stage could not finish: stage, recording_id, message, hint."""
    return Query(
        "SELECT stage, recording_id, message, hint FROM failures ORDER BY stage, recording_id"
    ).frame(con)


def notices(con: DuckDBPyConnection) -> pd.DataFrame:
    """What to know about recordings that did not fail: recording_id, notice."""
    return Query(
        """SELECT recording_id, unnest(notices) AS notice FROM recordings
           ORDER BY recording_id, notice"""
    ).frame(con)
