"""Files that appear under their name only when they are whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import DiskFullError, StoreError


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill `path`.partial, sync it, then give it its final name.

    Raises DiskFullError when the disk is full (the partial file is removed).
    """
    try:
        with disk_trouble(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write(partial_path(path))
            finish(path)
    except StoreError:
        with suppress(OSError):
            partial_path(path).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write `text` as it is, line ends included: what `write_atomically` is given."""
    path.write_text(text, encoding="utf-8", newline="")


def partial_path(path: Path) -> Path:
    """Where a file is written until it is whole."""
    return path.with_name(path.name + ".partial")


def finish(path: Path) -> None:
    """Give what was written its final name, once it is on the disk."""
    partial = partial_path(path)
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can be asked for it."""
    if os.name == "nt":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError:
        pass  # some network disks refuse, and write at once anyway
    finally:
        os.close(number)


@contextmanager
def disk_trouble(path: Path) -> Iterator[None]:
    """Raise DiskFullError or StoreError where the system refuses to write."""
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(problem):
            raise DiskFullError(
                f"The disk is full: {path.name} could not be written.",
                hint="Free some space and give the same command again; it goes on where it was.",
            ) from problem
        raise StoreError(
            f"{path.name} could not be written: {problem.strerror or problem}.",
            hint="Check that the study folder may be written to.",
        ) from problem
