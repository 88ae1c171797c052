"""The one door to Ray: joining a cluster or starting one here, and starting workers in it."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.engine.plan import Plan
from pipeline.engine.work import Outcome, Task
from pipeline.errors import CoviewError, EngineError
from pipeline.records import ModelRef
from pipeline.study import Study

_OBJECT_STORE_BYTES = 100 * 2**20
"""Tasks and outcomes are paths and sentences; arrays go through the shared folder."""

_TOKEN = secrets.token_hex(32)
_CPUS_PER_WORKER = 4

_LONGEST_CALL_S = 20.0
_N_STARTS = 3
"""Ray gives its own start half a minute, which a busy machine can miss."""

_QUIET = {"configure_logging": False, "log_to_driver": False, "logging_level": logging.ERROR}


@dataclass(frozen=True, slots=True)
class CheckIn:
    """What a worker says of itself once it can work."""

    machine: str
    sees_study: bool
    model: ModelRef | None


class Promise(Protocol):
    """A result that is being made elsewhere."""

    def __hash__(self) -> int: ...


class RemoteWorker(Protocol):
    """A worker in another process, perhaps on another machine."""

    def check_in(self, mark: Path, needs_model: bool) -> Promise: ...

    def perform(self, plan: Plan, task: Task) -> Promise: ...


class WorkerLostError(Exception):
    """The process or machine that was to give a result is gone."""


def n_workers_for(wanted: int, device: str, n_cpus: int, n_gpus: int) -> int:
    """How many workers have room now: those wanted (0: as many as fit), one for each GPU at most
    or for each CPU where there is no GPU to use."""
    n_places = n_gpus if device == "cuda" else n_cpus
    fitting = n_places if device == "cuda" else max(1, n_places // _CPUS_PER_WORKER)
    return min(wanted, n_places) if wanted else fitting


class Cluster:
    """Machines that Ray has joined. `address` "" starts a Ray of our own, here and for this run.

    Raises EngineError when Ray is not installed or the cluster cannot be reached.
    """

    def __init__(self, address: str, n_workers: int) -> None:
        # Ray reads these once, when it is imported. What a run does is nobody's business.
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        if not address and "RAY_AUTH_TOKEN" not in os.environ:
            # Ray listens on the network even when alone; nobody else can know this word.
            os.environ["RAY_AUTH_MODE"] = "token"
            os.environ["RAY_AUTH_TOKEN"] = _TOKEN
        try:
            import ray
        except ImportError as problem:
            raise EngineError(
                "Ray is not installed.",
                hint='Install it with: python -m pip install "coview[ray]", or run without '
                "--engine ray.",
            ) from problem
        self._ray = ray
        if address:
            self._join(address)
        else:
            self._start_here(max(n_workers, os.cpu_count() or 1))
        self.n_cpus, self.n_gpus = 1, 0
        self.look_around()

    def look_around(self) -> None:
        """Count CPUs and GPUs anew: machines join and leave."""
        resources = self._ray.cluster_resources()
        self.n_cpus = int(resources.get("CPU", 1))
        self.n_gpus = int(resources.get("GPU", 0))

    def _join(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        try:
            # Ray itself goes on trying for minutes.
            if port.isdecimal():
                socket.create_connection((host, int(port)), _LONGEST_CALL_S).close()
            self._ray.init(address=address, **_QUIET)
        except Exception as problem:
            raise EngineError(
                f"The Ray cluster at {address} cannot be joined: {_first_line(problem)}",
                hint="Is it up, with the same versions of Python and Ray? See docs/cluster.md.",
            ) from problem

    def _start_here(self, n_cpus: int) -> None:
        for n_left in reversed(range(_N_STARTS)):
            try:
                self._ray.init(
                    address="local",
                    num_cpus=n_cpus,
                    include_dashboard=False,
                    object_store_memory=_OBJECT_STORE_BYTES,
                    **_QUIET,
                )
            except Exception as problem:
                self._ray.shutdown()
                if not n_left:
                    raise EngineError(
                        f"Ray does not start on this machine: {_first_line(problem)}",
                        hint="Try again when the machine is less busy, or without --engine ray.",
                    ) from problem
            else:
                return

    def start_worker(self, study: Study, device: str, n_threads: int) -> RemoteWorker:
        """A worker that starts as soon as a machine has room for it."""
        from pipeline.engine.ray_worker import RayWorker

        actor = self._ray.remote(RayWorker).options(
            num_cpus=1, num_gpus=1 if device == "cuda" else 0, scheduling_strategy="SPREAD"
        )
        return _Handle(actor.remote(study, device, n_threads))

    def stop_worker(self, worker: RemoteWorker) -> None:
        assert isinstance(worker, _Handle)
        self._ray.kill(worker.actor)

    def wait(self, promises: Sequence[Promise], timeout_s: float) -> list[Promise]:
        """Those of the promises that are kept or broken; none if that takes longer."""
        if not promises:
            time.sleep(timeout_s)
            return []
        done, _ = self._ray.wait(list(promises), num_returns=1, timeout=timeout_s)
        return list(done)

    def check_in(self, promise: Promise) -> CheckIn:
        """What a worker said. Raises WorkerLostError, or what the worker raised."""
        found = self._got(promise)
        assert isinstance(found, CheckIn)
        return found

    def outcomes(self, promise: Promise) -> list[Outcome]:
        """What became of a task. Raises WorkerLostError, or what the worker raised."""
        found = self._got(promise)
        assert isinstance(found, list)
        return found

    def close(self) -> None:
        self._ray.shutdown()

    def _got(self, promise: Promise) -> object:
        errors = self._ray.exceptions
        try:
            return self._ray.get(promise)
        except errors.RayTaskError as problem:
            if isinstance(problem.cause, CoviewError):
                raise problem.cause from None
            raise
        except (
            errors.RayActorError,
            errors.NodeDiedError,
            errors.ObjectLostError,
            errors.OutOfMemoryError,
            errors.WorkerCrashedError,
        ) as problem:
            raise WorkerLostError(str(problem).strip().splitlines()[-1]) from problem
        except errors.RayError as problem:
            raise EngineError(
                f"The Ray cluster stopped answering: {_first_line(problem)}",
                hint="The same command goes on where it was.",
            ) from problem


def _first_line(problem: Exception) -> str:
    return next(iter(str(problem).strip().splitlines()), type(problem).__name__)


class _RemoteMethod(Protocol):
    def remote(self, *arguments: object) -> Promise: ...


class _Actor(Protocol):
    """Ray's handle of a `ray_worker.RayWorker`."""

    check_in: _RemoteMethod
    perform: _RemoteMethod


class _Handle:
    """A Ray actor as a worker."""

    def __init__(self, actor: _Actor) -> None:
        self.actor = actor

    def check_in(self, mark: Path, needs_model: bool) -> Promise:
        return self.actor.check_in.remote(mark, needs_model)

    def perform(self, plan: Plan, task: Task) -> Promise:
        return self.actor.perform.remote(plan, task)
