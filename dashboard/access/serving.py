"""Whether this server may be started as it was told to."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import streamlit as st

from pipeline.access.binding import checked_access
from pipeline.access.table import SignIn
from pipeline.errors import AccessError

_LEAST_SECRET = 32


def refuse_unguarded(study_root: Path) -> None:
    """End the server before it answers anybody, if others could see the study without signing in.

    Raises SystemExit with the sentence and the fix.
    """
    try:
        check_serving(study_root, str(st.get_option("server.address") or ""))
    except AccessError as problem:
        raise SystemExit(f"Error: {problem.message}\n  {problem.hint}".rstrip()) from None


def check_serving(study_root: Path, host: str) -> None:
    """Raise AccessError unless sign-in is whole, or not needed where `host` is reached from."""
    access = checked_access(study_root, host)
    if access is None:
        return
    if access.sign_in is SignIn.OIDC:
        _check_oidc()
    elif "*" in os.environ.get("FORWARDED_ALLOW_IPS", ""):
        raise AccessError(
            "FORWARDED_ALLOW_IPS believes everybody, so anybody could pass for the proxy.",
            hint="Take it out of the environment.",
        )


def _check_oidc() -> None:
    if find_spec("authlib") is None:
        raise AccessError(
            "Signing in needs the package Authlib.",
            hint='Install it with: pip install "coview[sign-in]"',
        )
    auth = st.secrets.get("auth", {}) if st.secrets.load_if_toml_exists() else {}
    for name in ("redirect_uri", "cookie_secret"):
        if not auth.get(name):
            raise AccessError(
                f".streamlit/secrets.toml has no {name} under [auth].",
                hint="docs/access.md shows the whole file.",
            )
    if len(str(auth["cookie_secret"])) < _LEAST_SECRET:
        raise AccessError(
            f"cookie_secret is shorter than {_LEAST_SECRET} characters.",
            hint='Make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"',
        )
