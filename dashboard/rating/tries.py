"""Limits wrong codes: each address may be wrong a few times, slower each time, then must wait."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock

MAX_WRONG = 30
WITHIN_S = 600.0
_STEP_S = 0.25
_MAX_DELAY_S = 2.0
_MAX_REMEMBERED = 10_000


class WrongTries:
    """Wrong codes of each address within the last ten minutes.

    A whole class may sit behind one address, so the limit is generous: with 49 random bits in a
    code, 30 tries in ten minutes find nothing.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()
        self._right: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def is_blocked(self, address: str) -> bool:
        """Whether an unknown code from there is not even looked up now."""
        with self._lock:
            return len(self._recent(address)) >= MAX_WRONG

    def is_right(self, code: str) -> bool:
        """Whether a code let someone in before: the tries of others never keep them out."""
        with self._lock:
            return code in self._right

    def was_right(self, code: str) -> None:
        """A code let someone in."""
        with self._lock:
            self._right[code] = None
            self._right.move_to_end(code)
            if len(self._right) > _MAX_REMEMBERED:
                self._right.popitem(last=False)

    def was_wrong(self, address: str) -> float:
        """Count a wrong code; the seconds to wait before the answer."""
        with self._lock:
            recent = self._recent(address)
            recent.append(self._now_s())
            self._wrong[address] = recent
            self._wrong.move_to_end(address)
            if len(self._wrong) > _MAX_REMEMBERED:
                self._wrong.popitem(last=False)
            return min(_MAX_DELAY_S, _STEP_S * len(recent))

    def _recent(self, address: str) -> deque[float]:
        recent = self._wrong.get(address, deque())
        while recent and recent[0] < self._now_s() - WITHIN_S:
            recent.popleft()
        return recent
