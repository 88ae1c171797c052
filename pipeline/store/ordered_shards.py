"""Shards of one stage in the order of their recordings' ids, read a stretch at a time.

Tables of a store are sorted by recording. Rows that come in that order need no sorting of the
whole, so that memory does not grow with the number of recordings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.store.shards import read_meta

RECORDINGS_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Shard:
    """One recording's shard of one stage, and what is true of the whole of it (`read_meta`)."""

    recording_id: str
    path: Path
    meta: dict[str, object]


def in_order(paths: Sequence[Path]) -> tuple[Shard, ...]:
    """The shards by recording id. Raises StoreError when one is damaged."""
    metas = [(path, read_meta(path)) for path in paths]
    shards = [Shard(str(meta["recording_id"]), path, meta) for path, meta in metas]
    return tuple(sorted(shards, key=lambda shard: shard.recording_id))


def stretches(
    shards: Sequence[Shard], at_once: int = RECORDINGS_AT_ONCE
) -> Iterator[tuple[Shard, ...]]:
    """The shards, so many at a time."""
    for first in range(0, len(shards), at_once):
        yield tuple(shards[first : first + at_once])


def file_list(shards: Sequence[Shard]) -> list[str]:
    """Their paths as DuckDB's read_parquet takes them."""
    return [str(shard.path) for shard in shards]
