"""Transcripts and frames are made side by side where the engine can, with the same result."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.engine import local
from pipeline.engine.events import Event, RecordingFinished, StageStarted
from pipeline.engine.lanes import GoOn, LaneEndedError, in_lanes
from pipeline.engine.local import InProcess, Processes
from pipeline.engine.plan import Plan
from pipeline.engine.runner import Run, RunOptions
from pipeline.engine.tools import Tools
from pipeline.engine.waiting import Waiting
from pipeline.engine.work import Item, OnProgress, Outcome, Task
from pipeline.errors import DiskFullError
from pipeline.records import Recording
from pipeline.store.layout import ShardFolder, Stage
from pipeline.store.locate import current_store_path, stores_folder
from pipeline.store.publish import store_digests
from pipeline.study import open_study

PATIENCE_S = 60.0
FOLDER = ShardFolder(Path("derived"), Stage.SPEECH, "none")
PLAN = Plan(FOLDER, FOLDER, FOLDER, FOLDER)


def task(stage: Stage, name: str) -> Task:
    return Task(stage, (Item(Recording(name, "C1", None), "digest"),))


def tasks(stage: Stage, n: int) -> list[Task]:
    return [task(stage, f"R{number}") for number in range(n)]


class Meeting:
    """Stands for `perform`: a task of speech is through only while one of vision is in hand."""

    def __init__(self) -> None:
        self._both = threading.Barrier(2, timeout=PATIENCE_S)
        self.done: list[tuple[Stage, str]] = []

    def __call__(self, plan: Plan, task: Task) -> list[Outcome]:
        self._both.wait()
        found = Outcome(task.stage, task.items[0].recording.recording_id)
        self.done.append((found.stage, found.recording_id))
        return [found]

    def perform(
        self, task: Task, plan: Plan, tools: Tools, on_progress: OnProgress | None = None
    ) -> list[Outcome]:
        return self(plan, task)


@pytest.fixture
def tools(tiny_demo_study: Path) -> Tools:
    return Tools(open_study(tiny_demo_study), "cpu")


BOTH = [*tasks(Stage.SPEECH, 4), *tasks(Stage.VISION, 4)]
ALL_DONE = sorted((task.stage, task.items[0].recording.recording_id) for task in BOTH)


def test_one_process_with_lanes_has_a_task_of_each_stage_in_hand(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = Meeting()
    monkeypatch.setattr(local, "perform", meeting.perform)
    found = list(InProcess(tools, print, has_lanes=True).outcomes(PLAN, BOTH))
    assert sorted(meeting.done) == sorted((o.stage, o.recording_id) for o in found) == ALL_DONE
    for stage in (Stage.SPEECH, Stage.VISION):
        assert [o.recording_id for o in found if o.stage is stage] == ["R0", "R1", "R2", "R3"]


class TwoThreads(Processes):
    """Threads in the place of worker processes, which see what a test has replaced."""

    def _new_pool(self, n: int) -> ThreadPoolExecutor:  # type: ignore[override]
        return ThreadPoolExecutor(n)


def test_two_workers_have_a_task_of_each_stage_in_hand(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = Meeting()
    monkeypatch.setattr(local, "_perform", meeting)
    engine = TwoThreads(tools, 2, print)
    found = list(engine.outcomes(PLAN, BOTH))
    engine.close()
    assert sorted(meeting.done) == sorted((o.stage, o.recording_id) for o in found) == ALL_DONE


def test_without_lanes_tasks_keep_their_order(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    def perform(task: Task, *others: object) -> list[Outcome]:
        return [Outcome(task.stage, task.items[0].recording.recording_id)]

    monkeypatch.setattr(local, "perform", perform)
    found = list(InProcess(tools, print).outcomes(PLAN, BOTH))
    assert [outcome.stage for outcome in found] == [Stage.SPEECH] * 4 + [Stage.VISION] * 4


def test_what_waits_is_given_out_so_that_all_stages_are_worked_on() -> None:
    waiting = Waiting([*tasks(Stage.SPEECH, 3), *tasks(Stage.VISION, 2)])
    speech, vision = task(Stage.SPEECH, "S"), task(Stage.VISION, "V")
    assert waiting.take([]).stage is Stage.SPEECH
    assert waiting.take([speech]).stage is Stage.VISION
    assert waiting.take([speech, vision, vision]).stage is Stage.SPEECH
    assert waiting.take([speech, speech]).stage is Stage.VISION
    # No frames are left to be made: the other stage gets all hands.
    last = waiting.take([speech, speech])
    assert (last.stage, last.items[0].recording.recording_id) == (Stage.SPEECH, "R2")
    assert not waiting
    waiting.put_back(last)
    assert waiting
    assert waiting.take([]) == last
    with pytest.raises(IndexError):
        waiting.take([])


def test_what_stops_one_lane_ends_the_other() -> None:
    has_begun, n_made = threading.Event(), 0

    def endless(go_on: GoOn) -> Iterator[int]:
        nonlocal n_made
        while True:
            n_made += 1
            yield n_made
            has_begun.set()

    def failing(go_on: GoOn) -> Iterator[int]:
        assert has_begun.wait(PATIENCE_S)
        raise DiskFullError("no space", hint="")
        yield 0

    with pytest.raises(DiskFullError, match="no space"):
        list(in_lanes([endless, failing]))
    after = n_made
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lane")]
    assert n_made == after


def test_a_lane_amid_its_work_ends_where_it_asks() -> None:
    asked: list[BaseException] = []

    def working(go_on: GoOn) -> Iterator[int]:
        yield 1
        try:
            while True:
                go_on()
        except LaneEndedError as end:
            asked.append(end)
            raise

    found = in_lanes([working])
    assert next(found) == 1
    found.close()  # type: ignore[attr-defined]
    assert len(asked) <= 1  # it may have been ended as early as after its result
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lane")]


def undone(study: Path, root: Path) -> Path:
    """A copy of a study in which all is still to be made."""
    shutil.copytree(study, root)
    for stage in Stage:
        shutil.rmtree(root / "derived" / stage.value)
    shutil.rmtree(stores_folder(root))
    return root


def test_a_run_with_lanes_makes_the_same_store_whatever_fails_beside(
    tiny_demo_study: Path, tmp_path: Path
) -> None:
    import torch

    before = store_digests(current_store_path(tiny_demo_study))  # type: ignore[arg-type]
    root = undone(tiny_demo_study, tmp_path / "study")
    broken = sorted((root / "recordings" / "raw").glob("*.mp4"))[1]
    good = broken.read_bytes()
    broken.write_bytes(b"this is no video at all" * 100)
    events: list[Event] = []
    run = Run(open_study(root), RunOptions(device="cpu"), events.append)
    run.engine = InProcess(run.tools, events.append, has_lanes=True)
    n_threads = torch.get_num_threads()
    summary = run.execute()
    assert torch.get_num_threads() == n_threads
    assert {failure.recording_id for failure in summary.failures} == {broken.stem}
    assert {failure.stage for failure in summary.failures} == {"speech", "vision"}
    started = [event.stage for event in events if isinstance(event, StageStarted)]
    assert started == ["speech", "vision", "text", "align"]
    first = next(n for n, event in enumerate(events) if isinstance(event, RecordingFinished))
    assert [e.stage for e in events[:first] if isinstance(e, StageStarted)] == ["speech", "vision"]

    broken.write_bytes(good)
    run = Run(open_study(root), RunOptions(device="cpu"), events.append)
    run.engine = InProcess(run.tools, events.append, has_lanes=True)
    assert run.execute().failures == ()
    assert store_digests(current_store_path(root)) == before  # type: ignore[arg-type]


def test_a_gpu_gets_lanes_unless_one_worker_is_asked_for(
    tiny_demo_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.engine.tools.resolved_device", lambda device: device)
    study = open_study(tiny_demo_study)

    def has_lanes(**options: object) -> bool:
        chosen = RunOptions(**options)  # type: ignore[arg-type]
        return Run(study, chosen, lambda event: None).engine.has_lanes

    assert has_lanes(device="cuda")
    assert not has_lanes(device="cuda", n_workers=1)
    assert not has_lanes(device="cpu")
    assert has_lanes(device="cpu", n_workers=2)
    monkeypatch.setattr("pipeline.engine.runner.must_open_one_at_a_time", lambda: True)
    assert not has_lanes(device="cuda")
