"""Make the tables of a store by hand: plain rows in, then the flat table made from them.

Tests insert into `raw_scores` (one row per utterance and scorer, score columns as in
`scores_wide`) and `raw_lags` (one row per frame, as in the view `lag_cosines`); `finish_store`
does the rest. The cumulative columns are worked out here in SQL, apart from `pipeline.reach`.
"""

from __future__ import annotations

import duckdb

from pipeline import schema
from pipeline.schema_sql import create_table_sql
from pipeline.score_columns import REACHES, reach_column, reach_frames_column
from pipeline.score_tables import SCORE_COLUMN_NAMES
from pipeline.store.fill_scores import fill_flat_scores, finish
from pipeline.store.fill_words import insert_word_index

_SCORES = tuple(
    column
    for column in schema.SCORES_WIDE.columns
    if column.name in SCORE_COLUMN_NAMES
    and column.name not in {reach_frames_column(*reach) for reach in REACHES}
    and not column.name.endswith(("_max", "_sum"))
)


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Every table but the flat one, and the places for raw rows."""
    for table in schema.TABLES:
        if table is not schema.SCORES_WIDE:
            con.execute(create_table_sql(table))
    scores = ", ".join(f"{column.name} {column.type}" for column in _SCORES)
    keys = "recording_id VARCHAR, utterance_id VARCHAR, scorer VARCHAR"
    con.execute(f"CREATE TEMP TABLE raw_scores ({keys}, {scores})")
    cosines = ", ".join(f"{crop} FLOAT" for crop in schema.CROPS)
    con.execute(f"CREATE TEMP TABLE raw_lags ({keys}, time_ms INTEGER, lag_ms INTEGER, {cosines})")


def finish_store(con: duckdb.DuckDBPyConnection) -> None:
    """Number the utterances, make the tables that follow from others, add views and comments."""
    number_utterances(con)
    con.execute(
        """UPDATE recordings SET first_utterance_number = f.first FROM (
             SELECT recording_id, min(utterance_number) AS first FROM utterances GROUP BY ALL) f
           WHERE f.recording_id = recordings.recording_id"""
    )
    lists = ", ".join(
        f"list(l.{name} ORDER BY l.time_ms)" for name in ("time_ms", "lag_ms", *schema.CROPS)
    )
    con.execute(
        f"""INSERT INTO lags SELECT u.utterance_number, l.recording_id, l.utterance_id, l.scorer,
                {lists}
            FROM raw_lags l JOIN utterances u USING (recording_id, utterance_id)
            GROUP BY ALL ORDER BY l.scorer, u.utterance_number"""
    )
    con.execute(
        f"""CREATE TEMP TABLE whole_scores AS SELECT s.*, r.* EXCLUDE (recording_id,
                utterance_id, scorer)
            FROM raw_scores s LEFT JOIN ({_reaches_sql()}) r
                USING (recording_id, utterance_id, scorer)"""
    )
    insert_word_index(con)
    fill_flat_scores(con, "whole_scores")
    con.execute("DROP TABLE whole_scores; DROP TABLE raw_scores; DROP TABLE raw_lags")
    finish(con)


def number_utterances(con: duckdb.DuckDBPyConnection) -> None:
    """Give every utterance its place by recording and time."""
    con.execute(
        """UPDATE utterances SET utterance_number = n.number FROM (
             SELECT recording_id, utterance_id,
                 row_number() OVER (ORDER BY recording_id, onset_ms, utterance_id) - 1 AS number
             FROM utterances) n
           WHERE n.recording_id = utterances.recording_id
             AND n.utterance_id = utterances.utterance_id"""
    )


def _reaches_sql() -> str:
    columns = []
    for side, seconds in REACHES:
        within = {
            "inside": "lag_ms = 0",
            "before": f"lag_ms < 0 AND lag_ms >= {-1_000 * seconds}",
            "after": f"lag_ms > 0 AND lag_ms <= {1_000 * seconds}",
        }[side]
        columns.append(f"count(*) FILTER ({within}) AS {reach_frames_column(side, seconds)}")
        for crop in schema.CROPS:
            top, total = (reach_column(crop, side, seconds, name) for name in ("max", "sum"))
            columns.append(f"max({crop}) FILTER ({within}) AS {top}")
            columns.append(
                f"CASE WHEN count({crop}) > 0 "
                f"THEN coalesce(sum({crop}) FILTER ({within}), 0) END AS {total}"
            )
    return (
        f"SELECT recording_id, utterance_id, scorer, {', '.join(columns)} "
        "FROM raw_lags GROUP BY ALL"
    )
