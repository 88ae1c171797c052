"""Whoever signed out, or was away too long, stays out when the server is started anew."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dashboard.access import sign_ins
from dashboard.access.door import Door
from dashboard.access.sign_ins import FOLDER_NAME, KEPT_S, SignIns
from dashboard.access.viewer import NotLetInError, Refusal
from pipeline.own_folder import OWN_FOLDER
from tests.dashboard.access.guarded import HEADER, access_text, cookie_of

SEER = "seer@example.org"
_SERVER = """
import json, os, sys
from pathlib import Path
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from dashboard.access.door import Door
from dashboard.access.gate import Gate
from tests.dashboard.access.guarded import HOST, _frame
from starlette.routing import Route

root, headers, now_s, paths = json.loads(sys.argv[1])
app = Starlette(
    routes=[Route("/{path:path}", _frame)],
    middleware=[Middleware(Gate, door=Door(lambda: Path(root), lambda: now_s))],
)
client = TestClient(
    app, base_url=f"http://{HOST}", headers=headers, client=("127.0.0.1", 50_000)
)
print(json.dumps([client.get(path).status_code for path in paths]), flush=True)
os.kill(os.getpid(), 9)
"""


def served(root: Path, headers: dict[str, str], *paths: str, now_s: float) -> list[int]:
    """What a server in a process of its own, which is killed then, answers to each in turn."""
    given = json.dumps([str(root), headers, now_s, paths])
    told = subprocess.run(
        [sys.executable, "-c", _SERVER, given],
        capture_output=True,
        text=True,
        cwd=OWN_FOLDER,
        check=False,
    )
    assert told.stdout, told.stderr
    found: list[int] = json.loads(told.stdout.splitlines()[-1])
    return found


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's secret is the same before and after."""
    monkeypatch.setenv("STREAMLIT_SERVER_COOKIE_SECRET", "a secret for tests only, long enough")
    from streamlit import config

    config.get_config_options(force_reparse=True)


@pytest.mark.skipif(os.name == "nt", reason="a process is not killed so there")
@pytest.mark.usefixtures("secret")
def test_a_kept_cookie_is_of_no_use_after_signing_out_and_a_restart(tmp_path: Path):
    (tmp_path / "access.toml").write_text(access_text("oidc"))
    now_s = time.time()
    claims = {"is_logged_in": True, "email": SEER, "iat": now_s}
    kept = {"Cookie": cookie_of(claims)}
    other = {"Cookie": cookie_of({**claims, "nonce": "x"})}
    asked = ("/exports/x", "/auth/logout", "/exports/x")
    assert served(tmp_path, kept, *asked, now_s=now_s) == [200, 200, 401]
    assert served(tmp_path, kept, "/exports/x", now_s=now_s + 60) == [401]
    assert served(tmp_path, other, "/exports/x", now_s=now_s + 60) == [200]
    (file,) = (tmp_path / FOLDER_NAME).iterdir()
    assert file.stat().st_size == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert SEER not in file.name


def proxys(root: Path, now_s: float, *, is_activity: bool = True) -> Refusal | None:
    """Why a new server does not let somebody in whom a proxy names; None if it does."""
    door = Door(lambda: root, lambda: now_s)
    try:
        door.viewer({HEADER: SEER}, {}, is_activity=is_activity)
    except NotLetInError as problem:
        return problem.refusal
    return None


def test_a_proxys_absent_person_comes_back_by_saying_so_also_after_a_restart(tmp_path: Path):
    (tmp_path / "access.toml").write_text(access_text())
    begun_s = time.time()
    assert proxys(tmp_path, begun_s) is None
    assert proxys(tmp_path, begun_s + 29 * 60, is_activity=False) is None
    assert proxys(tmp_path, begun_s + 31 * 60) is Refusal.IDLE
    assert proxys(tmp_path, begun_s + 32 * 60) is Refusal.IDLE
    Door(lambda: tmp_path, lambda: begun_s + 33 * 60).come_back({HEADER: SEER}, {})
    assert proxys(tmp_path, begun_s + 34 * 60) is None


def test_activity_of_a_proxys_person_is_written_once_a_minute(tmp_path: Path):
    (tmp_path / "access.toml").write_text(access_text())
    begun_s = time.time()
    times_s = iter((begun_s, begun_s + 1, begun_s + 59, begun_s + 61))
    door = Door(lambda: tmp_path, lambda: next(times_s))
    written_s = []
    for _ in range(4):
        door.viewer({HEADER: SEER}, {})
        (file,) = (tmp_path / FOLDER_NAME).iterdir()
        written_s.append(round(file.stat().st_mtime - begun_s))
    assert written_s == [0, 0, 0, 61]


def test_sign_ins_are_kept_no_longer_than_a_cookie_and_not_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ended = SignIns(lambda: tmp_path)
    ended.end("old", 0.0)
    (tmp_path / FOLDER_NAME / "notes.txt").write_text("not ours")
    ended.end("young", KEPT_S + 1.0)
    assert (ended.is_over("old"), ended.is_over("young")) == (False, True)
    monkeypatch.setattr(sign_ins, "MAX_KEPT", 3)
    for number in range(6):
        ended.end(f"n{number}", KEPT_S + 2.0 + number)
    assert [ended.is_over(f"n{number}") for number in range(6)] == [False] * 3 + [True] * 3
    assert (tmp_path / FOLDER_NAME / "notes.txt").is_file()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_nothing_is_written_through_a_link(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    study, elsewhere = tmp_path / "study", tmp_path / "elsewhere"
    study.mkdir()
    elsewhere.mkdir()
    (study / FOLDER_NAME).symlink_to(elsewhere)
    SignIns(lambda: study).end("a", time.time())
    assert not list(elsewhere.iterdir())
    assert "cannot be kept" in caplog.text
