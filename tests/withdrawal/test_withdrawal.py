"""Nothing of a withdrawn child is left in any byte of the study, and others lose nothing."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dashboard import data, place
from pipeline.cli import app
from pipeline.engine.lock import folder_lock
from pipeline.errors import StoreError, StudyError
from pipeline.pending_withdrawal import pending_path
from pipeline.store.locate import current_store_path
from pipeline.study import open_study
from pipeline.withdrawal.target import find_target, read_pending
from pipeline.withdrawal.withdraw import doomed, withdraw
from tests.withdrawal.bytes_left import holding
from tests.withdrawal.traced import PLANTED, leave_traces

_STAGES = ("speech", "vision", "text")


def command(root: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["withdraw", str(root), "--device", "cpu", "--quiet", *options])


def shards(root: Path, stages: tuple[str, ...] = _STAGES) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for stage in stages
        for path in sorted((root / "derived" / stage).rglob("*.parquet"))
    }


def test_no_byte_of_a_withdrawn_child_is_left_and_others_keep_all(tiny_demo_copy: Path) -> None:
    root = tiny_demo_copy
    words = leave_traces(root)
    before = holding(root, words)
    assert {word for _, word in before} == words
    assert {path.split("/")[1] for path, _ in before if path.startswith("derived/")} >= {
        *_STAGES, "align", "stores", "logs", "probes", "something new", "word_errors",
        "export-csv", "export-eaf",
    }  # fmt: skip
    assert any((root / "derived" / "clips").glob("*.mp4"))
    assert len(list((root / "derived" / "cache" / "pictures").glob("*.[jm]*"))) == 4
    assert len(list((root / "people").glob("people.sqlite.bak-????-??-??"))) == 3
    of_others = {path: raw for path, raw in shards(root).items() if "C02" in path}

    listed = command(root, "--child", "C01", "--delete-media")
    assert listed.exit_code == 0
    assert "Nothing was removed" in listed.output
    assert holding(root, words) == before

    done = command(root, "--child", "C01", "--delete-media", "--yes")
    assert done.exit_code == 0, done.output
    assert holding(root, words) == set()
    assert not list((root / "derived").glob("clips/*.mp4"))
    assert not list((root / "derived").glob("cache/**/*.*g"))

    opened = open_study(root)
    assert {recording.child_id for recording in opened.recordings} == {"C02"}
    assert shards(root) == of_others
    store = current_store_path(root)
    assert store is not None
    assert len(list(store.parent.glob("store-*.duckdb"))) == 1
    kept = holding(root, [word.replace("zyx", "kept") for word in PLANTED])
    assert {word for _, word in kept} == {
        "keptplace", "keptnote", "kepttag", "keptplaylist", "keptcaption", "keptheard",
    }  # fmt: skip
    assert '"kept,\nscore",0.1\n' in (root / "metadata/scores/other.csv").read_text()
    assert "C02_01" in (root / "annotations/both/raw/everybody.rttm").read_text()
    with sqlite3.connect(root / "people" / "people.sqlite") as con:
        counts = [
            con.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("moments", "notes", "items", "item_options", "answers")
        ]
    con.close()
    assert counts == [1, 3, 1, 4, 1]


def test_the_listing_names_nobody_but_can_be_checked_by_who_knows_the_id(
    tiny_demo_copy: Path,
) -> None:
    root = tiny_demo_copy
    done = withdraw(root, find_target(root, child_id="C01", is_media_deleted=True))
    rows = [json.loads(line) for line in done.proof.read_text().splitlines()]
    closing = rows[-1]
    assert closing["who"] == hashlib.sha256(f"{closing['salt']} child C01".encode()).hexdigest()
    assert "C01" not in done.proof.read_text()
    assert sum(row.get("removed") == "file" for row in rows) == done.n_files
    assert all(len(row["sha256"]) == 64 for row in rows if row.get("removed") == "file")
    assert (done.mentions, closing["n_files_still_naming_it"]) == ((), 0)


def test_a_withdrawal_that_is_cut_off_closes_the_study_and_goes_on(
    tiny_demo_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tiny_demo_copy
    words = leave_traces(root)
    target = find_target(root, child_id="C01", is_media_deleted=True)
    files = len(doomed(root, target).files)
    unlink = Path.unlink
    n_deleted = 0

    def dies_half_way(path: Path, missing_ok: bool = False) -> None:
        nonlocal n_deleted
        n_deleted += 1
        if n_deleted > files // 2:
            raise KeyboardInterrupt
        unlink(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", dies_half_way)
        with pytest.raises(KeyboardInterrupt):
            withdraw(root, target)
    assert pending_path(root).is_file()
    assert not (root / "derived" / "stores").exists()
    for opening in (open_study, current_store_path):
        with pytest.raises(StoreError, match="not finished"):
            opening(root)
    with monkeypatch.context() as patch:
        patch.setenv(place.STUDY_VARIABLE, os.fspath(root))
        assert not data.is_ready()
    assert "--resume" in command(root, "--child", "C02", "--yes").output

    again = read_pending(root)
    assert again is not None
    assert (again.gone_ids, again.is_media_deleted) == (target.gone_ids, True)
    done = withdraw(root, again)
    assert holding(root, words) == set()
    rows = [json.loads(line) for line in done.proof.read_text().splitlines()]
    assert sum(row.get("removed") == "file" for row in rows) >= files
    assert not pending_path(root).exists()


def test_a_recording_goes_and_the_childs_others_are_scored_without_its_frames(
    tiny_demo_copy: Path,
) -> None:
    root = tiny_demo_copy
    kept = {path for path in shards(root) if "C01_02" not in path}
    aligned = {path for path in shards(root, ("align",)) if "C02" in path}
    done = withdraw(root, find_target(root, recording_id="C01_02"))
    assert set(shards(root)) == kept
    assert set(shards(root, ("align",))) == aligned
    assert (root / "recordings" / "raw" / "C01_02.mp4").is_file()
    assert any("C01_02.mp4" in sentence for sentence in done.left)
    assert "C01" in (root / "metadata" / "children.csv").read_text()
    assert "C01_02" not in (root / "metadata" / "recordings.csv").read_text()


def test_what_cannot_be_withdrawn_is_said_before_anything_goes(tiny_demo_copy: Path) -> None:
    root = tiny_demo_copy
    unknown = command(root, "--child", "C1", "--yes")
    assert unknown.exit_code == 2
    assert "no child C1" in unknown.output
    assert command(root, "--yes").exit_code == 2
    assert "unfinished" in command(root, "--resume").output
    with folder_lock(root / "derived", "study"):
        busy = command(root, "--child", "C01", "--yes")
    assert busy.exit_code == 2
    mixed = root / "annotations" / "eaf" / "raw" / "days.eaf"
    mixed.parent.mkdir(parents=True)
    mixed.write_text('<A MEDIA_URL="C01_01.mp4"/><A MEDIA_URL="C02_01.mp4"/>')
    with pytest.raises(StudyError, match=r"days\.eaf"):
        withdraw(root, find_target(root, child_id="C01"))
    assert not pending_path(root).exists()
    assert current_store_path(root) is not None
