"""Whether the dashboard may be served where it is told to."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

from pipeline.access.table import Access, access_path, read_access
from pipeline.errors import AccessError


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address. A name but localhost is taken for no."""
    if host.casefold() == "localhost":
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def checked_access(study_root: Path, host: str) -> Access | None:
    """What access.toml says, or None where there is none and none is needed.

    host: the address to serve on; empty for all of the machine's. Raises AccessError when others
    would reach the dashboard without signing in, or the file cannot be used.
    """
    path = access_path(study_root)
    is_there = os.path.lexists(path)
    if not is_there and is_loopback(host):
        return None
    if not is_there:
        raise AccessError(
            f"The dashboard is not served on {host or 'all addresses'}: the study has no "
            f"{path.name}, so everybody there could see it.",
            hint="Say in it who may sign in and see what (docs/access.md), or serve on 127.0.0.1.",
        )
    return read_access(path)
