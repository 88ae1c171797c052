"""Whether a file is still what was written: each Parquet shard holds the digest of all its bytes,
and beside each build of the store lies a list of the digests of its files.

Disks, cables and copies change bytes, rarely and without a word. A changed byte of a vector would
change scores and nobody would know.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store.atomic_files import write_atomically, write_text

SEAL_KEY = b"coview-sha256"
UNSEALED = b"unsealed" * 8
"""Stands in a shard's metadata, in the place of the digest of the file with this text in it."""
MARK = "sealed by coview"
"""A key of a sealed shard's own metadata: a seal that is damaged itself is still missed."""
_SEALED = re.compile(re.escape(SEAL_KEY) + rb".{1,4}?([0-9a-f]{64})", re.DOTALL)
_MAGIC = b"PAR1"
_PIECE_BYTES = 1 << 20
_READERS = 4
_SUMS = ".sums"


def seal(path: Path) -> None:
    """Put the digest of a finished Parquet file into it; its metadata has UNSEALED until then.

    Raises ValueError when that does not stand in the metadata once, OSError as files do.
    """
    start = _footer_start(path)
    with path.open("rb+") as file:
        file.seek(start)
        footer = file.read()
        if footer.count(UNSEALED) != 1:
            raise ValueError(f"{path.name} has no one place for a seal")
        file.seek(0)
        digest = hashlib.sha256()
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
        file.seek(start + footer.index(UNSEALED))
        file.write(digest.hexdigest().encode())


def is_whole(path: Path) -> bool:
    """Whether a shard is as it was written; one of a version without seals: whether its end can
    be read. False where there is none; OSError when the disk does not answer."""
    if not path.exists():
        return False
    start = _footer_start(path)
    with path.open("rb") as file:
        file.seek(max(0, start))
        footer = file.read()
        found = _SEALED.search(footer)
        if start < 0 or found is None:
            return start >= 0 and MARK.encode() not in footer and _can_be_opened(path)
        digest = hashlib.sha256()
        file.seek(0)
        left = start
        while left and (piece := file.read(min(left, _PIECE_BYTES))):
            digest.update(piece)
            left -= len(piece)
    digest.update(footer[: found.start(1)] + UNSEALED + footer[found.end(1) :])
    return digest.hexdigest().encode() == found.group(1)


def damaged_among(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The shards that are not whole any more, in the order given."""
    listed = list(paths)
    with ThreadPoolExecutor(_READERS) as pool:
        return tuple(
            path
            for path, whole in zip(listed, pool.map(is_whole, listed), strict=True)
            if not whole
        )


def write_sums(store: Path, partial_store: Path) -> None:
    """Keep the sizes and digests of a build's files beside it; the store itself does not have its
    name yet."""
    sums = {path.name: size_and_digest(path) for path in _files(store) if path != store}
    text = json.dumps({**sums, store.name: size_and_digest(partial_store)}, indent=1)
    write_atomically(store.with_suffix(_SUMS), lambda partial: write_text(partial, text))


def delete_sums(store: Path) -> None:
    """Forget the digests of a build that is deleted itself."""
    store.with_suffix(_SUMS).unlink(missing_ok=True)


def build_is_whole(store: Path) -> bool:
    """Whether all files of a build are as they were written; True for a build of a version that
    kept no digests."""
    try:
        kept = json.loads(store.with_suffix(_SUMS).read_text(encoding="utf-8"))
        return bool(kept == {path.name: size_and_digest(path) for path in _files(store)})
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False


def _files(store: Path) -> list[Path]:
    """A build and what lies beside it, but for the digests themselves and what is not finished."""
    found = store.parent.glob(f"{store.stem}*")
    return sorted(
        path
        for path in found
        if path.suffix in (".duckdb", ".rules", ".npy")
        and path.name.removeprefix(store.stem)[:1] in (".", "~")
    )


def size_and_digest(path: Path) -> str:
    """Size in bytes and SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return f"{path.stat().st_size} {digest.hexdigest()}"


def _footer_start(path: Path) -> int:
    """Where a Parquet file's own metadata begin; -1 when it does not end as one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 8))
        end = file.read()
    start = size - 8 - int.from_bytes(end[:4], "little")
    return start if end[4:] == _MAGIC and 0 < start < size else -1


def _can_be_opened(path: Path) -> bool:
    try:
        pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return False
    return True
