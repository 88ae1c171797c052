"""The command `report`: everything a reviewer asks for, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli_base import QuietOption, StudyArgument, reporting_errors


@reporting_errors
def report(
    study: StudyArgument,
    out: Annotated[
        Path | None, typer.Option(help="Folder to make; without it, derived/report of the study.")
    ] = None,
    scorer: Annotated[str, typer.Option(help="Whose scores; without it, the study's model.")] = "",
    crop: Annotated[str, typer.Option(help="center (default), pad, squash or multi.")] = "",
    window: Annotated[
        str,
        typer.Option(help="strict (default), 1s, 2s, or seconds before and after such as -3+1."),
    ] = "",
    threshold: Annotated[
        float | None,
        typer.Option(help="Score of high alignment; without it, the model's own."),
    ] = None,
    statistic: Annotated[
        str, typer.Option(help="max (default) or mean over the frames of an utterance.")
    ] = "",
    scale: Annotated[str, typer.Option(help="raw (cosine, default) or z against chance.")] = "",
    no_models: Annotated[
        bool, typer.Option("--no-models", help="Fit no models: quicker for a large study.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Write a report: one HTML page with methods, sample, figures, models and caveats."""
    from pipeline.cli_output import stepping
    from pipeline.exchange.export_folder import log_export
    from pipeline.report.folder import default_target, report_study
    from pipeline.report.request import SettingWishes

    root = study.expanduser().resolve()
    wishes = SettingWishes(scorer, crop, window, statistic, scale, threshold)
    target = default_target(root) if out is None else out.expanduser()
    with stepping("Report", quiet) as on_step:
        written = report_study(root, wishes, target, on_step, with_models=not no_models)
    typer.echo(
        f"{written.page}: {written.n_figures} figures, {written.n_tables} tables, "
        f"{written.html_bytes / 1e6:.1f} MB."
    )
    try:
        log_export(root, "report: all of the study", written.n_tables)
    except OSError:
        typer.echo("Note: the study's log of exports cannot be written.", err=True)
