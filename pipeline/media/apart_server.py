"""The process that reads recordings for another one: `python -m pipeline.media.apart_server`.

It answers each line of its input, {"function": "module:name", "values": {...}}, with {} or with
{"error": ..., "hint": ..., "kind": ...}. It ends when its input ends, as it does when the process
that started it ends, and when nothing was asked for some minutes. It may not take more memory than
MAX_BYTES, so that a file that asks for more costs itself only.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
from typing import TextIO

from pipeline.errors import CoviewError, MediaError

IDLE_S = 600.0
MAX_BYTES = 4 << 30
_NICENESS = 5


def answer(line: str) -> dict[str, str | int]:
    """The answer to one line."""
    asked = json.loads(line)
    module, _, name = asked["function"].partition(":")
    if not module.startswith("pipeline."):
        return {"error": f"{module} is no part of Coview.", "kind": MediaError.code}
    function = getattr(importlib.import_module(module), name)
    try:
        function(**asked["values"])
    except CoviewError as problem:
        return {"error": problem.message, "hint": problem.hint, "kind": problem.code}
    except MemoryError:
        return {
            "error": "This recording takes too much memory to be shown.",
            "hint": "Convert it with: ffmpeg -i IN -c:v libx264 OUT.mp4",
            "kind": MediaError.code,
        }
    except OSError as problem:
        return {"errno": problem.errno or 0, "error": problem.strerror or str(problem)}
    return {}


def serve(requests: TextIO, answers: TextIO, idle_s: float) -> None:
    """Answer lines until the input ends or nothing came for `idle_s` seconds."""
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in requests:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=idle_s)
        except queue.Empty:
            return
        if not line:
            return
        answers.write(json.dumps(answer(line)) + "\n")
        answers.flush()


def main() -> None:
    """Serve. What libraries print goes to stderr."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    limit_memory(MAX_BYTES)
    give_way()
    serve(sys.stdin, answers, IDLE_S)
    answers.close()
    # Ending as usual would wait for the thread that reads.
    os._exit(0)


def give_way() -> None:
    """Let the server that asked go first: those who have their clip must not wait for this."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)


def limit_memory(n_bytes: int) -> None:
    """Bytes of its own that this process may take, where the system knows such a limit."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, n_bytes))


if __name__ == "__main__":
    main()
