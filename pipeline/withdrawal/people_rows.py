"""What people wrote about a withdrawn recording, and answers to questions that showed it.

The rows go from people.sqlite and from each of its copies; then the file is written anew, because
SQLite leaves deleted text in its free pages.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.errors import BusyError
from pipeline.people.opening import SIDES, connect, made_otherwise
from pipeline.people.store import people_store
from pipeline.people.tables import STEPS, VERSION
from pipeline.withdrawal.doomed import Cut, Doomed, DoomedFile
from pipeline.withdrawal.target import Target

_WAIT_S = 30.0
_UNREADABLE = "copies of people.sqlite that cannot be read"
_MOMENT_TABLES = ("stars", "tags", "notes", "playlist_moments")
_NAMED = (("playlists", "playlist_id", "name"), ("trial_sets", "set_id", "name"))
_TEXTS = (
    ("trial_sets", "settings"),
    ("trial_sets", "consent"),
    ("chosen_thresholds", "source"),
)


_WORD = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one file that are about what goes."""

    moments: tuple[int, ...]
    items: tuple[tuple[int, str], ...]
    emptied: tuple[int, ...]
    renamed: tuple[tuple[str, str, str, int], ...]
    retold: tuple[tuple[str, str, int, str], ...]
    n_marks: int
    n_answers: int

    @property
    def n_rows(self) -> int:
        return (
            len(self.moments)
            + len(self.items)
            + len(self.emptied)
            + len(self.renamed)
            + len(self.retold)
            + self.n_marks
            + self.n_answers
        )


def doomed_people(root: Path, target: Target) -> Doomed:
    """Cuts of people.sqlite and of its copies; a copy that cannot be read goes whole."""
    store = people_store(root).path
    cuts: list[Cut] = []
    files: list[DoomedFile] = []
    for path in sorted(store.parent.glob(f"{store.name}*")):
        if path.suffix == ".lock" or not path.exists():
            continue  # A link that leads nowhere holds nothing.
        if path.name.endswith(SIDES):
            if not path.with_name(path.name.rpartition("-")[0]).exists():
                files.append(DoomedFile(path, _UNREADABLE))
            continue
        is_copy = path != store
        try:
            rows = _rows_of(path, target)
        except (sqlite3.Error, ValueError, TypeError):  # the last two: of a damaged value
            if not is_copy:
                raise _held(path) from None
            beside = (path.with_name(path.name + side) for side in SIDES)
            files += [DoomedFile(p, _UNREADABLE) for p in (path, *beside) if p.exists()]
            continue
        if rows.n_rows:
            why = "rows of people.sqlite" + ("'s daily copies" if is_copy else "")
            cuts.append(
                Cut(
                    path,
                    f"{why} (marks, notes, questions and answers)",
                    rows.n_rows,
                    partial(_rewrite, target=target),
                    is_in_place=True,
                )
            )
    return Doomed(tuple(files), tuple(cuts))


def take_out(path: Path, target: Target) -> int:
    """Take everything about `target` out of a people's store at `path`; how many rows went.

    Raises sqlite3.Error for a file that cannot be read.
    """
    n_rows = _rows_of(path, target).n_rows
    if n_rows:
        _rewrite(path, target=target)
    return n_rows


def words_of(con: sqlite3.Connection) -> set[str]:
    """Every word of names and settings in a people's store, as a withdrawn id might stand there."""
    tables = {str(row[0]) for row in con.execute("SELECT name FROM sqlite_master")}
    texts = [(table, column) for table, _, column in _NAMED] + list(_TEXTS)
    return {
        word
        for table, column in texts
        for (text,) in _select(con, tables, table, column)
        for word in _WORD.findall(str(text))
    }


def recordings_of(con: sqlite3.Connection) -> set[str]:
    """The recordings that a people's store has anything about."""
    tables = {str(row[0]) for row in con.execute("SELECT name FROM sqlite_master")}
    return {
        str(recording)
        for table in ("moments", "item_options")
        for (recording,) in _select(con, tables, table, "DISTINCT recording_id")
    }


def _held(path: Path) -> BusyError:
    return BusyError(
        f"{path.name} cannot be read now.",
        hint="Stop the dashboard, see that the file is not damaged, and withdraw again.",
    )


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(path, wait_s=_WAIT_S)) as con:
        con.execute("PRAGMA foreign_keys = ON")
        yield con


