"""The SQL that makes the tables and views of `pipeline.schema`."""

from __future__ import annotations

from pipeline.column import Table
from pipeline.score_columns import CROPS, SCORE_STATISTICS, WINDOWS, wide_column
from pipeline.score_tables import LAG_COSINES_VIEW, NAME_TYPES


def create_type_sql(name: str) -> str:
    """CREATE TYPE statement of one of NAME_TYPES; the tables it reads must be filled."""
    return (
        f"CREATE TYPE {name} AS ENUM (SELECT DISTINCT name FROM ({NAME_TYPES[name]}) t(name) "
        "WHERE name IS NOT NULL ORDER BY name)"
    )


def create_table_sql(table: Table) -> str:
    """CREATE TABLE statement with quoted column names."""
    columns = ", ".join(
        f'"{column.name}" {column.type}'
        + (" USING COMPRESSION uncompressed" if column.is_picked else "")
        for column in table.columns
    )
    return f"CREATE TABLE {table.name} ({columns})"


def comment_sql(table: Table, kind: str = "TABLE") -> list[str]:
    """COMMENT statements for a table (or VIEW) and its columns."""

    def quoted(text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    return [f"COMMENT ON {kind} {table.name} IS {quoted(table.meaning)}"] + [
        f'COMMENT ON COLUMN {table.name}."{column.name}" IS {quoted(column.comment)}'
        for column in table.columns
    ]


def scores_view_sql() -> str:
    """CREATE VIEW statement that turns `scores_wide` into one row per crop and window."""
    keys = "recording_id::VARCHAR AS recording_id, utterance_id, scorer"
    selects = []
    for crop in CROPS:
        for window in WINDOWS:
            statistics = ", ".join(
                f"{wide_column(crop, window, s.name)} AS {s.name}" for s in SCORE_STATISTICS
            )
            selects.append(
                f"SELECT {keys}, '{crop}' AS crop, '{window}' AS \"window\", "
                f"n_frames_{window} AS n_frames, {statistics} FROM scores_wide"
            )
    return "CREATE VIEW scores AS " + " UNION ALL ".join(selects)


def lag_cosines_view_sql() -> str:
    """CREATE VIEW statement that turns `lags` into one row per frame."""
    lists = ", ".join(f"unnest({name}) AS {name}" for name in LAG_COSINES_VIEW.column_names[3:])
    return (
        f"CREATE VIEW lag_cosines AS SELECT recording_id, utterance_id, scorer, {lists} FROM lags"
    )
