"""Tables of the store as files, whole or only what belongs to some recordings and a score."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.column import Table
from pipeline.errors import SettingsError, StoreError
from pipeline.exchange.table_file import Value, exportable_tables, table_sql
from pipeline.schema import FRAME_EMBEDDINGS, HUBS, LAG_COSINES_VIEW, UTTERANCE_EMBEDDINGS

LARGE_TABLES = (
    FRAME_EMBEDDINGS.name,
    UTTERANCE_EMBEDDINGS.name,
    LAG_COSINES_VIEW.name,
    HUBS.name,
)
"""Written only when they are named: embeddings and their means, and a second form of lags."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """Values that rows must have; an empty one restricts nothing."""

    recordings: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    scorer: str = ""
    crop: str = ""
    window: str = ""


@dataclass(frozen=True, slots=True)
class TableQuery:
    """A SELECT of a table's columns with its bound values; `words` say what rows it keeps."""

    sql: str
    params: dict[str, Value]
    words: str = "all rows"


def chosen_tables(names: Sequence[str]) -> tuple[Table, ...]:
    """The named tables, or all but LARGE_TABLES. Raises StoreError for a name that is none."""
    tables = {table.name: table for table in exportable_tables()}
    for name in names:
        if name not in tables:
            near = difflib.get_close_matches(name, tables, n=1)
            raise StoreError(
                f"The store has no table {name!r}.",
                hint=f"Did you mean {near[0]}?" if near else f"Tables: {', '.join(tables)}.",
            )
    if names:
        return tuple(tables[name] for name in dict.fromkeys(names))
    return tuple(table for table in tables.values() if table.name not in LARGE_TABLES)


def check_restriction(tables: Sequence[Table], restriction: Restriction) -> None:
    """Raise SettingsError for a scorer, crop or window that no table has a column for."""
    for column, value in (
        ("scorer", restriction.scorer),
        ("crop", restriction.crop),
        ("window", restriction.window),
    ):
        if value and not any(column in table.column_names for table in tables):
            raise SettingsError(
                f"None of the chosen tables has a column {column}.",
                hint=f"Leave out --{column}, or add --table scores.",
            )


def restricted(table: Table, restriction: Restriction) -> TableQuery:
    """The rows of a table that fit, in its own order; a column it lacks restricts nothing."""
    conditions: list[str] = []
    words: list[str] = []
    params: dict[str, Value] = {}
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()
    if "recording_id" in table.column_names:
        lists = (("recording_id", restriction.recordings),)
    elif "child_id" in table.column_names:
        lists = (("child_id", restriction.children),)
    for column, values in lists:
        if values:
            conditions.append(
                f"CAST({column} AS VARCHAR) IN (SELECT unnest($only_{column}::VARCHAR[]))"
            )
            words.append(f"{column}: {', '.join(values)}")
            params[f"only_{column}"] = list(values)
    for column, value in (
        ("scorer", restriction.scorer),
        ("crop", restriction.crop),
        ("window", restriction.window),
    ):
        if value and column in table.column_names:
            conditions.append(f'"{column}" = $only_{column}')
            words.append(f"{column}: {value}")
            params[f"only_{column}"] = value
    if not conditions:
        return TableQuery(table_sql(table), {})
    sql = f"{table_sql(table)} WHERE {' AND '.join(conditions)}"
    return TableQuery(sql, params, "; ".join(words))