def _rows_of(path: Path, target: Target) -> _Rows:
    if not path.stat().st_size:
        return _Rows((), (), (), (), (), 0, 0)
    with _opened(path) as con:
        version = int(con.execute("PRAGMA user_version").fetchone()[0])
        if version <= VERSION and (problem := made_otherwise(con, STEPS[:version])):
            raise sqlite3.DatabaseError(f"{path.name} {problem}")
        return _found(con, target)


def _found(con: sqlite3.Connection, target: Target) -> _Rows:
    tables = {str(row[0]) for row in con.execute("SELECT name FROM sqlite_master")}
    moments = [
        int(number)
        for number, recording in _select(con, tables, "moments", "moment_id, recording_id")
        if recording in target.gone_ids
    ]
    items = {
        (int(str(set_id)), str(item))
        for set_id, item, recording, image in _select(
            con, tables, "item_options", "set_id, item_id, recording_id, image"
        )
        if recording in target.gone_ids or target.names_gone(str(image))
    }
    known = {*moments}
    n_marks = sum(
        int(number) in known
        for table in _MOMENT_TABLES
        for (number,) in _select(con, tables, table, "moment_id")
    )
    trials = {
        int(number)
        for number, set_id, item in _select(con, tables, "trials", "trial_id, set_id, item_id")
        if (int(set_id), str(item)) in items
    }
    n_answers = sum(
        int(number) in trials for (number,) in _select(con, tables, "answers", "trial_id")
    ) + sum(
        (int(set_id), str(item)) in items
        for set_id, item in _select(con, tables, "expert_labels", "set_id, item_id")
    )
    # A playlist of nothing but such moments goes with its name, which may tell of them.
    in_lists = _select(con, tables, "playlist_moments", "playlist_id, moment_id")
    emptied = {int(number) for number, moment in in_lists if int(moment) in known} - {
        int(number) for number, moment in in_lists if int(moment) not in known
    }
    renamed = tuple(
        (table, key, column, int(number))
        for table, key, column in _NAMED
        for number, name in _select(con, tables, table, f"{key}, {column}")
        if target.mention.search(str(name))
        and not (table == "playlists" and int(number) in emptied)
    )
    retold = tuple(
        (table, column, int(number), target.mention.sub("(withdrawn)", str(text)))
        for table, column in _TEXTS
        for number, text in _select(con, tables, table, f"rowid, {column}")
        if target.mention.search(str(text))
    )
    return _Rows(
        tuple(moments),
        tuple(sorted(items)),
        tuple(sorted(emptied)),
        renamed,
        retold,
        n_marks,
        n_answers,
    )


def _select(
    con: sqlite3.Connection, tables: set[str], table: str, columns: str
) -> list[tuple[str, ...]]:
    """Rows of a table, none where an older copy has no such table."""
    if table not in tables:
        return []
    return con.execute(f"SELECT {columns} FROM {table}").fetchall()


def _rewrite(path: Path, *, target: Target) -> None:
    """Delete the rows in place (other programs may have the file open), then write it all anew."""
    try:
        with _opened(path) as con:
            rows = _found(con, target)
            con.execute("PRAGMA secure_delete = ON")
            con.execute("BEGIN IMMEDIATE")
            tables = {str(row[0]) for row in con.execute("SELECT name FROM sqlite_master")}
            for table in (*_MOMENT_TABLES, "moments"):
                if table in tables:
                    con.executemany(
                        f"DELETE FROM {table} WHERE moment_id = ?", [(m,) for m in rows.moments]
                    )
            if rows.items:
                con.executemany("DELETE FROM items WHERE set_id = ? AND item_id = ?", rows.items)
            if rows.emptied:
                con.executemany(
                    "DELETE FROM playlists WHERE playlist_id = ?", [(n,) for n in rows.emptied]
                )
            for table, key, column, number in rows.renamed:
                con.execute(
                    f"UPDATE {table} SET {column} = ? WHERE {key} = ?",
                    (f"Renamed at a withdrawal {number}", number),
                )
            for table, column, number, text in rows.retold:
                con.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (text, number))
            con.execute("COMMIT")
            con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            con.execute("VACUUM")
            con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as problem:
        raise _held(path) from problem
