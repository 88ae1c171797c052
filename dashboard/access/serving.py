"""Whether this server may be started as it was told to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from pipeline.access.binding import checked_access
from pipeline.access.table import Access, SignIn
from pipeline.errors import AccessError
from pipeline.offline import stay_offline
from pipeline.private_files import close_to_others

_LEAST_SECRET = 32


def refuse_unguarded(study_root: Path) -> None:
    """End the server before it answers anybody, if others could see the study without signing in.

    From then on the server asks no other computer but those that say who signs in, and other
    accounts of this machine cannot read what it writes.

    Raises SystemExit with the sentence and the fix.
    """
    try:
        access = check_serving(study_root, str(st.get_option("server.address") or ""))
    except AccessError as problem:
        raise SystemExit(f"Error: {problem.message}\n  {problem.hint}".rstrip()) from None
    stay_offline(provider_hosts(access))
    close_to_others()


def check_serving(study_root: Path, host: str) -> Access | None:
    """What access.toml says; None where nobody needs to sign in.

    Raises AccessError unless sign-in is whole, or not needed where `host` is reached from.
    """
    access = checked_access(study_root, host)
    if access is None:
        return None
    if access.sign_in is SignIn.OIDC:
        _check_oidc()
    elif "*" in os.environ.get("FORWARDED_ALLOW_IPS", ""):
        raise AccessError(
            "FORWARDED_ALLOW_IPS believes everybody, so anybody could pass for the proxy.",
            hint="Take it out of the environment.",
        )
    return access


def provider_hosts(access: Access | None) -> set[str]:
    """Names of the computers that may be asked who signs in."""
    if access is None or access.sign_in is not SignIn.OIDC:
        return set()
    auth = st.secrets.get("auth", {})
    # A provider can stand under [auth] itself or under a name of its own, [auth.NAME].
    parts = [auth, *(part for part in auth.values() if isinstance(part, Mapping))]
    named = {urlsplit(str(part.get("server_metadata_url", ""))).hostname for part in parts}
    return {*access.providers, *(name for name in named if name)}


def _check_oidc() -> None:
    if find_spec("authlib") is None:
        raise AccessError(
            "Signing in needs the package Authlib.",
            hint='Install it with: python -m uv pip install ".[sign-in]"',
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
