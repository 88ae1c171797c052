"""What performs the tasks of a run: this process, several processes, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from pipeline.engine.plan import Plan
from pipeline.engine.work import Outcome, Task
from pipeline.records import ModelRef, StageFailure


class Engine(Protocol):
    """Kept for a whole run, so that models are loaded once and not once per stage."""

    @property
    def device(self) -> str:
        """Where the models run: cpu or cuda."""
        ...

    def model_ref(self) -> ModelRef:
        """The image-text model as it is where the work is done.

        Raises ModelError when it is not there.
        """
        ...

    @property
    def n_workers(self) -> int:
        """How many tasks of one stage are worked on at once, as far as is known."""
        ...

    @property
    def has_lanes(self) -> bool:
        """Whether tasks of several stages are worked on side by side when they are given together;
        else they are performed in their order."""
        ...

    def outcomes(self, plan: Plan, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Perform tasks, none of which needs another, and yield what became of each item.

        Raises CoviewError for what must stop the run.
        """
        ...

    def close(self) -> None:
        """End all workers."""
        ...


def crashed(task: Task, plan: Plan) -> Iterator[Outcome]:
    """The outcomes of a task whose process died, also when it was given another."""
    for item in task.items:
        failure = StageFailure(
            task.stage.value,
            item.recording.recording_id,
            "crashed",
            "The process died while working on this recording.",
            "The file may be damaged, or the memory too small; try --workers 1.",
        )
        plan.folder(task.stage).write_failure(failure, item.input_digest)
        yield Outcome(task.stage, item.recording.recording_id, failure)
