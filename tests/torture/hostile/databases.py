"""People's files that are damaged or made to hurt, in the place of a study's own and given to
`restore`: each is used as it should be, or refused in a sentence, and nothing else is touched.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from pipeline.errors import CoviewError
from pipeline.people.marks import add_note, add_tag, star
from pipeline.people.playlists import add_to_playlist, make_playlist
from pipeline.people.snapshot import read_marks
from pipeline.people.store import MomentRef, PeopleStore, people_store
from pipeline.people.trial_sets import trial_sets
from pipeline.records import TimeSpan
from pipeline.restore import copies, put_back, ready_to_restore
from pipeline.withdrawal.people_rows import doomed_people
from pipeline.withdrawal.target import KnownRecording, Target
from tests.torture.hostile.spoilt import WAYS

_LOGS = ("wal", "journal")
_MAGIC = bytes.fromhex("d9d505f920a163d7")
_SECRET = b"the family's own file\nnone of ours\n"
_REC = MomentRef("rec01", "u1", TimeSpan(1_000, 2_000))
_BACKGROUND = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"

SCHEMAS: dict[str, str] = {
    "trigger-deletes": "CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM stars; END",
    "trigger-on-tags": "CREATE TRIGGER t BEFORE DELETE ON tags BEGIN SELECT RAISE(IGNORE); END",
    "trigger-loads": "CREATE TRIGGER t AFTER INSERT ON stars "
    "BEGIN SELECT load_extension('/tmp/x.so'); END",
    "trigger-endless": f"CREATE TRIGGER t AFTER INSERT ON moments BEGIN INSERT INTO tags "
    f"{_BACKGROUND} 1, i, i FROM n; END",
    "trigger-writes-file": "CREATE TRIGGER t AFTER INSERT ON notes BEGIN "
    "SELECT writefile('/tmp/coview-written', 'x'); END",
    "view-for-stars": "DROP TABLE stars; CREATE VIEW stars AS SELECT 1 AS moment_id, 'x' AS "
    "created_at",
    "view-endless": f"DROP TABLE tags; CREATE VIEW tags AS {_BACKGROUND} 1 AS moment_id, 'x' AS "
    "tag, 'x' AS created_at FROM n",
    "view-cartesian": "DROP TABLE tags; CREATE VIEW tags AS SELECT a.moment_id, 'x' AS tag, 'x' AS "
    "created_at FROM moments a, moments b, moments c, moments d, moments e, moments f",
    "view-of-itself": "DROP TABLE notes; CREATE VIEW notes AS SELECT * FROM v; "
    "CREATE VIEW v AS SELECT * FROM notes",
    "view-loads": "DROP TABLE stars; CREATE VIEW stars AS "
    "SELECT load_extension('/tmp/x.so') AS moment_id, 'x' AS created_at",
    "view-beside": "CREATE VIEW mine AS SELECT * FROM notes",
    "column-loads": "ALTER TABLE notes ADD COLUMN x GENERATED ALWAYS AS (length(text)) VIRTUAL",
    "column-more": "ALTER TABLE notes ADD COLUMN x TEXT DEFAULT 'y'",
    "index-of-expression": "CREATE INDEX i ON notes (abs(moment_id))",
    "index-unique": "CREATE UNIQUE INDEX i ON moments (utterance_id)",
    "index-partial": "CREATE INDEX i ON notes (text) WHERE text LIKE '%a%'",
    "index-missing": "DROP INDEX notes_of_moment",
    "table-beside": "CREATE TABLE diary (words TEXT); INSERT INTO diary VALUES ('mine')",
    "table-of-markup": 'CREATE TABLE "<script>alert(1)</script>\n\x1b[31m" (x)',
    "table-of-a-long-name": f'CREATE TABLE "{"n" * 100_000}" (x)',
    "table-missing": "DROP TABLE tags",
    "table-of-other-columns": "DROP TABLE stars; CREATE TABLE stars (moment_id, created_at)",
    "table-without-rowid": "DROP TABLE stars; CREATE TABLE stars (moment_id INTEGER PRIMARY KEY, "
    "created_at TEXT) WITHOUT ROWID",
    "table-virtual": "CREATE VIRTUAL TABLE v USING fts5(x)",
    "table-in-another-place": "DROP TABLE tags; CREATE VIRTUAL TABLE tags USING fts4(moment_id)",
    "not-ours": "PRAGMA application_id = 7",
    "nobodys": "PRAGMA application_id = 0",
    "newer": "PRAGMA user_version = 9",
    "far-newer": "PRAGMA user_version = 2147483647",
    "negative-version": "PRAGMA user_version = -3",
    "older-than-it-is": "PRAGMA user_version = 1",
    "version-nought": "PRAGMA user_version = 0",
    "analysed": "ANALYZE",
    "null-schema": "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = NULL "
    "WHERE name = 'stars'",
    "loads-in-the-schema": "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = "
    "replace(sql, 'created_at TEXT NOT NULL', 'created_at TEXT DEFAULT "
    "(load_extension(''/tmp/x.so''))') WHERE name = 'stars'",
    "checks-in-the-schema": "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = "
    "replace(sql, 'created_at TEXT NOT NULL', 'created_at TEXT CHECK "
    "(length(randomblob(900000000)) > 0)') WHERE name = 'stars'",
    "root-of-another": "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = "
    "(SELECT rootpage FROM sqlite_master WHERE name = 'notes') WHERE name = 'tags'",
    "root-far-away": "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = 99999 "
    "WHERE name = 'tags'",
    "root-is-the-schema": "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = 1 "
    "WHERE name = 'tags'",
    "name-of-another": "PRAGMA writable_schema = ON; UPDATE sqlite_master SET name = 'stars', "
    "tbl_name = 'stars' WHERE name = 'tags'",
    "name-of-sqlites": "PRAGMA writable_schema = ON; UPDATE sqlite_master SET name = "
    "'sqlite_master' WHERE name = 'tags'",
    "type-of-another": "PRAGMA writable_schema = ON; UPDATE sqlite_master SET type = 'view' "
    "WHERE name = 'tags'",
    "no-schema-at-all": "PRAGMA writable_schema = ON; DELETE FROM sqlite_master",
    "dangling": "PRAGMA foreign_keys = OFF; DELETE FROM moments",
    "text-for-a-number": "PRAGMA ignore_check_constraints = ON; UPDATE moments SET onset_ms = 'x'",
    "bytes-for-a-number": "PRAGMA ignore_check_constraints = ON; "
    "UPDATE moments SET offset_ms = x'00ff'",
    "far-number": "PRAGMA ignore_check_constraints = ON; "
    "UPDATE moments SET offset_ms = 9223372036854775807",
    "negative-number": "PRAGMA ignore_check_constraints = ON; UPDATE moments SET onset_ms = -5",
    "bytes-for-a-text": "UPDATE notes SET text = x'ff00ff'",
    "text-that-is-none": "UPDATE notes SET text = CAST(x'ff00ff41' AS TEXT)",
    "ids-that-are-none": "UPDATE moments SET recording_id = CAST(x'c328' AS TEXT)",
    "bytes-for-a-name": "UPDATE playlists SET name = x'80' WHERE playlist_id = 1",
    "number-for-a-name": "PRAGMA writable_schema = ON; UPDATE sqlite_master SET "
    "sql = replace(sql, 'name TEXT', 'name') WHERE name = 'playlists'",
    "settings-that-are-none": "INSERT INTO trial_sets VALUES "
    "(1, 'a', '4afc', '{', 'c', 0, '2026-01-01', NULL)",
    "settings-of-another-kind": "INSERT INTO trial_sets VALUES "
    "(1, 'a', '4afc', '[]', 'c', 0, 'never', x'00')",
    "large-text": "UPDATE notes SET text = CAST(zeroblob(80000000) AS TEXT)",
    "large-rows": "INSERT INTO tags SELECT moment_id, hex(zeroblob(1000000)) || moment_id, '' "
    "FROM moments",
    "no-rows": "DELETE FROM notes; DELETE FROM tags; DELETE FROM stars",
    "own-journal-mode": "PRAGMA journal_mode = PERSIST; UPDATE notes SET text = 'more'",
}
"""What is done to a good file, by name."""


def whole_database(path: Path) -> None:
    """A file with marks of every kind about two recordings."""
    root = path.parent.parent
    store = people_store(root)
    for number in range(12):
        moment = MomentRef(f"rec0{number % 2 + 1}", f"u{number}", TimeSpan(number, number + 900))
        star(store, moment)
        add_tag(store, moment, f"tag {number % 3}")
        add_note(store, moment, f"note {number} " * 20)
        add_to_playlist(store, make_playlist(store, f"list {number}"), [moment])
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("PRAGMA journal_mode = DELETE")


def make_studies(
    folder: Path, chance: random.Random, n_spoilt: int, *, is_small: bool
) -> Iterator[Path]:
    """Studies with a people's file each: made to hurt (a small run has every eighth of these), with
    something beside it, and `n_spoilt` that are spoilt at random."""
    good = folder / "good"
    _write_metadata(good)
    whole_database(good / "people" / "people.sqlite")
    (folder / "secret").write_bytes(_SECRET)
    made: list[tuple[str, Callable[[Path], None]]] = [
        *((name, lambda path, sql=sql: _changed(path, sql)) for name, sql in SCHEMAS.items()),
        *_BESIDE.items(),
        *_IN_PLACE.items(),
    ]
    for number, (name, change) in enumerate(made):
        if not is_small or number % 8 == 0:
            yield _study(good, folder / name, change)
    contents = [(good / "people" / "people.sqlite").read_bytes()]
    for number in range(n_spoilt):
        way = WAYS[number % len(WAYS)]
        spoilt = way(contents[0], contents, chance)
        root = folder / f"{number}-{way.__name__}"
        yield _study(good, root, lambda path, spoilt=spoilt: _replace(path, spoilt))


def _study(good: Path, root: Path, change: Callable[[Path], None]) -> Path:
    shutil.copytree(good, root)
    change(root / "people" / "people.sqlite")
    return root


def _write_metadata(root: Path) -> None:
    (root / "metadata").mkdir(parents=True)
    (root / "metadata" / "children.csv").write_text("child_id,child_dob\nc1,2020-01-01\n")
    (root / "metadata" / "recordings.csv").write_text(
        "child_id,recording_filename,date_iso,recording_id\n"
        "c1,a.mp4,2021-01-01,rec01\nc1,b.mp4,2021-01-02,rec02\n"
    )


def _changed(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("PRAGMA trusted_schema = ON")
        con.executescript(sql)


def _replace(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _beside(suffix: str, content: bytes) -> Callable[[Path], None]:
    return lambda path: _replace(path.with_name(path.name + suffix), content)


def _link_beside(suffix: str) -> Callable[[Path], None]:
    def link(path: Path) -> None:
        beside = path.with_name(path.name + suffix)
        beside.unlink(missing_ok=True)
        beside.symlink_to(path.parents[2] / "secret")

    return link


def journal_naming(path: Path) -> None:
    """A journal to be rolled back that names a second file, which SQLite would then delete."""
    name = bytes(path.parents[2] / "secret")
    page, size = 4096, path.stat().st_size // 4096
    head = _MAGIC + b"".join(n.to_bytes(4, "big") for n in (0, 7, size, 512, page))
    lock_page = ((1 << 30) // page + 1).to_bytes(4, "big")
    tail = len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big") + _MAGIC
    path.with_name(path.name + "-journal").write_bytes(
        head.ljust(512, b"\0") + lock_page + name + tail
    )


def _wal_of_another(path: Path) -> None:
    with closing(sqlite3.connect(path.with_name("other"), isolation_level=None)) as con:
        con.execute("PRAGMA journal_mode = WAL")
        con.execute("CREATE TABLE stars (x)")
        shutil.copy(path.with_name("other-wal"), path.with_name(f"{path.name}-wal"))
    path.with_name("other").unlink()


def _instead(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def _sparse(path: Path, size: int) -> None:
    os.truncate(path, size)


_BESIDE: dict[str, Callable[[Path], None]] = {
    "wal-of-zeros": _beside("-wal", bytes(40_000)),
    "wal-of-noise": _beside("-wal", random.Random(1).randbytes(40_000)),
    "wal-of-another": _wal_of_another,
    "shm-of-noise": _beside("-shm", random.Random(2).randbytes(32_768)),
    "journal-of-noise": _beside("-journal", _MAGIC + random.Random(3).randbytes(9_000)),
    "journal-empty": _beside("-journal", b""),
    "journal-names-a-file": journal_naming,
    "wal-is-a-link": _link_beside("-wal"),
    "shm-is-a-link": _link_beside("-shm"),
    "journal-is-a-link": _link_beside("-journal"),
    "wal-is-a-folder": lambda path: path.with_name(f"{path.name}-wal").mkdir(),
    "wal-is-a-pipe": lambda path: os.mkfifo(path.with_name(f"{path.name}-wal")),
    "journal-is-a-pipe": lambda path: os.mkfifo(path.with_name(f"{path.name}-journal")),
    "copy-is-a-pipe": lambda path: os.mkfifo(path.with_name(f"{path.name}.bak-2020-01-01")),
    "copy-is-noise": _beside(".bak-2020-01-01", random.Random(4).randbytes(9_000)),
    "copy-is-a-link": _link_beside(".bak-2020-01-01"),
    "partial-is-a-link": _link_beside(".partial"),
    "restoring-is-a-link": _link_beside(".restoring"),
    "lock-is-a-link": _link_beside(".lock"),
}
_IN_PLACE: dict[str, Callable[[Path], None]] = {
    "a-link-to-a-secret": lambda path: _instead(
        path, lambda p: p.symlink_to(p.parents[2] / "secret")
    ),
    "a-link-to-another-study": lambda path: _instead(
        path, lambda p: p.symlink_to(p.parents[2] / "good" / "people" / "people.sqlite")
    ),
    "a-link-to-nothing": lambda path: _instead(
        path, lambda p: p.symlink_to(p.parents[2] / "nothing" / "here")
    ),
    "a-link-to-itself": lambda path: _instead(path, lambda p: p.symlink_to(p)),
    "a-link-to-zeros": lambda path: _instead(path, lambda p: p.symlink_to("/dev/zero")),
    "a-folder": lambda path: _instead(path, Path.mkdir),
    "a-pipe": lambda path: _instead(path, os.mkfifo),
    "empty": lambda path: _instead(path, Path.touch),
    "text": lambda path: _replace(path, b"SQLite format 3\0 and no more"),
    "head-alone": lambda path: _replace(path, path.read_bytes()[:100]),
    "longer-than-it-says": lambda path: _sparse(path, 1 << 33),
    "sparse": lambda path: _sparse(path, 1 << 41),
}


def check_people(root: Path, folder: Path) -> None:
    """Look at the study's notes, write one, list what a withdrawal would take, and give the file
    to `restore` in a good study. Raises AssertionError for what was not as it should be."""
    store, good = people_store(root), root.parent / "good"
    is_file = store.path.is_file() and not store.path.is_symlink()
    before = store.path.read_bytes() if is_file and store.path.stat().st_size < 1 << 28 else b""
    # SQLite writes what stands in a log into the file, whosever log it is.
    has_log = any(store.path.with_name(f"{store.path.name}-{side}").exists() for side in _LOGS)
    secrets = _others(root.parent)
    is_read = _is_done(lambda: (read_marks(store), _sets(store)))
    is_written = _is_done(lambda: add_note(store, _REC, "one more"))
    if is_written and is_read:
        assert "one more" in [note.text for note in read_marks(store).notes]
    elif before and not is_written and not has_log:
        assert store.path.read_bytes() == before, "refused, but changed"
    target = Target("", (KnownRecording("rec02", "c1", "b.mp4"),), ())
    _is_done(lambda: doomed_people(root, target))
    _is_done(lambda: copies(root))
    mine = folder / "mine"
    shutil.rmtree(mine, ignore_errors=True)
    shutil.copytree(good, mine)
    kept = (mine / "people" / "people.sqlite").read_bytes()
    if store.path.is_file():
        if not _is_done(lambda: _restore(mine, store.path)):
            assert (mine / "people" / "people.sqlite").read_bytes() == kept, "the good one changed"
        read_marks(people_store(mine))
    left = [p.name for p in (mine / "people").iterdir() if p.name.endswith((".partial", "ing"))]
    assert not left, f"left {left} behind"
    assert _others(root.parent) == secrets, "another file was touched"


def _restore(root: Path, source: Path) -> None:
    with ready_to_restore(root, source) as ready:
        put_back(ready)


def _sets(store: PeopleStore) -> object:
    with store.reading() as con:
        return trial_sets(con)


def _is_done(work: Callable[[], object]) -> bool:
    try:
        work()
    except CoviewError as refusal:
        assert refusal.message, "refused without a sentence"
        assert refusal.hint, f"refused without a hint: {refusal.message}"
        assert "\n" not in refusal.message, "more than a sentence"
        return False
    return True


def _others(folder: Path) -> list[tuple[str, bytes]]:
    """Files that belong to nobody here."""
    paths = (folder / "secret", folder / "good" / "people" / "people.sqlite")
    return [(path.name, path.read_bytes() if path.exists() else b"gone") for path in paths]
