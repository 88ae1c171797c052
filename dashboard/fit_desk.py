"""Models that are being fitted: one at a time, in a thread beside the pages, and remembered.

A large fit takes longer than anybody waits for a page, so a page asks for it, shows how far it is,
and can be left; whoever asks the same again gets the same answer.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from pipeline.predictors.analysis import AnalysisResult

Result = TypeVar("Result")
OnStep = Callable[[str], None]
Make = Callable[[OnStep], AnalysisResult]

_REMEMBERED = 120
"""Results hold coefficients, curves and a few hundred points each, not the rows: about 100 kB."""

_POOL = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fit")
"""All desks' thread: more at once would take the processor from the pages."""


@dataclass(slots=True)
class FitJob(Generic[Result]):
    """One fit: `future` holds its result, `step` says what it does now."""

    future: Future[Result]
    step: str = ""
    asked_at_s: float = field(default_factory=time.monotonic)

    @property
    def is_done(self) -> bool:
        return self.future.done()

    @property
    def is_lost(self) -> bool:
        """Whether nobody will ever get its result: it was taken back, or it broke off."""
        future = self.future
        return future.cancelled() or (future.done() and future.exception() is not None)

    @property
    def is_running(self) -> bool:
        return self.future.running()


class FitDesk(Generic[Result]):
    """Takes orders for fits and keeps the latest results; `pool` is whose threads do the work."""

    def __init__(self, pool: ThreadPoolExecutor = _POOL) -> None:
        self._pool = pool
        self._jobs: OrderedDict[str, FitJob[Result]] = OrderedDict()
        self._lock = Lock()

    def ask(self, key: str, make: Callable[[OnStep], Result]) -> FitJob[Result]:
        """The job of this key, begun by `make` (which tells its steps) unless it is known."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and not job.is_lost:
                self._jobs.move_to_end(key)
                return job
            job = FitJob[Result](Future())
            steps = job

            def tell(step: str) -> None:
                steps.step = step

            job.future = self._pool.submit(make, tell)
            self._jobs[key] = job
            for old in list(self._jobs)[:-_REMEMBERED]:
                if self._jobs[old].is_done:
                    del self._jobs[old]
            return job

    def forget_waiting(self, keys: Collection[str]) -> None:
        """Take back orders that have not begun; what runs is finished and remembered."""
        with self._lock:
            for key in keys:
                job = self._jobs.get(key)
                if job is not None and job.future.cancel():
                    del self._jobs[key]

    @staticmethod
    def wait(jobs: Collection[FitJob[Result]], timeout_s: float) -> bool:
        """Wait until all are done, or no longer than `timeout_s`; whether they are."""
        return not wait([job.future for job in jobs], timeout=timeout_s).not_done


DESK: FitDesk[AnalysisResult] = FitDesk()
"""This server's desk for models of the store: one for all sessions."""
