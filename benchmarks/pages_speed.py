"""Time, bytes and memory of every page on a corpus of 1.8 million utterances.

`python -m benchmarks.pages_speed [--study FOLDER]` makes the synthetic study if it is not there
and prints three tables: the server's work after changes of filters (the page's script from start
to end, run without a browser), what a page sends (WebSocket, uncompressed; Streamlit's own files
and media apart) with the time until it stands, in Chromium, beside what a Streamlit page with
nothing but a heading, and one with a single chart, take in the same browser; and memory of the
server with five sessions.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.results import Result, record
from benchmarks.synthetic_store import Size, write_synthetic_store
from pipeline.serving import STUDY_VARIABLE, dashboard_command

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = {
    "overview": "",
    "children": "children",
    "moments": "moments",
    "words": "words",
    "saved": "saved",
    "compare_windows": "crops-and-windows",
    "models": "models",
    "sound": "sound",
    "quality": "quality",
    "provenance": "provenance",
    "export": "export",
}
"""Page of the app -> its path in the address bar."""

CHANGES: tuple[dict[str, str | list[str]], ...] = (
    {"speaker": ["FEM"]},
    {"speaker": ["FEM", "MAL"]},
    {"words": "3"},
    {"words": "5", "speaker": ["CHI"]},
    {"location": ["kitchen"]},
    {"activity": ["play", "meal"]},
    {"language": ["en"]},
    {"heard": ["heard_only"]},
    {"without": ["low_confidence"]},
    {"age_from": "300"},
    {"age_from": "200", "age_to": "600"},
    {"confidence": "-0.5"},
    {"child": ["BV003", "BV010", "BV020"]},
    {"child": ["BV007"]},
    {"threshold": "0.25"},
    {"crop": "pad"},
    {"window": "1s"},
    {"stat": "mean"},
    {"scale": "z"},
    {"window": "-3+2"},
    {"crop": "multi", "window": "-5+0", "speaker": ["FEM"]},
)
_LIMIT_MEDIAN_MS, _LIMIT_P95_MS, _LIMIT_FIRST_S = 200, 500, 2.0
_LIMIT_KB, _LIMIT_MB, _SESSIONS, _PORT = 400, 1_536, 5, 8599
_ADDRESS = f"http://127.0.0.1:{_PORT}"
_READY = "[data-testid='stApp'][data-test-script-state='notRunning'] h1"
_FIRST_CHART = "[data-testid='stPlotlyChart'] .main-svg"


@dataclass(frozen=True, slots=True)
class Work:
    """The server's work for one page: milliseconds after each change, cold start apart."""

    page: str
    first_ms: float
    changes_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        return statistics.median(self.changes_ms)

    @property
    def p95_ms(self) -> float:
        return statistics.quantiles(self.changes_ms, n=20, method="inclusive")[-1]

    @property
    def is_met(self) -> bool:
        return self.median_ms <= _LIMIT_MEDIAN_MS and self.p95_ms <= _LIMIT_P95_MS


def server_work(study: Path, page: str) -> Work:
    """Run a page after every change of CHANGES, each of them new to the caches.

    What is timed is the page's script from start to end, as a server runs it: with the compiled
    scripts that it keeps, and without what the test bench does around it.
    """
    os.environ[STUDY_VARIABLE] = str(study)
    from streamlit.runtime.scriptrunner import script_runner
    from streamlit.runtime.scriptrunner.script_cache import ScriptCache
    from streamlit.testing.v1 import AppTest, app_test, local_script_runner

    kept = ScriptCache()
    run_script = vars(script_runner)["exec_func_with_error_handling"]
    took: list[float] = []

    def timed(*args: object, **kwargs: object) -> object:
        started = time.perf_counter()
        try:
            return run_script(*args, **kwargs)
        finally:
            took.append(1_000 * (time.perf_counter() - started))

    vars(script_runner)["exec_func_with_error_handling"] = timed
    for module in (app_test, local_script_runner):
        vars(module)["ScriptCache"] = lambda: kept

    app = AppTest.from_file(
        str(Path(__file__).parents[1] / "dashboard" / "app.py"), default_timeout=120
    )
    app.run()
    if page != "overview":
        app.switch_page(f"app_pages/{page}.py")
    took.clear()
    app.run()
    first_ms = sum(took)
    times = []
    for change in CHANGES:
        app.query_params.clear()
        for name, value in change.items():
            app.query_params[name] = value
        took.clear()
        app.run()
        times.append(sum(took))
        if app.exception:
            raise SystemExit(f"{page} failed after {change}: {app.exception[0].message}")
    return Work(page, first_ms, tuple(times))


