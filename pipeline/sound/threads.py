"""One thread for the heads' small matrices: as fast as several, and it leaves cores to others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.vision.side_by_side import at_most_threads


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit torch and the libraries beneath NumPy to one thread within the block.

    Threads that wait for each other on a busy machine cost more than they save.
    """
    from threadpoolctl import threadpool_limits

    with at_most_threads(1), threadpool_limits(limits=1):
        yield
