"""Work done in several threads at once, its results in the order of the work."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

Run = Callable[[], Iterator[ItemT]]
"""A piece of work that yields its results one by one."""

_MOST_STREAMS = 4
_LOOK_UP_S = 0.1
"""How often a thread that waits looks whether its results are still wanted."""


@contextmanager
def side_by_side(
    runs: Sequence[Run[ItemT]], n_threads: int, n_waiting: int
) -> Iterator[Iterator[ItemT]]:
    """What the runs yield, run after run, while up to `n_threads` of them go on in threads.

    One more run than there are threads may have results waiting, `n_waiting` each. An error of a
    run arrives where its next result would. Each thread gets one thread of torch: small operations
    take a third of the CPU time then, and the cores are left to the other threads.
    """
    work = _Work(runs, n_threads, n_waiting)
    threads = [
        threading.Thread(target=work.perform, name="decode", daemon=True)
        for _ in range(min(n_threads, len(runs)))
    ]
    with _torch_threads_kept():
        for thread in threads:
            thread.start()
        work.wait_for_threads(len(threads))
    try:
        yield work.results()
    finally:
        work.is_stopped.set()
        for thread in threads:
            thread.join()


@contextmanager
def streams(n_threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads that share out the `n_threads` of torch among them, four at most.

    Operations of several batches side by side need not wait for each other, as the parts of one
    operation do; while frames are decoded on the same cores that costs most of the time.
    """
    n_streams = max(1, min(_MOST_STREAMS, n_threads))
    is_ready = threading.Barrier(n_streams + 1)

    def start() -> None:
        _limit_torch(max(1, n_threads // n_streams))
        is_ready.wait()

    with ThreadPoolExecutor(n_streams, "embed", initializer=start) as pool:
        with _torch_threads_kept():
            for _ in range(n_streams):
                pool.submit(_nothing)
            is_ready.wait()
        yield pool


@contextmanager
def at_most_threads(n: int) -> Iterator[None]:
    """Let torch use no more than n threads for what the calling thread does in the block."""
    import torch

    with _torch_threads_kept():
        if n < torch.get_num_threads():
            torch.set_num_threads(n)
        yield


def in_order(
    pool: ThreadPoolExecutor, calls: Iterator[Callable[[], ResultT]], n_ahead: int
) -> Iterator[ResultT]:
    """Results of the calls in their order; at most `n_ahead` of them are under way or waiting."""
    under_way: deque[Future[ResultT]] = deque()
    try:
        for call in calls:
            under_way.append(pool.submit(call))
            if len(under_way) >= n_ahead:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for future in under_way:
            future.cancel()


def _nothing() -> None:
    """A task by which a pool is made to start a thread."""


def _limit_torch(n_threads: int) -> None:
    """Give the calling thread so many threads of torch."""
    import torch

    # Before a thread has asked, its first operation takes the number that was set last anywhere.
    torch.get_num_threads()
    torch.set_num_threads(n_threads)


@contextmanager
def _torch_threads_kept() -> Iterator[None]:
    """A limit holds in the thread that set it, but is also what threads to come start with."""
    import torch

    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _End:
    """Marks the end of a run's results."""


class _Work(Generic[ItemT]):
    """Runs are taken up in their order, and each keeps its results in a queue of its own."""

    def __init__(self, runs: Sequence[Run[ItemT]], n_threads: int, n_waiting: int) -> None:
        self.is_stopped = threading.Event()
        self._runs = runs
        self._queues: list[queue.Queue[ItemT | BaseException | _End]] = [
            queue.Queue(n_waiting) for _ in runs
        ]
        self._numbers = iter(range(len(runs)))
        self._taking = threading.Lock()
        self._may_begin = threading.Semaphore(n_threads + 1)
        self._limited = threading.Semaphore(0)

    def wait_for_threads(self, n: int) -> None:
        """Until the threads have set their limits of torch."""
        for _ in range(n):
            self._limited.acquire()

    def perform(self) -> None:
        """One thread's part: run after run, as long as there are any."""
        _limit_torch(1)
        self._limited.release()
        while (number := self._next_number()) is not None:
            try:
                for item in self._runs[number]():
                    if not self._put(number, item):
                        return
                self._put(number, _End())
            except BaseException as problem:  # noqa: BLE001 - raised again in the thread that reads
                self._put(number, problem)

    def results(self) -> Iterator[ItemT]:
        """For the thread that reads."""
        for number in range(len(self._runs)):
            while not isinstance(item := self._queues[number].get(), _End):
                if isinstance(item, BaseException):
                    raise item
                yield item
            self._may_begin.release()

    def _next_number(self) -> int | None:
        while not self._may_begin.acquire(timeout=_LOOK_UP_S):
            if self.is_stopped.is_set():
                return None
        with self._taking:
            return next(self._numbers, None)

    def _put(self, number: int, item: ItemT | BaseException | _End) -> bool:
        while not self.is_stopped.is_set():
            try:
                self._queues[number].put(item, timeout=_LOOK_UP_S)
                return True
            except queue.Full:
                continue
        return False
