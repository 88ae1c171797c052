"""A store that is opened when it is first asked.

To open a store of ten million utterances takes DuckDB a fifth of a second, most of it for the names
of its recordings. Where a file of columns lies beside it, most charts need nothing else.
"""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb

from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.options import StoreOptions, check_schema, options_of, store_options
from pipeline.errors import StoreError
from pipeline.store.store_columns import open_columns
from pipeline.store.stored_queries import refuse_foreign_queries

_MEMORY_LIMIT = "500MB"
"""DuckDB would take most of the machine; columns that were read once stay in the file cache."""


class StoreConnection:
    """A read-only connection, for all sessions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own for one query; StoreError when the store cannot be opened."""
        with self._lock:
            if self._connection is None:
                self._connection = _connected(self._path)
            return self._connection.cursor()

    def close(self) -> None:
        """Close the file; it is opened again when it is asked again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def open_store(path: Path) -> tuple[StoreConnection, StoreOptions, ScoreArrays]:
    """A store and what is known of it before it is asked anything.

    Raises StoreError when it, or the file of columns beside it, is damaged or of another version.
    """
    connection = StoreConnection(path)
    columns = open_columns(path)
    if columns is not None:
        return connection, options_of(columns.facts), ScoreArrays(connection, columns)
    try:
        return connection, store_options(connection.cursor()), ScoreArrays(connection)
    except StoreError:
        connection.close()
        raise


def _connected(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(path), read_only=True)
        # Set afterwards: a file opened with settings cannot be opened without them by the route
        # of the clips.
        connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
    except duckdb.Error as problem:
        raise StoreError(
            f"{path.name} cannot be opened.",
            hint="Wait until no other program writes to it, or build it again with: "
            "python -m pipeline run STUDY --stage publish",
        ) from problem
    try:
        refuse_foreign_queries(connection.cursor(), path.name)
        check_schema(connection.cursor(), path.name)
    except StoreError:
        connection.close()
        raise
    return connection
