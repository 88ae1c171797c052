"""The command `rate`: serve the rating screen, and nothing else."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli_base import StudyArgument, reporting_errors

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@reporting_errors
def rate(
    study: StudyArgument,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the rating screen.")] = 8600,
    host: Annotated[
        str, typer.Option(help="Address to serve on; 127.0.0.1 is this machine only.")
    ] = "127.0.0.1",
) -> None:
    """Serve the rating screen to raters, without the dashboard, until stopped with Ctrl+C."""
    from pipeline.serving import check_rating, serve_rating

    root = check_rating(study, host, port)
    if host not in _LOOPBACK:
        typer.echo(
            "Warning: other machines can reach this, and what travels is not encrypted. Put a web "
            "server with https in front of it before you invite anyone.",
            err=True,
        )
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"Rating screen: http://{shown}:{port}/rate/  (stop with Ctrl+C)")
    raise typer.Exit(serve_rating(root, host, port))
