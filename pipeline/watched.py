"""Watch over a command that reads families' media: a decoder that crashes must not end it.

The command runs in a process of its own, which says what files it has open (`pipeline.in_hand`).
When it dies with one open, it is started again, goes on where it was, and opens that file once
more; when it dies a second time with the same file open, it goes on without.
Why so: docs/decisions/0013-a-decoder-may-crash.md.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

WATCHER_VARIABLE = "COVIEW_WATCHER"
"""In the environment of the watched process: who watches, the pipe, what was given up, and
whether a process before it died."""
MAX_DEATHS = 2
MAX_GIVEN_UP = 10
"""So many files are not all bad: then it is the computer, and the command ends."""

Say = Callable[[str], None]


def watch(command: Sequence[str], say: Say) -> int:
    """Run a command that may be started again; its exit status, that of a shell if it was killed.

    What became of it is said in whole sentences to `say`.
    """
    deaths: Counter[str] = Counter()
    while True:
        given_up = sorted(path for path, n in deaths.items() if n >= MAX_DEATHS)
        if len(given_up) > MAX_GIVEN_UP:
            say(f"It died on {len(given_up)} files, so it is not the files. It ends here.")
            return 128 + signal.SIGABRT
        status, held = _run(command, given_up, has_died=bool(deaths))
        if status >= 0:
            return status
        if not held:
            return 128 - status
        deaths.update(held)
        for path in sorted(held):
            way = "without it" if deaths[path] >= MAX_DEATHS else "and tries it once more"
            name = Path(path).name
            say(f"The process died ({_signal(status)}) while {name} was open. It goes on {way}.")


def begin_watched() -> bool:
    """In a process that may be the watched one: begin to tell its watcher; whether it is.

    A watcher that is killed takes this process with it.
    """
    text = os.environ.pop(WATCHER_VARIABLE, "")
    if not text:
        return False
    from pipeline.in_hand import tell

    watcher, pipe, given_up, has_died = json.loads(text)
    _end_with(watcher)
    tell(pipe, given_up, has_died=has_died)
    return True


def _run(
    command: Sequence[str], given_up: Sequence[str], *, has_died: bool
) -> tuple[int, frozenset[str]]:
    """The exit status, negative for a signal, and what was open at the end."""
    reading, writing = os.pipe()
    told = json.dumps([os.getpid(), writing, list(given_up), has_died])
    with os.fdopen(reading, encoding="utf-8") as lines:
        try:
            child = subprocess.Popen(
                command, env={**os.environ, WATCHER_VARIABLE: told}, pass_fds=(writing,)
            )
        finally:
            os.close(writing)
        with _passing_on(child):
            held = _held_at_the_end(lines)
            return child.wait(), held


def _held_at_the_end(lines: Iterable[str]) -> frozenset[str]:
    is_open: Counter[str] = Counter()
    for line in lines:
        path = json.loads(line[1:])
        is_open[path] += 1 if line[0] == "+" else -1
    return frozenset(path for path, n in is_open.items() if n > 0)


def _end_with(watcher: int) -> None:
    if sys.platform.startswith("linux"):
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != watcher:
            os._exit(1)
        return
    import threading
    import time

    def look() -> None:
        while os.getppid() == watcher:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


@contextmanager
def _passing_on(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ctrl-C reaches the child by itself; what asks this process to end is passed on."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        child.send_signal(number)

    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda number, frame: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _signal(status: int) -> str:
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
