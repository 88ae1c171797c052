"""Behind https, every cookie of the server goes back over https alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from dashboard.access.door import Door
from dashboard.access.gate import Gate


def _with_cookies(request: Request) -> PlainTextResponse:
    answer = PlainTextResponse("page")
    answer.set_cookie("open", "1", path="/", samesite="lax")
    answer.set_cookie("closed", "2; Secure", secure=True)
    return answer


@pytest.mark.parametrize(
    ("told", "is_closed"), [("", False), ("http", False), ("https", True), ("HTTPS, http", True)]
)
def test_cookies_are_closed_where_the_browser_came_by_https(
    tmp_path: Path, told: str, is_closed: bool
):
    app = Starlette(
        routes=[Route("/children", _with_cookies)],
        middleware=[Middleware(Gate, door=Door(lambda: tmp_path))],
    )
    client = TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000))
    answer = client.get("/children", headers={"X-Forwarded-Proto": told} if told else {})
    cookies = {one.partition("=")[0]: one for one in answer.headers.get_list("set-cookie")}
    assert cookies["open"].endswith("; Secure") is is_closed
    assert cookies["closed"].count("; Secure") == 1
