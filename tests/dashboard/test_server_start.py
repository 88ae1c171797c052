"""Both ways of starting the dashboard serve the clips' route beside the pages."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
START_S = 120.0


@contextmanager
def server(command: list[str], study: Path) -> Iterator[None]:
    # A session of its own, because `serve` starts the server as a child of its own.
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**os.environ, "COVIEW_STUDY": str(study)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


def answer(address: str) -> tuple[int, str]:
    """Status and text, once the server listens."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"no answer within {START_S:.0f} s")


@pytest.mark.parametrize("way", ["serve", "streamlit"])
def test_clips_are_served_however_the_dashboard_is_started(studies, way: str):
    study = studies("one recording")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = {
        "serve": [sys.executable, "-m", "pipeline", "serve", str(study), "--port", port],
        "streamlit": [
            *(sys.executable, "-m", "streamlit", "run", "dashboard/app.py"),
            *("--server.port", port, "--server.headless", "true"),
        ],
    }[way]
    with server(command, study):
        status, text = answer(f"http://127.0.0.1:{port}/clips/forged.mp4")
        assert (status, text) == (403, "This link to a clip has expired. Open the moment again.")
        status, text = answer(f"http://127.0.0.1:{port}/moments")
        assert status == 200
        assert "<title>Streamlit</title>" in text
