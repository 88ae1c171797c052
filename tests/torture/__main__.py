"""python -m tests.torture [--minutes 20] [--small] [--only PART ...] [--times N] [--seed N]

Does to the program what may go wrong, and prints what came of it as one table. Ends with 1 when
anything was not as it should be.
"""

from __future__ import annotations

import argparse
import atexit
import importlib
import logging
import os
import pkgutil
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tests.torture import Count, Plan, parts
from tests.torture.report import Row, line, table, wrong_ones

_SMALL_S = 5.0
_LEAST_S = 180.0
_PATIENCE = 1.5
"""A part that takes so many times its share of the time (and these seconds, as other work may keep
the machine busy) is ended, and that is wrong."""
_LEAST_S_A_TIME = 600.0
"""So many seconds more for each time that a part is to kill something."""


_TALKATIVE = (
    "streamlit.runtime.scriptrunner_utils.script_run_context",
    "streamlit.runtime.caching.cache_data_api",
)
_NO_NEWS = ("missing ScriptRunContext", "No runtime found, using MemoryCacheStorageManager")


@dataclass(frozen=True, slots=True)
class Part:
    """One module of `tests.torture.parts`."""

    name: str
    title: str
    weight: float
    run: Callable[[Plan], Iterator[Count]]


class TooSlowError(Exception):
    """A part did not end."""


def part_names() -> tuple[str, ...]:
    """The parts that there are."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(parts.__path__)))


def load_part(name: str) -> Part:
    """A part by the name of its module."""
    module = importlib.import_module(f"{parts.__name__}.{name}")
    return Part(name, module.TITLE, float(getattr(module, "WEIGHT", 1.0)), module.run)


def run_part(part: Part, plan: Plan) -> Iterator[Row]:
    """What a part counts; what it did not expect itself is a row as well."""
    try:
        least_s = _LEAST_S + _LEAST_S_A_TIME * (plan.times or 0)
        with _ended_after(max(least_s, plan.seconds * _PATIENCE)):
            for count in part.run(plan):
                yield Row(part.name, part.title, count)
    except Exception:  # noqa: BLE001 - whatever a part stumbles over is what this command is for
        wrong = (traceback.format_exc(),)
        yield Row(part.name, part.title, Count("ended by itself", 1, 0, wrong))


@contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def raise_it(number: int, frame: FrameType | None) -> None:
        raise TooSlowError(f"not through after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, raise_it)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def main(arguments: Sequence[str]) -> int:
    chosen = _options().parse_args(arguments)
    names = part_names()
    unknown = sorted(set(chosen.only) - set(names))
    if unknown:
        sys.stderr.write(f"There is no part {unknown[0]}: {', '.join(names)}\n")
        return 2
    place = tempfile.mkdtemp(prefix="coview-torture-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    os.environ["TMPDIR"] = place  # of what is started; what this process has is deleted by itself
    waiting = [load_part(name) for name in names if name in chosen.only or not chosen.only]
    rows: list[Row] = []
    ends = time.monotonic() + chosen.minutes * 60
    while waiting:
        share = waiting[0].weight / sum(part.weight for part in waiting)
        part = waiting.pop(0)
        folder = Path(place) / part.name
        folder.mkdir()
        left = max(0.0, ends - time.monotonic()) * share
        seconds = min(left, _SMALL_S) if chosen.small else left
        plan = Plan(folder, chosen.study, seconds, chosen.small, chosen.seed, chosen.times)
        for row in run_part(part, plan):
            rows.append(row)
            sys.stdout.write(line(row) + "\n")
            sys.stdout.flush()
        shutil.rmtree(folder, ignore_errors=True)
    told = "\n\n".join(text for text in (table(rows), wrong_ones(rows, chosen.seed)) if text)
    sys.stdout.write(f"\n{told}\n")
    if chosen.out is not None:
        chosen.out.write_text(told + "\n", encoding="utf-8")
    return int(any(row.n_wrong for row in rows))


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    options.add_argument("--minutes", type=float, default=20.0, help="for all parts together")
    options.add_argument("--small", action="store_true", help="a little of everything")
    options.add_argument("--only", nargs="+", default=[], metavar="PART", help="these parts")
    options.add_argument("--times", type=int, metavar="N", help="kills of each part, at any length")
    options.add_argument("--seed", type=int, default=1, help="the same seed tries the same things")
    options.add_argument("--study", type=Path, help="a demo study with a store, read only")
    options.add_argument("--out", type=Path, metavar="FILE.md", help="the table as a file, too")
    return options


def _quiet() -> None:
    """Leave out what Streamlit says each time a page runs without a browser, as all do here, and
    what Python says of locks that killed processes had."""
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return not any(text in record.getMessage() for text in _NO_NEWS)


def _end(code: int) -> NoReturn:
    """As `sys.exit`, but without taking Python's modules down one by one: the library that binds
    DuckDB would list all that pages still hold."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _quiet()
    _end(main(sys.argv[1:]))
