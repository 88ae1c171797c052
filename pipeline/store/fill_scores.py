"""Fill the tables of scores: one flat row per utterance and scorer.

The dashboard filters, groups and sorts this table alone. That is why it repeats what utterances
are chosen by, in small types, and lies in the order of time: at 1.8 million utterances a query
then takes tens of milliseconds, and seconds with a join.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

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
from pipeline.store.align_shards import unpacked_columns
from pipeline.store.ordered_shards import Shard, file_list, stretches

_SHARD_VIEW = "align_shards"
_EVERY = (0, 2**31 - 1)
"""Numbers of all utterances: the first, and one behind the last."""


def fill_scores(
    con: duckdb.DuckDBPyConnection, align_shards: Sequence[Shard], imported: str
) -> None:
    """Fill `lags` and `scores_wide` from align shards (in order) and from `imported`, a table of
    scores made elsewhere (see `fill_imported`).

    Recordings, utterances, contexts, models and scores of sound must be in.
    """
    _create_flat_table(con)
    own, others = _scorers(con, imported)
    for scorer in own:
        for stretch, numbers in _stretches(con, align_shards):
            _create_shard_view(con, stretch)
            _insert_lags(con, scorer)
            _insert_flat(con, _SHARD_VIEW, scorer, numbers)
    for scorer in others:
        _insert_flat(con, imported, scorer, _EVERY)


def fill_flat_scores(con: duckdb.DuckDBPyConnection, scores: str) -> None:
    """Create `scores_wide` from a table or view of scores by recording, utterance and scorer.

    scores: its name; it has recording_id, utterance_id, scorer, missing_reason and any of the
    score columns of `scores_wide`; those it lacks are NULL. Every utterance gets a row for every
    scorer of `models`, also when it has no score.
    """
    _create_flat_table(con)
    for (scorer,) in con.execute("SELECT scorer FROM models ORDER BY scorer").fetchall():
        _insert_flat(con, scores, str(scorer), _EVERY)


def _scorers(con: duckdb.DuckDBPyConnection, imported: str) -> tuple[list[str], list[str]]:
    """The scorers of align shards, and those of the imported table, in order."""
    rows = con.execute(
        f"SELECT scorer, scorer IN (SELECT scorer FROM {imported}) FROM models ORDER BY scorer"
    ).fetchall()
    return [name for name, is_other in rows if not is_other], [n for n, other in rows if other]


def _stretches(
    con: duckdb.DuckDBPyConnection, align_shards: Sequence[Shard]
) -> Iterator[tuple[Sequence[Shard], tuple[int, int]]]:
    """Shards of neighbouring recordings, and numbers of utterances: theirs, and those of the
    recordings behind them that have no shard. Together every number comes once."""
    rows = con.execute(
        "SELECT recording_id, first_utterance_number FROM recordings WHERE n_utterances > 0"
    ).fetchall()
    first_number = {str(name): int(number) for name, number in rows}
    found = list(stretches([s for s in align_shards if s.recording_id in first_number]))
    starts = [first_number[stretch[0].recording_id] for stretch in found]
    edges = [_EVERY[0], *starts[1:], _EVERY[1]]
    yield from zip(found or [()], pairwise(edges), strict=True)


def _create_flat_table(con: duckdb.DuckDBPyConnection) -> None:
    for name in NAME_TYPES:
        con.execute(create_type_sql(name))
    con.execute(create_table_sql(SCORES_WIDE))


def _insert_lags(con: duckdb.DuckDBPyConnection, scorer: str) -> None:
    """The lags of a scorer from the shards of the view."""
    cosines = ", ".join(f"s.lag_{crop}" for crop in CROPS)
    con.execute(
        f"""
        INSERT INTO lags
        SELECT u.utterance_number, s.recording_id, s.utterance_id, s.scorer, s.lag_time_ms,
               s.lag_ms, {cosines}
        FROM {_SHARD_VIEW} s JOIN utterances u USING (recording_id, utterance_id)
        WHERE s.scorer = ?
        ORDER BY u.utterance_number
        """,
        [scorer],
    )


def _insert_flat(
    con: duckdb.DuckDBPyConnection, scores: str, scorer: str, numbers: tuple[int, int]
) -> None:
    """The rows of one scorer for the utterances with these numbers, the second not among them."""
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
        WITH chosen AS (
            SELECT * FROM utterances
            WHERE utterance_number >= $first AND utterance_number < $stop
        ), places AS (
            SELECT u.utterance_number, min(c.location) AS location, min(c.activity) AS activity
            FROM chosen u JOIN contexts c ON c.recording_id = u.recording_id
                AND c.onset_ms <= (u.onset_ms + u.offset_ms) // 2
                AND c.offset_ms > (u.onset_ms + u.offset_ms) // 2
            GROUP BY u.utterance_number
        )
        SELECT u.utterance_number, $scorer AS scorer, u.recording_id, u.utterance_id, u.child_id,
            r.age_days, u.onset_ms, u.offset_ms, u.speaker, u.language, p.location, p.activity,
            h.quadrant,
            u.n_words, u.mean_logprob, {bits} AS flag_bits,
            md5_number_lower(u.recording_id || '/' || u.utterance_id) % 4294967296 AS random_key,
            CASE WHEN s.utterance_id IS NULL THEN 'not_scored' ELSE s.missing_reason
                END AS missing_reason,
            {columns}
        FROM chosen u
        JOIN recordings r ON r.recording_id = u.recording_id
        LEFT JOIN places p ON p.utterance_number = u.utterance_number
        LEFT JOIN sound_scores h ON h.utterance_number = u.utterance_number
        LEFT JOIN (SELECT * FROM {scores} WHERE scorer = $scorer) s
            ON s.recording_id = u.recording_id AND s.utterance_id = u.utterance_id
        ORDER BY u.utterance_number
        """,
        {"scorer": scorer, "first": numbers[0], "stop": numbers[1]},
    )


def finish(con: duckdb.DuckDBPyConnection) -> None:
    """Add the views, and what every table and column means."""
    con.begin()
    con.execute(scores_view_sql())
    con.execute(lag_cosines_view_sql())
    for table in TABLES:
        for statement in comment_sql(table):
            con.execute(statement)
    for view in VIEWS:
        for statement in comment_sql(view, "VIEW"):
            con.execute(statement)
    con.commit()


def _create_shard_view(con: duckdb.DuckDBPyConnection, shards: Sequence[Shard]) -> None:
    """These align shards as one relation; an empty one of the same columns without shards."""
    if shards:
        files = ", ".join("'" + name.replace("'", "''") + "'" for name in file_list(shards))
        scores = ", ".join(f"{sql} AS {name}" for name, sql in unpacked_columns().items())
        con.execute(
            f"""
            CREATE OR REPLACE TEMP VIEW {_SHARD_VIEW} AS
            SELECT * EXCLUDE (counts, scores), {scores} FROM read_parquet(
                [{files}], union_by_name = true, hive_partitioning = false)
            """
        )
        return
    lists = ", ".join(f"NULL::FLOAT[] AS lag_{crop}" for crop in CROPS)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW {_SHARD_VIEW} AS
        SELECT NULL::VARCHAR AS recording_id, NULL::VARCHAR AS utterance_id,
            NULL::VARCHAR AS scorer, NULL::VARCHAR AS missing_reason,
            NULL::INTEGER[] AS lag_time_ms, NULL::INTEGER[] AS lag_ms, {lists}
        WHERE FALSE
        """
    )
