"""How much memory a process and its children take, asked of Linux while they run."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PROC = Path("/proc")
_EVERY_S = 0.2
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory at a moment: of all processes together, pages that several share counted once (the
    sum of their PSS), and of the largest alone (RSS)."""

    at_s: float
    all_mb: float
    largest_mb: float


@dataclass(slots=True)
class Watched:
    """What a command printed, line by line with the time, and its memory while it ran."""

    return_code: int
    lines: list[tuple[float, str]] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def peak(self, from_s: float = 0.0, to_s: float = float("inf")) -> Sample:
        """The largest of both numbers between two moments, zeros where nothing was sampled."""
        some = [sample for sample in self.samples if from_s <= sample.at_s < to_s]
        return Sample(
            from_s,
            max((sample.all_mb for sample in some), default=0.0),
            max((sample.largest_mb for sample in some), default=0.0),
        )


def watch(command: Sequence[str]) -> Watched:
    """Run a command to its end, its memory sampled five times a second; its errors pass through.

    Raises OSError where there is no /proc (elsewhere than on Linux).
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    found = Watched(0)

    def read_lines() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            found.lines.append((time.perf_counter() - start, line.rstrip("\n")))
            print(line, end="", file=sys.stderr, flush=True)

    reader = threading.Thread(target=read_lines)
    reader.start()
    while process.poll() is None:
        found.samples.append(_sample(process.pid, time.perf_counter() - start))
        time.sleep(_EVERY_S)
    reader.join()
    found.return_code = process.returncode
    return found


def _sample(root_pid: int, at_s: float) -> Sample:
    pss_mb = rss_mb = 0.0
    for pid in _family(root_pid):
        try:
            text = (_PROC / str(pid) / "smaps_rollup").read_text()
        except (OSError, ProcessLookupError):
            continue  # it has just ended
        kb = {
            name: int(rest.split()[0])
            for name, _, rest in (line.partition(":") for line in text.splitlines()[1:])
            if name in ("Pss", "Rss")
        }
        pss_mb += kb.get("Pss", 0) * 1024 / _MB
        rss_mb = max(rss_mb, kb.get("Rss", 0) * 1024 / _MB)
    return Sample(at_s, pss_mb, rss_mb)


def _family(pid: int) -> list[int]:
    """A process and all that it has started."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        for task in _children_files(one):
            try:
                waiting += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def _children_files(pid: int) -> list[Path]:
    try:
        return [task / "children" for task in (_PROC / str(pid) / "task").iterdir()]
    except OSError:
        return []
