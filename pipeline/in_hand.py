"""Which media files are being read at this moment, told to the process that watches this one.

A decoder that crashes ends the whole process, and no `except` sees it. A command that is watched
(`pipeline.watched`) therefore says of each file when it is opened and when it is closed. Where
nobody watches, nothing is said.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import MediaError

OPENED, CLOSED = "+", "-"


@dataclass(frozen=True, slots=True)
class Watcher:
    """The end of a pipe to the watching process, and the files that it lets nobody open."""

    pipe: int
    given_up: frozenset[str]
    has_died: bool


_watcher: Watcher | None = None


def tell(pipe: int, given_up: Collection[str], *, has_died: bool) -> None:
    """From now on, say into `pipe` what is opened and closed; what was given up stays closed.
    `has_died`: the process before this one died with files open.

    Processes that this one starts know nothing of it: who started them looks after them.
    """
    global _watcher
    os.set_inheritable(pipe, False)
    _watcher = Watcher(pipe, frozenset(given_up), has_died)


def must_open_one_at_a_time() -> bool:
    """Whether files must be opened one at a time, so that the next death tells which one it is.
    With several open, one bad file would be counted against the good ones beside it."""
    return _watcher is not None and _watcher.has_died


@contextmanager
def in_hand(path: Path) -> Iterator[None]:
    """Say that `path` is open as long as the block lasts.

    Raises MediaError for a file that ended this command's process too often already.
    """
    if _watcher is None:
        yield
        return
    text = str(path.absolute())
    if text in _watcher.given_up:
        raise MediaError(
            f"{path.name} ends the program that reads it: its decoder crashed, or took all memory.",
            hint="Copy it again from the camera. If it stays so, convert it with: "
            "ffmpeg -i IN -c:v libx264 OUT.mp4",
        )
    _say(_watcher, OPENED, text)
    try:
        yield
    finally:
        _say(_watcher, CLOSED, text)


def _say(watcher: Watcher, what: str, text: str) -> None:
    # One short write is never mixed with another's. Without a watcher there is nobody to tell.
    with suppress(BrokenPipeError):
        os.write(watcher.pipe, f"{what}{json.dumps(text)}\n".encode())
