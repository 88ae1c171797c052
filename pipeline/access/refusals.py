"""What was refused goes into the audit, in few lines however often it is asked for.

The first refusal of a kind is written down at once, then the tenth, the hundredth and so on within
an hour, with how many there were. Kinds beyond the first MAX_KINDS of an hour are counted as one,
so that nobody can fill the disk by asking for many different things. Nothing of what was asked for
gets into a line but ids that this server itself made.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from threading import Lock

from pipeline.access.audit import Opened, write_opened
from pipeline.errors import AuditError

REFUSED = "refused"
WINDOW_S = 3_600.0
MAX_KINDS = 60
"""With at most one line for each power of ten, a day has less than 10,000 lines (3 MB)."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One kind of refusal: whom (empty for a stranger), what kind of thing they asked for, why
    not, and the recording where it is known."""

    what: str
    why: str
    who: str = ""
    role: str = ""
    recording_id: str = ""


_OTHERS = Refused("many things", "more kinds than are told apart")


@dataclass(slots=True)
class _Counted:
    since_s: float
    n: int = 0
    n_written: int = 0

    @property
    def is_due(self) -> bool:
        """Whether the number is a power of ten that was not written yet."""
        return self.n > self.n_written and str(self.n).strip("0") == "1"


class RefusalLog:
    """Counts the refusals of a study's server; threads may share it."""

    def __init__(
        self, study_root: Callable[[], Path], now_s: Callable[[], float] = time.time
    ) -> None:
        self._study_root = study_root
        self._now_s = now_s
        self._lock = Lock()
        self._counted: dict[Refused, _Counted] = {}

    def note(self, refused: Refused) -> None:
        """Count one. It was refused, whether that can be written down or not."""
        now_s = self._now_s()
        with self._lock:
            due = self._ended(now_s - WINDOW_S)
            if refused not in self._counted and len(self._counted) >= MAX_KINDS:
                refused = _OTHERS
            counted = self._counted.setdefault(refused, _Counted(now_s))
            counted.n += 1
            if counted.is_due:
                due.append(_line(refused, counted))
        self._write(due)

    def close(self) -> None:
        """Write down what was counted since the last line of each kind, as at the server's end."""
        with self._lock:
            due = self._ended(float("inf"))
        self._write(due)

    def _ended(self, before_s: float) -> list[Opened]:
        """Forget the kinds that began before that time; a line for each with more to tell."""
        ended = [kind for kind, counted in self._counted.items() if counted.since_s < before_s]
        counts = [(kind, self._counted.pop(kind)) for kind in ended]
        return [_line(kind, counted) for kind, counted in counts if counted.n > counted.n_written]

    def _write(self, lines: list[Opened]) -> None:
        for line in lines:
            with suppress(AuditError):
                write_opened(self._study_root(), line)


def _line(refused: Refused, counted: _Counted) -> Opened:
    counted.n_written = counted.n
    since = datetime.fromtimestamp(counted.since_s, timezone.utc)
    times = "" if counted.n == 1 else f" ({counted.n} times since {since:%H:%M} UTC)"
    return Opened(
        refused.who,
        refused.role,
        REFUSED,
        refused.recording_id,
        detail=f"{refused.what}: {refused.why}{times}",
    )
