"""Requests that nobody should send: what they are and what may come back at most.

Those of one kind are yielded together. A request with `is_given` must be answered, as a check that
the refusals are of what is wrong with the others and not of everything.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.torture.access.asking import Header

_PLACES = (
    *("/", "/static/", "/media/", "/clips/", "/exports/x/", "/rate/web/", "/rate/picture/"),
    *("/rate/sound/", "/_stcore/bidi-components/", "/component/", "/app/static/"),
    *("/figure-scripts/", "/_stcore/upload_file/", "/moments/"),
)
_UPS = (
    *("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%252e%252e%252f", "..%5c", "..\\", "..%255c"),
    *("....//", "..;/", "%c0%ae%c0%ae/", "..%00/", "%2e%2e%00%2f", ".%2e/", "//", "/%2f", "~/"),
)
_GOALS = (
    *("access.toml", "recordings/raw/rec02.mp4", "people/people.sqlite", "etc/passwd"),
    *("audit/opened-0001.jsonl", "derived/stores/store-without.duckdb", "app.py"),
)
_ENDS = ("", "%00", "%00.mp4", "?x.mp4", "%23", "/.", ";x")


@dataclass(frozen=True, slots=True)
class Hostile:
    """One request, with `sent` headers beside those of who asks. `raw` is sent as it is instead."""

    target: str = "/"
    sent: tuple[Header, ...] = ()
    method: str = "GET"
    body: bytes = b""
    source: str = "127.0.0.1"
    raw: bytes = b""
    is_given: bool = False

    @property
    def told(self) -> str:
        """The request in a line."""
        if self.raw:
            return repr(self.raw[:200])
        more = f" {dict(self.sent)}" if self.sent else ""
        size = f" with {len(self.body):,} bytes" if self.body else ""
        return f"{self.method} {self.target[:200]}{more}"[:400] + size + f" from {self.source}"


def paths(rng: random.Random, n: int) -> Iterator[Hostile]:
    """Ways out of a folder: encoded once and twice, backslashes, NUL, overlong."""
    every = [
        Hostile(f"{place}{up * times}{goal}{end}")
        for place in _PLACES
        for up in _UPS
        for times in (1, 3, 8)
        for goal in _GOALS
        for end in _ENDS
    ]
    yield from rng.sample(every, min(n, len(every)))


def guesses(rng: random.Random, token: str, n: int) -> Iterator[Hostile]:
    """A link to a clip, altered in one place, cut, or made up."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    body, _, signature = token.partition(".")
    made_up = [
        *("", ".", "..", body, f"{body}.", f".{signature}", f"{body}.{signature[:-1]}"),
        *(f"{body}.{'A' * len(signature)}", f"{signature}.{body}", f"{body}.{body}", "a" * 60_000),
        *(f"{token}.{token}", f"{body}%00.{signature}", f"{body}.{signature}%0a", "null.null"),
        *("W10.W10", "eyJhbGciOiJub25lIn0.e30.", "%F0%9F%98%80.%F0%9F%98%80"),
    ]
    for _ in range(max(0, n - len(made_up))):
        # The last letter of a part holds bits that mean nothing.
        place = rng.choice([at for at, letter in enumerate(token[:-1]) if letter != "."])
        if place == len(body) - 1:
            continue
        other = rng.choice([letter for letter in letters if letter != token[place]])
        made_up.append(token[:place] + other + token[place + 1 :])
    yield from (Hostile(f"/clips/{one}.mp4") for one in made_up[:n])
    for _ in range(max(1, n // 4)):
        guess = "".join(rng.choices(letters, k=32))
        yield Hostile(f"/exports/{guess}/file.zip")
        yield Hostile(f"/media/{rng.getrandbits(224):056x}.txt")
        yield Hostile(f"/_stcore/upload_file/{rng.getrandbits(128):032x}/f", (), "PUT", b"x")
        yield Hostile(f"/rate/picture/{rng.randrange(1, 500)}/{rng.randrange(1, 9)}.jpg")


def hosts(host: str, port: int) -> Iterator[Hostile]:
    """Other names of the machine, two names, none, and names of other headers."""
    for name in (
        *("evil.example.org", f"{host}.evil.org", f"evil.org#{host}", f"{host}@evil.org", ""),
        *(f"evil@{host}", f"{host}/evil", f"{host}\\evil", f"{host}, evil.org", f"{host} evil"),
        *("10.0.0.1", "[::1]", "localhost.evil.org", "*", "a" * 5_000, f"{host}%00", f"x{host}"),
    ):
        yield Hostile("/moments", (("Host", name),))
    yield Hostile("/moments", (("Host", host), ("Host", "evil.example.org")))
    yield Hostile("/moments", (("Host", "evil.example.org"), ("Host", host)))
    yield Hostile(
        "/moments",
        (("Host", "evil.example.org"), ("X-Forwarded-Host", host), ("Forwarded", f"host={host}")),
    )
    yield Hostile(raw=b"GET /moments HTTP/1.0\r\n\r\n")
    yield Hostile("/moments", (("Host", f"{host}:{port}"),), is_given=True)
    yield Hostile("/moments", (("Host", host.upper()),), is_given=True)


def passed_off(header: str, email: str, host: str) -> Iterator[Hostile]:
    """The proxy's header from elsewhere, twice, folded, spelt differently, behind another request.

    `email` is an admin's.
    """
    named = (header, email)
    for source in ("127.0.0.2", "127.9.9.9"):
        yield Hostile("/rate/", (named,), source=source)
        for other in ("X-Forwarded-For", "X-Real-IP", "Client-IP", "True-Client-IP"):
            yield Hostile("/rate/", (named, (other, "127.0.0.1")), source=source)
        yield Hostile("/rate/", (named, ("Forwarded", "for=127.0.0.1")), source=source)
    underscored = header.replace("-", "_")
    for name, value in (
        *(
            (underscored, email),
            (f"{header}:", email),
            (f"{header} ", email),
            (f" {header}", email),
        ),
        *((f"X-{header}", email), (header, f'"{email}"'), (header, f"<{email}>")),
        *(
            (header, f"{email},seer@example.org"),
            (header, f"{email}\x00"),
            (header, f"\u212a{email}"),
        ),
        *((header, f"{email}\tx"), (header, f"{email}%00"), (header, f"mailto:{email}")),
    ):
        yield Hostile("/rate/", ((name, value),))
    yield Hostile("/rate/", (named, (header, "seer@example.org")))
    yield Hostile("/rate/", ((header, "seer@example.org"), (header.upper(), email)))
    head = f"Host: {host}\r\n"
    smuggled = f"GET /rate/ HTTP/1.1\r\n{head}{header}: {email}\r\n\r\n"
    body = f"0\r\n\r\n{smuggled}"
    yield Hostile(
        raw=f"GET /rate/ HTTP/1.1\r\n{head}X-Other: a\r\n {header}: {email}\r\n\r\n".encode()
    )
    yield Hostile(
        raw=f"GET /rate/ HTTP/1.1\r\n{head}X: a\n{header}: {email}\r\n\r\n".encode()[:-4] + b"\r"
    )
    yield Hostile(
        raw=f"POST /rate/ HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n{body}".encode(),
        method="POST",
    )
    first = f"GET /moments HTTP/1.1\r\n{head}{header}: seer@example.org\r\n"
    yield Hostile(
        raw=f"{first}Content-Length: {len(body)}\r\nTransfer-Encoding: chunked\r\n\r\n"
        f"{body}".encode()
    )
    yield Hostile(
        raw=f"POST /rate/ HTTP/1.1\r\n{head}Content-Length: 0\r\nContent-Length: "
        f"{len(smuggled)}\r\n\r\n{smuggled}".encode(),
        method="POST",
    )


def methods(target: str) -> Iterator[Hostile]:
    """Something that may not be had, asked for in other ways; nothing of it may come."""
    for method in (
        *("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"),
        *("get", "GETT", "QUERY", "DEBUG"),
    ):
        yield Hostile(target, method=method)
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"):
        yield Hostile(target, ((name, "GET" if "Method" in name else "/_stcore/health"),))
    yield Hostile(target, (("Range", "bytes=0-"),))
    yield Hostile(target, (("Upgrade", "websocket"), ("Connection", "Upgrade")))


def ranges() -> Iterator[tuple[Header, ...]]:
    """Pieces of a clip that is theirs: whatever is asked for, no more than the clip comes."""
    for value in (
        *("bytes=0-0", "bytes=-1", "bytes=0-", "bytes=5-2", "bytes=--1", "bytes=a-b", "bytes="),
        *("bytes=0-99999999999999999999", "bytes=-99999999999999999999", "items=0-1", "bytes"),
        *("bytes=99999999-", "bytes=0-0," * 4_000 + "1-1", "bytes=0-," * 4_000 + "0-"),
        *("bytes=0-1000,500-1500,0-1000", "bytes=٠-١", "bytes=1e3-", "bytes=-0"),
    ):
        yield (("Range", value),)


def oversized(limit: int) -> Iterator[Hostile]:
    """More than a page sends: a body that says so, one that does not, headers, an address."""
    big = b"a" * (limit + 1)
    yield Hostile("/moments", method="POST", body=big)
    yield Hostile("/_stcore/upload_file/a/b", method="PUT", body=big)
    chunk = b"%x\r\n" % 65_536 + b"a" * 65_536 + b"\r\n"
    for method, target in (("POST", "/moments"), ("PUT", "/_stcore/upload_file/a/b")):
        chunked = (("Transfer-Encoding", "chunked"),)
        yield Hostile(target, chunked, method, chunk * (limit // 65_536 + 2) + b"0\r\n\r\n")
    yield Hostile("/moments", (("Content-Length", "9" * 30),), "POST", b"a")
    yield Hostile("/moments", (("Content-Length", "-1"),), "POST", b"a")
    yield Hostile("/moments", (("X-Long", "a" * 200_000),))
    yield Hostile("/moments", tuple((f"X-{number}", "a" * 40) for number in range(5_000)))
    yield Hostile(f"/{'a' * 200_000}")
    yield Hostile("/moments", (("Cookie", "; ".join(f"c{n}=v" for n in range(20_000))),))
    yield Hostile("/rate/answer", (("Content-Type", "application/json"),), "POST", b"[" * 100_000)


ORIGINS = (
    *("https://evil.example.org", "http://localhost:3000", "http://127.0.0.1", "null", "file://"),
    *(
        "https://{host}.evil.org",
        "https://evil.org/{host}",
        "http://{host}:1",
        "chrome-extension://x",
    ),
    *("https://{host}@evil.org", "https://[::1]", "http://[{host}", "about:blank"),
)
"""Where a page of another site says it comes from; {host} stands for the server's own name."""
