"""What people wrote comes back from its copies, whole, but for what was withdrawn."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import BusyError, DiskFullError, StoreError
from pipeline.people import store as store_module
from pipeline.people.marks import add_note, star, unstar
from pipeline.people.playlists import add_to_playlist, make_playlist
from pipeline.people.served import is_served, mark_served, unmark_served
from pipeline.people.snapshot import read_marks
from pipeline.people.store import MomentRef, PeopleStore, people_store
from pipeline.people.tables import STEPS, VERSION
from pipeline.records import TimeSpan
from pipeline.restore import chosen_copy, copies, put_back, ready_to_restore
from pipeline.withdrawal.proof import Proof
from pipeline.withdrawal.target import KnownRecording, Target

DAY = datetime(2026, 3, 1, 9, tzinfo=timezone.utc)


def moment(number: int, recording: str = "ana_1") -> MomentRef:
    return MomentRef(recording, f"u{number}", TimeSpan(1_000 * number, 1_000 * number + 900))


def on_day(root: Path, number: int) -> PeopleStore:
    return PeopleStore(people_store(root).path, lambda: DAY + timedelta(days=number))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two recordings; on the first day two notes, on the second a star and a third note."""
    root = tmp_path / "study"
    (root / "metadata").mkdir(parents=True)
    (root / "metadata" / "children.csv").write_text("child_id,child_dob\nana,2024-01-01\n")
    (root / "metadata" / "recordings.csv").write_text(
        "recording_id,child_id,date_iso,recording_filename\n"
        "ana_1,ana,2025-01-01,ana_1.mp4\nana_2,ana,2025-01-02,ana_2.mp4\n"
    )
    first = on_day(root, 0)
    add_note(first, moment(1), "points at the dog")
    add_note(first, moment(2, "ana_2"), "looks away")
    later = on_day(root, 1)
    star(later, moment(3))
    add_note(later, moment(1), "and at the ball")
    return root


def note_texts(root: Path) -> list[str]:
    return [note.text for note in read_marks(people_store(root)).notes]


