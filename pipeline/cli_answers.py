"""The commands `answers export` and `answers import`: raters' answers as files, both ways."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli_base import StudyArgument, reporting_errors
from pipeline.errors import ExitCode, RatingError

if TYPE_CHECKING:
    from pipeline.validation.files.import_report import ImportReport

_N_PROBLEMS_SHOWN = 20

answers_app = typer.Typer(
    help="Take raters' answers out of a study and into one.", no_args_is_help=True
)


@answers_app.command("export")
@reporting_errors
def export_answers(
    study: StudyArgument,
    set_name: Annotated[
        str, typer.Argument(metavar="SET", help="Name of the set of trials.", show_default=False)
    ],
    out: Annotated[Path, typer.Argument(help="Folder for the files.", show_default=False)],
) -> None:
    """Write a set's trial lists and answers: CSV in the published study's columns, jsPsych's JSON.

    A set of expert labels gives labels.csv.
    """
    from pipeline.validation.files.export import export_set, set_named

    root = study.expanduser().resolve()
    exported = export_set(root, set_named(root, set_name), out.expanduser())
    typer.echo(
        f"{exported.name}: {exported.n_answers:,} answer(s) of {exported.n_raters:,} rater(s), "
        f"{exported.n_trials:,} trial(s), in {out}:"
    )
    for file in exported.files:
        typer.echo(f"  {file.name}")


@answers_app.command("import")
@reporting_errors
def import_answers(
    study: StudyArgument,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE_OR_FOLDER",
            help="CSV or jsPsych JSON of answers, labels or trials, or an exported folder or zip.",
            show_default=False,
        ),
    ],
    set_name: Annotated[
        str,
        typer.Option(
            "--set", metavar="NAME", help="Set to add to, or to make; without it, as in the file."
        ),
    ] = "",
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Leave rows out that cannot be taken.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only look and report; keep nothing.")
    ] = False,
) -> None:
    """Take answers that were collected elsewhere, such as on Prolific, into a study.

    What is there already is not taken twice.
    """
    from pipeline.validation.files.import_report import ImportOptions
    from pipeline.validation.files.take import import_files

    root = study.expanduser().resolve()
    if not root.is_dir():
        raise RatingError(f"There is no study at {study}.", hint="Name the folder of a study.")
    options = ImportOptions(set_name, skip_bad_rows, dry_run)
    reports = import_files(root, file.expanduser(), options)
    for report in reports:
        for line in report.lines:
            typer.echo(line)
        _show_problems(report)
    if dry_run:
        typer.echo("Nothing was kept (dry run).")
    if any(report.problems for report in reports):
        raise typer.Exit(int(ExitCode.SOME_FAILED))


def _show_problems(report: ImportReport) -> None:
    for problem in report.problems[:_N_PROBLEMS_SHOWN]:
        typer.echo(f"Left out: {problem.words}", err=True)
    n_more = len(report.problems) - _N_PROBLEMS_SHOWN
    if n_more > 0:
        typer.echo(f"Left out: {n_more:,} more row(s).", err=True)
