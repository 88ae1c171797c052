"""Nothing leaves this computer: connections to other computers are refused inside the process.

Commands and the dashboard call `stay_offline` first, and the processes that they start inherit it
through the environment. From then on Python refuses to look up another computer's name or to
connect to it, whichever package asks. It is a second lock: nothing here asks in the first place.
`models fetch` is the one command that goes online; sign-in through an identity provider and a
cluster of several machines name the computers that they need.

Not held back are libraries in C that open connections themselves: the media reader is told to
open files only (`pipeline.media_file`), DuckDB is asked for nothing that it would have to fetch.
The tests run in a network of their own that leads nowhere (`tests/without_network.py`), where
such a connection would fail.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Collection, Iterable

VARIABLE = "COVIEW_OFFLINE"
"""Set in the environment where connections are refused; names the computers allowed, if any."""
_NOBODY = "nobody"
_SWITCHES = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "1",
}
"""What libraries read to stay offline by themselves, and to report nothing."""
_LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_SENDINGS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_own_names = frozenset({"localhost", "", socket.gethostname().lower()})
_allowed: set[str] | None = None


class OfflineError(OSError):
    """A connection to another computer was refused; packages take it for a missing network."""

    def __init__(self, host: str) -> None:
        super().__init__(
            errno.ENETUNREACH, f"Coview stays offline: a connection to {host} was refused"
        )


def stay_offline(allowed_hosts: Iterable[str] = ()) -> None:
    """Refuse connections to other computers from now on, here and in processes started here.

    `allowed_hosts` are names that may still be looked up and connected to. It cannot be undone;
    called again it adds to the names allowed.
    """
    global _allowed
    is_first = _allowed is None
    _allowed = (_allowed or set()) | {host.lower() for host in allowed_hosts}
    os.environ[VARIABLE] = ",".join(sorted(_allowed)) or _NOBODY
    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)
    if is_first:
        sys.addaudithook(_refuse_others)


def inherit() -> None:
    """Stay offline if the process that started this one did."""
    told = os.environ.get(VARIABLE)
    if told:
        stay_offline(() if told == _NOBODY else told.split(","))


def is_offline() -> bool:
    """Whether connections are refused in this process."""
    return _allowed is not None


def _refuse_others(event: str, arguments: tuple[object, ...]) -> None:
    if not event.startswith("socket."):
        return
    if event in _LOOKUPS:
        host = arguments[0]
        if isinstance(host, bytes):
            host = host.decode("ascii", "replace")
        if isinstance(host, str) and not is_here(host) and not _is_address(host):
            _refuse_unless_allowed(host, _allowed or ())
    elif event in _SENDINGS:
        # Of a Unix socket the address is a path, of a connected one None; both stay here.
        address = arguments[1]
        if isinstance(address, tuple) and address and not is_here(str(address[0])) and not _allowed:
            raise OfflineError(str(address[0]))


def _refuse_unless_allowed(host: str, allowed: Collection[str]) -> None:
    if host.lower() not in allowed:
        raise OfflineError(host)


def is_here(host: str) -> bool:
    """Whether a name or numeric address means this computer itself."""
    if host.lower() in _own_names:
        return True
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or address.is_unspecified or bool(mapped and mapped.is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False
    return True
