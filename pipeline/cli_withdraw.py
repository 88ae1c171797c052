"""The command `withdraw`: take a child or a recording out of a study, everywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli_base import DeviceOption, QuietOption, StudyArgument, reporting_errors
from pipeline.errors import ExitCode, SettingsError

if TYPE_CHECKING:
    from pipeline.withdrawal.doomed import Doomed
    from pipeline.withdrawal.target import Target
    from pipeline.withdrawal.withdraw import Withdrawn


@reporting_errors
def withdraw(
    study: StudyArgument,
    child: Annotated[str, typer.Option(metavar="ID", help="Withdraw this child.")] = "",
    recording: Annotated[str, typer.Option(metavar="ID", help="Withdraw this recording.")] = "",
    delete_media: Annotated[
        bool,
        typer.Option("--delete-media", help="Delete the videos and frames in the study, too."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it, only list.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish a withdrawal that was cut off.")
    ] = False,
    device: DeviceOption = "auto",
    quiet: QuietOption = False,
) -> None:
    """Remove a child or a recording everywhere: words, scores, stores, clips, notes, answers."""
    from pipeline.withdrawal.target import find_target, read_pending
    from pipeline.withdrawal.withdraw import doomed
    from pipeline.withdrawal.withdraw import withdraw as remove

    root = study.expanduser().resolve()
    if not root.is_dir():
        raise SettingsError(f"There is no folder {study}.", hint="Name the study's folder.")
    pending = read_pending(root)
    if pending is not None and not resume:
        raise SettingsError(
            "A withdrawal from this study was begun and is not finished.",
            hint=f"Finish it first with: python -m pipeline withdraw {study} --resume",
        )
    if resume:
        if pending is None:
            raise SettingsError(
                "No withdrawal from this study is unfinished.",
                hint="Start one with --child ID or --recording ID.",
            )
        target = pending
    else:
        if bool(child) == bool(recording):
            raise SettingsError(
                "It is not clear what to withdraw.",
                hint="Give either --child ID or --recording ID.",
            )
        target = find_target(
            root, child_id=child, recording_id=recording, is_media_deleted=delete_media
        )
        found = doomed(root, target)
        _show(target, found)
        if not yes:
            typer.echo("Nothing was removed. To remove all of it, give the same with --yes.")
            return
    done = remove(root, target, lambda text: None if quiet else typer.echo(text, err=True))
    _tell(root, done)
    _rebuild(root, study, device, quiet)
    if done.mentions:
        raise typer.Exit(int(ExitCode.SOME_FAILED))


def _show(target: Target, found: Doomed) -> None:
    from pipeline.withdrawal.withdraw import counts

    who = f"child {target.child_id}" if target.child_id else "1 recording"
    typer.echo(f"Withdrawal of {who}: {len(target.gone)} recording(s). This goes:")
    for why, n_files, n_rows, n_bytes in counts(found):
        parts = []
        if n_files:
            parts.append(f"{n_files} file(s), {n_bytes / 1e6:.1f} MB")
        if n_rows:
            parts.append(f"{n_rows} row(s)")
        typer.echo(f"  {why}: {'; '.join(parts)}")
    for sentence in found.left:
        typer.echo(f"Stays: {sentence}")
    typer.echo(
        "Not reached: copies outside the study's folder (exports with --out, backups, disk "
        "snapshots) and what a running dashboard holds in memory: stop it first."
    )


def _tell(root: Path, done: Withdrawn) -> None:
    typer.echo(f"Removed: {done.n_files} file(s) and {done.n_rows} row(s).")
    for sentence in done.left:
        typer.echo(f"Stays: {sentence}")
    typer.echo(f"Listing: {done.proof.relative_to(root).as_posix()}")
    for name in done.mentions:
        typer.echo(f"Still names it: {name}. Look at it yourself.", err=True)


def _rebuild(root: Path, shown: Path, device: str, quiet: bool) -> None:
    """Score the child's other recordings against what is left, and publish a store.

    In processes of their own: DuckDB may write bytes that lie about in memory to the ends of its
    blocks (duckdb issue 23382), and this process has read what was withdrawn.
    """
    command = (sys.executable, "-m", "pipeline", "run", str(root), "--device", device)
    for stage in ("align", "publish"):
        asked = (*command, "--stage", stage, *(("--quiet",) if quiet else ()))
        if subprocess.run(asked, check=False).returncode != 0:
            typer.echo("The study has no store now.", err=True)
            typer.echo(f"  Make one with: python -m pipeline run {shown}", err=True)
            raise typer.Exit(int(ExitCode.SOME_FAILED))
    typer.echo("A new store was built without it.")
