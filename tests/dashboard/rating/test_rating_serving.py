"""The server of the rating screen alone: what it needs, what it refuses, what stays unloaded."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from benchmarks.rating_study import write_rating_study
from dashboard.rating.guard import closed_to_raters
from dashboard.rating.held_file import HeldFile
from dashboard.rating.passes import DASHBOARD_COOKIE, is_raters_browser
from dashboard.rating.routes import rating_routes
from pipeline.access.refusals import RefusalLog
from pipeline.errors import SettingsError, StoreError, StudyError
from pipeline.serving import check_rating

UNLOADED = ("streamlit", "pandas", "torch", "cv2", "av", "scipy", "plotly")


def test_a_study_a_store_and_a_free_port_are_asked_for_before_anything_starts(tmp_path: Path):
    study = write_rating_study(tmp_path / "study")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port}"):
            check_rating(study.root, "127.0.0.1", port)
    assert check_rating(study.root, "127.0.0.1", port) == study.root.resolve()
    with pytest.raises(StoreError, match="nothing to rate"):
        check_rating(tmp_path, "127.0.0.1", port)
    with pytest.raises(StudyError):
        check_rating(tmp_path / "none", "127.0.0.1", port)


def test_the_rating_screen_loads_no_dashboard_and_nothing_slow():
    code = (
        "import sys, dashboard.rating.__main__\n"
        f"print([name for name in {UNLOADED!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_beside_the_dashboard_a_raters_browser_gets_the_rating_screen_only(tmp_path: Path):
    study = write_rating_study(tmp_path / "study")
    other = Route("/lab/clips/{name}", lambda request: PlainTextResponse("a clip"))
    app = Starlette(
        routes=[
            *rating_routes(lambda: study.root, "/lab/"),
            *closed_to_raters([other], RefusalLog(lambda: study.root)),
        ]
    )
    client = TestClient(app, base_url="https://rate.test")
    assert client.get("/lab/clips/a").text == "a clip"
    answer = client.get(f"/lab/rate/k/{study.invite(1)[0]}", follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert answer.headers["location"] == "/lab/rate/"
    assert cookie.startswith(DASHBOARD_COOKIE)
    assert "path=/lab;" in cookie
    assert "secure" in cookie
    assert client.get("/lab/rate/now").json()["screen"] == "trial"
    assert client.get("/lab/clips/a").status_code == 403
    client.post("/lab/rate/leave", json={})
    assert client.get("/lab/rate/now").json()["screen"] == "code"
    assert client.get("/lab/clips/a").status_code == 403
    assert is_raters_browser(dict(client.cookies))
    assert not is_raters_browser({})


def test_the_peoples_file_is_held_open_while_it_is_used(tmp_path: Path):
    study = write_rating_study(tmp_path / "study")
    log = study.people.path.with_name("people.sqlite-wal")
    study.invite(1)
    assert not log.exists()
    HeldFile().touch(study.people.path)
    for number in range(50):
        study.invite(1, f"later {number}")
        if log.exists():
            break
    assert log.exists()
