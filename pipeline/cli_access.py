"""The commands `serve` (also called `dashboard`) and `audit`: who may look, and who did."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer

from pipeline.cli_base import JsonOption, PortOption, StudyArgument, reporting_errors
from pipeline.errors import ExitCode

DASHBOARD_HELP = "The same as serve."


@reporting_errors
def serve(
    study: StudyArgument,
    port: PortOption = 8501,
    host: Annotated[
        str,
        typer.Option(help="Address to serve on. Any but this machine's own needs access.toml."),
    ] = "127.0.0.1",
) -> None:
    """Open the dashboard on a study, on this machine only (http://127.0.0.1) unless told else."""
    from pipeline.access.binding import is_loopback
    from pipeline.serving import check_dashboard, serve_dashboard

    _, access = check_dashboard(study, host)
    shown = f"[{host}]" if ":" in host else host
    if access is not None:
        n_people = len(access.people)
        people = "1 person" if n_people == 1 else f"{n_people} people"
        typer.echo(f"Sign-in: {access.sign_in.value}. access.toml lets in {people}.")
        if access.accounts is None and any(map(is_loopback, access.proxies)):
            typer.echo(
                "Warning: every account of this machine can pass for the proxy and so for anybody. "
                'Name the one that it runs under: accounts = ["www-data"] under [sign_in].',
                err=True,
            )
        if not is_loopback(host):
            typer.echo(
                "Warning: what travels is not encrypted. Put a web server with https in front of "
                "it before anybody signs in.",
                err=True,
            )
    typer.echo(f"Dashboard: http://{shown}:{port}  (stop with Ctrl+C)")
    raise typer.Exit(serve_dashboard(study, port, host))


@reporting_errors
def audit(study: StudyArgument, as_json: JsonOption = False) -> None:
    """Check the record of who opened which clip, picture or export; exit code 1 if it was changed.

    Keep the last digest elsewhere: with it you can prove later that nothing before it changed.
    """
    from pipeline.access.audit import read_lines, verify
    from pipeline.errors import StudyError

    root = study.expanduser().resolve()
    if not root.is_dir():
        raise StudyError(f"There is no folder {study}.", hint="Name the folder of a study.")
    verdict = verify(root)
    lines = list(read_lines(root))
    counts = Counter(line.opened.what for line in lines)
    people = Counter(line.opened.who for line in lines if line.opened.who)
    if as_json:
        whole = {**asdict(verdict), "holds": verdict.holds, "what": counts, "who": people}
        typer.echo(json.dumps(whole, indent=1))
    else:
        typer.echo(f"{verdict.n_lines} lines in {verdict.n_files} files.")
        for title, counted in (("Opened", counts), ("By", people)):
            if counted:
                told = ", ".join(f"{name} {n}" for name, n in sorted(counted.items()))
                typer.echo(f"{title}: {told}")
        if verdict.holds:
            typer.echo(f"The chain holds. Last digest: {verdict.digest}")
        else:
            typer.echo(f"The chain is broken: {verdict.problem}.", err=True)
    if not verdict.holds:
        raise typer.Exit(int(ExitCode.SOME_FAILED))
