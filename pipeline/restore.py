"""Put a copy of what people wrote in the place of the file that is used now.

The copy is made ready beside the file first: read through, brought to today's tables, and freed of
everything about recordings that were withdrawn. Then it takes the file's name in one step, after
that file was copied aside: whenever this is cut off, one of the two is there, whole.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from pipeline.errors import BusyError, DiskFullError, StoreError
from pipeline.pending_withdrawal import refuse_while_pending
from pipeline.people.contents import Change, Contents, changes, contents
from pipeline.people.copies import (
    all_copies,
    copy_whole,
    damage,
    opened_copy,
    put_in_place,
    remove_with_sides,
)
from pipeline.people.opening import connect, wrong_value
from pipeline.people.served import is_served
from pipeline.people.store import bring_forward, people_store, tables_version, utc_now
from pipeline.people.tables import VERSION
from pipeline.withdrawal.listings import read_listings
from pipeline.withdrawal.people_rows import recordings_of, take_out, words_of
from pipeline.withdrawal.target import KnownRecording, Target, known_recordings

_WAIT_S = 5.0
_MAX_BYTES = 4_000_000_000
"""A million answers take some 200 MB."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that can be put back. `name` is what --from takes; `held` is None when it cannot be
    read, and `problem` says why."""

    name: str
    path: Path
    written_at: datetime
    held: Contents | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What of a copy does not come back: rows about withdrawn recordings and children, and rows
    about recordings that the study does not know."""

    n_withdrawn: int
    n_unknown: int
    n_unknown_recordings: int


@dataclass(frozen=True, slots=True)
class Restoring:
    """A copy made ready at `ready`. `version` is that of its tables before; `changed` is what is
    gained and lost, None when the file used now cannot be read."""

    root: Path
    source: Path
    ready: Path
    version: int
    left_out: LeftOut
    held: Contents
    changed: tuple[Change, ...] | None

    @property
    def is_older(self) -> bool:
        return self.version < VERSION


def copies(root: Path) -> tuple[Copy, ...]:
    """Every copy beside the people's store of the study, the newest first."""
    people = people_store(root).path
    return tuple(_copy(people, path) for path in reversed(all_copies(people)))


def held_now(root: Path) -> Copy | None:
    """The file that is used now; None when nobody wrote anything yet."""
    path = people_store(root).path
    return _copy(path, path) if path.is_file() and path.stat().st_size else None


def chosen_copy(root: Path, given: str) -> Path:
    """The copy of a day (2026-11-23), of a name as `copies` gives it, or any file.

    Raises StoreError when there is none.
    """
    people = people_store(root).path
    for path in all_copies(people):
        if given in (path.name, path.name.removeprefix(f"{people.name}.bak-")):
            return path
    path = Path(given).expanduser()
    if not path.is_file():
        raise StoreError(
            f"There is no copy and no file {given}.",
            hint="List the copies with: python -m pipeline restore STUDY --list",
        )
    if path.resolve() == people.resolve():
        raise StoreError(
            f"{people.name} is the file that is used now.", hint="Give one of its copies."
        )
    return path


@contextmanager
def ready_to_restore(
    root: Path, source: Path, *, is_unknown_kept: bool = False
) -> Iterator[Restoring]:
    """A copy made ready, while no server of the study can start; it goes when it is not used.

    Raises StoreError for a copy that is damaged, foreign, empty or of a newer Coview, while a
    withdrawal is unfinished, when a listing of one cannot be read, and when what is unknown is to
    be kept although it may have been withdrawn; StudyError for metadata that cannot be read;
    BusyError; DiskFullError.
    """
    refuse_while_pending(root)
    store = people_store(root)
    ready = store.path.with_name(f"{store.path.name}.restoring")
    with store.held(), _told(store.path, source):
        try:
            _fetch(source, ready)
            version = _checked(source, ready)
            left_out = _without_withdrawn(root, ready, is_unknown_kept)
            with closing(connect(ready)) as con:
                held = contents(con)
            yield Restoring(
                root, source, ready, version, left_out, held, _compared(store.path, held)
            )
        finally:
            remove_with_sides(ready)


