"""The people's store: one SQLite file that many sessions write to in short transactions.

Each action opens the file, does its work in one transaction and closes it, so threads share
nothing and a killed server leaves either the whole action or none of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import BusyError, DiskFullError, StoreError
from pipeline.people.tables import APPLICATION_ID, STEPS, VERSION
from pipeline.records import TimeSpan

_WAIT_S = 15.0
_N_BACKUPS = 60


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

    Before the first write of a day the file is copied to NAME.bak-<date>; the last 60 copies stay.
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
                con = self._opened()
            else:
                con = sqlite3.connect(":memory:", isolation_level=None)
                _run_steps(con, 0)
            try:
                con.execute("BEGIN")
                yield con
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
            is_old = self._has_content()
            con = self._opened()
            try:
                if is_old:
                    self._back_up_daily()
                con.execute("BEGIN IMMEDIATE")
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
        return tuple(sorted(self.path.parent.glob(f"{self.path.name}.bak-????-??-??")))

    def _has_content(self) -> bool:
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

    def _connect(self) -> sqlite3.Connection:
        con = sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None)
        con.execute("PRAGMA foreign_keys = ON")
        con.execute("PRAGMA synchronous = FULL")
        return con

    def _opened(self) -> sqlite3.Connection:
        """A connection to a file that has this version's tables; one that lacks them gets them,
        and one that cannot is left as it is."""
        con = self._connect()
        try:
            if self._version(con) == VERSION:
                return con
        except BaseException:
            con.close()
            raise
        con.close()
        self._upgrade()
        return self._connect()

    def _lock(self) -> FileLock:
        return FileLock(self.path.with_name(f"{self.path.name}.lock"), timeout=_WAIT_S)

    def _upgrade(self) -> None:
        with self._lock():
            con = self._connect()
            try:
                version = self._version(con)
                if version == VERSION:
                    return
                if version:
                    self._copy_to(f"{self.now():%Y-%m-%d}-v{version}")
                con.execute("PRAGMA journal_mode = WAL")
                con.execute("BEGIN IMMEDIATE")
                _run_steps(con, version)
                con.execute("COMMIT")
            finally:
                con.close()

    def _version(self, con: sqlite3.Connection) -> int:
        """Version of the tables, 0 for a file without any."""
        n_tables = int(con.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
        owner = int(con.execute("PRAGMA application_id").fetchone()[0])
        version = int(con.execute("PRAGMA user_version").fetchone()[0])
        if not n_tables:
            return 0
        if owner != APPLICATION_ID:
            raise StoreError(
                f"{self.path.name} was not written by Coview.",
                hint=f"Move it out of the study's folder {self.path.parent.name}.",
            )
        if version > VERSION:
            raise StoreError(
                f"{self.path.name} has tables of version {version}; this Coview knows up to "
                f"{VERSION}.",
                hint="Install the newer Coview that wrote it. Nothing was changed.",
            )
        return version

    def _back_up_daily(self) -> None:
        day = f"{self.now():%Y-%m-%d}"
        if self.path.with_name(f"{self.path.name}.bak-{day}").exists():
            return
        with self._lock():
            if not self.path.with_name(f"{self.path.name}.bak-{day}").exists():
                self._copy_to(day)
                for old in self.backups()[:-_N_BACKUPS]:
                    old.unlink(missing_ok=True)

    def _copy_to(self, name: str) -> None:
        """Copy the file, if it is whole, to NAME.bak-<name>; it appears only when finished."""
        partial = self.path.with_name(f"{self.path.name}.partial")
        partial.unlink(missing_ok=True)
        con = self._connect()
        try:
            found = con.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise self._damaged()
            copy = sqlite3.connect(partial)
            try:
                con.backup(copy)
            finally:
                copy.close()
        finally:
            con.close()
        partial.replace(self.path.with_name(f"{self.path.name}.bak-{name}"))

    def _damaged(self) -> StoreError:
        copies = self.backups()
        newest = copies[-1].name if copies else ""
        return StoreError(
            f"{self.path.name} is damaged and was left as it is.",
            hint=f"Move it away and rename its newest copy, {newest}, to {self.path.name}."
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
                raise DiskFullError(
                    f"There is no room left on the disk of {self.path.name}.",
                    hint="Free some space and do it again.",
                ) from problem
            if "no such" in text or "has no column" in text:
                raise self._damaged() from problem
            raise StoreError(
                f"{self.path.name} cannot be used: {text}.",
                hint=f"Check the rights of the study's folder {self.path.parent.name}.",
            ) from problem
        except sqlite3.DatabaseError as problem:
            raise self._damaged() from problem

    def _busy(self) -> BusyError:
        return BusyError(
            f"Another program holds {self.path.name}.", hint="Close it, then do it again."
        )


def people_store(study_root: Path) -> PeopleStore:
    """The people's store of a study: people/people.sqlite, beside `derived`."""
    return PeopleStore(study_root / "people" / "people.sqlite")


def moment_id_of(con: sqlite3.Connection, moment: MomentRef) -> int:
    """The row of `moments` that stands for this moment, made if needed."""
    key = (
        moment.recording_id,
        moment.utterance_id,
        moment.span.onset_ms,
        moment.span.offset_ms,
    )
    con.execute(
        "INSERT OR IGNORE INTO moments (recording_id, utterance_id, onset_ms, offset_ms) "
        "VALUES (?, ?, ?, ?)",
        key,
    )
    found = con.execute(
        "SELECT moment_id FROM moments WHERE recording_id = ? AND utterance_id = ? "
        "AND onset_ms = ? AND offset_ms = ?",
        key,
    ).fetchone()
    return int(found[0])


def _run_steps(con: sqlite3.Connection, version: int) -> None:
    for step in STEPS[version:]:
        for statement in step:
            con.execute(statement)
    con.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    con.execute(f"PRAGMA user_version = {VERSION}")
