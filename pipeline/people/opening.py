"""Opens people's files, which may come from elsewhere: nothing in one is run, and nothing beside it
makes SQLite touch other files.

SQLite keeps programs in its files: views, triggers, computed columns and indexes. None of ours has
any, so a file that holds what Coview did not make is refused. What is set for each connection is
SQLite's own advice for files that are not trusted (https://www.sqlite.org/security.html).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path

from pipeline.errors import StoreError

MAX_VALUE_BYTES = 64_000_000
"""Of one text. SQLite allows 1 GB, all of which would be read into memory."""
SIDES = ("-journal", "-wal", "-shm")
_JOURNAL_END = bytes.fromhex("d9d505f920a163d7")
_SHOWN = 60
_OF_SQLITE = ("sqlite_sequence", "sqlite_stat1", "sqlite_stat4")
"""Tables that SQLite makes itself."""
_KEPT_AS = {"INTEGER": "integer", "TEXT": "text", "REAL": "real"}
_CONFIG = (("DEFENSIVE", True), ("ENABLE_TRIGGER", False), ("ENABLE_VIEW", False))
Steps = tuple[tuple[str, ...], ...]


def connect(path: Path, *, wait_s: float = 5.0) -> sqlite3.Connection:
    """Open a people's file, or make an empty one. Transactions are begun by hand.

    Raises StoreError when the file, or what lies beside it, is nothing that Coview writes.
    """
    refuse_what_is_beside(path)
    return _careful(sqlite3.connect(path, timeout=wait_s, isolation_level=None))


def connect_unchanging(path: Path) -> sqlite3.Connection:
    """Open a file that nobody writes to meanwhile; nothing is written beside it.

    Raises StoreError for what is no file.
    """
    if not path.is_file():
        raise _not_ours(path)
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    return _careful(sqlite3.connect(uri, uri=True, isolation_level=None))


def refuse_what_is_beside(path: Path) -> None:
    """Raises StoreError for a file that is none or leads out of the study, and for a journal that
    names a second file: SQLite would delete that one."""
    study = os.path.realpath(path.parent.parent)
    if path.is_symlink() and not (
        path.exists() and Path(os.path.realpath(path)).is_relative_to(study)
    ):
        raise StoreError(
            f"{path.name} is a link to no file of the study.",
            hint=f"Put the file itself into the folder {path.parent.name}.",
        )
    for beside in (path, *(path.with_name(path.name + side) for side in SIDES)):
        if beside.exists() and not beside.is_file():
            raise _not_ours(beside)
    journal = path.with_name(path.name + SIDES[0])
    try:
        with journal.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - len(_JOURNAL_END)))
            end = file.read()
    except OSError:
        return
    if end == _JOURNAL_END:
        raise _not_ours(journal)


def made_otherwise(con: sqlite3.Connection, steps: Steps) -> str:
    """What a file holds that Coview did not make, or lacks, in words; "" for tables as `steps`
    make them."""
    expected = _made_by(steps)
    found = {
        (str(kind), str(name)): " ".join(str(sql or "").split())
        for kind, name, sql in con.execute("SELECT type, name, sql FROM sqlite_master")
        if name not in _OF_SQLITE
    }
    for (kind, name), sql in found.items():
        if expected.get((kind, name)) != sql:
            shown = "".join(c if c.isprintable() else " " for c in name)[:_SHOWN]
            article = "an" if kind == "index" else "a"
            return f"has {article} {kind} that Coview did not make: {shown}"
    missing = sorted(
        (name.startswith("sqlite_"), name) for _, name in expected.keys() - found.keys()
    )
    return f"lacks the table or index {missing[0][1]}" if missing else ""


def wrong_value(con: sqlite3.Connection) -> str:
    """The first column with a value of another kind than its own, in words; "" for none.

    SQLite keeps any kind of value in any column.
    """
    tables = [
        str(row[0]) for row in con.execute("SELECT name FROM sqlite_master WHERE type='table'")
    ]
    for table in tables:
        columns = con.execute(f"PRAGMA table_info({table})").fetchall()
        for _, column, declared, is_required, *_ in columns:
            kind = _KEPT_AS.get(declared)
            if kind is None:
                continue
            bad = con.execute(
                f"SELECT 1 FROM {table} WHERE typeof({column}) NOT IN (?, ?) LIMIT 1",
                (kind, kind if is_required else "null"),
            ).fetchone()
            if bad is not None:
                return f"a value of {table}.{column} is no {kind}"
            if kind == "text":
                _decode_all(con, table, column)
    return ""


def _decode_all(con: sqlite3.Connection, table: str, column: str) -> None:
    """Read every text; sqlite3.OperationalError for one that is not UTF-8."""
    for _ in con.execute(f"SELECT {column} FROM {table}"):
        pass


def _careful(con: sqlite3.Connection) -> sqlite3.Connection:
    try:
        con.execute("PRAGMA trusted_schema = OFF")
        con.execute("PRAGMA cell_size_check = ON")
        con.execute("PRAGMA mmap_size = 0")
        if hasattr(con, "setlimit"):  # from Python 3.11 on
            con.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        if hasattr(con, "setconfig"):  # from Python 3.12 on
            for name, is_on in _CONFIG:
                con.setconfig(getattr(sqlite3, f"SQLITE_DBCONFIG_{name}"), is_on)
    except BaseException:
        con.close()
        raise
    return con


@lru_cache(maxsize=8)
def _made_by(steps: Steps) -> dict[tuple[str, str], str]:
    with closing(sqlite3.connect(":memory:")) as con:
        for statement in _statements(steps):
            con.execute(statement)
        rows = con.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    return {
        (str(kind), str(name)): " ".join(str(sql or "").split())
        for kind, name, sql in rows
        if name not in _OF_SQLITE
    }


def _statements(steps: Steps) -> Sequence[str]:
    return [statement for step in steps for statement in step]


def _not_ours(path: Path) -> StoreError:
    return StoreError(
        f"{path.name} was not written by Coview.",
        hint=f"Move it out of the study's folder {path.parent.name}.",
    )
