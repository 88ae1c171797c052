"""Find planted words in every byte that is left of a study, inside compressed files as well."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq


def holding(root: Path, words: Iterable[str]) -> set[tuple[str, str]]:
    """(file, word) for each word found in a file's name, bytes, or unpacked content."""
    wanted = [(word, word.encode()) for word in words]
    found = set()
    for path in sorted(root.rglob("*")):
        inner = path.relative_to(root).as_posix()
        pieces = [inner.encode(), *(_contents(path) if path.is_file() else ())]
        found |= {(inner, word) for word, raw in wanted if any(raw in piece for piece in pieces)}
    return found


def _contents(path: Path) -> Iterator[bytes]:
    raw = path.read_bytes()
    yield raw
    if raw[:4] == b"PAR1":
        file = pq.ParquetFile(path)
        yield repr(file.schema_arrow.metadata).encode()
        yield repr(file.read().to_pydict()).encode()
    elif raw[8:12] == b"DUCK":
        with duckdb.connect(str(path), read_only=True) as con:
            for (table,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                yield repr(con.execute(f'SELECT * FROM "{table}"').fetchall()).encode()
    elif raw[:15] == b"SQLite format 3":
        people = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
        yield "\n".join(people.iterdump()).encode()
        people.close()
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            for name in packed.namelist():
                yield name.encode() + packed.read(name)
