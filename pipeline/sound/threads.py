"""One thread for the heads' small matrices: as fast as several, and it leaves cores to others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit torch and the libraries beneath NumPy to one thread within the block.

    Threads that wait for each other on a busy machine cost more than they save.
    """
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        torch.set_num_threads(before)
