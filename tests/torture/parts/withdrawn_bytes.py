"""A child is withdrawn and the withdrawal is cut off, once or twice, at random: when it is finished
no byte of the child is left."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from pipeline.demo.study_writer import write_demo_study
from pipeline.pending_withdrawal import pending_path
from tests.torture import Count, Plan
from tests.torture.faults.running import command, counting_touches, run_to_the_end
from tests.torture.faults.views import store_view
from tests.withdrawal.bytes_left import holding
from tests.withdrawal.traced import CHILD, leave_traces

TITLE = "Withdrawn"
_N, _MAX_TINY = 20, 4
_FEW = 80
"""Touches of the disk that no withdrawal comes below."""


def run(plan: Plan) -> Iterator[Count]:
    """Withdraw the same child many times, each time from a fresh copy."""
    ends = time.monotonic() + plan.seconds
    planted = _planted(plan)
    words = leave_traces(planted)
    n_before = len(holding(planted, words))
    root, counter = plan.folder / "copy", plan.folder / "touches"
    n_touches = _FEW
    if not plan.small:
        shutil.copytree(planted, root)
        told = command(*_asked(root), setup=partial(counting_touches, root, counter))
        n_touches = counter.stat().st_size
        yield _count("a child withdrawn", [_problem(root, words, f"not cut off: {told.code}")])
        shutil.rmtree(root)
    chance = random.Random(plan.seed)
    outcomes: list[str] = []
    n = 1 if plan.small else plan.times or _N
    while len(outcomes) < n and (not outcomes or plan.times or time.monotonic() < ends):
        shutil.copytree(planted, root)
        outcomes.append(_cut_off(root, words, chance, n_touches, counter))
        shutil.rmtree(root)
    what = f"a child withdrawn, cut off and resumed (before: {n_before} places with its words)"
    yield _count(what, outcomes)


def _count(what: str, outcomes: Sequence[str]) -> Count:
    wrong = tuple(sentence for sentence in outcomes if sentence)
    return Count(what, len(outcomes), len(outcomes) - len(wrong), wrong)


def _planted(plan: Plan) -> Path:
    """A tiny demo study with a store."""
    root, given = plan.folder / "study", plan.study
    if given is not None and len(list(given.glob("recordings/raw/*.mp4"))) <= _MAX_TINY:
        shutil.copytree(given, root)
    else:
        write_demo_study(root, scale="tiny")
    if not (root / "derived" / "stores" / "current").exists():
        run_to_the_end(root)
    return root


def _asked(root: Path) -> tuple[str, ...]:
    begun = (
        ("--resume",)
        if pending_path(root).exists()
        else ("--child", CHILD, "--delete-media", "--yes")
    )
    return ("withdraw", str(root), *begun, "--device", "cpu", "--quiet")


def _cut_off(
    root: Path, words: set[str], chance: random.Random, n_touches: int, counter: Path
) -> str:
    """Kill the withdrawal once or twice, look at what is shown, and finish it."""
    moments = [chance.randrange(n_touches) for _ in range(chance.choice((1, 1, 2)))]
    name = f"cut off before touch {' and '.join(map(str, moments))}"
    for moment in moments:
        told = command(*_asked(root), setup=partial(counting_touches, root, counter, moment))
        if told.code not in (0, -signal.SIGKILL):
            return f"{name}: it ended with {told.code} and said {told.text[-800:]}"
        if pending_path(root).exists() and not store_view(root).startswith("told: "):
            return f"{name}: the store is still shown"
        if not pending_path(root).exists() and not holding(root, words):
            break
    if holding(root, words):
        told = command(*_asked(root))
        if told.code != 0:
            return f"{name}: the next one ended with {told.code} and said {told.text[-800:]}"
    return _problem(root, words, name)


def _problem(root: Path, words: set[str], name: str) -> str:
    left = sorted(holding(root, words))
    if left or pending_path(root).exists():
        return f"{name}: still there: {left[:8]}, pending: {pending_path(root).exists()}"
    return ""