def run(root: Path, *options: str) -> str:
    result = CliRunner().invoke(app, ["restore", str(root), *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.output


def files(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in people_store(root).path.parent.iterdir()}


def test_a_copy_is_listed_with_what_it_holds_and_comes_back(study: Path):
    listed = run(study, "--list")
    assert "Used now:" in listed
    assert "1 star, 3 notes" in listed
    assert "2026-03-02" in listed
    assert ": 2 notes" in listed
    said = run(study, "--from", "2026-03-02")
    assert "Gained: nothing." in said
    assert "Lost: 1 star, 1 note." in said
    assert "Nothing was changed" in said
    assert len(note_texts(study)) == 3

    assert "is kept as people/people.sqlite.aside-" in run(study, "--from", "2026-03-02", "--yes")
    assert note_texts(study) == ["points at the dog", "looks away"]
    assert read_marks(people_store(study)).stars == ()
    aside = next(copy for copy in copies(study) if "aside" in copy.name)
    assert "Gained: 1 star, 1 note." in run(study, "--from", aside.name, "--yes")
    assert len(note_texts(study)) == 3
    left = {path.name for path in people_store(study).path.parent.iterdir()}
    assert not [name for name in left if name.endswith((".partial", ".restoring", "-journal"))]


def test_a_file_that_is_written_to_again_after_a_restore_keeps_all(study: Path):
    run(study, "--from", "2026-03-02", "--yes")
    make_playlist(people_store(study), "Talk")
    add_to_playlist(people_store(study), 1, [moment(9)])
    assert len(read_marks(people_store(study)).playlists[0].moment_ids) == 1
    with people_store(study).reading() as con:
        assert con.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_damaged_file_is_kept_byte_for_byte_and_its_copy_comes_back(study: Path):
    people = people_store(study).path
    people.write_bytes(b"not a database at all " * 400)
    before = people.read_bytes()
    with pytest.raises(StoreError) as caught:
        read_marks(people_store(study))
    assert "restore STUDY --from 2026-03-02" in caught.value.hint
    assert "Used now: cannot be read" in run(study)
    assert "cannot be read, so what is lost" in run(study, "--from", "2026-03-02", "--yes")
    assert note_texts(study) == ["points at the dog", "looks away"]
    (aside,) = people.parent.glob("*.aside-*")
    assert aside.read_bytes() == before


@pytest.mark.parametrize("kind", ["cut short", "overwritten", "foreign", "empty", "newer"])
def test_a_copy_that_cannot_be_used_is_refused_and_nothing_changes(study: Path, kind: str):
    copy = chosen_copy(study, "2026-03-02")
    content = copy.read_bytes()
    if kind == "cut short":
        copy.write_bytes(content[: len(content) // 2])
    elif kind == "overwritten":
        middle = len(content) // 2
        copy.write_bytes(content[:middle] + b"\xff" * 6_000 + content[middle + 6_000 :])
    elif kind == "empty":
        copy.write_bytes(b"")
    else:
        with closing(sqlite3.connect(copy)) as con:
            con.execute(
                "PRAGMA application_id = 1"
                if kind == "foreign"
                else f"PRAGMA user_version = {VERSION + 1}"
            )
            con.commit()
    before = files(study)
    result = CliRunner().invoke(app, ["restore", str(study), "--from", "2026-03-02", "--yes"])
    assert result.exit_code == 2
    assert copy.name in result.output
    assert files(study) == before
    if kind != "empty":
        assert "cannot be read" in run(study, "--list")


def test_a_copy_with_tables_of_before_is_brought_to_todays(
    study: Path, monkeypatch: pytest.MonkeyPatch
):
    more = ("CREATE TABLE later (moment_id INTEGER REFERENCES moments)",)
    monkeypatch.setattr(store_module, "STEPS", (*STEPS, more))
    monkeypatch.setattr(store_module, "VERSION", VERSION + 1)
    monkeypatch.setattr("pipeline.restore.VERSION", VERSION + 1)
    copy = chosen_copy(study, "2026-03-02")
    before = copy.read_bytes()
    assert f"of version {VERSION}; they are brought" in run(study, "--from", "2026-03-02", "--yes")
    with people_store(study).reading() as con:
        assert con.execute("PRAGMA user_version").fetchone()[0] == VERSION + 1
        assert con.execute("SELECT count(*) FROM later").fetchone()[0] == 0
    assert copy.read_bytes() == before


def test_nothing_is_restored_under_a_server_and_a_dead_server_holds_nothing(study: Path):
    mark = mark_served(study)
    assert mark is not None
    source = chosen_copy(study, "2026-03-02")
    with ready_to_restore(study, source) as ready, pytest.raises(BusyError, match="has this study"):
        put_back(ready)
    assert len(note_texts(study)) == 3
    unmark_served(mark)
    script = (
        "import os, sys; from pathlib import Path; from pipeline.people.served import mark_served;"
        "kept = mark_served(Path(sys.argv[1])); assert kept; os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(study)], check=False)
    assert len(list(people_store(study).path.parent.glob("served-*.lock"))) == 1
    assert not is_served(study)
    assert list(people_store(study).path.parent.glob("served-*.lock")) == []
    run(study, "--from", "2026-03-02", "--yes")
    assert len(note_texts(study)) == 2


def test_what_a_writer_began_before_a_restore_goes_to_the_file_that_came_back(study: Path):
    store = people_store(study)
    waited: list[int] = []
    opened = store_module.PeopleStore._opened

    class Slow(PeopleStore):
        def _opened(self) -> sqlite3.Connection:
            con = opened(self)
            if not waited:
                waited.append(1)
                con.close()
                con = sqlite3.connect(store.path, isolation_level=None)
                with ready_to_restore(study, chosen_copy(study, "2026-03-02")) as ready:
                    put_back(ready)
            return con

    star(Slow(store.path), moment(7))
    marks = read_marks(store)
    assert waited
    assert len(marks.notes) == 2
    assert [m.ref for m in marks.moments if m.moment_id == marks.stars[0].moment_id] == [moment(7)]


def withdrawn(root: Path, child_id: str, *recordings: str) -> None:
    gone = tuple(KnownRecording(name, "ana", f"{name}.mp4") for name in recordings)
    Proof(root, Target(child_id, gone, ())).finish({})
    table = root / "metadata" / "recordings.csv"
    kept = [line for line in table.read_text().splitlines() if line.split(",")[0] not in recordings]
    table.write_text("\n".join(kept) + "\n")


@pytest.mark.parametrize("child_id", ["", "ana"])
def test_what_was_withdrawn_does_not_come_back_from_a_file_of_elsewhere(
    study: Path, tmp_path: Path, child_id: str
):
    elsewhere = tmp_path / "carried away.sqlite"
    make_playlist(people_store(study), "Best of ana_2")
    with (
        closing(sqlite3.connect(people_store(study).path)) as con,
        closing(sqlite3.connect(elsewhere)) as to,
    ):
        con.backup(to)
    withdrawn(study, child_id, "ana_2")
    for options in ((), ("--keep-unknown",)):
        said = run(study, "--from", str(elsewhere), *options, "--yes")
        assert "about what was withdrawn" in said
        assert note_texts(study) == ["points at the dog", "and at the ball"]
        content = people_store(study).path.read_bytes()
        assert b"looks away" not in content
        assert b"ana_2" not in content


def test_material_of_recordings_nobody_knows_stays_out_unless_it_is_asked_for(
    study: Path, tmp_path: Path
):
    add_note(people_store(study), moment(5, "bob_1"), "of another study")
    elsewhere = tmp_path / "elsewhere.sqlite"
    shutil.copy(people_store(study).path, elsewhere)
    if (beside := people_store(study).path.with_name("people.sqlite-wal")).exists():
        shutil.copy(beside, tmp_path / "elsewhere.sqlite-wal")
    said = run(study, "--from", str(elsewhere), "--yes")
    assert "about 1 recording(s) that the study does not know" in said
    assert "of another study" not in note_texts(study)
    run(study, "--from", str(elsewhere), "--keep-unknown", "--yes")
    assert "of another study" in note_texts(study)


def test_a_listing_that_cannot_be_read_or_a_withdrawal_under_way_stops_a_restore(study: Path):
    source = chosen_copy(study, "2026-03-02")
    listing = study / "withdrawals" / "20260101T000000Z-12345678.jsonl"
    listing.parent.mkdir()
    listing.write_text("{")
    with pytest.raises(StoreError, match="listing"), ready_to_restore(study, source):
        pass
    listing.write_text(json.dumps({"salt": "a", "who": "b", "withdrawn": "recording"}) + "\n")
    (study / "withdrawals" / "pending.json").write_text("{}")
    with pytest.raises(StoreError, match="not finished"), ready_to_restore(study, source):
        pass


INTERRUPTED = """
import errno, os, sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from pipeline.errors import CoviewError
from pipeline.restore import chosen_copy, put_back, ready_to_restore
import shutil
EVENTS = {"open", "os.rename", "os.remove", "sqlite3.connect", "shutil.copyfile", "os.utime"}
how, template, place = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
for number in range(int(sys.argv[4]), 200, 7):
    root = place / str(number)
    shutil.copytree(template, root)
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(number, status, flush=True)
        if status == 0:
            break
        continue
    seen = 0
    def stop(event, arguments):
        global seen
        if event in EVENTS and str(root) in str(arguments[0]):
            seen += 1
            if seen == number + 1 and how == "killed":
                os._exit(9)
            if seen == number + 1 and event != "os.remove":
                raise OSError(errno.ENOSPC, "No space left on device")
    source = chosen_copy(root, "2026-03-02")
    sys.addaudithook(stop)
    try:
        with ready_to_restore(root, source) as ready:
            put_back(ready)
    except CoviewError:
        os._exit(3)
    os._exit(0 if seen <= number else 4)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes are not copied there")
@pytest.mark.parametrize(
    ("how", "code", "is_damaged", "first"),
    [
        ("killed", 9, False, 1),
        ("killed", 9, True, 4),
        ("full", 3, False, 2),
    ],
)
def test_wherever_a_restore_is_cut_off_one_of_both_files_is_there_whole(
    study: Path, tmp_path: Path, how: str, code: int, is_damaged: bool, first: int
):
    """At every seventh file it touches, from the `first` on."""
    people = people_store(study).path
    if is_damaged:
        people.write_bytes(b"damaged " * 900)
    place = tmp_path / "cut off"
    place.mkdir()
    told = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, how, str(study), str(place), str(first)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    numbers = [int(line.split()[0]) for line in told if line]
    codes = [int(line.split()[1]) for line in told if line]
    assert len(codes) > 3
    assert codes[-1] == 0
    assert set(codes[:-1]) <= {code, 4}
    n_before = n_after = 0
    for number in numbers:
        root = place / str(number)
        try:
            texts = note_texts(root)
        except StoreError:
            assert is_damaged
            assert b"damaged" in people_store(root).path.read_bytes()
            n_before += 1
        else:
            assert texts in (
                ["points at the dog", "looks away"],
                ["points at the dog", "looks away", "and at the ball"],
            )
            n_before += len(texts) == 3
            n_after += len(texts) == 2
        run(root, "--from", "2026-03-02", "--yes")
        assert note_texts(root) == ["points at the dog", "looks away"]
        left = {path.name for path in people_store(root).path.parent.iterdir()}
        assert not [name for name in left if name.endswith((".partial", ".restoring", "-journal"))]
    assert n_before > 1
    assert n_after >= 1


def test_a_server_start_clears_what_a_cut_off_restore_left(study: Path):
    folder = people_store(study).path.parent
    for name in (
        "people.sqlite.restoring",
        "people.sqlite.partial",
        "people.sqlite.partial-journal",
    ):
        (folder / name).write_bytes(b"half")
    mark = mark_served(study)
    assert mark is not None
    unmark_served(mark)
    assert {path.name for path in folder.iterdir()} <= {
        "people.sqlite",
        "people.sqlite-wal",
        "people.sqlite-shm",
        "people.sqlite.lock",
        "people.sqlite.bak-2026-03-01",
        "people.sqlite.bak-2026-03-02",
    }


def test_a_copy_is_made_on_days_without_a_write_when_the_day_before_had_one(study: Path):
    an_hour_ago = time.time() - 3_600
    os.utime(people_store(study).path, (an_hour_ago, an_hour_ago))
    newest = people_store(study).backups()[-1]
    os.utime(newest, (an_hour_ago - 60, an_hour_ago - 60))
    assert on_day(study, 2).back_up()
    assert not on_day(study, 2).back_up()
    assert not on_day(study, 3).back_up()
    unstar(on_day(study, 4), [3])
    names = [path.name for path in people_store(study).backups()]
    assert [name[-5:] for name in names] == ["03-01", "03-02", "03-03"]
    assert on_day(study, 5).back_up()


def test_no_room_for_the_days_copy_is_told_and_leaves_no_half_copy(
    study: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.people.copies.os.fsync", full)
    with pytest.raises(DiskFullError):
        on_day(study, 2).back_up()
    assert len(people_store(study).backups()) == 2
    assert not list(people_store(study).path.parent.glob("*.partial*"))
