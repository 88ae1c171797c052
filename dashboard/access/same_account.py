"""Which account of this machine speaks on a connection from the machine itself.

Every account of a machine reaches its loopback address, so on a shared computer "this machine only"
would be everybody who may log in to it. Linux says whose a connection is; elsewhere nobody does.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path

_TABLES = ("tcp", "tcp6")
_ESTABLISHED = "01"
ROOT = 0
_PROC = Path("/proc/net")


def is_another_account(
    peer: tuple[str, int] | None, server: tuple[str, int] | None, tables: Path = _PROC
) -> bool:
    """Whether a connection is known to be another account's than this process's, or root's.

    peer, server: address and port of both ends. False where the system does not tell.
    """
    if peer is None or server is None or not hasattr(os, "getuid"):
        return False
    account = account_of(peer, server, tables)
    return account is not None and account not in (os.getuid(), ROOT)


def account_of(peer: tuple[str, int], server: tuple[str, int], tables: Path = _PROC) -> int | None:
    """Number of the account that opened a connection on this machine; None if not known."""
    try:
        ends = {
            (mine, theirs) for mine, theirs in zip(_written(*peer), _written(*server), strict=True)
        }
    except ValueError:
        return None
    for name in _TABLES:
        try:
            lines = (tables / name).read_text(encoding="ascii").splitlines()[1:]
        except (OSError, UnicodeDecodeError):
            continue
        for line in lines:
            cells = line.split()
            if len(cells) > 7 and (cells[1], cells[2]) in ends and cells[3] == _ESTABLISHED:
                return int(cells[7])
    return None


def _written(address: str, port: int) -> tuple[str, str]:
    """An end of a connection as the tables of IPv4 and of IPv6 have it.

    They hold each 32 bits in the order of this machine's processor.
    """
    found = ipaddress.ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None) or found
    if mapped.version == 4:
        wide = ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + mapped.packed)
        return _hex(mapped.packed, port), _hex(wide.packed, port)
    return "", _hex(mapped.packed, port)


def _hex(packed: bytes, port: int) -> str:
    words = [packed[place : place + 4] for place in range(0, len(packed), 4)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    return f"{b''.join(words).hex().upper()}:{port:04X}"
