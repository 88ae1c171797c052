"""What people wrote is never lost: not to threads, kills, damage or a newer version."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipeline.errors import BusyError, StoreError
from pipeline.people import store as store_module
from pipeline.people.marks import (
    add_note,
    add_tag,
    delete_note,
    edit_note,
    remove_tag,
    star,
    unstar,
)
from pipeline.people.playlists import (
    add_to_playlist,
    delete_playlist,
    make_playlist,
    move_in_playlist,
    remove_from_playlist,
    rename_playlist,
)
from pipeline.people.snapshot import Marks, read_marks
from pipeline.people.store import MomentRef, PeopleStore, people_store
from pipeline.people.tables import STEPS, VERSION
from pipeline.records import TimeSpan


def moment(number: int, recording: str = "rec1") -> MomentRef:
    return MomentRef(recording, f"u{number}", TimeSpan(1_000 * number, 1_000 * number + 900))


def fixed(day: int) -> Callable[[], datetime]:
    return lambda: datetime(2024, 5, day, 12, tzinfo=timezone.utc)


@pytest.fixture
def people(tmp_path: Path) -> PeopleStore:
    return people_store(tmp_path)


def test_the_file_lies_outside_what_a_rebuild_deletes(people: PeopleStore, tmp_path: Path):
    star(people, moment(1))
    assert people.path == tmp_path / "people" / "people.sqlite"
    (tmp_path / "derived").mkdir()
    shutil.rmtree(tmp_path / "derived")
    assert len(read_marks(people).stars) == 1


def test_reading_makes_no_file(people: PeopleStore):
    assert read_marks(people) == Marks()
    assert not people.path.exists()
    assert not people.path.parent.exists()


def test_a_star_comes_and_goes(people: PeopleStore):
    star(people, moment(1))
    star(people, moment(1))
    star(people, moment(2))
    marks = read_marks(people)
    assert [m.ref for m in marks.moments] == [moment(1), moment(2)]
    assert {s.moment_id for s in marks.stars} == {1, 2}
    unstar(people, [1])
    assert {s.moment_id for s in read_marks(people).stars} == {2}


def test_a_moment_has_several_tags_and_capitals_make_no_other_tag(people: PeopleStore):
    assert add_tag(people, moment(1), "  Show \n Monday ") == "Show Monday"
    assert add_tag(people, moment(2), "show monday") == "Show Monday"
    add_tag(people, moment(1), "Ärger")
    assert [(t.moment_id, t.tag) for t in read_marks(people).tags] == [
        (1, "Show Monday"),
        (2, "Show Monday"),
        (1, "Ärger"),
    ]
    remove_tag(people, [1, 2], "Show Monday")
    assert [t.tag for t in read_marks(people).tags] == ["Ärger"]
    with pytest.raises(ValueError, match="visible"):
        add_tag(people, moment(1), " \t")


def test_a_note_is_edited_only_as_it_was_read(people: PeopleStore):
    note_id = add_note(people, moment(1), " looks away ")
    (before,) = read_marks(people).notes
    assert (before.note_id, before.text, before.edited_at) == (note_id, "looks away", None)
    assert edit_note(people, before, "looks at the dog")
    assert not edit_note(people, before, "someone else's words")
    (after,) = read_marks(people).notes
    assert after.text == "looks at the dog"
    assert after.edited_at is not None
    with pytest.raises(ValueError, match="characters"):
        add_note(people, moment(1), "  ")
    delete_note(people, note_id)
    assert read_marks(people).notes == ()


def test_a_playlist_keeps_the_order_people_give_it(people: PeopleStore):
    number = make_playlist(people, "Talk")
    assert make_playlist(people, " talk ") == number
    add_to_playlist(people, number, [moment(n) for n in (1, 2, 3, 4)])
    add_to_playlist(people, number, [moment(2)])

    def order() -> list[str]:
        marks = read_marks(people)
        ids = {m.moment_id: m.ref.utterance_id for m in marks.moments}
        return [ids[i] for i in marks.playlists[0].moment_ids]

    assert order() == ["u1", "u2", "u3", "u4"]
    move_in_playlist(people, number, 4, 0)
    assert order() == ["u4", "u1", "u2", "u3"]
    move_in_playlist(people, number, 4, 2)
    assert order() == ["u1", "u2", "u4", "u3"]
    move_in_playlist(people, number, 1, 99)
    assert order() == ["u2", "u4", "u3", "u1"]
    remove_from_playlist(people, number, [4])
    add_to_playlist(people, number, [moment(4)])
    assert order() == ["u2", "u3", "u1", "u4"]


def test_playlists_are_renamed_and_deleted_without_their_moments(people: PeopleStore):
    talk, lab = make_playlist(people, "Talk"), make_playlist(people, "Lab")
    add_to_playlist(people, talk, [moment(1)])
    star(people, moment(1))
    assert not rename_playlist(people, talk, "LAB")
    assert rename_playlist(people, talk, "TALK")
    assert [p.name for p in read_marks(people).playlists] == ["Lab", "TALK"]
    delete_playlist(people, talk)
    marks = read_marks(people)
    assert [p.playlist_id for p in marks.playlists] == [lab]
    assert len(marks.stars) == 1
    add_to_playlist(people, talk, [moment(1)])
    assert [p.moment_ids for p in read_marks(people).playlists] == [()]


def test_an_action_that_fails_leaves_nothing_behind(people: PeopleStore):
    star(people, moment(1))
    before = read_marks(people)

    def fail_halfway() -> None:
        with people.writing() as con:
            con.execute("DELETE FROM stars")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert read_marks(people) == before


def test_a_mark_cannot_point_at_no_moment(people: PeopleStore):
    star(people, moment(1))
    with pytest.raises(sqlite3.IntegrityError), people.writing() as con:
        con.execute("INSERT INTO stars VALUES (99, 'now')")


def test_many_threads_write_and_read_at_once(people: PeopleStore):
    number = make_playlist(people, "Talk")

    def work(thread: int) -> None:
        for n in range(12):
            own = moment(100 * thread + n)
            star(people, own)
            add_tag(people, own, f"tag {n}")
            add_note(people, moment(7), f"{thread} {n}")
            add_to_playlist(people, number, [own])
            assert any(m.ref == own for m in read_marks(people).moments)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(1, 9)))
    marks = read_marks(people)
    assert len(marks.stars) == len(marks.tags) == len(marks.notes) == 96
    assert len(set(marks.playlists[0].moment_ids)) == 96
    with people.reading() as con:
        places = con.execute("SELECT position FROM playlist_moments").fetchall()
        assert sorted(place for (place,) in places) == list(range(96))
        assert con.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_the_file_is_made_once_when_all_start_at_once(tmp_path: Path):
    for attempt in range(5):
        people = people_store(tmp_path / str(attempt))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n, p=people: star(p, moment(n)), range(8)))
        assert len(read_marks(people).stars) == 8


WRITER = """
import sys
from pathlib import Path
from pipeline.people.marks import add_note, star
from pipeline.people.playlists import add_to_playlist, make_playlist
from pipeline.people.store import MomentRef, people_store
from pipeline.records import TimeSpan
people = people_store(Path(sys.argv[1]))
first = int(sys.argv[2])
playlist = make_playlist(people, "Talk")
for n in range(first, first + 10_000):
    moment = MomentRef("rec1", f"u{n}", TimeSpan(n, n + 1))
    star(people, moment)
    add_note(people, moment, f"note {n}")
    add_to_playlist(people, playlist, [moment])
    print(n, flush=True)
