"""The dashboard does not start where others could see it without signing in."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from typer.testing import CliRunner

from dashboard.access import serving
from dashboard.access.serving import check_serving, provider_hosts
from pipeline.access.sign_in_secrets import study_secrets
from pipeline.cli import app
from pipeline.errors import AccessError
from pipeline.serving import check_dashboard, dashboard_command
from tests.dashboard.access.guarded import access_text

PROJECT = Path(__file__).parents[3]


@pytest.mark.parametrize("command", ["dashboard", "serve"])
@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.5", "coview.example.org"])
def test_the_command_refuses_with_one_error(tmp_path: Path, command: str, host: str):
    done = CliRunner().invoke(app, [command, str(tmp_path), "--host", host])
    assert done.exit_code == 2
    first, second = done.output.strip().splitlines()
    assert first.startswith(f"Error: The dashboard is not served on {host}")
    assert "docs/access.md" in second


def test_streamlit_alone_refuses_too(tmp_path: Path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "streamlit", "run", "dashboard/app.py"),
            *("--server.address=0.0.0.0", "--server.port=0", "--server.headless=true"),
        ],
        cwd=PROJECT,
        env={**os.environ, "COVIEW_STUDY": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 1
    assert "Error: The dashboard is not served on 0.0.0.0" in done.stderr
    assert "Traceback" not in done.stderr


def test_signing_in_must_be_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "access.toml").write_text(access_text("oidc"))
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    with pytest.raises(AccessError, match="needs the package Authlib"):
        check_serving(tmp_path, "0.0.0.0")
    monkeypatch.setattr(serving, "find_spec", lambda name: object())
    secrets = {"redirect_uri": "https://coview.example.org/oauth2callback"}

    class Secrets(dict):
        def load_if_toml_exists(self) -> bool:
            return True

    monkeypatch.setattr(st, "secrets", Secrets(auth=secrets))
    with pytest.raises(AccessError, match="no cookie_secret"):
        check_serving(tmp_path, "0.0.0.0")
    secrets["cookie_secret"] = "short"
    with pytest.raises(AccessError, match="shorter than 32"):
        check_serving(tmp_path, "0.0.0.0")
    secrets["cookie_secret"] = "long enough " * 4
    access = check_serving(tmp_path, "0.0.0.0")
    secrets["server_metadata_url"] = "https://login.example.org/.well-known/openid-configuration"
    assert access is not None
    also = replace(access, providers=("keys.example.org",))
    assert provider_hosts(also) == {"login.example.org", "keys.example.org"}
    assert provider_hosts(None) == set()


def test_a_server_that_believes_every_forwarded_address_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "access.toml").write_text(access_text())
    check_serving(tmp_path, "0.0.0.0")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    with pytest.raises(AccessError, match="FORWARDED_ALLOW_IPS"):
        check_serving(tmp_path, "0.0.0.0")


def test_the_server_knows_its_names_and_keeps_its_protection(tmp_path: Path):
    from pipeline.access.table import read_access

    (tmp_path / "access.toml").write_text(access_text())
    command = dashboard_command(8501, "10.0.0.5", read_access(tmp_path / "access.toml"))
    assert "--server.address=10.0.0.5" in command
    assert "--server.allowedHosts=coview.example.org" in command
    assert "--server.enableXsrfProtection=true" in command
    assert not [part for part in dashboard_command(8501) if "allowedHosts" in part]
    # Streamlit's welcome would ask another computer for this one's address.
    assert "--logger.hideWelcomeMessage=true" in command


@pytest.mark.parametrize("how", ["", "proxy", "oidc"])
def test_secrets_in_a_study_count_for_signing_in_alone(tmp_path: Path, how: str):
    """Streamlit makes environment variables of what stands at the top of them."""
    folder = tmp_path / ".streamlit"
    folder.mkdir()
    (folder / "secrets.toml").write_text('LD_PRELOAD = "evil.so"\n[auth]\ncookie_secret = "x"\n')
    (folder / "secrets.toml").chmod(0o600)
    if how:
        (tmp_path / "access.toml").write_text(access_text(how))
    if how == "oidc":
        with pytest.raises(AccessError, match=r"holds more than the part \[auth\]: 'LD_PRELOAD'"):
            check_dashboard(tmp_path)
        (folder / "secrets.toml").write_text('[auth]\ncookie_secret = "x"\n')
    _, access = check_dashboard(tmp_path)
    found = study_secrets(tmp_path, access)
    assert found == (folder / "secrets.toml" if how == "oidc" else None)


@pytest.mark.parametrize("text", ["[auth", "auth = 3", "\udc80"])
def test_secrets_that_cannot_be_read_let_nobody_start_and_are_not_told(tmp_path: Path, text: str):
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    (tmp_path / ".streamlit" / "secrets.toml").chmod(0o600)
    (tmp_path / "access.toml").write_text(access_text("oidc"))
    with pytest.raises(AccessError, match="of the study") as found:
        check_dashboard(tmp_path)
    assert "auth = 3" not in found.value.message


@pytest.mark.skipif(os.name != "posix", reason="files have no such modes elsewhere")
@pytest.mark.parametrize(("mode", "is_closed"), [(0o600, True), (0o640, True), (0o644, False)])
def test_secrets_that_every_account_can_read_are_refused(
    tmp_path: Path, mode: int, is_closed: bool
):
    (tmp_path / ".streamlit").mkdir()
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.write_text('[auth]\ncookie_secret = "x"\n')
    secrets.chmod(mode)
    (tmp_path / "access.toml").write_text(access_text("oidc"))
    if is_closed:
        check_dashboard(tmp_path)
    else:
        with pytest.raises(AccessError, match="open to every account"):
            check_dashboard(tmp_path)