@dataclass(frozen=True, slots=True)
class Sent:
    """What one page sent to a browser, and when it stood."""

    page: str
    kilobytes: float
    ready_s: float
    chart_s: float | None = None
    """When the first chart was drawn, where that was waited for."""


def sent_by_page(browser: Browser, address: str, page: str, *, has_chart: bool = False) -> Sent:
    """Open a page in a fresh session; ready when its script has ended and its heading stands."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    tab = context.new_page()
    received = [0]

    def count(payload: str | bytes) -> None:
        received[0] += len(payload)

    tab.on("websocket", lambda socket: socket.on("framereceived", count))
    started = time.perf_counter()
    tab.goto(f"{address}/{PAGES.get(page, '')}")
    tab.wait_for_selector(_READY, timeout=60_000)
    ready_s = time.perf_counter() - started
    chart_s = None
    if has_chart:
        tab.wait_for_selector(_FIRST_CHART, timeout=60_000)
        chart_s = time.perf_counter() - started
    tab.wait_for_timeout(3_000)
    context.close()
    return Sent(page, received[0] / 1_024, ready_s, chart_s)


def resident_mb(process_id: int) -> float:
    """Resident memory of a process and of its children, in MB; Linux only."""
    total = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(
                line.split(":", 1) for line in status.read_text().splitlines() if ":" in line
            )
        except OSError:
            continue
        if process_id in (int(lines["Pid"]), int(lines["PPid"])) and "VmRSS" in lines:
            total += int(lines["VmRSS"].split()[0]) / 1_024
    return total


def _wait_for(address: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise SystemExit("The server did not answer.")


@contextmanager
def _served(study: Path, script: Path | None = None) -> Iterator[int]:
    """The process id of a server of the dashboard, or of another Streamlit script."""
    # A user's Python keeps its compiled modules.
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = dashboard_command(_PORT)
    if script is not None:
        command = [str(script) if part.endswith("app.py") else part for part in command]
    server = subprocess.Popen(
        command,
        env={**kept, STUDY_VARIABLE: str(study)},
        cwd=Path(__file__).parents[1],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(_ADDRESS)
        yield server.pid
    finally:
        server.terminate()
        server.wait(timeout=20)


def _floors(browser: Browser, folder: Path) -> list[Sent]:
    """What Streamlit itself takes: a page with a heading, and one with a chart too."""
    found = []
    for name, script in _PLAIN_PAGES.items():
        path = folder / "plain.py"
        path.write_text(script, encoding="utf-8")
        with _served(folder, path):
            found.append(sent_by_page(browser, _ADDRESS, name, has_chart="chart" in name))
    return found


def _in_browser(study: Path) -> tuple[list[Sent], list[Sent], float]:
    """What plain Streamlit pages take, what every page sends, and memory with five sessions."""
    from playwright.sync_api import sync_playwright

    address = _ADDRESS
    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or None,
            args=["--no-sandbox", "--disable-gpu"],
        )
        floors = _floors(browser, Path(folder))
        with _served(study) as server_id:
            found = [
                sent_by_page(browser, address, page, has_chart=page == "overview") for page in PAGES
            ]
            tabs = [browser.new_context().new_page() for _ in range(_SESSIONS)]
            for tab, path in zip(tabs, PAGES.values(), strict=False):
                for query in ("", "?speaker=FEM", "?window=2s&crop=pad", "?scale=z"):
                    tab.goto(f"{address}/{path}{query}")
                    tab.wait_for_selector(_READY, timeout=60_000)
            memory = resident_mb(server_id)
        browser.close()
    return floors, found, memory


def _result(measure: str, value: float, unit: str, limit: float, n: int) -> Result:
    command = "python -m benchmarks.pages_speed --write"
    return Result("Pages", measure, value, unit, limit, False, "", f"{n:,} utterances", command)


def _mark(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def main() -> int:
    """Print the tables; the exit code is 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages_speed", description=__doc__)
    parser.add_argument("--study", type=Path, default=Path("benchmark-study"))
    parser.add_argument("--utterances", type=int, default=1_800_000)
    parser.add_argument("--pages", nargs="*", default=list(PAGES), choices=list(PAGES))
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--write", action="store_true", help="add the figures to results.csv")
    asked = parser.parse_args()
    study: Path = asked.study.resolve()
    if not (study / "derived" / "stores" / "current").is_file():
        n = asked.utterances
        print(f"Making {study} with {n:,} utterances ...", flush=True)
        write_synthetic_store(study, Size(51, max(51, n // 112), n))
    is_missed = False
    results: list[Result] = []
    print(f"\nServer work after a change of filters ({len(CHANGES)} changes), ms")
    print(f"{'page':18}{'first':>8}{'median':>8}{'p95':>8}{'max':>8}")
    for page in asked.pages:
        # A process of its own: nothing is warm from the page before.
        row = subprocess.run(
            [sys.executable, "-c", _ONE.format(study=str(study), page=page)],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, STUDY_VARIABLE: str(study)},
        ).stdout.split()
        work = Work(page, float(row[0]), tuple(float(value) for value in row[1:]))
        is_missed |= not work.is_met
        results += [
            _result(f"{page}: median", work.median_ms, "ms", _LIMIT_MEDIAN_MS, asked.utterances),
            _result(f"{page}: 95th percentile", work.p95_ms, "ms", _LIMIT_P95_MS, asked.utterances),
        ]
        print(
            f"{page:18}{work.first_ms:8.0f}{work.median_ms:8.0f}{work.p95_ms:8.0f}"
            f"{max(work.changes_ms):8.0f}  {_mark(work.is_met)}",
            flush=True,
        )
    if asked.no_browser:
        if asked.write:
            record(results)
        return int(is_missed)
    floors, sent, memory = _in_browser(study)
    print("\nIn Chromium: data sent to a fresh session, and time until the page stands")
    for floor in floors:
        print(f"{floor.page:26}{floor.kilobytes:8.0f} KB{floor.ready_s:8.2f} s{_drawn(floor)}")
    for number, row_sent in enumerate(sent):
        is_met = row_sent.kilobytes <= _LIMIT_KB
        if number == 0:
            is_met &= row_sent.ready_s <= _LIMIT_FIRST_S
        is_missed |= not is_met
        note = " (first session of a cold server)" if number == 0 else ""
        print(
            f"{row_sent.page:26}{row_sent.kilobytes:8.0f} KB{row_sent.ready_s:8.2f} s  "
            f"{_mark(is_met)}{_drawn(row_sent)}{note}"
        )
    is_missed |= memory > _LIMIT_MB
    largest = max(row.kilobytes for row in sent)
    ready = f"{sent[0].page}: first session of a cold server"
    results += [
        _result("largest page without media", largest, "KB", _LIMIT_KB, asked.utterances),
        _result(ready, sent[0].ready_s, "s", _LIMIT_FIRST_S, asked.utterances),
        _result(f"memory with {_SESSIONS} sessions", memory, "MB", _LIMIT_MB, asked.utterances),
    ]
    if asked.write:
        record(results)
    print(
        f"\nMemory with {_SESSIONS} sessions: {memory:.0f} MB resident {_mark(memory <= _LIMIT_MB)}"
    )
    return int(is_missed)


def _drawn(row: Sent) -> str:
    return "" if row.chart_s is None else f", first chart at {row.chart_s:.2f} s"


_PLAIN_PAGES = {
    "(Streamlit, a heading)": "import streamlit as st\nst.title('Plain')\n",
    "(Streamlit, and a chart)": "import streamlit as st\nst.title('Plain')\n"
    "st.plotly_chart({'data': [{'type': 'bar', 'x': [1, 2], 'y': [3, 4]}], 'layout': {}})\n",
}

_ONE = """
from pathlib import Path
from benchmarks.pages_speed import server_work
work = server_work(Path({study!r}), {page!r})
print(work.first_ms, *work.changes_ms)
"""

if __name__ == "__main__":
    sys.exit(main())
