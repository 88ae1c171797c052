"""Who may speak to a dashboard without sign-in: this machine's own account, under its own name."""

from __future__ import annotations

import pytest
from starlette.types import Scope

from dashboard.access import callers
from dashboard.access.callers import wrong_caller
from dashboard.access.viewer import Refusal


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
