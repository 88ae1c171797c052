"""Asks a server byte by byte what is wanted, also what no browser would send."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

Header = tuple[str, str]
_PATIENCE_S = 30.0
_STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3}) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `status` is 0 when the connection was closed without an answer."""

    status: int
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    @property
    def is_given(self) -> bool:
        """Whether what was asked for was handed out."""
        return 200 <= self.status < 300

    def all_of(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.casefold() == name.casefold()]

    def header(self, name: str) -> str:
        return next(iter(self.all_of(name)), "")


@dataclass(frozen=True, slots=True)
class Asker:
    """A server on this machine: its port, and what browsers call it."""

    port: int
    host: str

    def ask(
        self,
        target: str,
        headers: Sequence[Header] = (),
        *,
        method: str = "GET",
        body: bytes = b"",
        source: str = "127.0.0.1",
    ) -> Answer:
        """The answer to one request; `target` is sent as it is. A Host of `headers` is the only
        one; `source` is the address it comes from."""
        named = {name.casefold() for name, _ in headers}
        lines = [f"{method} {target} HTTP/1.1"]
        if "host" not in named:
            lines.append(f"Host: {self.host}")
        lines += [f"{name}: {value}" for name, value in headers]
        if body and not named & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([*lines, "Connection: close", "", ""])
        return self.send(head.encode("utf-8") + body, method=method, source=source)

    def send(self, raw: bytes, *, method: str = "GET", source: str = "127.0.0.1") -> Answer:
        """The answer to these bytes."""
        try:
            with self.connected(source) as sock:
                with suppress(OSError):  # it may have answered before it had heard all
                    sock.sendall(raw)
                response = http.client.HTTPResponse(sock, method=method)
                response.begin()
                return Answer(
                    response.status, tuple(response.getheaders()), response.read(50_000_000)
                )
        except (OSError, http.client.HTTPException):
            return Answer(0)

    def send_all(self, raw: bytes) -> Answer:
        """All that comes back for these bytes; a success when any answer in it is one."""
        found = b""
        with suppress(OSError), self.connected() as sock:  # what came until then counts
            sock.sendall(raw)
            sock.settimeout(0.7)
            while piece := sock.recv(1 << 16):
                found += piece
        statuses = [int(number) for number in _STATUS.findall(found)]
        good = [status for status in statuses if 200 <= status < 300]
        return Answer(next(iter(good or statuses), 0), (), found)

    def connected(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout=_PATIENCE_S, source_address=(source, 0)
        )
