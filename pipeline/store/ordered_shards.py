"""Shards of one stage in the order of their recordings' ids, read a stretch at a time.

Tables of a store are sorted by recording. Rows that come in that order need no sorting of the
whole, so that memory does not grow with the number of recordings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipeline.store.layout import recording_of

BYTES_AT_ONCE = 64_000_000
"""Of shards read at once. A table is written in blocks of 122,880 rows; stretches that fill one go
to the file directly, smaller ones are written twice."""
FILES_AT_ONCE = 500
"""DuckDB keeps every file open that it reads in one query, at some 50 kB each."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One recording's shard of one stage. What is true of the whole of it is read where it is
    needed: of all shards of a large study, it would be most of what publishing keeps in memory."""

    recording_id: str
    path: Path


def in_order(paths: Sequence[Path]) -> tuple[Shard, ...]:
    """The shards by recording id."""
    shards = [Shard(recording_of(path), path) for path in paths]
    return tuple(sorted(shards, key=lambda shard: shard.recording_id))


def stretches(shards: Sequence[Shard], n_bytes: int = BYTES_AT_ONCE) -> Iterator[tuple[Shard, ...]]:
    """The shards in order, about so many bytes at a time, and not too many files."""
    sizes = [shard.path.stat().st_size + n_bytes / FILES_AT_ONCE for shard in shards]
    behind = np.cumsum(sizes) // n_bytes
    cuts = [0, *(np.flatnonzero(np.diff(behind)) + 1).tolist(), len(shards)]
    for first, stop in pairwise(cuts):
        if first < stop:
            yield tuple(shards[first:stop])


def file_list(shards: Sequence[Shard]) -> list[str]:
    """Their paths as DuckDB's read_parquet takes them."""
    return [str(shard.path) for shard in shards]
