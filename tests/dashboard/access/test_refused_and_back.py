"""Refusals of every route are in the audit; a sign-out ends a cookie; a link survives sign-in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from dashboard.access.door import Door
from dashboard.access.gate import Gate
from dashboard.access.viewer import Viewer
from dashboard.access.way_back import COOKIE, LIFETIME_S, WaysBack
from dashboard.clip_tokens import LIFETIME_S as CLIP_LIFETIME_S
from tests.dashboard.access.guarded import (
    HOST,
    SIGNER,
    Server,
    access_text,
    cookie_of,
    guarded_study,
    moment_of,
)

PI, SEER, BLIND, RATER = (f"{name}@example.org" for name in ("pi", "seer", "blind", "rater"))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return guarded_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def server(study: Path) -> Iterator[Server]:
    (study / "access.toml").write_text(access_text())
    yield Server(study, time.time)
    (study / "access.toml").write_text(access_text())


def refused(server: Server, n_before: int) -> list[tuple[str, str, str]]:
    """Who was refused, of which recording, and why, since then."""
    new = [line.opened for line in server.lines()[n_before:]]
    assert {one.what for one in new} <= {"refused"}
    return [(one.who, one.recording_id, one.detail) for one in new]


def test_every_kind_of_refusal_is_written_down_with_whom_and_why(server: Server, study: Path):
    n_before = len(server.lines())
    moment = moment_of(study, "rec01")
    then_s = time.time() - CLIP_LIFETIME_S - 1
    old = SIGNER.sign(moment, viewer=SEER, lead_ms=0, lag_ms=0, now_s=then_s)
    access = server.door.access()
    assert access is not None
    path = server.desk.new_folder(study) / "file.zip"
    path.write_bytes(b"zip")
    person = access.person(PI)
    assert person is not None
    theirs = server.desk.offer(path, "clips of x", 1, Viewer(person))
    asked = [
        (SEER, server.link(PI, "rec01"), "rec01", "clip: This link was made for somebody else"),
        (SEER, server.link(SEER, "rec02"), "rec02", "clip: not among their children"),
        (SEER, f"/clips/{old}.mp4", "rec01", "clip: the link is too old"),
        ("", "/clips/forged.mp4", "", "clip: Sign in to see this."),
        (BLIND, server.link(BLIND, "rec01"), "", "clip: Your role does not allow this."),
        (SEER, theirs.address, "", "export: the link was made for somebody else"),
        (RATER, theirs.address, "", "export: Your role does not allow this."),
        (SEER, "/rate/now", "", "rating: Your role does not allow this."),
        ("stranger@example.org", "/moments", "", "page: This account may not see this study."),
        (SEER, "/media/x.jpg", "", "file of a page: This is not on a page that you have open."),
        (SEER, "/_stcore/metrics", "", "page: This is not on a page that you have open."),
        (SEER, "/_stcore/upload_file/a/b", "", "page: "),
    ]
    for who, address, _, _ in asked:
        assert server.client(who).get(address).status_code in (401, 403, 404), address
    found = refused(server, n_before)
    for who, _, recording_id, why in asked[:-1]:
        assert [one for one in found if one[:2] == (who, recording_id) and one[2].startswith(why)]
    # The last two are the same kind: one line.
    assert len(found) == len(asked) - 1


def test_the_same_refusal_a_hundred_times_is_three_lines(server: Server):
    n_before = len(server.lines())
    client = server.client(SEER)
    for _ in range(100):
        client.get("/rate/now")
    told = [detail.partition("(")[2].partition(" since")[0] for *_, detail in refused(server, 0)]
    assert told[-3:] == ["", "10 times", "100 times"]
    assert len(server.lines()) == n_before + 3


def test_a_kept_cookie_is_of_no_use_after_signing_out(server: Server, study: Path):
    (study / "access.toml").write_text(access_text("oidc"))
    claims = {"is_logged_in": True, "email": SEER, "iat": time.time(), "origin": f"http://{HOST}"}
    kept, other = cookie_of(claims), cookie_of({**claims, "nonce": "x"})
    link = server.link(SEER, "rec01")
    for cookie in (kept, other):
        assert server.client(cookies=cookie).get(link).status_code == 200
    server.client(cookies=kept).get("/auth/logout")
    assert server.client(cookies=kept).get(link).status_code == 401
    assert server.client(cookies=other).get(link).status_code == 200


class Provider:
    """Stands for Streamlit's answers while somebody signs in: the page, then the way home."""

    is_right = True

    def page(self, request: Request) -> Response:
        return PlainTextResponse("frame")

    def callback(self, request: Request) -> Response:
        response = RedirectResponse("/lab/", 302)
        if self.is_right:
            response.set_cookie("_streamlit_user", "signed")
        else:
            response.delete_cookie("_streamlit_user")
        return response


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def ways() -> WaysBack:
    return WaysBack()


