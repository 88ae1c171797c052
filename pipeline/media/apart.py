"""Read recordings in processes of their own, so that a decoder that crashes takes nothing along.

For what serves many people: the dashboard and the rating screen. The processes are kept, so that
only the first clip waits for one to start; each ends itself when it was idle for a while.
Why so: docs/decisions/0013-a-decoder-may-crash.md.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from pipeline.errors import CoviewError, DiskFullError, MediaError
from pipeline.own_folder import OWN_FOLDER

Json: TypeAlias = str | int | float | bool | list["Json"] | dict[str, "Json"] | None

LONGEST_S = 300.0
"""A clip takes seconds; what takes longer than this does not end."""
_END_S = 5.0
_MOST_AT_ONCE = 4
_KINDS: dict[str, type[CoviewError]] = {kind.code: kind for kind in (DiskFullError, MediaError)}


@dataclass(frozen=True, slots=True)
class Job:
    """A function of Coview, "module:name", and what it is called with: {name: value} as JSON.

    Paths among the values are absolute. `source` is the recording that it reads.
    """

    function: str
    source: Path
    values: Mapping[str, Json]


@dataclass(slots=True)
class Apart:
    """Processes that do jobs; threads may share it."""

    longest_s: float = LONGEST_S
    _idle: list[subprocess.Popen[str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_MOST_AT_ONCE))

    def do(self, job: Job) -> None:
        """Do a job. Raises what it raises of MediaError, DiskFullError and OSError, and MediaError
        when its process dies, takes too much memory or does not come to an end."""
        with self._room:
            process, answer = self._asked(job)
            if answer is None:
                process.kill()
                process.wait()
                raise MediaError(
                    f"{job.source.name} cannot be shown: the decoder crashed or did not end.",
                    hint="Copy it again from the camera; if it stays so, convert it with: "
                    "ffmpeg -i IN -c:v libx264 OUT.mp4",
                )
            with self._lock:
                self._idle.append(process)
        if "errno" in answer:
            raise OSError(answer["errno"], answer["error"])
        if "error" in answer:
            kind = _KINDS.get(str(answer.get("kind")), MediaError)
            raise kind(str(answer["error"]), hint=str(answer.get("hint", "")))

    def close(self) -> None:
        """End the processes that do nothing now."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            if process.stdin is not None:
                process.stdin.close()
            process.wait()

    def processes(self) -> tuple[int, ...]:
        """Ids of the processes that wait for a job."""
        with self._lock:
            return tuple(process.pid for process in self._idle if process.poll() is None)

    def _asked(self, job: Job) -> tuple[subprocess.Popen[str], dict[str, Json] | None]:
        """The process that did the job, and its answer; None when it died or took too long."""
        line = json.dumps({"function": job.function, "values": dict(job.values)})
        with self._lock:
            self._idle = [process for process in self._idle if process.poll() is None]
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            answer = _answer(kept, self.longest_s) if _send(kept, line) else None
            # It may have ended, having been idle, between the look and the question.
            if answer is not None or not _ended_well(kept):
                return kept, answer
        process = _started()
        return process, _answer(process, self.longest_s) if _send(process, line) else None


APART = Apart()
"""The processes of this one."""


def _started() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.media.apart_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=OWN_FOLDER,
    )


def _ended_well(process: subprocess.Popen[str]) -> bool:
    try:
        return process.wait(timeout=_END_S) == 0
    except subprocess.TimeoutExpired:
        return False


def _send(process: subprocess.Popen[str], line: str) -> bool:
    assert process.stdin is not None
    try:
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
    except OSError:
        return False
    return True


def _answer(process: subprocess.Popen[str], longest_s: float) -> dict[str, Json] | None:
    assert process.stdout is not None
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(
        target=lambda output: lines.put(output.readline()), args=(process.stdout,), daemon=True
    ).start()
    try:
        line = lines.get(timeout=longest_s)
    except queue.Empty:
        return None
    content = json.loads(line) if line else None
    return content if isinstance(content, dict) else None
