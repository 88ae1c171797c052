"""Short recordings make one task, and still each has its own shard, failure and second try."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType

import pytest

from pipeline.engine import local
from pipeline.engine.events import Event, RecordingFinished
from pipeline.engine.groups import groups
from pipeline.engine.local import Processes
from pipeline.engine.plan import Plan
from pipeline.engine.runner import Run, RunOptions
from pipeline.engine.tools import Tools
from pipeline.engine.work import Item, Outcome, Task
from pipeline.records import Recording
from pipeline.results import FrameEmbeddings
from pipeline.store.layout import ShardFolder, Stage
from pipeline.store.locate import current_store_path
from pipeline.store.publish import store_digests
from pipeline.study import open_study
from pipeline.vision import together

MB = 2**20


def items(n: int) -> list[Item]:
    return [Item(Recording(f"R{number:03}", "C1", None), "digest") for number in range(n)]


def sizes_of(n_workers: int, *sizes_mb: float | None) -> list[int]:
    sizes = [None if size is None else round(size * MB) for size in sizes_mb]
    given = items(len(sizes))
    found = list(groups(given, sizes, n_workers))
    assert sorted(i.recording.recording_id for group in found for i in group) == [
        i.recording.recording_id for i in given
    ]
    return [len(group) for group in found]


def test_small_files_are_taken_together_and_large_ones_are_not() -> None:
    assert sizes_of(1, 5, 5, 5) == [3]
    assert sizes_of(1, *[1] * 70) == [32, 32, 6]
    assert sizes_of(1, *[60] * 9) == [4, 4, 1]
    assert sizes_of(1, 100, 100) == [1, 1]
    assert sizes_of(1, None, 3, None, 3) == [1, 1, 2]
    assert sizes_of(1) == []


def test_several_workers_all_get_some() -> None:
    assert sizes_of(2, *[1] * 4) == [1] * 4
    assert sizes_of(2, *[1] * 40) == [5] * 8
    assert sizes_of(2, *[1] * 640) == [32] * 20


class Pool:
    """A pool of processes that dies with any task that holds the recording R002."""

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def submit(
        self, perform: Callable[[Plan, Task], list[Outcome]], plan: Plan, task: Task
    ) -> Future[list[Outcome]]:
        future: Future[list[Outcome]] = Future()
        if any(item.recording.recording_id == "R002" for item in task.items):
            future.set_exception(BrokenProcessPool())
        else:
            future.set_result(perform(plan, task))
        return future

    def shutdown(self, *, cancel_futures: bool) -> None:
        pass


class Dying(Processes):
    def _new_pool(self, n: int) -> Pool:  # type: ignore[override]
        return Pool()


def test_a_worker_that_dies_over_short_recordings_costs_one_of_them(
    tiny_demo_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def perform(plan: Plan, task: Task) -> list[Outcome]:
        return [Outcome(task.stage, item.recording.recording_id) for item in task.items]

    monkeypatch.setattr(local, "_perform", perform)
    folder = ShardFolder(tmp_path, Stage.VISION, "made-up")
    given = items(8)
    tasks = [Task(Stage.VISION, tuple(given[:5])), Task(Stage.VISION, tuple(given[5:]))]
    engine = Dying(Tools(open_study(tiny_demo_study), "cpu"), 2, print)
    found = list(engine.outcomes(Plan(folder, folder, folder, folder), tasks))
    assert sorted(o.recording_id for o in found) == [i.recording.recording_id for i in given]
    assert [o.recording_id for o in found if o.failure] == ["R002"]
    assert [failure.code for failure in folder.failures()] == ["crashed"]


def test_a_child_is_never_taken_apart() -> None:
    child = Task(Stage.ALIGN, tuple(items(3)))
    assert child.apart() == (child,)
    assert [len(one.items) for one in Task(Stage.VISION, tuple(items(3))).apart()] == [1, 1, 1]


def test_when_it_fails_together_each_is_made_alone(
    tiny_demo_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether made together or alone, the store is the same; and one task is what they were."""
    before = store_digests(current_store_path(tiny_demo_copy))  # type: ignore[arg-type]
    asked: list[int] = []
    embed_together = together.embed_together

    def failing(recordings: object, *others: object, **more: object) -> Iterator[object]:
        found = embed_together(recordings, *others, **more)  # type: ignore[arg-type]
        asked.append(len(recordings))  # type: ignore[arg-type]
        yield next(found)
        found.close()
        raise MemoryError("the GPU is full")

    monkeypatch.setattr(together, "embed_together", failing)
    for path in (tiny_demo_copy / "derived" / "vision").glob("*/*.parquet"):
        path.unlink()
    events: list[Event] = []
    run = Run(open_study(tiny_demo_copy), RunOptions(device="cpu"), events.append)
    assert run.execute().failures == ()
    n = len(run.study.recordings)
    assert asked == [n]
    assert len([e for e in events if isinstance(e, RecordingFinished)]) == n
    assert store_digests(current_store_path(tiny_demo_copy)) == before  # type: ignore[arg-type]


def test_once_a_process_has_died_recordings_are_opened_one_at_a_time(
    tiny_demo_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*others: object, **more: object) -> Iterator[FrameEmbeddings | None]:
        raise AssertionError("files were opened side by side")

    monkeypatch.setattr(together, "embed_together", never)
    monkeypatch.setattr("pipeline.engine.runner.must_open_one_at_a_time", lambda: True)
    for path in (tiny_demo_copy / "derived" / "vision").glob("*/*_01~*.parquet"):
        path.unlink()
    run = Run(open_study(tiny_demo_copy), RunOptions(device="cpu"), lambda event: None)
    assert run.execute().failures == ()
