"""Serve the rating screen and nothing else: what `python -m pipeline rate` starts."""

from __future__ import annotations

import argparse
import asyncio
import atexit
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard.keeping import keep
from dashboard.rating.routes import ROUTE, rating_routes
from pipeline.access.refusals import RefusalLog


def rating_app(study_root: Path) -> Starlette:
    """The rating screen of a study as an application of its own."""

    async def health(request: Request) -> Response:
        return PlainTextResponse("ok")

    refusals = RefusalLog(lambda: study_root)
    atexit.register(refusals.close)
    return Starlette(
        routes=[
            *rating_routes(lambda: study_root, is_alone=True, refusals=refusals),
            Route(f"{ROUTE}-health", health),
        ]
    )


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.rating", description=__doc__)
    parser.add_argument("study", type=Path, help="folder of the study")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8600)
    given = parser.parse_args()
    keep(given.study.resolve())
    config = uvicorn.Config(
        rating_app(given.study.resolve()),
        host=given.host,
        port=given.port,
        log_level="warning",
        # An invitation's code is part of its address.
        access_log=False,
        server_header=False,
        lifespan="off",
        # People think for longer than the usual five seconds.
        timeout_keep_alive=75,
    )
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
