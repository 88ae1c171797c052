"""Pictures and sounds of trials, from the study's current store, and which trials may be shown."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

import duckdb

from pipeline.errors import CoviewError, StoreError
from pipeline.people.store import MomentRef
from pipeline.people.trial_records import ImageVariant, Item, ItemOption, Trial, TrialMode
from pipeline.records import MAY_BE_SHOWN
from pipeline.store.locate import current_store_path
from pipeline.validation.pictures import picture_file, sound_file

NEAR_MS = 2_000
"""Frames this close to the utterance are shown, dimmed, beside those during it."""
MAX_FRAMES = 24
_MAX_WAITING = 64
Pictures: TypeAlias = tuple[tuple[MomentRef, int], ...]
"""Frames to show, in their order: whose recording, and the time in milliseconds."""


@dataclass(frozen=True, slots=True)
class _Build:
    """One build of the store: its file and when it changed, a connection, the recordings that
    may be shown, and the pictures made from it."""

    key: tuple[str, int]
    con: duckdb.DuckDBPyConnection
    showable: frozenset[str]
    pictures: dict[tuple[str, int, ImageVariant], Path] = field(default_factory=dict)


class StudyMedia:
    """What raters see and hear of one study; threads may share it.

    One connection to the current store is kept and changed when another build takes its place.
    """

    def __init__(self, study_root: Path) -> None:
        self._root = study_root
        self._lock = threading.Lock()
        self._build: _Build | None = None
        self._waiting: queue.Queue[Callable[[], object]] = queue.Queue(_MAX_WAITING)
        self._is_working = False

    def is_showable(self, item: Item) -> bool:
        """Whether the current store still allows to show every recording of an item.

        Items from a file that names no recordings cannot be shown.
        """
        if any(option.frame_ms is None for option in pictured(item)):
            return False
        with self._store() as build:
            return all(option.moment.recording_id in build.showable for option in item.options)

    def picture(self, moment: MomentRef, frame_ms: int, variant: ImageVariant) -> Path:
        """The JPEG of a frame. Raises MediaError, StoreError, DiskFullError."""
        with self._store() as build:
            # A build never changes: a picture that it allowed once needs no second question.
            key = (moment.recording_id, frame_ms, variant)
            known = build.pictures.get(key)
            if known is None or not known.is_file():
                with build.con.cursor() as cursor:
                    known = picture_file(self._root, cursor, moment, frame_ms, variant)
                build.pictures[key] = known
            return known

    def jpeg(self, moment: MomentRef, frame_ms: int, variant: ImageVariant) -> bytes:
        """What `picture` holds. Raises as it does."""
        with self._store():
            return self.picture(moment, frame_ms, variant).read_bytes()

    def sound(self, moment: MomentRef) -> Path:
        """The m4a of an utterance. Raises MediaError, StoreError, DiskFullError."""
        with self._store() as build, build.con.cursor() as cursor:
            return sound_file(self._root, cursor, moment)

    def strip(self, item: Item) -> Pictures:
        """The frames during a moment's utterance and NEAR_MS around it, thinned to MAX_FRAMES."""
        moment = item.options[0].moment
        with self._store() as build, build.con.cursor() as cursor:
            rows = cursor.execute(
                "SELECT time_ms FROM frames WHERE recording_id = ? AND time_ms >= ? "
                "AND time_ms < ? ORDER BY time_ms",
                [
                    moment.recording_id,
                    moment.span.onset_ms - NEAR_MS,
                    moment.span.offset_ms + NEAR_MS,
                ],
            ).fetchall()
        times = [int(row[0]) for row in rows]
        step = -(-len(times) // MAX_FRAMES) or 1
        return tuple((moment, time_ms) for time_ms in times[::step])

    def prepare(self, pictures: Pictures, variant: ImageVariant) -> None:
        """Make pictures in the background; when there is much to do, leave it."""
        for moment, frame_ms in pictures:
            try:
                self._waiting.put_nowait(partial(self.picture, moment, frame_ms, variant))
            except queue.Full:
                return
        with self._lock:
            if not self._is_working:
                self._is_working = True
                threading.Thread(target=self._work, name="rating-pictures", daemon=True).start()

    def _work(self) -> None:
        """Make what waits, then end: an idle server holds no thread."""
        while True:
            with self._lock:
                try:
                    make = self._waiting.get_nowait()
                except queue.Empty:
                    self._is_working = False
                    return
            try:
                make()
            except (CoviewError, duckdb.Error):
                continue  # Told to the rater whose trial it is.

    @contextmanager
    def _store(self) -> Iterator[_Build]:
        """The current build of the store. Raises StoreError, also for what is read within."""
        path = current_store_path(self._root)
        if path is None:
            raise StoreError("This study has no store yet.", hint="Run the study first.")
        try:
            with self._lock:
                key = (str(path), path.stat().st_mtime_ns)
                if self._build is None or self._build.key != key:
                    self._build = _opened(key)
                build = self._build
            yield build
        except (duckdb.Error, OSError) as problem:
            raise StoreError(
                f"{path.name} cannot be read.", hint="Wait until no other program writes to it."
            ) from problem


def _opened(key: tuple[str, int]) -> _Build:
    # Without settings: the dashboard, in the same process, opens the file so.
    con = duckdb.connect(key[0], read_only=True)
    rows = con.execute(
        "SELECT recording_id FROM recordings WHERE list_contains(?, permission)",
        [list(MAY_BE_SHOWN)],
    ).fetchall()
    return _Build(key, con, frozenset(str(row[0]) for row in rows))


def pictured(item: Item) -> tuple[ItemOption, ...]:
    """The options of an item whose frame is shown; a moment shows all frames around it."""
    if item.mode is TrialMode.MOMENT:
        return ()
    return item.options[:1] if item.mode is TrialMode.UTTERANCES else item.options


def pictures_of(trial: Trial) -> Pictures:
    """The frames that a trial shows: four in their order, or the one that is asked about."""
    is_shown = pictured(trial.item)
    return tuple(
        (option.moment, option.frame_ms)
        for option in trial.shown()
        if option in is_shown and option.frame_ms is not None
    )
