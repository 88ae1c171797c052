"""Keeps a rater's browser out of the rest of the dashboard.

A guard against curiosity and mistakes, not a lock: the dashboard knows no accounts and serves its
own machine only. Raters from elsewhere are served by `python -m pipeline rate`, beside which
there is nothing to see.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.rating.passes import is_raters_browser
from pipeline.access.refusals import RefusalLog, Refused

REFUSAL = "This browser is used for rating: it shows the rating screen only."


def closed_to_raters(routes: Sequence[BaseRoute], refusals: RefusalLog) -> list[BaseRoute]:
    """The same routes, which answer 403 to a browser that someone rates in."""
    for route in routes:
        if isinstance(route, Route):
            route.app = _closed(route.app, refusals)
    return list(routes)


def _closed(app: ASGIApp, refusals: RefusalLog) -> ASGIApp:
    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if is_raters_browser(Request(scope).cookies):
            await run_in_threadpool(refusals.note, Refused("page", "a browser used for rating"))
            refusal = PlainTextResponse(REFUSAL, 403, headers={"Cache-Control": "no-store"})
            await refusal(scope, receive, send)
        else:
            await app(scope, receive, send)

    return guarded
