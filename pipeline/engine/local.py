"""Performs tasks on this machine: in this process, or in several."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.context import BaseContext

from pipeline.engine.engine import crashed
from pipeline.engine.events import FramesSampled, OnEvent, SpeechHeard
from pipeline.engine.lanes import GoOn, go_on, in_lanes
from pipeline.engine.plan import Plan
from pipeline.engine.tools import Tools
from pipeline.engine.waiting import Waiting
from pipeline.engine.work import Outcome, Task, perform
from pipeline.engine.worker import Worker
from pipeline.records import ModelRef
from pipeline.store.layout import Stage
from pipeline.study import Study

_SLOW_IMPORTS = ("torch", "open_clip")


class InProcess:
    """In this process, with one set of models: one task after the other, or, with lanes, one of
    each stage at a time, in threads. Lanes are for a GPU, which one task alone does not fill."""

    def __init__(self, tools: Tools, on_event: OnEvent, *, has_lanes: bool = False) -> None:
        self._tools = tools
        self._on_event = on_event
        self._has_lanes = has_lanes

    @property
    def device(self) -> str:
        return self._tools.device

    def model_ref(self) -> ModelRef:
        return self._tools.model.ref

    @property
    def n_workers(self) -> int:
        return 1

    @property
    def has_lanes(self) -> bool:
        return self._has_lanes

    def outcomes(self, plan: Plan, tasks: Sequence[Task]) -> Iterator[Outcome]:
        by_stage = [[task for task in tasks if task.stage is stage] for stage in Stage]
        lanes = [partial(self._lane, plan, some) for some in by_stage if some]
        if self._has_lanes and len(lanes) > 1:
            yield from in_lanes(lanes)
        else:
            yield from self._lane(plan, tasks, go_on)

    def close(self) -> None:
        self._tools.forget_models()

    def _lane(self, plan: Plan, tasks: Sequence[Task], go_on: GoOn) -> Iterator[Outcome]:
        for task in tasks:
            recording_id = task.items[0].recording.recording_id
            made = SpeechHeard if task.stage is Stage.SPEECH else FramesSampled

            def on_progress(
                n: int,
                made: type[SpeechHeard | FramesSampled] = made,
                recording_id: str = recording_id,
            ) -> None:
                go_on()
                self._on_event(made(recording_id, n))

            yield from perform(task, plan, self._tools, on_progress)


class Processes:
    """Several worker processes, each with its own models, started when first needed.

    A worker that dies (a decoder crash, the system out of memory) costs the recording it was
    working on, not the run: what was in hand is done one by one, each in a process to itself,
    and the rest goes on with new workers.
    """

    def __init__(self, tools: Tools, n_workers: int, on_event: OnEvent) -> None:
        self._tools = tools
        self._n_workers = n_workers
        self._alone = InProcess(tools, on_event)
        self._pool: ProcessPoolExecutor | None = None

    @property
    def device(self) -> str:
        return self._tools.device

    def model_ref(self) -> ModelRef:
        return self._tools.model.ref

    @property
    def n_workers(self) -> int:
        return self._n_workers

    @property
    def has_lanes(self) -> bool:
        return True

    def outcomes(self, plan: Plan, tasks: Sequence[Task]) -> Iterator[Outcome]:
        if len(tasks) == 1:
            yield from self._alone.outcomes(plan, tasks)
            return
        waiting = Waiting(tasks)
        in_hand: dict[Future[list[Outcome]], Task] = {}
        while waiting or in_hand:
            try:
                self._pool = self._pool or self._new_pool(self._n_workers)
                while waiting and len(in_hand) < self._n_workers:
                    task = waiting.take(in_hand.values())
                    try:
                        in_hand[self._pool.submit(_perform, plan, task)] = task
                    except BrokenProcessPool:
                        waiting.put_back(task)
                        raise
                for future in wait(in_hand, return_when=FIRST_COMPLETED).done:
                    outcomes = future.result()
                    del in_hand[future]
                    yield from outcomes
            except BrokenProcessPool:
                self._stop_pool()
                for future, task in in_hand.items():
                    yield from self._after_a_crash(future, plan, task)
                in_hand.clear()

    def close(self) -> None:
        self._stop_pool()
        self._tools.forget_models()

    def _stop_pool(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _after_a_crash(
        self, future: Future[list[Outcome]], plan: Plan, task: Task
    ) -> Iterator[Outcome]:
        """What a task in hand had reached, else what each recording comes to with a process to
        itself."""
        wait([future])
        if future.exception() is None:
            yield from future.result()
            return
        for one in task.apart():
            with self._new_pool(1) as pool:
                try:
                    outcomes = pool.submit(_perform, plan, one).result()
                except BrokenProcessPool:
                    outcomes = list(crashed(one, plan))
            yield from outcomes

    def _new_pool(self, n: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            n,
            mp_context=worker_context(),
            initializer=_start_worker,
            initargs=(self._tools.study, self._tools.device, self._n_workers),
        )


_worker: Worker | None = None


def _start_worker(study: Study, device: str, n_workers: int) -> None:
    global _worker
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = Worker(study, device, max(1, (os.cpu_count() or 1) // n_workers))


def _end_with_parent() -> None:
    """A killed run must not leave its workers behind: they would wait for tasks forever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _perform(plan: Plan, task: Task) -> list[Outcome]:
    assert _worker is not None
    return _worker.perform(plan, task)


def worker_context() -> BaseContext:
    """How workers start: on Linux forked from a server that has imported torch once and run
    nothing with it; elsewhere each anew."""
    if not sys.platform.startswith("linux"):
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(list(_SLOW_IMPORTS))
    return context
