"""A study's current store, opened to be read by a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipeline.errors import StoreError
from pipeline.store.locate import current_store_path
from pipeline.store.stored_queries import refuse_foreign_queries

_MAX_THREADS = 2
"""Each thread holds a piece of a table: on large machines that is many gigabytes."""


@contextmanager
def open_current_store(study_root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection, closed at the end of the block.

    Raises StoreError when nothing was published yet, when the store cannot be opened, and
    when it holds queries that are not Coview's.
    """
    path = current_store_path(study_root)
    if path is None:
        raise StoreError(
            f"{study_root.name} has no store yet.",
            hint="Make one with: python -m pipeline run STUDY",
        )
    try:
        try:
            con = duckdb.connect(str(path), read_only=True, config={"threads": _MAX_THREADS})
        except duckdb.ConnectionException:
            # The dashboard has it open in this process, with settings of its own: those hold.
            con = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as problem:
        raise StoreError(
            f"{path.name} cannot be opened.", hint="Wait until no other program writes to it."
        ) from problem
    with con:
        refuse_foreign_queries(con, path.name)
        yield con
