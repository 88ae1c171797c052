"""Files of results whose changed bytes are noticed, as those of shards are: a table holds the
digest of its own bytes, and beside any other file lies one with its size and digest.

Files of a version that kept no digests are read as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store.atomic_files import write_atomically, write_text
from pipeline.store.seals import MARK, SEAL_KEY, UNSEALED, is_whole, seal, size_and_digest

_SUM = ".sum"


def write_sealed_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file with its digest in it. Raises as `write_atomically`."""
    known = table.schema.metadata or {}
    table = table.replace_schema_metadata({**known, MARK.encode(): b"yes", SEAL_KEY: UNSEALED})

    def write(partial: Path) -> None:
        pq.write_table(table, partial, compression="zstd")
        seal(partial)

    write_atomically(path, write)


def read_sealed_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file. Raises ValueError when it is missing or its bytes are not those that
    were written, OSError and pa.ArrowInvalid as reading does."""
    if not is_whole(path):
        raise ValueError(f"{path.name} is not what was written")
    return pq.read_table(
        path, columns=None if columns is None else list(columns), partitioning=None
    )


def write_summed(path: Path, write: Callable[[Path], None]) -> None:
    """`write_atomically`, and keep the digest. Cut off, it leaves a file without one."""
    _sum_path(path).unlink(missing_ok=True)
    digests: list[str] = []

    def write_and_sum(partial: Path) -> None:
        write(partial)
        digests.append(size_and_digest(partial))

    write_atomically(path, write_and_sum)
    write_atomically(_sum_path(path), lambda partial: write_text(partial, digests[-1] + "\n"))


def write_summed_text(path: Path, text: str) -> None:
    """Write a text as it is, and keep its digest."""
    write_summed(path, lambda partial: write_text(partial, text))


def check_sum(path: Path) -> None:
    """Raises ValueError when the file's bytes are not those that were written, OSError as reading
    does."""
    try:
        kept = _sum_path(path).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return
    if kept != size_and_digest(path):
        raise ValueError(f"{path.name} is not what was written")


def read_summed_text(path: Path) -> str:
    """Read a text. Raises as `check_sum`, and ValueError for what is no UTF-8."""
    check_sum(path)
    return path.read_text(encoding="utf-8")


def _sum_path(path: Path) -> Path:
    return path.with_name(path.name + _SUM)
