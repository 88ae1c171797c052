"""Who may speak to a dashboard without sign-in: this machine's own account, under its own name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.types import Scope

from dashboard.access import callers
from dashboard.access.callers import wrong_caller
from dashboard.access.viewer import Refusal
from pipeline.access.table import Access, SignIn


def scope(kind: str = "http", host: str = "127.0.0.1:8501", origin: str = "") -> Scope:
    headers = [(b"host", host.encode())]
    headers += [(b"origin", origin.encode())] if origin else []
    ends = {"client": ("127.0.0.1", 50_000), "server": ("127.0.0.1", 8_501)}
    return {"type": kind, "headers": headers, **ends}


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost:8501", "[::1]:8501", "LOCALHOST"])
def test_its_own_names_are_answered_whatever_the_settings_say(host: str):
    assert wrong_caller(scope(host=host), None, []) is None


@pytest.mark.parametrize("host", ["evil.example.org:8501", "127.0.0.1.evil.example.org", ""])
def test_a_name_that_was_made_to_lead_here_is_refused(host: str):
    """As when another site's name changes its address to this machine."""
    assert wrong_caller(scope(host=host), None, []) is Refusal.WRONG_HOST


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:3000", "http://localhost:8501", "https://evil.example.org", "null"]
)
def test_a_page_of_another_service_of_this_machine_opens_no_stream(origin: str):
    assert wrong_caller(scope("websocket", origin=origin), None, []) is Refusal.WRONG_HOST


@pytest.mark.parametrize("origin", ["", "http://127.0.0.1:8501"])
def test_its_own_page_opens_the_stream(origin: str):
    assert wrong_caller(scope("websocket", origin=origin), None, []) is None


def test_another_account_of_the_machine_is_refused(monkeypatch: pytest.MonkeyPatch):
    asked: list[object] = []

    def is_another(peer: object, server: object) -> bool:
        asked.append((peer, server))
        return True

    monkeypatch.setattr(callers, "is_another_account", is_another)
    assert wrong_caller(scope(), None, []) is Refusal.OTHER_ACCOUNT
    assert asked == [(("127.0.0.1", 50_000), ("127.0.0.1", 8_501))]


@pytest.mark.parametrize(
    ("account", "peer", "is_heard"),
    [
        (33, "127.0.0.1", True),
        (0, "127.0.0.1", True),
        (1_000, "127.0.0.1", False),
        (None, "127.0.0.1", False),
        (None, "10.0.0.5", True),
    ],
)
def test_of_this_machine_only_the_named_accounts_pass_for_the_proxy(
    monkeypatch: pytest.MonkeyPatch, account: int | None, peer: str, is_heard: bool
):
    monkeypatch.setattr(callers, "account_of", lambda *_: account)
    proxies = frozenset({"127.0.0.1", "10.0.0.5"})
    named = Access(
        SignIn.PROXY, {}, ("127.0.0.1",), 30, "X-Email", proxies, accounts=frozenset({33})
    )
    asked = {**scope(), "client": (peer, 50_000)}
    assert (wrong_caller(asked, named, []) is None) is is_heard
    assert wrong_caller(asked, replace(named, accounts=None), []) is None
