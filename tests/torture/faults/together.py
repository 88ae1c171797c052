"""Clocks that jump, two runs at once, and somebody who looks at the store all the time."""

from __future__ import annotations

import os
import random
import time
from datetime import datetime, timedelta, timezone
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from tests.torture import Count
from tests.torture.faults.kills import References
from tests.torture.faults.running import Told, command, run_to_the_end, start
from tests.torture.faults.small_study import NEW, OLD, SmallStudy
from tests.torture.faults.views import content_of, quick_view, store_view

_YEARS = (-60, -12, -1, 1, 15, 40)


def count_clock_jumps(
    study: SmallStudy, known: References, n: int, seconds: float, seed: int
) -> Count:
    """OLD at one time, NEW years before or after, and OLD again, the clock jumping in each run."""
    chance = random.Random(seed)
    ends = time.monotonic() + seconds
    wrong = []
    n_tried = 0
    while n_tried < n and (not n_tried or time.monotonic() < ends):
        n_tried += 1
        study.reset(None)
        years = [chance.choice(_YEARS) for _ in range(3)]
        for state, shift in zip((OLD, NEW, OLD), years, strict=True):
            study.become(state)
            told = _at(study, shift, chance.choice(_YEARS))
            expected = known.new_after_old if state == NEW else known.old
            if told.code != 0 or store_view(study.root) != expected.store:
                name = f"clock {shift} years off, state {state}, of {years}"
                wrong.append(f"{name}: {told.code}, {store_view(study.root)}, {told.text[-600:]}")
                break
        else:
            content = content_of(study.root)
            if left := [name for name, what in content.files.items() if what == "left over"]:
                wrong.append(f"clock {years} years off: left over {left}")
    what = "three runs, the clock years off and jumping amid each"
    return Count(what, n_tried, n_tried - len(wrong), tuple(wrong))


def _at(study: SmallStudy, years: int, then: int) -> Told:
    return command(
        *("run", str(study.root), "--device", "cpu", "--quiet"),
        setup=partial(_set_clock, study.derived, years, then),
    )


def _set_clock(derived: Path, years: int, then: int) -> None:
    """Let this process believe another time, and another one from some moment on; files that are
    there get times years apart, as if their writers had believed others."""
    from pipeline.engine import publishing, runner

    n_asked = 0

    def believed() -> datetime:
        nonlocal n_asked
        n_asked += 1
        shift = years if n_asked == 1 else then
        now = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
        return now + timedelta(days=365 * shift)

    real = time.time
    time.time = lambda: real() + 365 * 86_400 * then
    for module in (publishing, runner):
        vars(module)["utc_now"] = believed
    chance = random.Random(years * 100 + then)
    for path in sorted(derived.rglob("*")):
        if path.is_file():
            at = 1_700_000_000 + chance.uniform(-1.0, 1.0) * 1e9
            os.utime(path, (at, at))


def count_two_at_once(study: SmallStudy, known: References, n: int) -> Count:
    """Two runs on one study: one works, the other is told to wait."""
    wrong = []
    for _ in range(n):
        study.become(NEW)
        study.reset(known.old_derived)
        arguments = ("run", str(study.root), "--device", "cpu", "--quiet")
        processes = [start(_command_told, arguments) for _ in range(2)]
        told = [ours.recv() for _, ours in processes]
        for process, _ in processes:
            process.join()
        codes = sorted(one.code for one in told)
        refused = [one for one in told if one.code != 0]
        is_fine = codes[0] == 0 and all(one.is_clear for one in refused)
        if not is_fine or store_view(study.root) != known.new_after_old.store:
            wrong.append(f"two runs ended with {told}")
            continue
        if difference := known.new_after_old.difference(content_of(study.root)):
            wrong.append(difference)
    return Count("two runs at once on one study", n, n - len(wrong), tuple(wrong))


def _command_told(pipe: Connection, arguments: tuple[str, ...]) -> None:
    from tests.torture.faults.running import told_here

    pipe.send(Told(*told_here(arguments)))
    pipe.close()


def count_reading_meanwhile(study: SmallStudy, known: References, n: int) -> Count:
    """Runs OLD to NEW and back while others ask the current store how much it holds, and keep it
    open: each answer is that of one whole store."""
    rows = {}
    for state in (OLD, NEW):
        study.become(state)
        study.reset(known.old_derived)
        run_to_the_end(study.root)
        rows[state] = quick_view(study.root)
    process, ours = start(_look, study.root)
    for i in range(n):
        study.become(OLD if i % 2 == 0 else NEW)
        run_to_the_end(study.root)
    ours.send("enough")
    answers = ours.recv()
    process.join()
    bad = [answer for answer in answers if answer not in rows.values()]
    n_asked = len(answers)
    return Count(
        f"questions to the store while {n} runs published another",
        n_asked,
        n_asked - len(bad),
        tuple(str(answer) for answer in bad[:20]),
    )


def _look(pipe: Connection, root: Path) -> None:
    answers: list[object] = []
    while not pipe.poll(0.02):
        try:
            answers.append(quick_view(root))
        except Exception as problem:  # noqa: BLE001 - every one of them is a wrong answer
            answers.append(f"{type(problem).__name__}: {problem}")
    pipe.send(answers)
    pipe.close()
