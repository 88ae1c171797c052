"""Answers that may have to wait for a clip, beside all others.

The server has some forty threads for what it does in passing, such as reading files piece by piece.
People who wait for clips would take them all, and those who have theirs would stand still; so they
wait in threads of their own. Who leaves before it is their turn costs no cutting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

_MAX_WAITING = 200
_LOOK_S = 0.25

IsWanted = Callable[[], bool]


class WaitingRoom:
    """Threads for those who wait."""

    def __init__(self) -> None:
        self._limiter: anyio.CapacityLimiter | None = None

    async def answer(self, request: Request, work: Callable[[IsWanted], Response]) -> Response:
        """What `work` returns; the function it is given says whether anybody still waits."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(_MAX_WAITING)
        has_left = threading.Event()

        async def look() -> None:
            while not await request.is_disconnected():
                await anyio.sleep(_LOOK_S)
            has_left.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look)
            answer = await anyio.to_thread.run_sync(
                work, lambda: not has_left.is_set(), limiter=self._limiter
            )
            tasks.cancel_scope.cancel()
        return answer
