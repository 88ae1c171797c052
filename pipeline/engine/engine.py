"""What performs the tasks of a run: this process, several processes, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from pipeline.engine.plan import Plan
from pipeline.engine.work import Outcome, Task
from pipeline.records import StageFailure


class Engine(Protocol):
    """Performs tasks in any order and yields what became of each item.

    Kept for a whole run, so that models are loaded once and not once per stage.
    """

    def outcomes(self, tasks: Sequence[Task]) -> Iterator[Outcome]: ...

    def close(self) -> None: ...


def crashed(task: Task, plan: Plan) -> Iterator[Outcome]:
    """The outcomes of a task whose process died, also when it had a process to itself."""
    for item in task.items:
        failure = StageFailure(
            task.stage.value,
            item.recording.recording_id,
            "crashed",
            "The process died while working on this recording.",
            "The file may be damaged, or the memory too small; try --workers 1.",
        )
        plan.folder(task.stage).write_failure(failure, item.input_digest)
        yield Outcome(item.recording.recording_id, failure)
