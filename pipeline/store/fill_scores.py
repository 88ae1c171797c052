"""Fill the tables of scores: one flat row per utterance and scorer.

The dashboard filters, groups and sorts this table alone. That is why it repeats what utterances
are chosen by, in small types, and lies in the order of time: at 1.8 million utterances a query
then takes tens of milliseconds, and seconds with a join.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from pipeline.schema import CROPS, SCORES_WIDE, TABLES, UTTERANCE_FLAGS, VIEWS
from pipeline.schema_sql import (
    comment_sql,
    create_table_sql,
    create_type_sql,
    lag_cosines_view_sql,
    scores_view_sql,
)
from pipeline.score_tables import NAME_TYPES, SCORE_COLUMN_NAMES


def fill_scores(
    con: duckdb.DuckDBPyConnection, align_shards: Sequence[Path], imported: str
) -> None:
    """Fill `lags` and `scores_wide` from align shards and from `imported`, a table of scores
    made elsewhere (see `fill_imported`).

    Recordings, utterances, contexts, models and scores of sound must be in.
    """
    _create_shard_view(con, align_shards)
    cosines = ", ".join(f"s.lag_{crop}" for crop in CROPS)
    con.execute(
        f"""
        INSERT INTO lags
        SELECT u.utterance_number, s.recording_id, s.utterance_id, s.scorer, s.lag_time_ms,
               s.lag_ms, {cosines}
        FROM align_shards s JOIN utterances u USING (recording_id, utterance_id)
        ORDER BY s.scorer, u.utterance_number
        """
    )
    con.execute(
        "CREATE TEMP VIEW all_scores AS "
        f"SELECT * FROM align_shards UNION ALL BY NAME SELECT * FROM {imported}"
    )
    fill_flat_scores(con, "all_scores")
    con.execute("DROP VIEW all_scores; DROP VIEW align_shards")


def fill_flat_scores(con: duckdb.DuckDBPyConnection, scores: str) -> None:
    """Create `scores_wide` from a table or view of scores by recording, utterance and scorer.

    scores: its name; it has recording_id, utterance_id, scorer, missing_reason and any of the
    score columns of `scores_wide`; those it lacks are NULL. Every utterance gets a row for every
    scorer of `models`, also when it has no score.
    """
    for name in NAME_TYPES:
        con.execute(create_type_sql(name))
    con.execute(create_table_sql(SCORES_WIDE))
    found = {row[0] for row in con.execute(f"DESCRIBE {scores}").fetchall()}
    columns = ", ".join(
        f"s.{name}" for name in SCORE_COLUMN_NAMES if name in found and name != "missing_reason"
    )
    bits = " + ".join(
        f"list_contains(coalesce(u.flags, []), '{flag}')::UINTEGER * {1 << bit}"
        for bit, flag in enumerate(UTTERANCE_FLAGS)
    )
    con.execute(
        f"""
        INSERT INTO scores_wide BY NAME
        WITH places AS (
            SELECT u.utterance_number, min(c.location) AS location, min(c.activity) AS activity
            FROM utterances u JOIN contexts c ON c.recording_id = u.recording_id
                AND c.onset_ms <= (u.onset_ms + u.offset_ms) // 2
                AND c.offset_ms > (u.onset_ms + u.offset_ms) // 2
            GROUP BY u.utterance_number
        )
        SELECT u.utterance_number, m.scorer, u.recording_id, u.utterance_id, u.child_id,
            r.age_days, u.onset_ms, u.offset_ms, u.speaker, u.language, p.location, p.activity,
            h.quadrant,
            u.n_words, u.mean_logprob, {bits} AS flag_bits,
            md5_number_lower(u.recording_id || '/' || u.utterance_id) % 4294967296 AS random_key,
            CASE WHEN s.utterance_id IS NULL THEN 'not_scored' ELSE s.missing_reason
                END AS missing_reason,
            {columns}
        FROM models m CROSS JOIN utterances u
        JOIN recordings r ON r.recording_id = u.recording_id
        LEFT JOIN places p ON p.utterance_number = u.utterance_number
        LEFT JOIN sound_scores h ON h.utterance_number = u.utterance_number
        LEFT JOIN {scores} s ON s.recording_id = u.recording_id
            AND s.utterance_id = u.utterance_id AND s.scorer = m.scorer
        ORDER BY m.scorer, u.utterance_number
        """
    )


def finish(con: duckdb.DuckDBPyConnection) -> None:
    """Add the views, and what every table and column means."""
    con.execute(scores_view_sql())
    con.execute(lag_cosines_view_sql())
    for table in TABLES:
        for statement in comment_sql(table):
            con.execute(statement)
    for view in VIEWS:
        for statement in comment_sql(view, "VIEW"):
            con.execute(statement)


def _create_shard_view(con: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    """The align shards as one relation; an empty one of the same columns without shards."""
    if paths:
        files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
        con.execute(
            f"""
            CREATE TEMP VIEW align_shards AS SELECT * FROM read_parquet(
                [{files}], union_by_name = true, hive_partitioning = false)
            """
        )
        return
    lists = ", ".join(f"NULL::FLOAT[] AS lag_{crop}" for crop in CROPS)
    con.execute(
        f"""
        CREATE TEMP VIEW align_shards AS
        SELECT NULL::VARCHAR AS recording_id, NULL::VARCHAR AS utterance_id,
            NULL::VARCHAR AS scorer, NULL::VARCHAR AS missing_reason,
            NULL::INTEGER[] AS lag_time_ms, NULL::INTEGER[] AS lag_ms, {lists}
        WHERE FALSE
        """
    )
