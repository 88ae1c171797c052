"""A worker as Ray starts it, on whichever machine has room."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from pipeline.engine.ray_cluster import CheckIn
from pipeline.engine.worker import Worker

_LONGEST_CACHE_S = 60.0
"""For how long a network file system may not show a new file on another machine."""


class RayWorker(Worker):
    """See `worker.Worker`."""

    def check_in(self, mark: Path, needs_model: bool) -> CheckIn:
        """Whether this machine sees the study's folder, known by a file made for this run, and
        which model it has loaded.

        Raises ModelError when the model is not on this machine.
        """
        last = time.monotonic() + _LONGEST_CACHE_S
        while not mark.exists() and time.monotonic() < last:
            time.sleep(0.5)
        machine = socket.gethostname()
        if not mark.exists():
            return CheckIn(machine, False, None)
        return CheckIn(machine, True, self.tools.model.ref if needs_model else None)
