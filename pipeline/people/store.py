"""The people's store: one SQLite file that many sessions write to in short transactions.

Each action opens the file, does its work in one transaction and closes it, so threads share
nothing and a killed server leaves either the whole action or none of it.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import BusyError, DiskFullError, StoreError
from pipeline.people.copies import (
    N_DAYS_KEPT,
    copy_whole,
    daily_copies,
    damage,
    is_changed_since,
    remove_with_sides,
)
from pipeline.people.opening import (
    connect,
    connect_unchanging,
    made_otherwise,
    refuse_what_is_beside,
    wrong_value,
)
from pipeline.people.tables import APPLICATION_ID, STEPS, VERSION
from pipeline.records import TimeSpan

_WAIT_S = 15.0
_WAIT_TO_READ_S = 2.0
"""Pages read at each click: rather than standing still they say that the file is held."""
_OF_THE_FILE = ("no such", "has no column", "decode", "unsafe use")
"""Errors of a file whose content is not what was written."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class MomentRef:
    """The utterance that something was written about, named so that it can be found again."""

    recording_id: str
    utterance_id: str
    span: TimeSpan


def utc_now() -> datetime:
    """The time of writing."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True, slots=True)
class PeopleStore:
    """The file at `path`. It is made by the first write; before that it reads as empty.

    Before the first write of a day the file is copied to NAME.bak-<date>, unless nothing was
    written since the last copy; the last 60 copies stay.
    """

    path: Path
    now: Callable[[], datetime] = utc_now

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the file.

        Raises StoreError for a file that is damaged, foreign, or of a newer version of Coview.
        """
        with self._errors_told():
            if self._has_content():
                con = self._opened_to_read()
            else:
                con = sqlite3.connect(":memory:", isolation_level=None)
                bring_forward(con, 0)
            try:
                con.execute("BEGIN")
                yield con
            except (ValueError, TypeError) as problem:
                # Of a value that is not what its column holds, as a changed byte makes it.
                if wrong_value(con) or damage(con):
                    raise self._damaged() from problem
                raise
            finally:
                con.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection inside one transaction, on disk when the block has ended.

        Nothing of it is kept when the block raises. Raises StoreError as `reading`, BusyError when
        another program holds the file, and DiskFullError.
        """
        with self._errors_told():
            self._prepare_folder()
            if self._has_content():
                self._back_up_daily()
            con = self._begun()
            try:
                try:
                    yield con
                except BaseException:
                    con.execute("ROLLBACK")
                    raise
                con.execute("COMMIT")
            finally:
                con.close()

    def timestamp(self) -> str:
        """The time of writing, as text in UTC."""
        return self.now().isoformat(timespec="seconds")

    def state(self) -> tuple[int, ...]:
        """Numbers that change whenever the file does: what was read is valid while they stay."""
        found: list[int] = []
        for path in (self.path, self.path.with_name(f"{self.path.name}-wal")):
            try:
                status = path.stat()
            except FileNotFoundError:
                found += (0, 0)
            else:
                found += (status.st_mtime_ns, status.st_size)
        return tuple(found)

    def backups(self) -> tuple[Path, ...]:
        """The copies of earlier days, oldest first."""
        return daily_copies(self.path)

    def back_up(self) -> bool:
        """Make the day's copy if it is due; whether one was made.

        It is due when the day has none and something was written since the last one. Raises as
        `writing`; StoreError also for a file that is damaged, which leaves the older copies.
        """
        with self._errors_told():
            return self._has_content() and self._back_up_daily()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other programs from starting to serve, copy, change or restore the file's tables.

        Raises BusyError.
        """
        with self._errors_told():
            self._prepare_folder()
            lock = self._lock()
            try:
                lock.acquire()
            except Timeout:
                raise
            except OSError as problem:
                raise self._not_copied(problem) from problem
            try:
                yield
            finally:
                lock.release()

    def tidy(self) -> None:
        """Remove what copies and restores that were cut off left behind. Call it inside `held`."""
        for name in ("partial", "restoring"):
            remove_with_sides(self.path.with_name(f"{self.path.name}.{name}"))

    def _has_content(self) -> bool:
        refuse_what_is_beside(self.path)
        return self.path.is_file() and self.path.stat().st_size > 0

    def _prepare_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise StoreError(
                f"The folder {self.path.parent.name} of the study cannot be made: "
                f"{problem.strerror}.",
                hint="Check the rights of the study folder.",
            ) from problem

    def _connect(self, wait_s: float | None = None) -> sqlite3.Connection:
        wait_s = _WAIT_S if wait_s is None else wait_s
        con = connect(self.path, wait_s=wait_s)
        con.execute("PRAGMA foreign_keys = ON")
        con.execute("PRAGMA synchronous = FULL")
        return con

    def _opened_to_read(self) -> sqlite3.Connection:
        """Also where nothing can be written, as in a study on a read-only disk."""
        try:
            return self._opened(_WAIT_TO_READ_S)
        except sqlite3.OperationalError as problem:
            is_closed = "unable to open" in str(problem) or "readonly" in str(problem)
            beside = self.path.with_name(f"{self.path.name}-wal")
            if not is_closed or (beside.is_file() and beside.stat().st_size):
                raise
        if con := self._if_current(connect_unchanging(self.path)):
            return con
        raise StoreError(
            f"{self.path.name} is of an older Coview and can only be read.",
            hint=f"Let the study's folder {self.path.parent.name} be written to once.",
        )

    def _opened(self, wait_s: float | None = None) -> sqlite3.Connection:
        """A connection to a file that has this version's tables; one that lacks them gets them,
        and one that cannot is left as it is."""
        if con := self._if_current(self._connect(wait_s)):
            return con
        self._upgrade()
        return self._connect(wait_s)

    def _if_current(self, con: sqlite3.Connection) -> sqlite3.Connection | None:
        """The connection if its file has this version's tables; else it is closed."""
        is_current = False
        try:
            is_current = tables_version(con, self.path) == VERSION
        finally:
            if not is_current:
                con.close()
        return con if is_current else None

    def _lock(self) -> FileLock:
        return FileLock(self.path.with_name(f"{self.path.name}.lock"), timeout=_WAIT_S)

    def _upgrade(self) -> None:
        with self._lock():
            con = self._connect()
            try:
                version = tables_version(con, self.path)
                if version == VERSION:
                    return
                if version:
                    self._copy_to(f"{self.now():%Y-%m-%d}-v{version}")
                con.execute("PRAGMA journal_mode = WAL")
                con.execute("BEGIN IMMEDIATE")
                bring_forward(con, version)
                con.execute("COMMIT")
            finally:
                con.close()

    def _begun(self) -> sqlite3.Connection:
        """A connection in a transaction on the file that has the name now.

        A restore may put another file there while this waits for its turn.
        """
        while True:
            before = _file_number(self.path)
            con = self._opened()
            try:
                con.execute("BEGIN IMMEDIATE")
            except BaseException:
                con.close()
                raise
            if before == _file_number(self.path):
                return con
            con.close()

    def _back_up_daily(self) -> bool:
        day = f"{self.now():%Y-%m-%d}"
        if not self._is_due(day):
            return False
        with self._lock():
            if not self._is_due(day):
                return False
            self._copy_to(day)
            for old in self.backups()[:-N_DAYS_KEPT]:
                old.unlink(missing_ok=True)
        return True

    def _is_due(self, day: str) -> bool:
        if self.path.with_name(f"{self.path.name}.bak-{day}").exists():
            return False
        kept = self.backups()
        return not kept or is_changed_since(self.path, kept[-1])

    def _copy_to(self, name: str) -> None:
        """Copy the file, if it is whole, to NAME.bak-<name>; it appears only when finished."""
        con = self._connect()
        try:
            tables_version(con, self.path)  # What is not ours is not copied.
            con.execute("PRAGMA journal_mode = WAL")  # A restore that was cut off took it away.
            copy_whole(
                con,
                self.path.with_name(f"{self.path.name}.partial"),
                self.path.with_name(f"{self.path.name}.bak-{name}"),
            )
        except OSError as problem:
            raise self._not_copied(problem) from problem
        finally:
            con.close()

    def _damaged(self) -> StoreError:
        copies = self.backups()
        newest = copies[-1].name if copies else ""
        return StoreError(
            f"{self.path.name} is damaged and was left as it is.",
            hint=f"Stop the dashboard and put back its newest copy, {newest}: python -m pipeline "
            f"restore STUDY --from {newest.rpartition('.bak-')[2]}"
            if newest
            else "Restore it from a backup of the study's folder, or move it away to start anew.",
        )

    @contextmanager
    def _errors_told(self) -> Iterator[None]:
        try:
            yield
        except Timeout as problem:
            raise self._busy() from problem
        except sqlite3.IntegrityError:
            raise  # A defect of Coview, not of the file.
        except sqlite3.OperationalError as problem:
            text = str(problem)
            if "locked" in text or "busy" in text:
                raise self._busy() from problem
            if "full" in text:
                raise self._full() from problem
            if any(part in text for part in _OF_THE_FILE):
                raise self._damaged() from problem
            raise StoreError(
                f"{self.path.name} cannot be used: {text}.",
                hint=f"Check the rights of the study's folder {self.path.parent.name}.",
            ) from problem
        except (sqlite3.DatabaseError, UnicodeDecodeError) as problem:
            raise self._damaged() from problem

    def _not_copied(self, problem: OSError) -> StoreError:
        if problem.errno in _FULL:
            return self._full()
        return StoreError(
            f"{self.path.name} cannot be copied: {problem.strerror}.",
            hint=f"Check the rights of the study's folder {self.path.parent.name}.",
        )

    def _full(self) -> DiskFullError:
        return DiskFullError(
            f"There is no room left on the disk of {self.path.name}.",
            hint="Free some space and do it again.",
        )

    def _busy(self) -> BusyError:
        return BusyError(
            f"Another program holds {self.path.name}.", hint="Close it, then do it again."
        )


