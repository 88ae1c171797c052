"""Who may do something costly next, when only so many may at once."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """At most `most` at once. Who waits for it goes before who does it ahead of time; among
    themselves they go in the order in which they came."""

    def __init__(self, most: int) -> None:
        self._n_free = most
        self._n_came = 0
        self._waiting: list[tuple[bool, int]] = []
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, *, is_ahead: bool = False) -> Iterator[None]:
        """Wait for a turn, and have it as long as the block lasts."""
        with self._changed:
            own = (is_ahead, self._n_came)
            self._n_came += 1
            heapq.heappush(self._waiting, own)
            self._changed.wait_for(lambda: self._n_free > 0 and self._waiting[0] == own)
            heapq.heappop(self._waiting)
            self._n_free -= 1
            # The next one may have a turn as well.
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._n_free += 1
                self._changed.notify_all()
