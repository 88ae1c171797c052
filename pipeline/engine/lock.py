"""One run at a time on a study."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import BusyError, StoreError
from pipeline.study import Study


@contextmanager
def study_lock(study: Study) -> Iterator[None]:
    """Hold the study while shards and stores are written.

    Raises BusyError at once when another run holds it. The lock is the operating system's, so a
    killed run leaves none behind.
    """
    with folder_lock(study.derived, study.name):
        yield


@contextmanager
def folder_lock(derived: Path, name: str) -> Iterator[None]:
    """`study_lock` for a study called `name` that need not be openable."""
    try:
        derived.mkdir(parents=True, exist_ok=True)
        lock = FileLock(derived / "run.lock")
        lock.acquire(timeout=0)
    except Timeout as problem:
        raise BusyError(
            f"Another run is working on {name}.", hint="Wait until it has finished."
        ) from problem
    except OSError as problem:
        raise StoreError(
            f"{name}/derived cannot be written to: {problem.strerror}.",
            hint="Check the rights of the study folder and the space on the disk.",
        ) from problem
    try:
        yield
    finally:
        lock.release()
