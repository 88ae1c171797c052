"""Disks that are full, and disks that may not be written to: small ones of our own, mounted where
nobody else sees them.

Where the system does not allow that, files may not grow beyond a size instead, and what may not be
written to is not tried.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from tests.torture import Count
from tests.torture.faults.kills import References
from tests.torture.faults.running import Told, start, told_here
from tests.torture.faults.small_study import NEW, SmallStudy
from tests.torture.faults.views import NOTHING, Content, content_of, store_view

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
_KIB = 1024
T = TypeVar("T")


class NotAllowedError(Exception):
    """The system does not let us mount anything."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a run on a bad disk: its exit code and output, what one saw of the study then,
    and what was wrong after the next run on a good one."""

    code: int
    text: str
    view: str
    difference: str


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What was wrong, "" for nothing, and whether the bad disk stopped the run at all."""

    wrong: str
    is_stopped: bool


def count_full_disks(
    study: SmallStudy, known: References, n: int, seconds: float, seed: int
) -> Count:
    """Run on a disk with room for a part of what is written, then on one with enough."""
    chance = random.Random(seed)
    ends = time.monotonic() + seconds
    room = _size(study.derived) + 2_000_000
    outcomes: list[_Outcome] = []
    what = "run on a disk that becomes full, then with room"
    for i in range(n):
        if outcomes and time.monotonic() > ends:
            break
        before = known.old_derived if i % 2 or len(known.touches) == 1 else None
        free = chance.randrange(64 * _KIB, room) if chance.random() < 0.7 else 64 * _KIB * (i + 1)
        size = free + (_size(before) if before else 0)
        try:
            outcomes.append(
                _tried(study, known, before, partial(_on_small_disk, size=size), f"{size} bytes")
            )
        except NotAllowedError as problem:
            return Count(f"{what} (not tried: {problem})", 0, 0)
    return _count(what, outcomes)


def count_read_only(study: SmallStudy, known: References) -> Count:
    """Run where derived/, the stores or the whole study may not be written to."""
    what = "run in a folder that may not be written to, then in one that may"
    outcomes: list[_Outcome] = []
    places = ("derived", "derived/stores", "derived/speech", ".")
    for place in places:
        try:
            on_disk = partial(_where_nothing_is_written, place=place)
            outcomes.append(_tried(study, known, known.old_derived, on_disk, place))
        except NotAllowedError as problem:
            return Count(f"{what} (not tried: {problem})", 0, 0)
    return _count(what, outcomes)


def _count(what: str, outcomes: Sequence[_Outcome]) -> Count:
    wrong = tuple(one.wrong for one in outcomes if one.wrong)
    n_stopped = sum(one.is_stopped for one in outcomes)
    return Count(
        f"{what} ({n_stopped} runs stopped by it)", len(outcomes), len(outcomes) - len(wrong), wrong
    )


def _tried(
    study: SmallStudy,
    known: References,
    before: Path | None,
    on_disk: Callable[[Path], Callable[[], None]],
    name: str,
) -> _Outcome:
    expected = known.expected(before is not None)
    name = f"{name}, {'after OLD' if before else 'from nothing'}"
    study.become(NEW)
    study.reset(before)
    process, ours = start(_on_bad_disk, study.root, before, on_disk, expected)
    try:
        seen = ours.recv()
    except EOFError:
        seen = None
    process.join()
    if isinstance(seen, str):
        raise NotAllowedError(seen)
    if not isinstance(seen, Seen):
        return _Outcome(f"{name}: the run was ended with {process.exitcode}", True)
    allowed = {known.old.store if before else NOTHING, expected.store}
    if seen.code != 0 and not Told(seen.code, seen.text).is_clear:
        wrong = f"{name}: ended with {seen.code} and said {seen.text[-1500:]}"
    elif seen.view not in allowed:
        wrong = f"{name}: afterwards one sees {seen.view}"
    else:
        wrong = f"{name}: {seen.difference}" if seen.difference else ""
    return _Outcome(wrong, seen.code != 0)


def _on_bad_disk(
    pipe: Connection,
    root: Path,
    before: Path | None,
    on_disk: Callable[[Path], Callable[[], None]],
    expected: Content,
) -> None:
    """In a process of its own: run on the bad disk, look, mend the disk, run, compare."""
    try:
        _own_mounts()
        mend = on_disk(root)
        if before is not None and not any((root / "derived").iterdir()):
            _copy_into(before, root / "derived")
    except OSError as problem:
        pipe.send(f"{problem.strerror}")
        return
    command = ("run", str(root), "--device", "cpu", "--quiet")
    code, text = _in_a_fork(partial(told_here, command))
    view = _in_a_fork(partial(store_view, root))
    mend()
    again, said = _in_a_fork(partial(told_here, command))
    if again == 0:
        difference = expected.difference(_in_a_fork(partial(content_of, root)))
    else:
        difference = f"the next run said {said[-800:]}"
    pipe.send(Seen(code, text, view, difference))


def _in_a_fork(work: Callable[[], T]) -> T:
    """What `work` gives in a forked process: this one must have run nothing with threads.

    Raises EOFError when that process ends before it has said anything.
    """
    ours, theirs = Pipe(duplex=False)
    number = os.fork()
    if number == 0:
        try:
            theirs.send(work())
        finally:
            os._exit(0)
    theirs.close()
    try:
        found: T = ours.recv()
    finally:
        os.waitpid(number, 0)
    return found


def _own_mounts() -> None:
    if not sys.platform.startswith("linux"):
        raise OSError(0, "only Linux lets one mount disks of one's own")
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="utf-8")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="utf-8")
    _mount("none", Path("/"), "", _MS_REC | _MS_PRIVATE)


def _mount(source: str, target: Path, kind: str, flags: int, data: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), bytes(target), kind.encode(), flags, data.encode()) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _on_small_disk(root: Path, *, size: int) -> Callable[[], None]:
    """Mount a disk of `size` bytes as derived/; gives what makes it large."""
    derived = root / "derived"
    derived.mkdir(exist_ok=True)
    _mount("tmpfs", derived, "tmpfs", 0, f"size={size}")
    return partial(_mount, "tmpfs", derived, "tmpfs", _MS_REMOUNT, "size=1g")


def _where_nothing_is_written(root: Path, *, place: str) -> Callable[[], None]:
    """Make a folder one that may only be read; gives what takes that back."""
    folder = (root / place).resolve()
    _mount(str(folder), folder, "", _MS_BIND)
    _mount("none", folder, "", _MS_BIND | _MS_REMOUNT | _MS_RDONLY)
    return partial(_mount, "none", folder, "", _MS_BIND | _MS_REMOUNT)


def _copy_into(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)


def _size(folder: Path) -> int:
    """Bytes on a disk that gives out pages."""
    return sum(
        -(-path.stat().st_size // 4096) * 4096 for path in folder.rglob("*") if path.is_file()
    )