def put_back(restoring: Restoring, *, now: Callable[[], datetime] = utc_now) -> Path | None:
    """Give what was made ready the file's place; where the file of before is kept, None if there
    was none.

    Call it inside `ready_to_restore`. Raises BusyError while a server has the study open.
    """
    if is_served(restoring.root):
        raise BusyError(
            "A dashboard or a rating screen has this study open.",
            hint="Stop it, then restore again.",
        )
    path = people_store(restoring.root).path
    aside: Path | None = None
    if path.is_file() and path.stat().st_size:
        aside = path.with_name(f"{path.name}.aside-{now():%Y-%m-%dT%H%M%SZ}")
        if restoring.changed is None:
            _set_damaged_aside(path, aside)
            put_in_place(restoring.ready, path)
        else:
            _change_places(path, restoring.ready, aside)
    else:
        remove_with_sides(path)
        put_in_place(restoring.ready, path)
    with closing(connect(path)) as con:
        con.execute("PRAGMA journal_mode = WAL")
    return aside


def _copy(people: Path, path: Path) -> Copy:
    written_at = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    name = path.name.removeprefix(f"{people.name}.bak-")
    try:
        if path == people:
            with closing(connect(path, wait_s=_WAIT_S)) as con:
                return Copy(name, path, written_at, _read_through(con, path))
        with opened_copy(path) as con:
            return Copy(name, path, written_at, _read_through(con, path))
    except (StoreError, sqlite3.Error, UnicodeDecodeError) as problem:
        return Copy(name, path, written_at, None, str(problem))


def _read_through(con: sqlite3.Connection, path: Path) -> Contents:
    tables_version(con, path)
    if (problem := damage(con)) is not None:
        raise sqlite3.DatabaseError(problem)
    return contents(con)


def _fetch(source: Path, ready: Path) -> None:
    """Copy the file, and what was written to it but lies beside it still."""
    remove_with_sides(ready)
    beside = source.with_name(f"{source.name}-wal")
    if source.stat().st_size > _MAX_BYTES or (
        beside.is_file() and beside.stat().st_size > _MAX_BYTES
    ):
        raise StoreError(
            f"{source.name} is larger than what people write.",
            hint=f"Give another copy; this one takes more than {_MAX_BYTES // 10**9} GB.",
        )
    shutil.copyfile(source, ready)
    if beside.is_file():
        shutil.copyfile(beside, ready.with_name(f"{ready.name}-wal"))


def _checked(source: Path, ready: Path) -> int:
    """Read through and brought to today's tables; the version that it had."""
    with closing(connect(ready)) as con:
        # First whose it is: what is not ours may be made so that reading it never ends.
        version = tables_version(con, source)
        if problem := damage(con) or wrong_value(con):
            raise sqlite3.DatabaseError(problem)
        if not version:
            raise StoreError(f"{source.name} is empty.", hint="Give another copy.")
        if version < VERSION:
            con.execute("BEGIN IMMEDIATE")
            bring_forward(con, version)
            con.execute("COMMIT")
        con.execute("PRAGMA journal_mode = DELETE")
    return version


def _without_withdrawn(root: Path, ready: Path, is_unknown_kept: bool) -> LeftOut:
    with closing(connect(ready)) as con:
        named, words = recordings_of(con), words_of(con)
    known = known_recordings(root)
    listings = read_listings(root)
    gone = listings.withdrawn("recording", named | words)
    n_withdrawn = _take_out(ready, gone, known) if gone else 0
    for child_id in sorted(listings.withdrawn("child", words)):
        n_withdrawn += take_out(ready, Target(child_id, (), tuple(known.values())))
    unknown = named - gone - known.keys()
    if not unknown:
        return LeftOut(n_withdrawn, 0, 0)
    if is_unknown_kept:
        _refuse_if_withdrawn_unnamed(len(unknown), listings.n_unnamed)
        return LeftOut(n_withdrawn, 0, 0)
    return LeftOut(n_withdrawn, _take_out(ready, unknown, known), len(unknown))


