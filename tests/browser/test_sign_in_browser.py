"""Signing in with a real server, a real browser and a provider on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import LONG_MS, free_port, wait_for
from tests.browser.provider import CLIENT_ID, Provider, serving_provider
from tests.factories import write_synthetic_study

pytest.importorskip("authlib")
pytestmark = pytest.mark.browser

_PROJECT = Path(__file__).parents[2]


@dataclass
class Guarded:
    study: Path
    address: str
    provider: Provider


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    """A dashboard that asks the provider who comes."""
    write_synthetic_study(tmp_path, n_children=2, n_recordings=2, n_utterances=60)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    (tmp_path / "access.toml").write_text(
        '[sign_in]\nhow = "oidc"\nhosts = ["127.0.0.1"]\n'
        '[users."seer@example.org"]\nrole = "viewer"\nchildren = ["C01"]\n'
    )
    with serving_provider() as provider:
        secrets = {
            "redirect_uri": f"{address}/oauth2callback",
            "cookie_secret": "a secret of the tests that is long enough",
            "client_id": CLIENT_ID,
            "client_secret": "secret",
            "server_metadata_url": f"{provider.address}/.well-known/openid-configuration",
        }
        (tmp_path / ".streamlit").mkdir()
        lines = [f"{name} = {json.dumps(value)}" for name, value in secrets.items()]
        (tmp_path / ".streamlit/secrets.toml").write_text("\n".join(["[auth]", *lines]))
        (tmp_path / ".streamlit/secrets.toml").chmod(0o600)
        command = [sys.executable, "-m", "pipeline", "dashboard", str(tmp_path)]
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=_PROJECT,
            env=dict(os.environ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_for(address, process)
            yield Guarded(tmp_path, address, provider)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=20)


def sign_in(page: Page, address: str) -> None:
    page.goto(address)
    button = page.get_by_role("button", name="Sign in")
    expect(button).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("Utterances")).to_have_count(0)
    button.click()


def test_whoever_the_provider_vouches_for_sees_what_the_file_allows(
    guarded: Guarded, chromium: Browser
):
    with chromium.new_context() as context:
        context.set_default_timeout(LONG_MS)
        page = context.new_page()
        sign_in(page, guarded.address)
        whose = page.get_by_text("seer@example.org · viewer · C01")
        expect(whose).to_be_visible(timeout=LONG_MS)
        expect(page.locator("a[href^='mailto:']")).to_have_count(0)
        expect(page.get_by_role("heading", name="Overview")).to_be_visible(timeout=LONG_MS)
        asked = guarded.provider.asked[0]
        assert asked["code_challenge_method"] == "S256"
        assert asked["nonce"]
        assert asked["state"]
        # Out of the file: the open page closes by itself, and nothing else answers.
        text = (guarded.study / "access.toml").read_text()
        (guarded.study / "access.toml").write_text(text.replace("seer@", "other@"))
        expect(page.get_by_text("This account may not see this study.")).to_be_visible(
            timeout=LONG_MS
        )
        assert context.request.get(f"{guarded.address}/media/x.jpg").status == 403
        (guarded.study / "access.toml").write_text(text)
        page.reload()
        page.get_by_role("button", name="Sign out").click(timeout=LONG_MS)
        expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=LONG_MS)
        assert context.request.get(f"{guarded.address}/media/x.jpg").status == 401
        guarded.provider.email = "stranger@example.org"
        sign_in(page, guarded.address)
        expect(page.get_by_role("button", name="Use another account")).to_be_visible(
            timeout=LONG_MS
        )
        expect(page.get_by_role("heading", name="Overview")).to_have_count(0)
