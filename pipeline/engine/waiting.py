"""Tasks that wait to be given out: of each stage in their order, and of all stages a share."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

from pipeline.engine.work import Task
from pipeline.store.layout import Stage


class Waiting:
    """Tasks of one stage or several, none of which needs another.

    As long as several stages have tasks, all of them are worked on: what fills a GPU at one time
    (Whisper) and what fills the other cores (decoding) then go on side by side.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks: dict[Stage, deque[Task]] = {}
        for task in tasks:
            self.put_back(task)

    def __bool__(self) -> bool:
        return any(self._tasks.values())

    def put_back(self, task: Task) -> None:
        """Let a task wait, behind the others of its stage."""
        self._tasks.setdefault(task.stage, deque()).append(task)

    def take(self, in_hand: Iterable[Task]) -> Task:
        """The next task: one of the stage that has fewest among those in hand.

        Raises IndexError when none waits.
        """
        n_in_hand = Counter(task.stage for task in in_hand)
        stages = [stage for stage in Stage if self._tasks.get(stage)]
        if not stages:
            raise IndexError("no task waits")
        return self._tasks[min(stages, key=lambda stage: n_in_hand[stage])].popleft()
