"""Where a connection comes from and what it calls this server: who may speak at all."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from dashboard.access.same_account import ROOT, account_of, is_another_account
from dashboard.access.viewer import Refusal
from pipeline.access.binding import is_loopback
from pipeline.access.table import Access, SignIn

_OWN_NAMES = ("127.0.0.1", "localhost", "::1")
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,300}")


def wrong_caller(scope: Scope, access: Access | None, also_hosts: list[str]) -> Refusal | None:
    """Why this connection may not speak: where it comes from, or what it calls us.

    also_hosts: names of this server beside those of access.toml.
    """
    peer = (scope.get("client") or ("", 0))[0]
    if access is None:
        if not is_loopback(peer):
            return Refusal.ELSEWHERE
        if is_another_account(scope.get("client"), scope.get("server")):
            return Refusal.OTHER_ACCOUNT
    elif access.sign_in is SignIn.PROXY and (
        _plain_address(peer) not in access.proxies or not _may_pass_for_proxy(scope, access)
    ):
        return Refusal.NOT_PROXY
    headers = Headers(scope=scope)
    if access is not None and access.header and len(headers.getlist(access.header)) > 1:
        return Refusal.NOT_PROXY  # the second may be the browser's own
    hosts = [*(access.hosts if access is not None else ()), *also_hosts]
    if access is None and not hosts:
        hosts = list(_OWN_NAMES)  # another site's name can be made to lead here, too
    named = headers.getlist("host")
    if hosts and (len(named) != 1 or not _is_named(named[0], hosts)):
        return Refusal.WRONG_HOST
    if scope["type"] == "websocket":
        # Streamlit also takes pages of this machine's other addresses for its own.
        named_in_file = () if access is None else access.hosts
        own = {headers.get("host", "").casefold(), *(host.casefold() for host in named_in_file)}
        if any(_place_of(origin) not in own for origin in headers.getlist("origin")):
            return Refusal.WRONG_HOST
    return None


def _may_pass_for_proxy(scope: Scope, access: Access) -> bool:
    """Whether whoever speaks from this machine is an account that the file names, or root."""
    peer, server = scope.get("client"), scope.get("server")
    if access.accounts is None or peer is None or not is_loopback(peer[0]):
        return True
    return server is not None and account_of(peer, server) in {*access.accounts, ROOT}


def _place_of(origin: str) -> str:
    """Host and port of an origin; another service on another port is another place."""
    try:
        return urlsplit(origin).netloc.casefold()
    except ValueError:
        return ""


def _is_named(host: str, allowed: list[str]) -> bool:
    if not _HOST.fullmatch(host):
        return False
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    for one in allowed:
        pattern = one.strip().casefold().rstrip(".")
        if pattern == "*" or name == pattern:
            return True
        if pattern.startswith("*.") and name.endswith(pattern[1:]):
            return True
    return False


def _plain_address(text: str) -> str:
    """An address as access.toml's are kept: IPv4 also where it came in over IPv6."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    return str(getattr(found, "ipv4_mapped", None) or found)
