"""Keeps the people's file open while raters are at work.

When the last connection to an SQLite file closes, SQLite moves its log into the file and deletes
it, which waits for the disk three times. An answer would pay for that; held open, it waits once.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.people.opening import connect

IDLE_S = 20.0
_LOOK_S = 2.0


class HeldFile:
    """Holds the file from `touch` until nobody touched it for IDLE_S; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._touched_s = 0.0
        self._path: Path | None = None

    def touch(self, path: Path) -> None:
        """Hold the file for a while from now on."""
        with self._lock:
            self._touched_s = time.monotonic()
            if self._path is None and path.is_file():
                self._path = path
                threading.Thread(target=self._hold, args=(path,), daemon=True).start()

    def _hold(self, path: Path) -> None:
        try:
            con = connect(path)
            try:
                con.execute("SELECT count(*) FROM sqlite_master").fetchone()
                while not self._is_idle():
                    time.sleep(_LOOK_S)
            finally:
                con.close()
        except (sqlite3.Error, StoreError):
            with self._lock:
                self._path = None  # Whoever writes says what is wrong with the file.

    def _is_idle(self) -> bool:
        with self._lock:
            if time.monotonic() - self._touched_s < IDLE_S:
                return False
            self._path = None
            return True
