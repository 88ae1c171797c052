"""Runs of a study in processes of their own, which can be ended without warning.

Each is forked from a server that has imported everything and run nothing, so that one costs no
more than its own work.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, Pipe
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

_PRELOADED = ("tests.torture.faults.warm", "tests.torture.faults.running")
_PATIENCE_S = 300.0
_WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link"}
_PLACES = ("speech", "vision", "text", "align", "stores")


@dataclass(frozen=True, slots=True)
class Moment:
    """When a run is ended: before its `n`-th touch of the disk in a place under derived/, or
    `delay_s` after its first one there."""

    place: str
    n: int | None = None
    delay_s: float = 0.0

    def __str__(self) -> str:
        where = f"touch {self.n}" if self.n is not None else f"{self.delay_s:.3f} s after the first"
        return f"{self.place}, {where}"


@dataclass(frozen=True, slots=True)
class Touches:
    """What an undisturbed run did in each place: how many touches, and for how long."""

    numbers: dict[str, int]
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Told:
    """What the command line said and ended with; `code` below zero: a signal."""

    code: int
    text: str

    @property
    def is_clear(self) -> bool:
        """An error is one message with a fix, no traceback, no defect of Coview's own."""
        lines = [line for line in self.text.splitlines() if line.strip()]
        errors = [i for i, line in enumerate(lines) if line.startswith(("Error:", "Failed:"))]
        return (
            "Traceback" not in self.text
            and "Coview failed on" not in self.text
            and self.code > 0
            and bool(errors)
            and all(i + 1 < len(lines) and lines[i + 1].startswith("  ") for i in errors)
        )


def context() -> ForkServerContext:
    """Where processes come from."""
    found = get_context("forkserver")
    found.set_forkserver_preload(list(_PRELOADED))
    return found


def run_to_the_end(root: Path) -> Touches:
    """An undisturbed run; RuntimeError when it does not go well."""
    begun: dict[str, float] = {}
    touches: dict[str, int] = {}
    process, ours = _start(_run_watched, (root, Moment("")))
    while True:
        try:
            place, n = ours.recv()
        except EOFError:
            break
        begun.setdefault(place, time.monotonic())
        touches[place] = n
    ended = time.monotonic()
    _wait(process)
    if process.exitcode != 0:
        raise RuntimeError(f"an undisturbed run ended with {process.exitcode}")
    order = sorted(begun, key=begun.__getitem__)
    ends = [*(begun[place] for place in order), ended][1:]
    seconds = {place: end - begun[place] for place, end in zip(order, ends, strict=True)}
    return Touches(touches, seconds)


def run_killed(root: Path, moment: Moment) -> int:
    """A run killed at a moment; its exit code: 0 where it was through before."""
    process, ours = _start(_run_watched, (root, moment))
    while moment.n is None:
        try:
            place, _ = ours.recv()
        except EOFError:
            break
        if place == moment.place:
            time.sleep(moment.delay_s)
            process.kill()
            break
    return _wait(process)


def command(*arguments: str, setup: Callable[[], None] | None = None) -> Told:
    """`python -m pipeline ARGUMENTS` in a process of its own; `setup` is done in it first."""
    process, ours = _start(_command, (arguments, setup))
    try:
        code, text = ours.recv()
    except EOFError:
        code, text = None, ""
    ended = _wait(process)
    return Told(ended if code is None else code, text)


def counting_touches(root: Path, counter: Path, n: int | None = None) -> None:
    """From now on add a byte to `counter` for each touch of the disk below `root` by this process,
    and end it without warning before touch `n`."""
    number = os.open(counter, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    prefix = f"{root}{os.sep}"
    n_touches = 0

    def on_audit(event: str, args: tuple[object, ...]) -> None:
        nonlocal n_touches
        if event not in _WRITES and not (event == "open" and _is_for_writing(args)):
            return
        if not str(args[0]).startswith(prefix):
            return
        if n_touches == n:
            os.kill(os.getpid(), signal.SIGKILL)
        n_touches += 1
        os.write(number, b".")

    sys.addaudithook(on_audit)


def start(target: Callable[..., None], *arguments: object) -> tuple[ForkServerProcess, Connection]:
    """`target(pipe, *arguments)` in a process of its own, and our end of its pipe."""
    return _start(target, arguments)


def _start(
    target: Callable[..., None], arguments: tuple[object, ...]
) -> tuple[ForkServerProcess, Connection]:
    ours, theirs = Pipe(duplex=True)
    process = context().Process(target=target, args=(theirs, *arguments), daemon=False)
    process.start()
    theirs.close()
    return process, ours


def _wait(process: ForkServerProcess) -> int:
    process.join(_PATIENCE_S)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise RuntimeError("a run hung and was ended")
    return process.exitcode


def _run_watched(pipe: Connection, root: Path, moment: Moment) -> None:
    """Run the study, telling each touch of the disk, or ending itself at one."""
    import torch

    from pipeline.engine.runner import Run, RunOptions
    from pipeline.study import open_study

    torch.set_num_threads(1)
    numbers = dict.fromkeys(_PLACES, 0)
    prefix = f"{root / 'derived'}{os.sep}"

    def on_audit(event: str, args: tuple[object, ...]) -> None:
        if event not in _WRITES and not (event == "open" and _is_for_writing(args)):
            return
        path = str(args[0])
        if not path.startswith(prefix):
            return
        place = Path(path.removeprefix(prefix)).parts[0]
        if place not in numbers:
            return
        if (moment.place, moment.n) == (place, numbers[place]):
            os.kill(os.getpid(), signal.SIGKILL)
        numbers[place] += 1
        pipe.send((place, numbers[place]))

    sys.addaudithook(on_audit)
    summary = Run(open_study(root), RunOptions(device="cpu"), lambda event: None).execute()
    if summary.failures:
        raise RuntimeError(f"something failed: {summary.failures}")


def _is_for_writing(args: tuple[object, ...]) -> bool:
    flags = args[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def _command(
    pipe: Connection, arguments: tuple[str, ...], setup: Callable[[], None] | None
) -> None:
    pipe.send(told_here(arguments, setup))
    pipe.close()


def told_here(
    arguments: tuple[str, ...], setup: Callable[[], None] | None = None
) -> tuple[int, str]:
    """Exit code and all output of a command done in this process."""
    import torch
    import typer

    from pipeline.cli import app

    torch.set_num_threads(1)
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            if setup is not None:
                setup()
            ended_with = app(list(arguments), standalone_mode=False)
            code = ended_with if isinstance(ended_with, int) else 0
        except typer.Exit as ended:
            code = ended.exit_code
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:  # noqa: BLE001 - a traceback is what nobody must see
            code = 70
            said.write(traceback.format_exc())
    return code, said.getvalue()
