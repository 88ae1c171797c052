"""Several strands of work in threads of this process, their results as they come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

ResultT = TypeVar("ResultT")

GoOn = Callable[[], None]
"""To be called now and then by a lane; ends it when its results are no longer wanted."""

Lane = Callable[[GoOn], Iterator[ResultT]]


class LaneEndedError(BaseException):
    """A lane is to end. No Exception: nobody is to take it for a failure of a recording."""


class _Through:
    """Marks the end of a lane."""


def go_on() -> None:
    """For work that nobody ends."""


def in_lanes(lanes: Sequence[Lane[ResultT]]) -> Iterator[ResultT]:
    """What the lanes yield, each in a thread of its own, in the order in which it comes.

    Raises what a lane raises. Whenever this ends, the lanes end where they next ask to go on.
    """
    results: SimpleQueue[ResultT | BaseException | _Through] = SimpleQueue()
    is_ended = threading.Event()

    def ask() -> None:
        if is_ended.is_set():
            raise LaneEndedError

    def perform(lane: Lane[ResultT]) -> None:
        try:
            for result in lane(ask):
                results.put(result)
                ask()
            results.put(_Through())
        except BaseException as problem:  # noqa: BLE001 - raised again in the thread that reads
            results.put(problem)

    with ThreadPoolExecutor(len(lanes), "lane") as pool:
        try:
            for lane in lanes:
                pool.submit(perform, lane)
            n_left = len(lanes)
            while n_left:
                result = results.get()
                if isinstance(result, BaseException):
                    raise result
                if isinstance(result, _Through):
                    n_left -= 1
                else:
                    yield result
        finally:
            is_ended.set()
