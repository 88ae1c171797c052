"""A people's file from elsewhere runs nothing, touches nothing else and is refused in words."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.people.marks import add_note, star
from pipeline.people.opening import connect
from pipeline.people.snapshot import read_marks
from pipeline.people.store import MomentRef, PeopleStore, people_store
from pipeline.records import TimeSpan
from pipeline.restore import copies, ready_to_restore
from pipeline.withdrawal.people_rows import doomed_people
from pipeline.withdrawal.target import KnownRecording, Target
from tests.torture.hostile.databases import SCHEMAS, journal_naming, whole_database

MOMENT = MomentRef("rec01", "u1", TimeSpan(1_000, 2_000))


@pytest.fixture
def people(tmp_path: Path) -> PeopleStore:
    """A study's file with marks, closed, without its copies."""
    store = people_store(tmp_path / "study")
    whole_database(store.path)
    for copy in store.backups():
        copy.unlink()
    return store


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.executescript(sql)


def refused(store: PeopleStore, message: str) -> None:
    """Neither read nor written to, in words, and left as it is."""
    before = store.path.read_bytes()
    for action in (lambda: read_marks(store), lambda: add_note(store, MOMENT, "more")):
        with pytest.raises(StoreError, match=message) as told:
            action()
        assert told.value.hint
    assert store.path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("trigger-deletes", "people.sqlite has a trigger that Coview did not make: t"),
        ("view-for-stars", "has a view that Coview did not make: stars"),
        ("view-endless", "has a view that Coview did not make: tags"),
        ("column-loads", "has a table that Coview did not make: notes"),
        ("index-of-expression", "has an index that Coview did not make: i"),
        ("table-beside", "has a table that Coview did not make: diary"),
        ("table-of-markup", r"did not make: <script>alert\(1\)</script>  \[31m\."),
        ("table-missing", "lacks the table or index tags"),
        ("loads-in-the-schema", "has a table that Coview did not make: stars"),
        ("not-ours", "was not written by Coview"),
    ],
)
def test_what_coview_did_not_make_is_refused_by_name(people: PeopleStore, name: str, message: str):
    change(people.path, SCHEMAS[name])
    refused(people, message)
    source = people.path.with_name("elsewhere")
    shutil.move(people.path, source)
    whole_database(people.path)
    before = people.path.read_bytes()
    with pytest.raises(StoreError), ready_to_restore(people.path.parents[1], source):
        pass
    assert people.path.read_bytes() == before


def test_a_file_that_was_only_analysed_is_ours(people: PeopleStore):
    change(people.path, "ANALYZE; PRAGMA page_size = 1024; VACUUM")
    assert len(read_marks(people).stars) == 12
    star(people, MOMENT)
    assert len(read_marks(people).stars) == 13


@pytest.mark.parametrize(
    "name",
    [
        *("text-for-a-number", "bytes-for-a-text", "text-that-is-none", "root-of-another"),
        *("negative-number", "large-text", "bytes-for-a-name"),
    ],
)
def test_a_value_of_another_kind_is_told_as_damage_and_not_restored(people: PeopleStore, name: str):
    change(people.path, SCHEMAS[name])
    source = people.path.with_name("elsewhere")
    shutil.copy(people.path, source)
    try:
        read_marks(people)
    except StoreError as told:
        assert "damaged" in told.message
        assert told.hint
    message = "elsewhere is damaged; nothing was changed"
    with (
        pytest.raises(StoreError, match=message),
        ready_to_restore(people.path.parents[1], source),
    ):
        pass


def test_a_journal_that_names_a_second_file_is_not_played_back(people: PeopleStore, tmp_path: Path):
    (tmp_path / "secret").write_text("mine")
    journal_naming(people.path)
    refused(people, r"people\.sqlite-journal was not written by Coview")
    assert (tmp_path / "secret").read_text() == "mine"
    # What it would do otherwise:
    with closing(sqlite3.connect(people.path)) as con:
        con.execute("SELECT count(*) FROM notes").fetchone()
    assert not (tmp_path / "secret").exists()


def test_a_journal_of_our_own_is_played_back(people: PeopleStore):
    """Cut off amid a change, in a file that keeps a journal and no log, as a restored one does."""
    with closing(connect(people.path)) as con:
        con.execute("PRAGMA cache_size = 1")
        con.execute("PRAGMA cache_spill = 1")
        con.execute("BEGIN")
        con.execute("DELETE FROM notes")
        con.executemany("INSERT INTO tags VALUES (1, ?, '')", [(f"{n}" * 900,) for n in range(90)])
        copy = people.path.parent.parent.parent / "cut-off" / "people" / people.path.name
        copy.parent.mkdir(parents=True)
        for side in ("", "-journal"):
            shutil.copy(f"{people.path}{side}", f"{copy}{side}")
        con.execute("ROLLBACK")
    assert Path(f"{copy}-journal").stat().st_size > 512
    assert len(read_marks(PeopleStore(copy)).notes) == 12


def _link_out(path: Path) -> None:
    path.rename(path.parents[2] / "elsewhere.sqlite")
    path.symlink_to(path.parents[2] / "elsewhere.sqlite")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of Unix")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_link_out, "is a link to no file of the study"),
        (_pipe, r"people\.sqlite was not written by Coview"),
        (lambda path: os.mkfifo(f"{path}-wal"), r"people\.sqlite-wal was not written by Coview"),
    ],
)
def test_links_out_of_the_study_and_pipes_are_refused_at_once(
    people: PeopleStore, make: Callable[[Path], None], message: str
):
    make(people.path)
    for action in (lambda: read_marks(people), lambda: star(people, MOMENT)):
        with pytest.raises(StoreError, match=message):
            action()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_within_the_study_is_followed(people: PeopleStore):
    kept = people.path.parents[1] / "kept.sqlite"
    people.path.rename(kept)
    people.path.symlink_to(kept)
    assert len(read_marks(people).stars) == 12


@pytest.mark.skipif(os.name == "nt", reason="pipes of Unix")
def test_a_copy_that_is_a_pipe_is_listed_as_one_that_cannot_be_read(people: PeopleStore):
    os.mkfifo(f"{people.path}.bak-2020-01-01")
    (found,) = copies(people.path.parents[1])
    assert (found.held, found.problem[:13]) == (None, "people.sqlite")


def test_a_withdrawal_takes_a_copy_with_a_trigger_whole(people: PeopleStore):
    copy = people.path.with_name("people.sqlite.bak-2020-01-01")
    shutil.copy(people.path, copy)
    change(copy, SCHEMAS["trigger-on-tags"])
    target = Target("", (KnownRecording("rec02", "c1", "b.mp4"),), ())
    doomed = doomed_people(people.path.parents[1], target)
    assert [file.path for file in doomed.files] == [copy]
    assert [cut.path for cut in doomed.cuts] == [people.path]
