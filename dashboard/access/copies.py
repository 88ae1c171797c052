"""Copies of a build for people who may see some children, made while they wait.

At 1.8 million utterances a copy takes minutes. It is made in a thread of its own, once for all who
may see the same children, and a page that needs it is told so instead of hanging.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from pipeline.errors import CoviewError, StoreError
from pipeline.store.narrowed import narrowed_store

WAIT_S = 4.0
"""Most copies are there by then, and nobody sees that they were made."""
_Key: TypeAlias = tuple[Path, frozenset[str]]


class BeingMadeError(CoviewError):
    """The copy is not ready yet; `since_s` is how long it has been made."""

    code = "store"

    def __init__(self, since_s: float) -> None:
        super().__init__("What you may see of this study is being made ready.")
        self.since_s = since_s


@dataclass(slots=True)
class _Making:
    begun_s: float
    done: threading.Event = field(default_factory=threading.Event)
    path: Path | None = None
    problem: StoreError | None = None


class Copies:
    """Makes copies and remembers which are being made; threads may share it."""

    def __init__(
        self,
        make: Callable[[Path, Path, frozenset[str]], Path] = narrowed_store,
        wait_s: float = WAIT_S,
    ) -> None:
        self._make = make
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._making: dict[_Key, _Making] = {}

    def copy(self, build: Path, study_root: Path, children: frozenset[str]) -> Path:
        """The copy of a build for these children.

        Raises BeingMadeError while it is made, and StoreError when it cannot be; asked again, it
        is tried again.
        """
        key = (build, children)
        with self._lock:
            making = self._making.get(key)
            if making is None:
                making = self._making[key] = _Making(time.monotonic())
                threading.Thread(
                    target=self._run, args=(making, build, study_root, children), daemon=True
                ).start()
        if not making.done.wait(self._wait_s):
            raise BeingMadeError(time.monotonic() - making.begun_s)
        with self._lock:
            # Whether it is still there and of this build is for the next question to find out.
            if self._making.get(key) is making:
                del self._making[key]
        if making.problem is not None:
            raise making.problem
        assert making.path is not None
        return making.path

    def is_making(self, build: Path, children: frozenset[str]) -> bool:
        """Whether a copy is being made now."""
        with self._lock:
            making = self._making.get((build, children))
        return making is not None and not making.done.is_set()

    def _run(
        self, making: _Making, build: Path, study_root: Path, children: frozenset[str]
    ) -> None:
        try:
            making.path = self._make(build, study_root, children)
        except StoreError as problem:
            making.problem = problem
        finally:
            if making.path is None and making.problem is None:
                making.problem = StoreError(
                    "What you may see of this study could not be made ready.",
                    hint="Ask the person who runs the dashboard to look at its log.",
                )
            making.done.set()


COPIES = Copies()
"""This server's copies."""