def people_store(study_root: Path) -> PeopleStore:
    """The people's store of a study: people/people.sqlite, beside `derived`."""
    return PeopleStore(study_root / "people" / "people.sqlite")


def tables_version(con: sqlite3.Connection, path: Path) -> int:
    """Version of the tables of the file at `path`, 0 for one without any.

    Raises StoreError for tables that are not ours or are of a newer Coview.
    """
    n_tables = int(con.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    owner = int(con.execute("PRAGMA application_id").fetchone()[0])
    version = int(con.execute("PRAGMA user_version").fetchone()[0])
    if not n_tables:
        return 0
    if owner != APPLICATION_ID:
        raise StoreError(
            f"{path.name} was not written by Coview.",
            hint=f"Move it out of the study's folder {path.parent.name}.",
        )
    if version > VERSION:
        raise StoreError(
            f"{path.name} has tables of version {version}; this Coview knows up to {VERSION}.",
            hint="Install the newer Coview that wrote it. Nothing was changed.",
        )
    if problem := made_otherwise(con, STEPS[:version]):
        raise StoreError(
            f"{path.name} {problem}.",
            hint=f"Move it out of the study's folder {path.parent.name} and put one of its copies "
            "back; list them with: python -m pipeline restore STUDY --list",
        )
    return version


def _file_number(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def bring_forward(con: sqlite3.Connection, version: int) -> None:
    """Give a file with tables of `version` (0 for none) those of today, in the open transaction."""
    for step in STEPS[version:]:
        for statement in step:
            con.execute(statement)
    con.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    con.execute(f"PRAGMA user_version = {VERSION}")
