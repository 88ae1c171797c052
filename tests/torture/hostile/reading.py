"""Has files read by a process that may die of them, and counts what came of it."""

from __future__ import annotations

import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture import Count

_ROOT = Path(__file__).resolve().parents[3]
LONGEST_S = 60.0
"""No file here is large: what takes longer does not end."""


@dataclass(frozen=True, slots=True)
class HostileFile:
    """A file or folder, and what kind of thing it claims to be; see `reading_child.KINDS`."""

    kind: str
    path: Path


@dataclass(slots=True)
class Tally:
    """What came of the files of one row of the table.

    A process that dies of a file costs that file only, as in a run: it is counted apart.
    """

    n_tried: int = 0
    n_died: int = 0
    wrong: list[str] = field(default_factory=list)

    def count(self, what: str) -> Count:
        died = f", {self.n_died} ended the process that read them" if self.n_died else ""
        return Count(
            f"{what}{died}", self.n_tried, self.n_tried - len(self.wrong), tuple(self.wrong)
        )


@dataclass(slots=True)
class Reader:
    """One process that reads, and the next when it died."""

    folder: Path
    _process: subprocess.Popen[str] | None = None

    def read_all(self, files: Iterable[HostileFile], until_s: float) -> Tally:
        """Have files read one after the other until that time of the monotonic clock."""
        tally = Tally()
        for file in files:
            if time.monotonic() > until_s:
                break
            tally.n_tried += 1
            if self._process is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._process = _started(self.folder)
            told = _told(self._process, file)
            if told == "right":
                continue
            if told:
                tally.wrong.append(f"{file.path.name}: {told}")
                continue
            status = self.close()
            is_crash = status < 0 and status != -signal.SIGKILL
            tally.n_died += is_crash
            if not is_crash:
                tally.wrong.append(f"{file.path.name}: read without end, or ended ({status})")
        return tally

    def close(self) -> int:
        """End the process; how it ended, or had ended already."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.kill()
        return process.wait()


def _told(process: subprocess.Popen[str], file: HostileFile) -> str:
    """What the process says of a file; "" when it died or does not end."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{file.kind}\t{file.path}\n")
        process.stdin.flush()
    except OSError:
        return ""
    if not select.select([process.stdout], [], [], LONGEST_S)[0]:
        return ""
    return process.stdout.readline().rpartition("\t")[0]


def _started(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.torture.hostile.reading_child", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        bufsize=1,
        cwd=_ROOT,
    )
