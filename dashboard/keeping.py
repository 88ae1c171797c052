"""What a server does for a study as long as it serves it: says so, keeps daily copies, and
sweeps away what nobody can ask for any more."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from pipeline.errors import CoviewError
from pipeline.people.served import mark_served, unmark_served
from pipeline.people.store import PeopleStore, people_store, utc_now

_EVERY_S = 3_600.0

Sweep = Callable[[Path, float], None]
"""Deletes what is too old in a study at a time, which is UTC in seconds."""
_LOGGER = logging.getLogger(__name__)


class Keeper:
    """Keeps one study while its server lives."""

    def __init__(
        self,
        root: Path,
        sweeps: Sequence[Sweep] = (),
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._root, self._sweeps, self._now = root, tuple(sweeps), now
        self._store = PeopleStore(people_store(root).path, now)
        self._mark: FileLock | None = mark_served(root) if root.is_dir() else None
        self._is_over = threading.Event()

    def close(self) -> None:
        """Say that the study is served no longer."""
        self._is_over.set()
        if self._mark is not None:
            unmark_served(self._mark)
            self._mark = None

    @property
    def is_marked(self) -> bool:
        """Whether others can see that the study is served; not where nothing can be written."""
        return self._mark is not None

    def look(self) -> bool:
        """Sweep, and make the day's copy of what people wrote if due; whether one was made."""
        for sweep in self._sweeps:
            sweep(self._root, self._now().timestamp())
        try:
            return self._store.back_up()
        except CoviewError as problem:
            # The next write tells it to who writes.
            _LOGGER.warning("No copy of what people wrote was made. %s", problem)
            return False

    def look_hourly(self) -> threading.Thread:
        """Look now and each hour, beside the server."""
        thread = threading.Thread(target=self._for_ever, name="daily copies", daemon=True)
        thread.start()
        return thread

    def _for_ever(self) -> None:
        while not self._is_over.is_set():
            self.look()
            self._is_over.wait(_EVERY_S)


def keep(root: Path, *sweeps: Sweep) -> Keeper:
    """Say that the study is served, and look after it until the process ends."""
    keeper = Keeper(root, sweeps)
    if keeper.is_marked:
        keeper.look_hourly()
        atexit.register(keeper.close)
    return keeper