@pytest.fixture
def browser(study: Path, server: Server, provider: Provider, ways: WaysBack) -> TestClient:
    (study / "access.toml").write_text(access_text("oidc"))
    app = Starlette(
        routes=[
            Route("/lab/oauth2callback", provider.callback),
            Route("/lab/{path:path}", provider.page),
        ],
        middleware=[Middleware(Gate, door=Door(lambda: study), base_path="lab", ways_back=ways)],
    )
    return TestClient(
        app, base_url=f"http://{HOST}", client=("127.0.0.1", 5), follow_redirects=False
    )


PARAMS = {"rec": ["rec01"], "utt": ["ü &?=#/x"], "child": ["C01", "C02"]}


def test_a_link_survives_signing_in(browser: TestClient, ways: WaysBack):
    page = browser.get("/lab/moments")
    given = page.headers["set-cookie"]
    assert given.startswith(f"{COOKIE}=")
    assert "Path=/lab; HttpOnly; SameSite=Lax" in given
    assert "set-cookie" not in browser.get("/lab/words").headers
    ways.keep(dict(browser.cookies), f"http://{HOST}/lab/moments?x=1#y", PARAMS, "lab")
    back = urlsplit(browser.get("/lab/oauth2callback?code=1&state=2").headers["location"])
    assert (back.scheme, back.netloc, back.path) == ("", "", "/lab/moments")
    assert parse_qs(back.query) == PARAMS
    # Once only.
    assert browser.get("/lab/oauth2callback").headers["location"] == "/lab/"


def test_only_who_signed_in_with_that_browser_is_led_back_in_time(
    browser: TestClient, ways: WaysBack, provider: Provider, study: Path
):
    browser.get("/lab/moments")
    url = f"http://{HOST}/lab/moments"
    ways.keep(dict(browser.cookies), url, {}, "lab")
    provider.is_right = False
    assert browser.get("/lab/oauth2callback").headers["location"] == "/lab/"
    provider.is_right = True
    others = TestClient(browser.app, base_url=f"http://{HOST}", follow_redirects=False)
    assert others.get("/lab/oauth2callback").headers["location"] == "/lab/"
    assert browser.get("/lab/oauth2callback").headers["location"] == "/lab/moments"
    late = WaysBack(iter((0.0, LIFETIME_S + 1)).__next__)
    late.keep(dict(browser.cookies), url, {}, "lab")
    assert late.take(dict(browser.cookies)) is None


@pytest.mark.parametrize(
    "url",
    [
        *("http://evil.org/elsewhere", "//evil.org/lab/../x", "javascript:alert(1)"),
        *("http://h/lab//evil.org", "http://h/lab/\\evil.org", "http://h/lab/%2f%2fevil.org"),
        *("http://h/lab/clips/x.mp4", "http://h/lab/auth/logout", "http://h/labx", "http://[h/lab"),
        *("http://h/lab/moments\r\nSet-Cookie: a=b", "http://h/lab/" + "a" * 3_000),
    ],
)
def test_no_address_but_a_page_of_ours_is_remembered(url: str):
    ways, cookies = WaysBack(), {COOKIE: "a" * 24}
    ways.keep(cookies, url, {}, "lab")
    found = ways.take(cookies)
    # What a browser takes for a line break or white space is taken out before.
    assert found is None or found.startswith("/lab/moments")
    assert "\r" not in (found or "")
    ways.keep({COOKIE: "short"}, "http://h/lab/moments", {}, "lab")
    assert ways.take({COOKIE: "short"}) is None


def test_a_request_with_two_ends_is_refused_and_its_connection_closed(server: Server):
    answer = server.client(PI).post(
        "/moments",
        content=b"0\r\n\r\n",
        headers={"Transfer-Encoding": "chunked", "Content-Length": "5"},
    )
    assert (answer.status_code, answer.headers["connection"]) == (400, "close")


def test_an_address_that_only_looks_alike_is_a_stranger(server: Server):
    access = server.door.access()
    assert access is not None
    assert access.person("PI@Example.org") is not None
    assert access.person("p\u0131@example.org") is None
    assert access.person("blin\u212a@example.org") is None
    assert access.person("\u017feer@example.org") is None
