"""Performs tasks with Ray, on one machine or many, over a folder that all of them see.

Tasks are paths and names; arrays never travel, they lie in shards. A worker has one task at a
time, so a lost worker costs what it had in hand; that is done again by another.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from pipeline.engine.engine import crashed
from pipeline.engine.events import OnEvent, Said
from pipeline.engine.plan import Plan
from pipeline.engine.ray_cluster import (
    CheckIn,
    Cluster,
    Promise,
    RemoteWorker,
    WorkerLostError,
    n_workers_for,
)
from pipeline.engine.waiting import Waiting
from pipeline.engine.work import Outcome, Task
from pipeline.errors import EngineError, ModelError, StudyError
from pipeline.records import ModelRef
from pipeline.study import Study

_N_TRIES = 3
"""How often a task is given out whose worker is lost, before its recordings count as failed."""

_N_LOST_STARTS = 6
"""Workers that may be lost in a row before one of them has done anything."""

_LONGEST_START_S = 600.0
_PATIENCE_S = 5.0
_LOOK_AROUND_S = 30.0


class RayEngine:
    """Workers in a Ray cluster; see `engine.Engine`.

    `address` "" starts Ray on this machine, "auto" finds the cluster that this machine belongs
    to; `n_workers` 0 means one for each GPU, or for every four CPUs where there is none. Machines
    that join later are used too.
    `device` is auto, cpu or cuda; `n_threads` 0 shares the CPUs out.
    """

    def __init__(
        self,
        study: Study,
        address: str,
        n_workers: int,
        device: str,
        on_event: OnEvent,
        n_threads: int = 0,
    ) -> None:
        self._study = study
        self._address = address
        self._n_wanted = n_workers
        self._wanted_device = device
        self._on_event = on_event
        self._n_threads = n_threads
        self._mark = study.derived / f"ray-{secrets.token_hex(8)}.mark"
        self._idle: list[RemoteWorker] = []
        self._starting: dict[Promise, RemoteWorker] = {}
        self._model: ModelRef | None = None
        self._needs_model = False
        self._n_lost_starts = 0
        self._waiting_since = time.monotonic()
        self._n_workers = 0
        self._look_again_at = 0.0

    @cached_property
    def device(self) -> str:
        if self._wanted_device == "auto":
            return "cuda" if self._cluster.n_gpus else "cpu"
        if self._wanted_device == "cuda" and not self._cluster.n_gpus:
            raise ModelError("No machine of the cluster has a GPU.", hint="Use --device cpu.")
        return self._wanted_device

    def model_ref(self) -> ModelRef:
        self._needs_model = True
        while self._model is None:
            self._wait_for_workers(())
        return self._model

    def wait_for_all(self) -> None:
        """Wait until every worker that has room has started and loaded the image-text model."""
        self._needs_model = True
        self._wait_for_workers(())
        while self._starting:
            self._wait_for_workers(())

    @property
    def n_workers(self) -> int:
        self._look_around()
        return max(1, self._n_workers)

    @property
    def has_lanes(self) -> bool:
        return True

    def outcomes(self, plan: Plan, tasks: Sequence[Task]) -> Iterator[Outcome]:
        waiting = Waiting(tasks)
        in_hand: dict[Promise, tuple[RemoteWorker, Task]] = {}
        while waiting or in_hand:
            while waiting and self._idle:
                worker, task = self._idle.pop(), waiting.take(t for _, t in in_hand.values())
                in_hand[worker.perform(plan, task)] = worker, task
            for promise in self._wait_for_workers(tuple(in_hand)):
                worker, task = in_hand.pop(promise)
                try:
                    outcomes = self._cluster.outcomes(promise)
                except WorkerLostError:
                    if task.n_tries + 1 == _N_TRIES:
                        yield from crashed(task, plan)
                        continue
                    for one in task.apart():
                        waiting.put_back(replace(one, n_tries=task.n_tries + 1))
                else:
                    self._idle.append(worker)
                    yield from outcomes

    def close(self) -> None:
        if "_cluster" in self.__dict__:
            for worker in (*self._idle, *self._starting.values()):
                self._cluster.stop_worker(worker)
            self._cluster.close()
            self._mark.unlink(missing_ok=True)

    @cached_property
    def _cluster(self) -> Cluster:
        return Cluster(self._address, self._n_wanted)

    def _look_around(self) -> None:
        """See how many workers have room: machines may join and leave during a run."""
        now = time.monotonic()
        if now < self._look_again_at:
            return
        self._look_again_at = now + _LOOK_AROUND_S
        self._cluster.look_around()
        n_cpus, n_gpus = self._cluster.n_cpus, self._cluster.n_gpus
        n_workers = n_workers_for(self._n_wanted, self.device, n_cpus, n_gpus)
        if n_workers != self._n_workers:
            self._n_workers = n_workers
            wanted = f" of {self._n_wanted}" if n_workers < self._n_wanted else ""
            self._on_event(
                Said(f"Ray: {n_workers}{wanted} worker(s) on {n_cpus} CPU(s) and {n_gpus} GPU(s)")
            )

    def _wait_for_workers(self, in_hand: Sequence[Promise]) -> list[Promise]:
        """Wait for something to happen: which of the tasks in hand are through. Workers that
        have started are taken in on the way.

        Raises EngineError when no worker can start.
        """
        self._look_around()
        while len(self._starting) + len(self._idle) + len(in_hand) < self._n_workers:
            self._start_worker()
        done = self._cluster.wait((*in_hand, *self._starting), _PATIENCE_S)
        for promise in done:
            if promise in self._starting:
                self._take_in(promise)
        if in_hand or self._idle:
            self._waiting_since = time.monotonic()
        elif time.monotonic() - self._waiting_since > _LONGEST_START_S:
            raise EngineError(
                "No Ray worker could start within ten minutes.",
                hint="Look at `ray status` on the cluster: are its machines up and free?",
            )
        return [promise for promise in done if promise in in_hand]

    def _start_worker(self) -> None:
        if not self._mark.exists():
            self._mark.touch()
        n_threads = self._n_threads or max(1, self._cluster.n_cpus // max(1, self._n_workers))
        worker = self._cluster.start_worker(self._study, self.device, n_threads)
        self._starting[worker.check_in(self._mark, self._needs_model)] = worker

    def _take_in(self, promise: Promise) -> None:
        """Let a worker that has started work, if it sees the study and has the same model."""
        worker = self._starting.pop(promise)
        try:
            found = self._cluster.check_in(promise)
        except WorkerLostError as problem:
            self._n_lost_starts += 1
            if self._n_lost_starts >= _N_LOST_STARTS:
                raise EngineError(
                    f"Ray workers die before they have done anything: {problem}",
                    hint="Is Coview installed on all machines, and their memory large enough?",
                ) from problem
            return
        self._check(found)
        self._n_lost_starts = 0
        self._idle.append(worker)

    def _check(self, found: CheckIn) -> None:
        if not found.sees_study:
            raise StudyError(
                f"{found.machine} does not see {self._study.derived}.",
                hint="The study must lie in a folder that all machines share under one path.",
            )
        if self._model is None:
            self._model = found.model
        elif found.model is not None and found.model != self._model:
            raise ModelError(
                f"{found.machine} computes with {found.model.weights} ({found.model.precision}), "
                f"another machine with {self._model.weights} ({self._model.precision}).",
                hint='Set model.precision = "fp32" in study.toml and copy the same model to all.',
            )
