"""Who may do something costly next, when only so many may at once."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_LOOK_S = 0.5


class NotWantedError(Exception):
    """Whoever asked for something left before it was their turn."""


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks: `is_wanted` says whether they still wait; `is_ahead`, that it is for later, so
    that others go before."""

    is_wanted: Callable[[], bool] = _always
    is_ahead: bool = False


WAITING = Asking()
"""One who waits to the end."""


class Turns:
    """At most `most` at once. Who waits for it goes before who does it ahead of time; among
    themselves they go in the order in which they came."""

    def __init__(self, most: int) -> None:
        self._n_free = most
        self._n_came = 0
        self._waiting: list[tuple[bool, int]] = []
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, asking: Asking = WAITING) -> Iterator[None]:
        """Wait for a turn, and have it as long as the block lasts.

        Raises NotWantedError for who leaves before it is their turn.
        """
        with self._changed:
            own = (asking.is_ahead, self._n_came)
            self._n_came += 1
            heapq.heappush(self._waiting, own)
            try:
                while self._n_free <= 0 or self._waiting[0] != own:
                    self._changed.wait(_LOOK_S)
                    if not asking.is_wanted():
                        raise NotWantedError
                self._n_free -= 1
            finally:
                self._waiting.remove(own)
                heapq.heapify(self._waiting)
                # The next one may have a turn as well.
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._n_free += 1
                self._changed.notify_all()
