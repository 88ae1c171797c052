"""A dashboard in a process of its own, and what that process holds."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dashboard.clip_tokens import ROUTE, TokenSigner
from dashboard.navigation import MomentKey

_PROJECT = Path(__file__).parents[3]
_START_S = 90.0


@dataclass(frozen=True, slots=True)
class Held:
    """What a server holds at one instant; memory is its own and its share of what it has with
    other processes."""

    memory_mb: float
    n_threads: int
    n_files: int


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs on this machine."""

    port: int
    process: subprocess.Popen[bytes]
    facts: Path
    log: Path
    signer: TokenSigner

    def link(self, moment: MomentKey, *, lead_ms: int = 1_000, lag_ms: int = 1_000) -> str:
        token = self.signer.sign(moment, viewer="local", lead_ms=lead_ms, lag_ms=lag_ms)
        return f"{ROUTE}/{token}.mp4"

    def held(self) -> Held:
        """What it holds after its garbage was collected."""
        self.facts.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        ends = time.monotonic() + 20
        while not self.facts.is_file():
            if time.monotonic() > ends or self.process.poll() is not None:
                raise TimeoutError("the server does not say what it holds")
            time.sleep(0.05)
        told = json.loads(self.facts.read_text())
        return Held(told["memory_kb"] / 1024, told["n_threads"], told["n_files"])

    def errors(self) -> list[str]:
        """Lines of its log that tell of an error."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if "Error" in line or "Traceback" in line]


@contextmanager
def running(study: Path, folder: Path) -> Iterator[Server]:
    """A dashboard of the study; its log and facts lie in `folder`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    secret, facts, log = secrets.token_bytes(16), folder / "facts.json", folder / "server.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.torture.watching.serve"),
                *(secret.hex(), str(port), str(facts), str(os.getpid())),
            ],
            cwd=_PROJECT,
            env={**os.environ, "COVIEW_STUDY": str(study)},
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(port, process)
        yield Server(port, process, facts, log, TokenSigner(secret))
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + _START_S
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise TimeoutError("the dashboard did not start")
