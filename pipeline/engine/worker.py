"""A process that performs tasks for an engine, with models of its own."""

from __future__ import annotations

import os

from pipeline.engine.plan import Plan
from pipeline.engine.tools import Tools
from pipeline.engine.work import Outcome, Task, perform
from pipeline.study import Study


class Worker:
    """Holds its models from the first task to the end of the run. `device` is cpu or cuda."""

    def __init__(self, study: Study, device: str, n_threads: int) -> None:
        # Read by CTranslate2 and by numba when they are loaded; torch has its own switch.
        os.environ["OMP_NUM_THREADS"] = os.environ["NUMBA_NUM_THREADS"] = str(n_threads)
        import torch

        torch.set_num_threads(n_threads)
        self.tools = Tools(study, device)

    def perform(self, plan: Plan, task: Task) -> list[Outcome]:
        """Make the shards of a task; see `work.perform`."""
        return list(perform(task, plan, self.tools))
