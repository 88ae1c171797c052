"""What each chart of the dashboard takes on a store of 10 million utterances.

    python -m benchmarks.charts_speed [--utterances 10000000] [--study FOLDER] [--write]

Each chart is made in a process of its own, from the open store to the text that the browser is
sent. *Cold*: with the store opened and every column read for the first time. Imports and making
loops ready are left out and told below the table; the files lie in the computer's file cache; the
store itself is opened only for charts that need more than the file of columns beside it. *Warm*:
the same chart again with nothing remembered but what the dashboard keeps in memory. *Other
choice*: the chart of one speaker of some children. *Rerun*: see `benchmarks.charts_rerun`. Beside
it in the same process: plain SQL that counts the same from raw rows, again and again. What is kept
are counts and co-moments by child, speaker or recording, as published or counted once; no answer
is remembered between repetitions. The dashboard remembers answers, so that a page that is run
again without a change counts nothing.

Times are of the processor (all threads of the process) and, in brackets, of the clock: with other
work on the machine only the first say what a chart costs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.results import Result, record

PAGE = Path(__file__).with_suffix(".md")
_LIMIT_WARM_MS, _LIMIT_COLD_MS, _LIMIT_KB, _LIMIT_RERUN_MS = 10, 80, 60, 25
_REPEATS = 30


@dataclass(frozen=True, slots=True)
class Took:
    """Milliseconds of the processor and of the clock."""

    cpu_ms: float
    clock_ms: float

    def __str__(self) -> str:
        return f"{self.cpu_ms:,.0f} ({self.clock_ms:,.0f})"


@dataclass(frozen=True, slots=True)
class Measured:
    """One chart: how long it took in each way, and how much is sent."""

    page: str
    chart: str
    imports: Took
    opened: Took
    cold: Took
    warm: Took
    other: Took
    plain: Took
    kilobytes: float
    rerun_ms: float

    @property
    def is_met(self) -> bool:
        """Warm and size."""
        return max(self.warm.cpu_ms, self.other.cpu_ms) <= _LIMIT_WARM_MS and (
            self.kilobytes <= _LIMIT_KB
        )


def timed(make: Callable[[], object]) -> Took:
    """How long one call takes."""
    clock, cpu = time.perf_counter(), time.process_time()
    make()
    return Took(1_000 * (time.process_time() - cpu), 1_000 * (time.perf_counter() - clock))


def best(make: Callable[[], object], repeats: int = _REPEATS) -> Took:
    """The fastest of some calls, by the processor."""
    return min((timed(make) for _ in range(repeats)), key=lambda took: took.cpu_ms)


def measured(store_path: Path, chart: str) -> Measured:
    """Measure one chart; to be called in a fresh process."""
    imports = timed(_import_ways)
    from benchmarks.charts_speed_ways import WAYS, OpenStore, open_as_pages_do
    from dashboard.filters import Filters

    way = WAYS[chart]
    stores: list[OpenStore] = []
    opened = timed(lambda: stores.append(open_as_pages_do(store_path)))
    store = stores[0]
    sent: list[str] = []

    def make(filters: Filters) -> None:
        sent.append(json.dumps(way.make(store, filters).to_dict(), separators=(",", ":")))

    everything = Filters()
    first = timed(lambda: make(everything))
    cold = Took(opened.cpu_ms + first.cpu_ms, opened.clock_ms + first.clock_ms)
    kilobytes = len(sent[0].encode()) / 1_024
    few = Filters(children=store.options.children[:5], speakers=store.options.speakers[:1])
    warm, other = best(lambda: make(everything)), best(lambda: make(few))
    cursor, sql = store.connection.cursor(), way.plain(store)
    plain = best(lambda: cursor.execute(sql).fetchnumpy(), 3)
    from benchmarks.charts_rerun import rerun_ms

    rerun = rerun_ms(store_path.parents[2], chart)
    return Measured(way.page, chart, imports, opened, cold, warm, other, plain, kilobytes, rerun)


def as_text(row: Measured) -> str:
    """A row as a line of text, for the process that asked."""
    return json.dumps(asdict(row))


def _from_text(text: str) -> Measured:
    values = json.loads(text)
    took = {key: Took(**value) for key, value in values.items() if isinstance(value, dict)}
    return Measured(**{**values, **took})


def _import_ways() -> None:
    import scipy.special  # noqa: F401

    import benchmarks.charts_speed_ways  # noqa: F401
    from pipeline import ratio_moments
    from pipeline.stats import choosing, counting, tallies

    # The server does it before the first person comes; on a computer's first time it takes longer.
    for loops in (choosing, counting, ratio_moments, tallies):
        loops.prepare()


_ONE = """
from pathlib import Path
from benchmarks.charts_speed import as_text, measured
print(as_text(measured(Path({path!r}), {chart!r})))
"""


def _in_fresh_process(path: Path, chart: str) -> Measured:
    done = subprocess.run(
        [sys.executable, "-c", _ONE.format(path=str(path), chart=chart)],
        check=True,
        capture_output=True,
        text=True,
    )
    return _from_text(done.stdout.strip().splitlines()[-1])


def _table(rows: list[Measured]) -> list[str]:
    lines = [
        "| page | chart | cold, with open | warm | other choice | plain SQL | plain / warm "
        "| kB | rerun over empty | warm and size |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ratio = row.plain.cpu_ms / max(row.warm.cpu_ms, 0.1)
        lines.append(
            f"| {row.page} | {row.chart} | {row.cold} | {row.warm} | {row.other} | {row.plain} "
            f"| {ratio:,.1f} | {row.kilobytes:.0f} | {row.rerun_ms:.0f} "
            f"| {'met' if row.is_met else 'MISSED'} |"
        )
    return lines


def _results(rows: list[Measured], n_utterances: int) -> list[Result]:
    on = f"{n_utterances:,} utterances, milliseconds of the processor"
    command = f"python -m benchmarks.charts_speed --utterances {n_utterances} --write"
    return [
        Result(
            "Charts", f"{row.page}, {row.chart}: {what}", value, unit, limit, False, "", on, command
        )
        for row in rows
        for what, value, unit, limit in (
            ("warm", row.warm.cpu_ms, "ms", _LIMIT_WARM_MS),
            ("cold with open", row.cold.cpu_ms, "ms", _LIMIT_COLD_MS),
            ("sent", row.kilobytes, "kB", _LIMIT_KB),
            ("rerun over an empty page", row.rerun_ms, "ms", _LIMIT_RERUN_MS),
        )
    ]


def _report(rows: list[Measured], n_utterances: int, n_recordings: int) -> str:
    opened, imports = (min((r for r in x), key=lambda t: t.cpu_ms) for x in
                       ([row.opened for row in rows], [row.imports for row in rows]))  # fmt: skip
    n_met = sum(row.is_met for row in rows)
    n_rerun = sum(row.rerun_ms <= _LIMIT_RERUN_MS for row in rows)
    n_cold = sum(row.cold.cpu_ms <= _LIMIT_COLD_MS for row in rows)
    return "\n".join(
        [
            "# Charts from a large store",
            "",
            f"`python -m benchmarks.charts_speed --utterances {n_utterances}`: {n_utterances:,} "
            f"utterances in {n_recordings:,} recordings, milliseconds of the processor (of the "
            "clock, with other work on the machine), best of several but cold.",
            "",
            *_table(rows),
            "",
            f"{n_met} of {len(rows)} charts: warm and other choice at most {_LIMIT_WARM_MS} ms, at "
            f"most {_LIMIT_KB} kB. {n_cold} cold with open: at most {_LIMIT_COLD_MS} ms, of which "
            f"opening takes {opened} ms; imports and loops another {imports} ms. {n_rerun} in a "
            f"page of Streamlit: at most {_LIMIT_RERUN_MS} ms over an empty one (median of runs, "
            "with the chart made anew in each).",
            "",
        ]
    )


def main() -> int:
    """Print the table; the exit code is 1 when a chart is larger than it may be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.charts_speed", description=__doc__)
    parser.add_argument("--utterances", type=int, default=100_000)
    parser.add_argument("--study", type=Path, help="made if it is not there")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    asked = parser.parse_args()
    n = asked.utterances
    study = (asked.study or Path("benchmark-study") / f"charts-{n}").resolve()
    from pipeline.store.fill_columns import write_columns
    from pipeline.store.frame_vectors import keep_vectors
    from pipeline.store.locate import current_store_path
    from pipeline.store.store_columns import open_columns

    if not (study / "derived" / "stores" / "current").is_file():
        from benchmarks.synthetic_store import Size, write_synthetic_store

        print(f"Making {study.name} with {n:,} utterances ...", flush=True)
        write_synthetic_store(study, Size(51, max(51, n // 112), n), with_lags=False)
    store = current_store_path(study)
    assert store is not None
    if open_columns(store) is None:
        print("Writing the columns beside the store ...", flush=True)
        keep_vectors(write_columns(store, store))
    from benchmarks.charts_speed_ways import WAYS, open_as_pages_do

    opened = open_as_pages_do(store)
    n_utterances, n_recordings = opened.arrays.n_utterances, len(opened.arrays.recordings.child)
    opened.connection.close()
    rows = [_in_fresh_process(store, chart) for chart in WAYS]
    report = _report(rows, n_utterances, n_recordings)
    print(report)
    if asked.write:
        PAGE.write_text(report, encoding="utf-8")
        record(_results(rows, n_utterances))
    return int(any(row.kilobytes > _LIMIT_KB for row in rows))


if __name__ == "__main__":
    sys.exit(main())