"""


def test_a_killed_server_loses_nothing_that_was_done(people: PeopleStore, tmp_path: Path):
    done: set[int] = set()
    for first in (0, 100_000, 200_000):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(first)],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            for _ in range(5 + first // 50_000):
                done.add(int(process.stdout.readline()))
            process.kill()
            done |= {int(line) for line in process.stdout if line.endswith("\n")}
        marks = read_marks(people)
        ids = {m.moment_id: m.ref.utterance_id for m in marks.moments}
        wanted = {f"u{n}" for n in done}
        assert wanted <= {ids[s.moment_id] for s in marks.stars}
        assert wanted <= {ids[i] for i in marks.playlists[0].moment_ids}
        assert {f"note {n}" for n in done} <= {n.text for n in marks.notes}
        with people.reading() as con:
            assert con.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            assert con.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_file_of_a_newer_version_is_refused_and_left_alone(people: PeopleStore):
    star(people, moment(1))
    with sqlite3.connect(people.path) as con:
        con.execute(f"PRAGMA user_version = {VERSION + 1}")
        con.execute("CREATE TABLE later (x)")
    con.close()
    for action in (lambda: read_marks(people), lambda: star(people, moment(2))):
        with pytest.raises(StoreError, match=f"tables of version {VERSION + 1}"):
            action()
    with sqlite3.connect(people.path) as con:
        assert con.execute("SELECT count(*) FROM stars").fetchone()[0] == 1
        assert con.execute("SELECT count(*) FROM later").fetchone()[0] == 0
    con.close()


@pytest.mark.parametrize("kind", ["no database", "truncated", "foreign"])
def test_a_file_that_cannot_be_read_is_named_and_never_overwritten(people: PeopleStore, kind: str):
    star(people, moment(1))
    for n in range(40):
        add_note(people, moment(n), "words " * 300)
    if kind == "no database":
        people.path.write_bytes(b"not a database at all " * 400)
    elif kind == "truncated":
        content = people.path.read_bytes()
        people.path.write_bytes(content[: len(content) // 3 // 4096 * 4096])
    else:
        people.path.unlink()
        with sqlite3.connect(people.path) as con:
            con.execute("CREATE TABLE stars (x)")
        con.close()
    before = people.path.read_bytes()
    tomorrow = PeopleStore(people.path, lambda: datetime.now(timezone.utc) + timedelta(days=1))
    for action in (lambda: read_marks(people), lambda: star(tomorrow, moment(2))):
        with pytest.raises(StoreError, match=r"people\.sqlite") as caught:
            action()
        assert caught.value.hint
    assert people.path.read_bytes() == before


def test_the_file_is_copied_once_a_day_before_the_first_write(people: PeopleStore):
    for day, n in ((1, 1), (1, 2), (2, 3), (2, 4), (3, 5)):
        star(PeopleStore(people.path, fixed(day)), moment(n))
    assert [p.name for p in people.backups()] == [
        "people.sqlite.bak-2024-05-01",
        "people.sqlite.bak-2024-05-02",
        "people.sqlite.bak-2024-05-03",
    ]
    kept = []
    for copy in people.backups():
        with sqlite3.connect(copy) as con:
            kept.append(con.execute("SELECT count(*) FROM stars").fetchone()[0])
        con.close()
    assert kept == [1, 2, 4]
    restored = people.path.with_name("restored.sqlite")
    shutil.copy(people.backups()[-1], restored)
    assert len(read_marks(PeopleStore(restored)).stars) == 4


def test_damage_points_to_the_newest_copy(people: PeopleStore):
    for day in (1, 2):
        star(PeopleStore(people.path, fixed(day)), moment(day))
    people.path.write_bytes(b"x" * 5_000)
    with pytest.raises(StoreError) as caught:
        read_marks(people)
    assert "people.sqlite.bak-2024-05-02" in caught.value.hint


def test_an_older_file_is_brought_forward_with_all_it_holds(
    people: PeopleStore, monkeypatch: pytest.MonkeyPatch
):
    star(people, moment(1))
    more = ("CREATE TABLE ratings (moment_id INTEGER REFERENCES moments, answer TEXT)",)
    monkeypatch.setattr(store_module, "STEPS", (*STEPS, more))
    monkeypatch.setattr(store_module, "VERSION", VERSION + 1)
    assert len(read_marks(people).stars) == 1
    with people.writing() as con:
        con.execute("INSERT INTO ratings VALUES (1, 'left')")
    with people.reading() as con:
        assert con.execute("SELECT answer FROM ratings").fetchall() == [("left",)]
        assert con.execute("PRAGMA user_version").fetchone()[0] == VERSION + 1
    assert [p.name for p in people.path.parent.glob(f"*-v{VERSION}")] != []


def test_another_program_that_holds_the_file_is_told_in_words(
    people: PeopleStore, monkeypatch: pytest.MonkeyPatch
):
    star(people, moment(1))
    star(people, moment(2))
    monkeypatch.setattr(store_module, "_WAIT_S", 0.1)
    monkeypatch.setattr(store_module, "_WAIT_TO_READ_S", 0.1)
    holder = sqlite3.connect(people.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError, match=r"people\.sqlite"):
        star(people, moment(3))
    assert len(read_marks(people).stars) == 2
    holder.close()
    star(people, moment(3))
    assert len(read_marks(people).stars) == 3


def test_the_state_of_the_file_changes_with_every_action(people: PeopleStore):
    states = [people.state()]
    for n in range(20):
        star(people, moment(n))
        states.append(people.state())
        assert read_marks(people).stars
        time.sleep(0.005)
    assert len(set(states)) == len(states)


def test_reading_leaves_the_state_as_it_is(people: PeopleStore):
    star(people, moment(1))
    before = people.state()
    for _ in range(5):
        read_marks(people)
    assert people.state() == before


def test_a_file_that_a_program_has_for_itself_is_told_without_a_long_wait(
    people: PeopleStore, monkeypatch: pytest.MonkeyPatch
):
    star(people, moment(1))
    monkeypatch.setattr(store_module, "_WAIT_TO_READ_S", 0.1)
    holder = sqlite3.connect(people.path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    with pytest.raises(BusyError, match=r"people\.sqlite"):
        read_marks(people)
    assert time.monotonic() - began < 5
    holder.close()
    assert len(read_marks(people).stars) == 1


def test_marks_are_read_where_nothing_can_be_written(
    people: PeopleStore, monkeypatch: pytest.MonkeyPatch
):
    star(people, moment(1))
    connect = sqlite3.connect

    def refused(path: object, *args: object, **options: object) -> sqlite3.Connection:
        if path == people.path:
            raise sqlite3.OperationalError("unable to open database file")
        return connect(path, *args, **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(store_module.sqlite3, "connect", refused)
    assert len(read_marks(people).stars) == 1
    with pytest.raises(StoreError, match=r"people\.sqlite cannot be used"):
        star(people, moment(2))
