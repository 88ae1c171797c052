"""Tables of the store as files: written by DuckDB row group by row group, never held whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from pipeline.column import Column, Table
from pipeline.errors import DiskFullError, StoreError
from pipeline.schema import TABLES, VIEWS
from pipeline.score_tables import NAME_TYPES
from pipeline.spreadsheet import guarded_sql

FORMATS = ("csv", "parquet")
LISTS_NOTE = "Lists stand in one cell, their items parted by semicolons."

Value = str | int | float | list[str]

_OPTIONS = {"csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet, COMPRESSION zstd"}


def exportable_tables() -> tuple[Table, ...]:
    """Every table and view of the store."""
    return (*TABLES, *VIEWS)


def plain_columns(table: Table) -> tuple[Column, ...]:
    """The columns as a file has them: names stored as numbers are text again."""
    return tuple(
        Column(column.name, "VARCHAR", column.meaning, column.unit)
        if column.type in NAME_TYPES
        else column
        for column in table.columns
    )


def table_sql(table: Table) -> str:
    """SELECT of a whole table in its own order."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    # Tables lie in their sort order; sorting a view of every frame again would take the disk.
    return f"SELECT {columns} FROM {table.name}"


def write_table(
    con: DuckDBPyConnection,
    sql: str,
    params: Mapping[str, Value],
    columns: Sequence[Column],
    path: Path,
    file_format: str,
) -> int:
    """Write what a SELECT gives, with exactly `columns`, to `path`; returns the number of rows.

    In CSV lists become text, see LISTS_NOTE, and text is guarded, see
    `pipeline.spreadsheet`. Raises DiskFullError, and StoreError when it was
    interrupted or cannot be written.
    """
    select = ", ".join(_cell(column, file_format) for column in columns)
    target = str(path).replace("'", "''")
    statement = f"COPY (SELECT {select} FROM ({sql})) TO '{target}' ({_OPTIONS[file_format]})"
    try:
        row = con.execute(statement, dict(params)).fetchone()
    except duckdb.InterruptException as problem:
        raise StoreError("The export was stopped.", hint="Start it again.") from problem
    except duckdb.Error as problem:
        if "No space left" in str(problem):
            raise DiskFullError(
                f"The disk is full: {path.name} could not be written.",
                hint="Free some space and export again.",
            ) from problem
        raise StoreError(
            f"{path.name} could not be written: {problem}.",
            hint="Check that the study folder may be written to.",
        ) from problem
    return int(row[0]) if row is not None else 0


def has_lists(columns: Sequence[Column]) -> bool:
    """Whether any column holds lists."""
    return any(column.type.endswith("[]") for column in columns)


def _cell(column: Column, file_format: str) -> str:
    name = f'"{column.name}"'
    if column.type.endswith("[]") and file_format == "csv":
        joined = f"array_to_string({name}, ';')"
        return f"{guarded_sql(joined)} AS {name}"
    if column.type == "VARCHAR" and file_format == "csv":
        text = f"CAST({name} AS VARCHAR)"
        return f"{guarded_sql(text)} AS {name}"
    if column.type in ("VARCHAR", "FLOAT", "DOUBLE", "INTEGER"):
        return f"CAST({name} AS {column.type}) AS {name}"
    return name
