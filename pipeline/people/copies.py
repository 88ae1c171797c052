"""Copies of the people's store beside it, which appear only when they are whole.

`NAME.bak-2026-11-23` is what the file held when that day's first copy was made, which is what the
days before had left; `NAME.bak-2026-11-23-v1` was made before its tables were changed from version
1 on; `NAME.aside-...` is what a restore put another in the place of.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pipeline.people.opening import SIDES, connect, connect_unchanging

N_DAYS_KEPT = 60
_WAIT_S = 15.0
_SURELY_BEFORE_S = 1.0


def daily_copies(people: Path) -> tuple[Path, ...]:
    """The copies of days, oldest first."""
    return tuple(sorted(people.parent.glob(f"{people.name}.bak-????-??-??")))


def all_copies(people: Path) -> tuple[Path, ...]:
    """Every copy there is, those before changes and restores included, the newest last."""
    found = [
        path
        for pattern in ("bak-*", "aside-*")
        for path in people.parent.glob(f"{people.name}.{pattern}")
        if not path.name.endswith(SIDES)
    ]
    return tuple(sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name)))


def copy_whole(con: sqlite3.Connection, partial: Path, out: Path) -> None:
    """Copy the file that `con` has open to `out`, by way of `partial`.

    The copy is opened and read through before it gets its name. Raises sqlite3.DatabaseError when
    either is damaged, and OSError or sqlite3.OperationalError when it cannot be written.
    """
    began_s = time.time() - _SURELY_BEFORE_S
    remove_with_sides(partial)
    try:
        with closing(connect(partial)) as copy:
            con.backup(copy, progress=_patience())
            # One file without any beside it: a copy may be carried away alone.
            copy.execute("PRAGMA journal_mode = DELETE")
        with closing(connect(partial)) as copy:
            if (problem := damage(copy)) is not None:
                raise sqlite3.DatabaseError(problem)
        # What was written while it was being copied may or may not be in it.
        os.utime(partial, (began_s, began_s))
        put_in_place(partial, out)
    finally:
        remove_with_sides(partial)


def _patience() -> Callable[[int, int, int], None]:
    """Ends a copy that waits for another program: on its own it would wait for ever."""
    ends_s = time.monotonic() + _WAIT_S

    def check(status: int, n_left: int, n_pages: int) -> None:
        if n_left and time.monotonic() > ends_s:
            raise sqlite3.OperationalError("database is locked")

    return check


def damage(con: sqlite3.Connection) -> str | None:
    """The first thing that is wrong with a file, None when it is whole."""
    found = str(con.execute("PRAGMA integrity_check(1)").fetchone()[0])
    if found != "ok":
        return found
    dangling = con.execute("PRAGMA foreign_key_check").fetchone()
    return None if dangling is None else f"a row of {dangling[0]} refers to none"


def is_changed_since(people: Path, copy: Path) -> bool:
    """Whether the file may hold more, or less, than its copy."""
    copied_ns = copy.stat().st_mtime_ns
    for path in (people, people.with_name(f"{people.name}-wal")):
        try:
            if path.stat().st_mtime_ns >= copied_ns:
                return True
        except FileNotFoundError:
            continue
    return False


def put_in_place(partial: Path, out: Path) -> None:
    """Give a finished file its name, once it is on the disk, and the name, too."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(out)
    if os.name == "posix":
        folder = os.open(out.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def remove_with_sides(path: Path) -> None:
    """Remove a file and what SQLite laid beside it."""
    for name in (path.name, *(path.name + side for side in SIDES)):
        path.with_name(name).unlink(missing_ok=True)


@contextmanager
def opened_copy(path: Path) -> Iterator[sqlite3.Connection]:
    """A copy to read, which is neither changed nor gets files beside it."""
    with closing(connect_unchanging(path)) as con:
        yield con
