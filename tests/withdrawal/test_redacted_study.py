"""A redaction holds for what is made and what was made; until the next run the study is closed."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from pipeline.engine.runner import Run, RunOptions
from pipeline.errors import MediaError, StoreError
from pipeline.media.study_clips import StudyClips
from pipeline.records import TimeSpan
from pipeline.store.locate import current_store_path
from pipeline.store.thumbnails import read_thumbnails
from pipeline.study import open_study
from tests.withdrawal.bytes_left import holding
from tests.withdrawal.traced import leave_traces

RECORDING = "C01_01"


def run(root: Path, stage: str = "") -> None:
    summary = Run(open_study(root), RunOptions(stage, "cpu"), lambda event: None).execute()
    assert summary.failures == ()


def shards(root: Path, stage: str) -> set[str]:
    return {path.name for path in (root / "derived" / stage).rglob("*.parquet")}


def redact(root: Path, *rows: str) -> None:
    text = "\n".join(("recording_id,action,onset_ms,offset_ms", *rows))
    (root / "metadata" / "redactions.csv").write_text(text + "\n")


def test_a_redacted_stretch_is_in_nothing_that_was_or_is_made(tiny_demo_copy: Path) -> None:
    root = tiny_demo_copy
    store = current_store_path(root)
    assert store is not None
    with duckdb.connect(str(store), read_only=True) as con:
        onset, offset, text = con.execute(
            "SELECT onset_ms, offset_ms, text FROM utterances WHERE child_id = 'C01' AND text NOT "
            "IN (SELECT text FROM utterances WHERE recording_id <> $r) AND recording_id = $r "
            "ORDER BY length(text) DESC LIMIT 1",
            {"r": RECORDING},
        ).fetchone() or (0, 0, "")
        frame_ms = con.execute(
            "SELECT min(time_ms) FROM frames WHERE recording_id = $r AND time_ms > 4000",
            {"r": RECORDING},
        ).fetchall()[0][0]
    leave_traces(root)
    for name in ("eaf", "saycam", "both"):
        shutil.rmtree(root / "annotations" / name)
    before = {stage: shards(root, stage) for stage in ("speech", "vision", "text", "align")}
    assert any(path.startswith("derived/export-csv") for path, _ in holding(root, [text]))

    redact(
        root,
        f"{RECORDING},mute,{onset + 1},{offset - 1}",
        f"{RECORDING},blackout,{frame_ms},{frame_ms + 1}",
    )
    with pytest.raises(StoreError, match="changed since the store was built"):
        current_store_path(root)
    assert read_thumbnails(root, RECORDING, [frame_ms]) == {}

    run(root)
    after = {stage: shards(root, stage) for stage in before}
    others = {name for name in before["speech"] if not name.startswith(RECORDING)}
    for stage in ("speech", "vision"):
        new = after[stage] - before[stage]
        assert len(new) == 1
        assert new.pop().startswith(RECORDING)
        assert before[stage] - after[stage] == {
            name for name in before[stage] if name.startswith(RECORDING)
        }
    assert others <= after["speech"]
    assert {name for name in after["align"] & before["align"] if name.startswith("C02")}
    assert not {name for name in after["align"] & before["align"] if name.startswith("C01")}

    store = current_store_path(root)
    assert store is not None
    assert len(list(store.parent.glob("store-*.duckdb"))) == 1
    assert not list((root / "derived").glob("clips/*.mp4"))
    left = {path for path, _ in holding(root, [text]) if path.startswith("derived/")}
    assert left == set()
    with duckdb.connect(str(store), read_only=True) as con:
        counts = con.execute(
            "SELECT (SELECT count(*) FROM utterances WHERE recording_id = $r AND onset_ms < $off "
            "AND offset_ms > $on), (SELECT count(*) FROM frames WHERE recording_id = $r AND "
            "time_ms = $t), (SELECT count(*) FROM frame_embeddings WHERE recording_id = $r AND "
            "time_ms = $t)",
            {"r": RECORDING, "on": onset, "off": offset, "t": frame_ms},
        ).fetchone()
    assert counts == (0, 0, 0)

    redact(root)
    with pytest.raises(StoreError, match="changed"):
        current_store_path(root)
    redact(root, f"{RECORDING},mute,9,1")
    with pytest.raises(StoreError, match="cannot be read"):
        current_store_path(root)
    with pytest.raises(MediaError, match="nothing is shown"):
        StudyClips(root).clip("C02_01.mp4", TimeSpan(0, 1_000), lead_ms=0, lag_ms=0)


def test_a_permission_that_is_tightened_holds_at_once_for_what_was_cut_before(
    tiny_demo_copy: Path,
) -> None:
    root = tiny_demo_copy
    clips, span = StudyClips(root), TimeSpan(1_000, 2_000)
    assert clips.clip(f"{RECORDING}.mp4", span, lead_ms=0, lag_ms=0).is_file()
    store = current_store_path(root)
    assert store is not None
    with duckdb.connect(str(store), read_only=True) as con:
        times = [
            int(row[0])
            for row in con.execute(
                "SELECT time_ms FROM frames WHERE recording_id = ? LIMIT 1", [RECORDING]
            ).fetchall()
        ]
    assert read_thumbnails(root, RECORDING, times)
    (root / "metadata" / "recordings").mkdir()
    (root / "metadata" / "recordings" / "0_private.csv").write_text(
        f"recording_filename,permission\n{RECORDING}.mp4,scores_only\n"
    )
    for asked in (clips.clip, clips.is_kept):
        with pytest.raises(MediaError, match="may not be shown"):
            asked(f"{RECORDING}.mp4", span, lead_ms=0, lag_ms=0)
    assert read_thumbnails(root, RECORDING, times) == {}
    assert clips.clip("C02_01.mp4", span, lead_ms=0, lag_ms=0).is_file()
