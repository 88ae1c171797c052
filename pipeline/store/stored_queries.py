"""Queries that lie in a store are Coview's own, or the store is not read.

A DuckDB file may hold views and macros, and these may read any file of the machine or ask another
computer. A store that somebody else made is data: none of its queries may run but the views that
Coview writes, and these are recognised by what they read.
"""

from __future__ import annotations

import re

import duckdb

from pipeline.errors import StoreError
from pipeline.schema import TABLES, VIEWS

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+|[^\s\w]")
_FUNCTIONS = frozenset({"cast", "unnest", "as", "all", "union"})
"""Words that stand before a parenthesis in Coview's views."""
_AFTER_TABLE = frozenset({")", ";", "union", "where"})
_NOT_USED = frozenset({"join", "with", "pivot", "unpivot", "values", "table", "attach"})


def refuse_foreign_queries(
    con: duckdb.DuckDBPyConnection, file_name: str, database: str = ""
) -> None:
    """Raise StoreError when a store holds queries that are not Coview's; none of them is run.

    database: its name on this connection, the current one if empty.
    """
    whose = "coalesce(nullif(?, ''), current_database())"
    views = con.execute(
        f"SELECT view_name, sql FROM duckdb_views() WHERE NOT internal AND NOT temporary "
        f"AND database_name = {whose}",
        [database],
    ).fetchall()
    macros = con.execute(
        f"SELECT function_name FROM duckdb_functions() WHERE NOT internal "
        f"AND database_name = {whose} LIMIT 1",
        [database],
    ).fetchall()
    known = {view.name for view in VIEWS}
    foreign = [name for name, sql in views if name not in known or not reads_own_tables(sql)]
    foreign += [name for (name,) in macros]
    if foreign:
        raise StoreError(
            f"{file_name} holds a query that is not Coview's: {foreign[0]!r}.",
            hint="Do not trust this file; build it again with: "
            "python -m pipeline run STUDY --stage publish",
        )


def reads_own_tables(sql: str) -> bool:
    """Whether a view reads nothing but a store's tables, by functions that read no files."""
    tables = {table.name for table in TABLES}
    tokens = [token.casefold() for token in _TOKEN.findall(sql)]
    # CREATE VIEW name AS ...; whatever else it may hold is looked at token by token.
    if _NOT_USED & set(tokens):
        return False
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else ""
        is_called = token == "(" and (before.isidentifier() or before[:1] in {'"', "'", "."})
        if is_called and before not in _FUNCTIONS:
            return False
        if token == "from":
            read = tokens[place + 1 : place + 5]
            if read[:2] == ["main", "."]:
                read = read[2:]
            table, after = [*read, "", ""][:2]
            if table not in tables or after not in {*_AFTER_TABLE, ""}:
                return False
    return True
