"""A real server on a free port and a real Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_START_S = 90.0


@dataclass
class Watched:
    """What a page asked for and complained about."""

    page: Page
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the server answers; fail if it ends or takes too long."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended before it answered"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"no answer within {_START_S:.0f} s")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser, or a visible skip where none is installed."""
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
        found = next(filter(None, map(shutil.which, _NAMES)), None)
        path = found or (str(own) if own.is_file() else None)
        if path is None:
            pytest.skip("no Chromium is installed; install one to run the journeys")
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served_study(
    tiny_demo_study: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, str]]:
    """A copy of the demo study and the address of the server that shows it.

    One recording of the copy may not be played.
    """
    import duckdb

    from pipeline.store.locate import current_store_path

    root = tmp_path_factory.mktemp("served") / "study"
    shutil.copytree(tiny_demo_study, root)
    store = current_store_path(root)
    assert store is not None
    with duckdb.connect(str(store)) as con:
        con.execute(
            "UPDATE recordings SET permission = 'scores_only' "
            "WHERE recording_id = (SELECT max(recording_id) FROM recordings)"
        )
    port = free_port()
    command = [sys.executable, "-m", "pipeline", "serve", str(root), "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    # A session of its own, because `serve` starts the server as a child of its own.
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(address, process)
        yield root, address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh profile: no cookies, nothing remembered."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def watched(context: BrowserContext, served_study: tuple[Path, str]) -> Watched:
    """A new page that notes requests to other hosts, refused requests and script errors."""
    _, address = served_study
    return watch(context.new_page(), address)


def watch(page: Page, address: str) -> Watched:
    watched = Watched(page)
    here = urlsplit(address).netloc

    def asked(request_url: str) -> None:
        parts = urlsplit(request_url)
        if parts.scheme not in ("data", "blob") and parts.netloc != here:
            watched.foreign.append(request_url)

    def answered(response: Response) -> None:
        # Streamlit itself probes for its base path below the page's address.
        if response.status >= 400 and "/_stcore/" not in response.url:
            watched.refused.append(f"{response.status} {response.url}")

    page.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda socket: asked(socket.url))
    page.on("response", answered)
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    return watched