def _refuse_if_withdrawn_unnamed(n_unknown: int, n_unnamed: int) -> None:
    """Raise StoreError when an unknown recording may be one that was withdrawn with its child."""
    if n_unnamed:
        raise StoreError(
            f"The copy has rows about {n_unknown:,} recording(s) that the study does not know, and "
            f"the listing(s) of {n_unnamed:,} withdrawn child(ren), by an older Coview, do not say "
            "which recordings were theirs; nothing was changed.",
            hint="Restore without --keep-unknown. What you know to be of other children comes back "
            "once its recordings stand in metadata/recordings.csv.",
        )


def _take_out(ready: Path, gone: Collection[str], known: dict[str, KnownRecording]) -> int:
    others = tuple(one for name, one in known.items() if name not in gone)
    return take_out(
        ready, Target("", tuple(KnownRecording(name, "", "") for name in sorted(gone)), others)
    )


def _compared(path: Path, then: Contents) -> tuple[Change, ...] | None:
    if not path.is_file() or not path.stat().st_size:
        with closing(sqlite3.connect(":memory:")) as con:
            return changes(contents(con), then)
    try:
        with closing(connect(path, wait_s=_WAIT_S)) as con:
            return changes(_read_through(con, path), then)
    except sqlite3.OperationalError as problem:
        if "locked" in str(problem) or "busy" in str(problem):
            raise
        return None
    except (StoreError, sqlite3.DatabaseError, UnicodeDecodeError):
        return None


def _change_places(path: Path, ready: Path, aside: Path) -> None:
    """Copy the whole file aside and replace it while nobody can write to it."""
    with closing(connect(path, wait_s=_WAIT_S)) as con:
        # What lies beside the file goes into it: left there, it would be taken for the new file's.
        con.execute("PRAGMA journal_mode = DELETE")
        con.execute("BEGIN IMMEDIATE")
        with closing(connect(path, wait_s=_WAIT_S)) as reader:
            copy_whole(reader, path.with_name(f"{path.name}.partial"), aside)
        if os.name == "nt":
            con.close()  # An open file cannot be replaced there.
        put_in_place(ready, path)


def _set_damaged_aside(path: Path, aside: Path) -> None:
    """Keep the bytes of a file that cannot be read, and of what lies beside it."""
    beside = path.with_name(f"{path.name}-wal")
    if beside.is_file():
        shutil.copy2(beside, aside.with_name(f"{aside.name}-wal"))
    partial = path.with_name(f"{path.name}.partial")
    shutil.copy2(path, partial)
    put_in_place(partial, aside)
    for side in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + side).unlink(missing_ok=True)


@contextmanager
def _told(path: Path, source: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(path) from problem
        raise StoreError(
            f"{source.name} cannot be restored: {problem.strerror}.",
            hint=f"Check the rights of the study's folder {path.parent.name}.",
        ) from problem
    except sqlite3.OperationalError as problem:
        if "full" in str(problem):
            raise _full(path) from problem
        if "locked" in str(problem) or "busy" in str(problem):
            raise BusyError(
                f"Another program holds {path.name}.", hint="Close it, then restore again."
            ) from problem
        raise _unreadable(source) from problem
    except (sqlite3.DatabaseError, UnicodeDecodeError) as problem:
        raise _unreadable(source) from problem


def _full(path: Path) -> DiskFullError:
    return DiskFullError(
        "There is no room left on the study's disk; nothing was restored.",
        hint=f"Free as much as {path.name} takes twice, then restore again.",
    )


def _unreadable(source: Path) -> StoreError:
    return StoreError(
        f"{source.name} is damaged; nothing was changed.",
        hint="Give another copy; list them with: python -m pipeline restore STUDY --list",
    )
