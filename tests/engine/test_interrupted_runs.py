"""A run that is killed, or whose workers are killed, loses no recording."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.engine.events import Event, FramesSampled, RecordingFinished, Said
from pipeline.engine.local import worker_context
from pipeline.engine.runner import Run, RunOptions
from pipeline.store.locate import current_store_path
from pipeline.store.publish import store_digests
from pipeline.study import open_study

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")

MOMENTS: dict[str, Callable[[Event], bool]] = {
    "after the first transcript": lambda e: isinstance(e, RecordingFinished),
    "amid the frames of a recording": lambda e: isinstance(e, FramesSampled),
    "between frames and texts": lambda e: isinstance(e, RecordingFinished) and e.stage == "text",
    "before the store": lambda e: isinstance(e, Said) and e.text == "Building the store",
}


def run_until(root: Path, moment: str) -> None:
    """Run the study in this process, which ends itself without warning at a moment ("": none)."""
    import torch

    torch.set_num_threads(1)

    def on_event(event: Event) -> None:
        if moment and MOMENTS[moment](event):
            os.kill(os.getpid(), signal.SIGKILL)

    Run(open_study(root), RunOptions(device="cpu"), on_event).execute()


def run_in_a_process(root: Path, moment: str = "") -> int | None:
    """The exit code of a process that runs the study."""
    process = worker_context().Process(target=run_until, args=(root, moment))
    process.start()
    process.join(timeout=120)
    return process.exitcode


def wipe(root: Path) -> None:
    """Forget all that was made."""
    for folder in ("stores", "speech", "vision", "text", "align"):
        shutil.rmtree(root / "derived" / folder)


def test_a_run_killed_at_any_stage_resumes_to_the_same_content(tiny_demo_copy: Path) -> None:
    with (tiny_demo_copy / "study.toml").open("a", encoding="utf-8") as file:
        file.write("\n[frames]\nfps = 0.25\n")
    wipe(tiny_demo_copy)
    assert run_in_a_process(tiny_demo_copy) == 0
    before = store_digests(current_store_path(tiny_demo_copy))  # type: ignore[arg-type]
    wipe(tiny_demo_copy)
    for moment in MOMENTS:
        assert run_in_a_process(tiny_demo_copy, moment) == -signal.SIGKILL, moment
    assert current_store_path(tiny_demo_copy) is None
    assert run_in_a_process(tiny_demo_copy) == 0
    assert store_digests(current_store_path(tiny_demo_copy)) == before  # type: ignore[arg-type]
    assert not list((tiny_demo_copy / "derived").rglob("*.partial"))
