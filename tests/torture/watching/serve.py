"""The dashboard as it is served, but with a known secret for links, and telling of itself.

python -m tests.torture.watching.serve SECRET_HEX PORT FACTS.json PARENT, with COVIEW_STUDY set.
Ends when the process PARENT does; at SIGUSR1 collects garbage and says in FACTS.json what it has.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType


def main() -> None:
    secret, port, facts, parent = sys.argv[1:]
    from dashboard import clip_tokens
    from pipeline.serving import dashboard_command

    clip_tokens.SIGNER = clip_tokens.TokenSigner(bytes.fromhex(secret))

    def tell(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=_tell, args=(Path(facts),)).start()

    signal.signal(signal.SIGUSR1, tell)
    threading.Thread(target=_end_with, args=(int(parent),), daemon=True).start()
    sys.argv = ["streamlit", *dashboard_command(int(port))[3:]]
    runpy.run_module("streamlit", run_name="__main__")


def _end_with(parent: int) -> None:
    """Whoever measures may be killed: then nobody would end this server."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _tell(facts: Path) -> None:
    gc.collect()
    # What was freed goes back to the system, so that what is left is what is held.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    held = {
        "n_threads": threading.active_count() - 1,
        "n_files": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        "memory_kb": _memory_kb(),
    }
    partial = facts.with_suffix(".partial")
    partial.write_text(json.dumps(held))
    partial.replace(facts)


def _memory_kb() -> int:
    """Memory of this process alone, and its share of what it has with others."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise ValueError("the system does not say how much memory a process has")


if __name__ == "__main__":
    main()
