"""A restore keeps what is about unknown recordings only where none can have been withdrawn."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.people.marks import add_note
from pipeline.people.snapshot import read_marks
from pipeline.people.store import MomentRef, people_store
from pipeline.records import TimeSpan
from pipeline.withdrawal.proof import Proof
from pipeline.withdrawal.target import KnownRecording, Target

HEADER = "recording_id,child_id,date_iso,recording_filename\n"
ANA, BOB = "ana_1,ana,2025-01-01,ana_1.mp4\n", "bob_1,bob,2025-01-02,bob_1.mp4\n"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study that knows ana alone, notes about ana and bob, and a copy of these outside of it."""
    root = tmp_path / "study"
    (root / "metadata").mkdir(parents=True)
    (root / "metadata" / "children.csv").write_text("child_id,child_dob\nana,2024-01-01\n")
    (root / "metadata" / "recordings.csv").write_text(HEADER + ANA)
    for recording in ("ana_1", "bob_1"):
        moment = MomentRef(recording, "u1", TimeSpan(1_000, 2_000))
        add_note(people_store(root), moment, f"about {recording}")
    with (
        closing(sqlite3.connect(people_store(root).path)) as con,
        closing(sqlite3.connect(tmp_path / "elsewhere.sqlite")) as to,
    ):
        con.backup(to)
    return root


def withdraw_child(root: Path, *, is_of_older_version: bool) -> None:
    """The listing of a withdrawn child, as Coview writes it or as it did before."""
    listing = Proof(root, Target("bob", (KnownRecording("bob_1", "bob", "bob_1.mp4"),), ()))
    listing.finish({})
    if not is_of_older_version:
        return
    (path,) = (root / "withdrawals").glob("*.jsonl")
    *lines, last = path.read_text().splitlines()
    kept = {name: value for name, value in json.loads(last).items() if name != "recordings"}
    path.write_text("\n".join((*lines, json.dumps(kept))) + "\n")


def restored(root: Path, *options: str) -> tuple[int, str, list[str]]:
    source = str(root.parent / "elsewhere.sqlite")
    result = CliRunner().invoke(app, ["restore", str(root), "--from", source, "--yes", *options])
    return result.exit_code, result.output, [n.text for n in read_marks(people_store(root)).notes]


def test_unknown_recordings_are_refused_where_an_old_listing_may_mean_them(study: Path):
    withdraw_child(study, is_of_older_version=True)
    before = people_store(study).path.read_bytes()
    code, said, _ = restored(study, "--keep-unknown")
    assert code == 2
    assert "rows about 1 recording(s) that the study does not know" in said
    assert "1 withdrawn child(ren)" in said
    assert "without --keep-unknown" in said
    assert people_store(study).path.read_bytes() == before
    assert not list((study / "people").glob("*.restoring*"))
    code, said, notes = restored(study)
    assert (code, notes) == (0, ["about ana_1"])
    assert b"bob_1" not in people_store(study).path.read_bytes()


def test_what_somebody_says_is_of_another_child_comes_back_beside_an_old_listing(study: Path):
    withdraw_child(study, is_of_older_version=True)
    (study / "metadata" / "recordings.csv").write_text(HEADER + ANA + BOB.replace(",bob,", ",ana,"))
    code, _, notes = restored(study, "--keep-unknown")
    assert (code, notes) == (0, ["about ana_1", "about bob_1"])


def test_unknown_recordings_come_back_where_every_listing_names_its_recordings(study: Path):
    elsewhere = study.parent / "elsewhere.sqlite"
    other = study.parent / "other"
    shutil.copytree(study, other)
    withdraw_child(study, is_of_older_version=False)
    assert elsewhere.is_file()
    assert restored(study, "--keep-unknown")[2] == ["about ana_1"]
    assert restored(other, "--keep-unknown")[2] == ["about ana_1", "about bob_1"]
