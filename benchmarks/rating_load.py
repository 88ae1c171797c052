"""Fifty raters at once: is any answer lost or doubled, and how long does one take to be saved?

    python -m benchmarks.rating_load [--seconds 300] [--raters 50] [--kills 20]

The rating screen's own server runs as raters meet it, with the pictures made ahead, as the command
`trials` does. Each simulated rater is a thread that asks for the pictures of its trial, waits as
long as people take (scaled down: 1 to 3 s), answers, and goes on with what the reply says. An
answer counts as acknowledged when its reply came. After that the store is read: every acknowledged
answer must be there once, as it was given, and nothing else.

Then the server is killed (SIGKILL) at random points of a session, so many times, and started
again. Targets: nothing lost or doubled; the median time to save at most 300 ms.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.rating_study import RatingStudy, write_rating_study
from pipeline.people.answers import answers_of
from pipeline.people.raters import rater_by_code
from pipeline.store.opening import open_current_store
from pipeline.validation.prepare import prepare_set

_HOST = "127.0.0.1"
_MAX_MEDIAN_MS = 300.0
_START_S = 30.0
_N_LISTS = 10
_N_TRIALS = 400
Screen = dict[str, object]


AS_PEOPLE_DO = ("pipeline", "rate")


class Server:
    """The rating screen's server; `module` is what follows python -m."""

    def __init__(self, root: Path, module: tuple[str, ...] = AS_PEOPLE_DO) -> None:
        self._command = [sys.executable, "-m", *module, str(root)]
        with socket.socket() as probe:
            probe.bind((_HOST, 0))
            self.port = int(probe.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; seconds until it answers."""
        began = time.monotonic()
        self._process = subprocess.Popen(
            [*self._command, "--port", str(self.port)], stdout=subprocess.DEVNULL
        )
        while time.monotonic() - began < _START_S:
            if self._process.poll() is not None:
                raise SystemExit("The rating screen's server ended at its start.")
            try:
                Browser(self.port).ask("GET", "/rate/now")
            except OSError:
                time.sleep(0.02)
            else:
                return time.monotonic() - began
        raise SystemExit("The rating screen's server did not answer.")

    def memory_mb(self) -> float:
        """Its resident memory now; NaN where the system does not tell."""
        assert self._process is not None
        try:
            text = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii")
        except OSError:
            return float("nan")
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_s(self) -> float:
        """Processor time it took so far; NaN where the system does not tell."""
        assert self._process is not None
        try:
            text = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
        except OSError:
            return float("nan")
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait until it is gone."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(timeout=20)


class Browser:
    """One connection that is kept open, and one cookie."""

    def __init__(self, port: int) -> None:
        self._con = http.client.HTTPConnection(_HOST, port, timeout=30)
        self._cookie = ""

    def ask(self, method: str, path: str, body: Screen | None = None) -> bytes:
        """The answer's body. Raises OSError or HTTPException when the server is away."""
        headers = {"Cookie": self._cookie} if self._cookie else {}
        sent = None if body is None else json.dumps(body)
        if sent is not None:
            headers["Content-Type"] = "application/json"
        try:
            self._con.request(method, path, sent, headers)
            answer = self._con.getresponse()
            found = answer.read()
        except (OSError, http.client.HTTPException):
            self._con.close()
            raise
        given = answer.getheader("Set-Cookie")
        if given:
            self._cookie = given.partition(";")[0]
        if answer.status not in (200, 303):
            raise http.client.HTTPException(f"{answer.status} {path}: {found[:200]!r}")
        return found

    def screen(self, method: str, path: str, body: Screen | None = None) -> Screen:
        """What is to be shown."""
        found: Screen = json.loads(self.ask(method, path, body))
        return found


@dataclass
class Log:
    """What one rater did: (trial, position) of each acknowledged answer, and the times."""

    code: str
    acknowledged: list[tuple[int, int]] = field(default_factory=list)
    save_ms: list[float] = field(default_factory=list)
    picture_ms: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def rate(port: int, log: Log, until_s: float, pause_s: tuple[float, float], seed: int) -> None:
    """Answer trial after trial until the time is over or the list is done."""
    rng = random.Random(seed)
    browser = Browser(port)
    try:
        # People do not all arrive in the same second.
        time.sleep(rng.uniform(0, min(pause_s[1], max(0.0, until_s - time.monotonic()))))
        browser.ask("GET", f"/rate/k/{log.code}")
        screen = browser.screen("GET", "/rate/now")
        while screen["screen"] == "trial" and time.monotonic() < until_s:
            trial_id = int(str(screen["trial_id"]))
            began = time.perf_counter()
            for number in range(1, int(str(screen["n_pictures"])) + 1):
                browser.ask("GET", f"/rate/picture/{trial_id}/{number}.jpg")
            log.picture_ms.append(1_000 * (time.perf_counter() - began))
            time.sleep(rng.uniform(*pause_s))
            position = rng.randint(1, 4)
            body: Screen = {
                "trial_id": trial_id,
                "selected_position": position,
                "rt_ms": round(rng.uniform(600, 4_000), 1),
            }
            began = time.perf_counter()
            screen = browser.screen("POST", "/rate/answer", body)
            log.save_ms.append(1_000 * (time.perf_counter() - began))
            log.acknowledged.append((trial_id, position))
    except (OSError, http.client.HTTPException) as problem:
        log.problems.append(f"{type(problem).__name__}: {problem}")


def kill_again_and_again(
    study: RatingStudy,
    code: str,
    n_kills: int,
    seed: int,
    module: tuple[str, ...] = AS_PEOPLE_DO,
) -> Log:
    """One rater at work while the server is killed at random points and started again.

    The rater does as the page does: what was not acknowledged is sent again, unchanged.
    """
    rng = random.Random(seed)
    server = Server(study.root, module)
    log = Log(code)
    server.start()
    browser = Browser(server.port)
    browser.ask("GET", f"/rate/k/{code}")
    screen = browser.screen("GET", "/rate/now")
    for _ in range(n_kills):
        timer = threading.Timer(rng.uniform(0.0, 0.25), server.stop, [signal.SIGKILL])
        timer.start()
        body: Screen = {}
        try:
            while screen["screen"] == "trial":
                body = {
                    "trial_id": screen["trial_id"],
                    "selected_position": rng.randint(1, 4),
                    "rt_ms": 500.0,
                }
                screen = browser.screen("POST", "/rate/answer", body)
                log.acknowledged.append(_pair(body))
        except (OSError, http.client.HTTPException):
            pass
        timer.join()
        server.start()
        before = browser.screen("GET", "/rate/now")
        if screen["screen"] == "trial":
            is_same = before["trial_id"] == body["trial_id"]
            is_next = int(str(before["trial_id"])) == int(str(body["trial_id"])) + 1
            if not is_same and not is_next:
                log.problems.append(f"after {body['trial_id']} came {before['trial_id']}")
            screen = browser.screen("POST", "/rate/answer", body)
            log.acknowledged.append(_pair(body))
    server.stop()
    return log


def _pair(body: Screen) -> tuple[int, int]:
    return int(str(body["trial_id"])), int(str(body["selected_position"]))


def differences(study: RatingStudy, logs: list[Log]) -> tuple[int, int, int]:
    """(acknowledged answers that are not in the store, rows too many, raters out of order)."""
    with study.people.reading() as con:
        rows: dict[int, list[tuple[int, int]]] = {}
        for one in answers_of(con, study.set_id):
            rows.setdefault(one.rater_id, []).append((one.trial_id, one.selected_position))
        raters = {log.code: rater_by_code(con, log.code) for log in logs}
    n_lost = n_extra = n_unordered = 0
    for log in logs:
        rater = raters[log.code]
        kept = rows.get(rater.rater_id, []) if rater else []
        told, stored = Counter(log.acknowledged), Counter(kept)
        n_lost += (told - stored).total()
        n_extra += (stored - told).total()
        ids = [trial_id for trial_id, _ in kept]
        n_unordered += ids != list(range(ids[0], ids[0] + len(ids))) if ids else 0
    return n_lost, n_extra, n_unordered


def main() -> int:
    """Print the tables; the exit code is 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--raters", type=int, default=50)
    parser.add_argument("--pause", type=float, nargs=2, default=(1.0, 3.0), metavar="S")
    parser.add_argument("--kills", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        study = write_rating_study(
            Path(folder) / "study",
            n_frames=600,
            n_lists=_N_LISTS,
            n_trials=_N_TRIALS,
            n_practice=2,
            size_px=(960, 540),
        )
        with open_current_store(study.root) as con:
            prepare_set(con, study.root, study.set_id)
        is_missed = _load(study, asked.raters, asked.seconds, (asked.pause[0], asked.pause[1]))
        is_missed |= _kills(study, asked.kills)
    return int(is_missed)


def _load(study: RatingStudy, n_raters: int, seconds: float, pause_s: tuple[float, float]) -> bool:
    server = Server(study.root)
    logs = [Log(code) for code in study.invite(n_raters)]
    start_s = server.start()
    at_start_mb, at_start_s = server.memory_mb(), server.cpu_s()
    until_s = time.monotonic() + seconds
    threads = [
        threading.Thread(target=rate, args=(server.port, log, until_s, pause_s, seed))
        for seed, log in enumerate(logs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    at_end_mb, busy_s = server.memory_mb(), server.cpu_s() - at_start_s
    server.stop()
    save_ms = np.array([ms for log in logs for ms in log.save_ms])
    picture_ms = np.array([ms for log in logs for ms in log.picture_ms])
    n_lost, n_extra, n_unordered = differences(study, logs)
    problems = [problem for log in logs for problem in log.problems]
    print(
        f"{n_raters} raters, {seconds:.0f} s, pauses of {pause_s[0]:g} to {pause_s[1]:g} s, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end\n"
    )
    print("| what | result |\n|---|---|")
    print(f"| answers acknowledged | {len(save_ms):,} |")
    print(f"| lost, doubled or unknown, out of order | {n_lost}, {n_extra}, {n_unordered} |")
    print(f"| requests that failed | {len(problems)} |")
    for name, times in (("time to save", save_ms), ("pictures of a trial", picture_ms)):
        low, high, longest = np.percentile(times, [50, 95, 100])
        print(f"| {name}: median, 95 %, longest | {low:.0f}, {high:.0f}, {longest:.0f} ms |")
    print(f"| server: start | {start_s:.1f} s |")
    per_trial_ms = 1_000 * busy_s / max(1, len(save_ms))
    print(f"| server: processor time for a trial with its pictures | {per_trial_ms:.0f} ms |")
    print(f"| server: memory at start and end | {at_start_mb:.0f}, {at_end_mb:.0f} MB |")
    for problem in problems[:5]:
        print(f"  {problem}")
    is_slow = float(np.median(save_ms)) > _MAX_MEDIAN_MS
    return bool(n_lost or n_extra or n_unordered or problems or is_slow)


def _kills(study: RatingStudy, n_kills: int) -> bool:
    (code,) = study.invite(1, "killed")
    log = kill_again_and_again(study, code, n_kills, seed=6)
    n_lost, n_extra, n_unordered = differences(study, [log])
    print(f"| server killed (SIGKILL) | {n_kills} times |")
    print(f"| answers acknowledged | {len(log.acknowledged):,} |")
    print(f"| lost, doubled or unknown, out of order | {n_lost}, {n_extra}, {n_unordered} |")
    for problem in log.problems:
        print(f"  {problem}")
    return bool(n_lost or n_extra or n_unordered or log.problems)


if __name__ == "__main__":
    sys.exit(main())
