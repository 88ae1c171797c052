"""Which servers have a study open for people to write to.

Each server holds a lock file of its own beside the people's store as long as it lives. The locks
are the operating system's, so a killed server holds none.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import CoviewError
from pipeline.people.store import people_store

_PATTERN = "served-*.lock"


def mark_served(study_root: Path) -> FileLock | None:
    """Say that this process serves the study, until the lock is released or the process ends.

    None where nothing can be written, as for a study that is only to be looked at: then nothing
    can be restored there either. Marks of servers that are gone, and what copies and
    restores that were cut off left, are taken away.
    """
    store = people_store(study_root)
    lock = FileLock(store.path.with_name(f"served-{uuid.uuid4().hex[:8]}.lock"), thread_local=False)
    try:
        # Not while a restore is under way, which has looked for servers before.
        with store.held():
            store.tidy()
            is_served(study_root)
            lock.acquire(timeout=0)
    except (CoviewError, OSError):
        return None
    return lock


def is_served(study_root: Path) -> bool:
    """Whether a server that lives has the study open."""
    found = False
    for path in people_store(study_root).path.parent.glob(_PATTERN):
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            found = True  # Held, or of another user, who may hold it.
        else:
            unmark_served(lock)
    return found


def unmark_served(lock: FileLock) -> None:
    """Say that this process serves the study no longer."""
    path = Path(lock.lock_file)
    lock.release()
    path.unlink(missing_ok=True)
