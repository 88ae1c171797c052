"""Threads that share out the parts of a piece of work, kept for all the pieces of a child."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

PartT = TypeVar("PartT")


@dataclass(frozen=True, slots=True)
class Threads:
    """`n` threads. Without a pool the calling thread does everything."""

    n: int = 1
    pool: Executor | None = None

    def each(self, work: Callable[[PartT], None], parts: Iterable[PartT]) -> None:
        """Do the work for every part, in any order. Raises what it raises."""
        if self.pool is None:
            for part in parts:
                work(part)
            return
        for done in [self.pool.submit(work, part) for part in parts]:
            done.result()


ALONE = Threads()


@contextmanager
def threads_of(n: int) -> Iterator[Threads]:
    """n threads, which end with the block."""
    if n <= 1:
        yield ALONE
        return
    with ThreadPoolExecutor(n, "align") as pool:
        yield Threads(n, pool)
