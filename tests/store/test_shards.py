"""Shards give back exactly what was written, and appear only when whole."""

import errno
import os
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.errors import DiskFullError, StoreError
from pipeline.records import Crop, StageFailure
from pipeline.score_tables import SCORE_COLUMN_NAMES
from pipeline.store import shards
from pipeline.store.align_shards import unpacked_columns, write_alignment
from pipeline.store.layout import ShardFolder, Stage, file_stem
from pipeline.store.thumbnails import read_thumbnails
from tests import fakes


def test_a_transcript_comes_back_as_it_was(tmp_path: Path) -> None:
    said = fakes.transcript("r1")
    path = tmp_path / "r1.parquet"
    shards.write_transcript(path, said)
    back = shards.read_transcript(path)
    assert back.media == said.media
    assert back.notices == said.notices
    assert [u.text for u in back.utterances] == [u.text for u in said.utterances]
    assert back.utterances[0].words[1] == said.utterances[0].words[1]
    assert back.utterances[0].words[0].span == said.utterances[0].words[0].span
    assert [u.flags for u in back.utterances] == [u.flags for u in said.utterances]
    assert [w.text for w in back.utterances[1].words] == said.utterances[1].text.split()


def test_frames_come_back_without_their_thumbnails(tmp_path: Path) -> None:
    seen = fakes.frames("r1")
    path = tmp_path / "r1.parquet"
    shards.write_frames(path, seen)
    back = shards.read_frames(path)
    assert back.model == seen.model
    np.testing.assert_array_equal(back.times_ms, seen.times_ms)
    for crop in Crop:
        np.testing.assert_array_equal(back.vectors(crop), seen.vectors(crop))
    assert set(back.thumbnails) == {b""}


def test_thumbnails_are_found_by_time(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "recordings.csv").write_text(
        "child_id,recording_filename,recording_id,permission\nC1,r.mp4,r 1/ü,media\n",
        encoding="utf-8",
    )
    folder = ShardFolder(tmp_path / "derived", Stage.VISION, "f")
    shards.write_frames(folder.shard("r 1/ü", "d"), fakes.frames("r 1/ü"))
    assert read_thumbnails(tmp_path, "r 1/ü", [3_000, 5_000, 999]) == {
        3_000: b"jpeg 3",
        5_000: b"jpeg 5",
    }
    assert read_thumbnails(tmp_path, "absent", [0]) == {}


def test_texts_come_back_as_they_were(tmp_path: Path) -> None:
    embedded = fakes.texts(fakes.transcript("r1"))
    path = tmp_path / "r1.parquet"
    shards.write_texts(path, embedded)
    back = shards.read_texts(path)
    assert back.utterance_ids == embedded.utterance_ids
    np.testing.assert_array_equal(back.vectors, embedded.vectors)


def test_empty_recordings_make_shards_too(tmp_path: Path) -> None:
    said = fakes.transcript("r1", n=0)
    shards.write_transcript(tmp_path / "a", said)
    assert shards.read_transcript(tmp_path / "a").utterances == ()
    shards.write_texts(tmp_path / "b", fakes.texts(said))
    assert shards.read_texts(tmp_path / "b").vectors.shape == (0, fakes.DIM)
    shards.write_frames(tmp_path / "c", fakes.frames("r1", n=0))
    assert shards.read_frames(tmp_path / "c").vectors(Crop.MULTI).shape == (0, 3, fakes.DIM)


def test_an_alignment_shard_has_the_columns_of_the_store(tmp_path: Path) -> None:
    result = fakes.alignment(("r1", "r2"))[0]
    path = tmp_path / "r1.parquet"
    write_alignment(path, result)
    table = pq.read_table(path)
    packed = unpacked_columns()
    assert {*SCORE_COLUMN_NAMES, "missing_reason"} == {*packed, "missing_reason"}
    assert [len(row) for row in table["lag_ms"].to_pylist()] == [
        int(np.sum(result.lags.utterance_row == i)) for i in range(4)
    ]
    first = table["lag_center"].to_pylist()[0]
    inside = [c for c, lag in zip(first, table["lag_ms"].to_pylist()[0], strict=True) if lag == 0]
    sql = f"SELECT {packed['center_strict_max_cosine']} FROM '{path}'"
    assert duckdb.sql(sql).fetchall()[0][0] == pytest.approx(max(inside))


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    path = tmp_path / "speech" / "f" / "r1~d.parquet"
    shards.write_transcript(path, fakes.transcript("r1"))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(StoreError) as caught:
        shards.read_transcript(path)
    assert "speech/r1~d.parquet" in caught.value.message
    assert "Delete" in caught.value.hint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_stops_with_one_message_and_leaves_nothing(tmp_path: Path) -> None:
    def write(partial: Path) -> None:
        partial.write_bytes(b"half")
        descriptor = os.open("/dev/full", os.O_WRONLY)
        try:
            os.write(descriptor, b"more")
        finally:
            os.close(descriptor)

    with pytest.raises(DiskFullError, match="disk is full"):
        shards.write_atomically(tmp_path / "x.parquet", write)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")

    def write(partial: Path) -> None:
        partial.write_text("new")
        raise OSError(errno.EIO, "bad disk")

    with pytest.raises(StoreError, match="bad disk"):
        shards.write_atomically(path, write)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_failures_are_kept_until_the_recording_succeeds(tmp_path: Path) -> None:
    folder = ShardFolder(tmp_path, Stage.SPEECH, "f")
    failure = StageFailure("speech", "r1", "media", "broken", "mend it")
    folder.write_failure(failure, "d1")
    assert list(folder.failures()) == [failure]
    shard = folder.shard("r1", "d2")
    shards.write_transcript(shard, fakes.transcript("r1"))
    assert folder.files() == {"r1": (folder.failure("r1", "d1"), shard)}
    path = folder.failure("r1", "d1")
    path.write_bytes(b"\xff{")
    assert [f.recording_id for f in folder.failures()] == ["r1"]
    path.unlink()
    assert list(folder.failures()) == []
    assert folder.files() == {"r1": (shard,)}


def test_the_newest_shard_of_a_recording_is_never_another_s(tmp_path: Path) -> None:
    folder = ShardFolder(tmp_path, Stage.SPEECH, "f")
    assert folder.newest_shards() == {}
    names = ("r1", "r1~x", "r[1]", "r10")
    for name in names:
        shards.write_transcript(folder.shard(name, "d"), fakes.transcript(name))
    os.utime(folder.shard("r1", "d"), (1, 1))
    newer = folder.shard("r1", "c")
    shards.write_transcript(newer, fakes.transcript("r1"))
    folder.write_failure(StageFailure("speech", "r10", "media", "broken", ""), "e")
    assert folder.newest_shards() == {
        file_stem(name): newer if name == "r1" else folder.shard(name, "d") for name in names
    }


def test_a_crop_of_a_long_recording_is_read_some_frames_at_a_time(tmp_path: Path) -> None:
    frames = fakes.frames("a", n=2_500)
    path = tmp_path / "long.parquet"
    shards.write_frames(path, frames)
    parts = list(shards.read_crop(path, Crop.MULTI))
    assert len(parts) > 1
    np.testing.assert_array_equal(np.concatenate(parts), frames.vectors(Crop.MULTI))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(StoreError, match=r"long\.parquet"):
        list(shards.read_crop(path, Crop.MULTI))
