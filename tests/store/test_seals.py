"""A changed byte in a shard or a build is noticed, and what is damaged is made anew."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import StoreError
from pipeline.store import shards
from pipeline.store.seals import (
    build_is_whole,
    damaged_among,
    delete_sums,
    is_whole,
    seal,
    write_sums,
)
from tests import fakes


def test_every_single_changed_byte_of_a_shard_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "speech" / "f" / "r1~d.parquet"
    shards.write_transcript(path, fakes.transcript("r1"))
    raw = path.read_bytes()
    assert is_whole(path)
    missed = []
    for place in range(0, len(raw), 31):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 16]) + raw[place + 1 :])
        if is_whole(path):
            missed.append(place)
    assert missed == []
    for n in (0, 1, 7, 100, len(raw) - 1):
        path.write_bytes(raw[:n])
        assert not is_whole(path)


def test_damaged_shards_are_deleted_and_named(tmp_path: Path) -> None:
    paths = [tmp_path / "vision" / "f" / f"r{n}~d.parquet" for n in range(3)]
    for n, path in enumerate(paths):
        shards.write_frames(path, fakes.frames(f"r{n}"))
    shards.forget_damaged(paths)
    for path in paths[1:]:
        path.write_bytes(path.read_bytes()[:-3])
    assert damaged_among(paths) == tuple(paths[1:])
    with pytest.raises(StoreError, match=r"vision/r1~d\.parquet and 1 more was damaged") as told:
        shards.forget_damaged(paths)
    assert "same command again" in told.value.hint
    assert [path.exists() for path in paths] == [True, False, False]


def test_a_shard_of_a_version_without_seals_counts_as_long_as_it_can_be_opened(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": [1, 2]}), path)
    assert is_whole(path)
    with pytest.raises(ValueError, match="no one place"):
        seal(path)
    path.write_bytes(path.read_bytes()[:-9])
    assert not is_whole(path)


def test_a_build_is_whole_only_with_all_its_files_as_they_were(tmp_path: Path) -> None:
    store = tmp_path / "store-1.duckdb"
    beside = tmp_path / "store-1~m~center.npy"
    other = tmp_path / "store-10~m~center.npy"
    store.write_bytes(b"tables")
    beside.write_bytes(b"vectors")
    assert build_is_whole(store)
    write_sums(store, store)
    assert build_is_whole(store)
    other.write_bytes(b"another build's")
    assert build_is_whole(store)
    beside.write_bytes(b"vectorz")
    assert not build_is_whole(store)
    beside.unlink()
    assert not build_is_whole(store)
    store.with_suffix(".sums").write_bytes(b"\xff")
    assert not build_is_whole(store)
    delete_sums(store)
    assert build_is_whole(store)
