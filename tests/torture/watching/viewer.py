"""One who watches clips, asking as a browser does: in ranges, ahead, back, forth, and leaving."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio
import httpx

from dashboard.navigation import MomentKey

_FIRST_BYTES = 64 * 1024
"""So much of a clip, or all of it, lets a player start: the index comes first."""

_GOES_ON = 0.7

Link = Callable[[MomentKey], str]


@dataclass(slots=True)
class Seen:
    """What viewers met. `starts_ms` are from asking for a clip to having its first pieces; of clips
    `cut` for it and of those that were there."""

    n_asked: int = 0
    n_left: int = 0
    cut_ms: list[float] = field(default_factory=list)
    kept_ms: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    known: set[MomentKey] = field(default_factory=set)


@dataclass(slots=True)
class Viewer:
    """Opens moments one after the other until the time is over."""

    base: str
    link: Link
    moments: Sequence[MomentKey]
    rng: random.Random
    seen: Seen
    patience_s: float = 60.0

    async def watch(self, until: float, pause_s: float) -> None:
        """Watch until `until` (of time.monotonic), `pause_s` or so for each clip."""
        # The server ends idle connections after 5 s; a browser would ask again.
        limits = httpx.Limits(max_connections=6, keepalive_expiry=2.0)
        async with httpx.AsyncClient(
            base_url=self.base, timeout=self.patience_s, limits=limits
        ) as client:
            place = self.rng.randrange(len(self.moments))
            while time.monotonic() < until:
                following = (place + 1) % len(self.moments)
                await self._open(client, self.moments[place], self.moments[following], pause_s)
                # Most go down the list, as the key for the next moment does.
                goes_on = self.rng.random() < _GOES_ON
                place = following if goes_on else self.rng.randrange(len(self.moments))

    async def _open(
        self, client: httpx.AsyncClient, moment: MomentKey, next_moment: MomentKey, pause_s: float
    ) -> None:
        address = self.link(moment)
        leaves = self.rng.random() < 0.1
        try:
            if leaves:
                await self._leave(client, address)
                return
            total = await self._start(client, moment, address)
            ahead = asyncio.create_task(self._ask_ahead(client, next_moment))
            for _ in range(self.rng.randrange(3)):
                await self._seek(client, address, total)
            await asyncio.sleep(pause_s * self.rng.uniform(0.5, 1.5))
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
        except httpx.HTTPError as problem:
            self.seen.wrong.append(f"{moment}: {type(problem).__name__} {problem}")

    async def _start(self, client: httpx.AsyncClient, moment: MomentKey, address: str) -> int:
        """The first pieces, as a player that was just given the address; the clip's length."""
        was_known = moment in self.seen.known
        began = time.monotonic()
        got = bytearray()
        self.seen.n_asked += 1
        async with client.stream("GET", address, headers={"Range": "bytes=0-"}) as answer:
            if answer.status_code != 206:
                await answer.aread()
                self.seen.wrong.append(f"{moment}: {answer.status_code} {answer.text[:100]}")
                return 0
            total = int(answer.headers["content-range"].rpartition("/")[2])
            waited_ms = None
            async for piece in answer.aiter_raw():
                got += piece
                if waited_ms is None and len(got) >= min(_FIRST_BYTES, total):
                    waited_ms = (time.monotonic() - began) * 1000
        if len(got) != total or got[4:8] != b"ftyp":
            self.seen.wrong.append(f"{moment}: {len(got)} bytes of {total}, {bytes(got[:12])!r}")
        else:
            assert waited_ms is not None
            (self.seen.kept_ms if was_known else self.seen.cut_ms).append(waited_ms)
            self.seen.known.add(moment)
        return total

    async def _seek(self, client: httpx.AsyncClient, address: str, total: int) -> None:
        if total < 2:
            return
        first = self.rng.randrange(total - 1)
        last = min(total - 1, first + self.rng.randrange(1, 200_000))
        self.seen.n_asked += 1
        answer = await client.get(address, headers={"Range": f"bytes={first}-{last}"})
        if answer.status_code != 206 or len(answer.content) != last - first + 1:
            self.seen.wrong.append(
                f"bytes {first}-{last} of {total}: {answer.status_code}, {len(answer.content)}"
            )

    async def _ask_ahead(self, client: httpx.AsyncClient, moment: MomentKey) -> None:
        self.seen.n_asked += 1
        answer = await client.head(self.link(moment))
        if answer.status_code == 200:
            self.seen.known.add(moment)
        else:
            self.seen.wrong.append(f"ahead: {answer.status_code}")

    async def _leave(self, client: httpx.AsyncClient, address: str) -> None:
        """Go away before the answer, or in its middle."""
        self.seen.n_left += 1
        waits_s = self.rng.choice((0.005, 0.05, 0.3))
        with anyio.move_on_after(waits_s):
            async with client.stream("GET", address) as answer:
                async for _ in answer.aiter_raw(1024):
                    await anyio.sleep(waits_s / 4)
