"""The command `restore`: put back what people wrote from one of its copies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli_base import StudyArgument, reporting_errors
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.people.contents import Change
    from pipeline.restore import Copy, Restoring


@reporting_errors
def restore(
    study: StudyArgument,
    source: Annotated[
        str, typer.Option("--from", metavar="DATE|FILE", help="The copy to put back.")
    ] = "",
    is_list: Annotated[bool, typer.Option("--list", help="List the copies, and stop.")] = False,
    keep_unknown: Annotated[
        bool,
        typer.Option(
            "--keep-unknown",
            help="Bring back what is about recordings that the study does not know, too.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it, only say.")] = False,
) -> None:
    """Put back stars, tags, notes, playlists and answers from a copy of another day."""
    from pipeline.restore import chosen_copy, copies, held_now, put_back, ready_to_restore

    root = study.expanduser().resolve()
    if not root.is_dir():
        raise SettingsError(f"There is no folder {study}.", hint="Name the study's folder.")
    if is_list or not source:
        _list(held_now(root), copies(root), study)
        return
    with ready_to_restore(
        root, chosen_copy(root, source), is_unknown_kept=keep_unknown
    ) as restoring:
        _say(restoring)
        if not yes:
            typer.echo("Nothing was changed. To put it back, give the same with --yes.")
            return
        aside = put_back(restoring)
    typer.echo("It was put back.")
    if aside is not None:
        typer.echo(f"What was used before is kept as people/{aside.name}.")


def _list(now: Copy | None, found: tuple[Copy, ...], study: Path) -> None:
    if now is None:
        typer.echo("Nobody has written anything in this study yet.")
    else:
        typer.echo(f"Used now: {_told(now)}")
    if not found:
        typer.echo("There are no copies. One is made each day on which something was written.")
        return
    typer.echo("Copies, the newest first:")
    for copy in found:
        typer.echo(f"  {copy.name}  {_told(copy)}")
    whole = next((copy.name for copy in found if copy.held is not None), None)
    if whole is not None:
        typer.echo(f"Put one back with: python -m pipeline restore {study} --from {whole}")


def _told(copy: Copy) -> str:
    from pipeline.people.contents import in_words

    if copy.held is None:
        return f"cannot be read: {copy.problem}"
    return f"{copy.written_at:%Y-%m-%d %H:%M} UTC: {in_words(copy.held)}"


def _say(restoring: Restoring) -> None:
    from pipeline.people.contents import in_words

    typer.echo(f"{restoring.source.name} holds {in_words(restoring.held)}.")
    if restoring.is_older:
        typer.echo(
            f"Its tables are of version {restoring.version}; they are brought to today's. "
            "The copy itself stays as it is."
        )
    left = restoring.left_out
    if left.n_withdrawn:
        typer.echo(
            f"Left out: {left.n_withdrawn:,} row(s) about what was withdrawn from this study."
        )
    if left.n_unknown:
        typer.echo(
            f"Left out: {left.n_unknown:,} row(s) about {left.n_unknown_recordings:,} "
            "recording(s) that the study does not know. --keep-unknown brings them back."
        )
    if restoring.changed is None:
        typer.echo("The file used now cannot be read, so what is lost cannot be counted.")
        return
    typer.echo(f"Gained: {_counted((c.n_gained, c) for c in restoring.changed)}.")
    typer.echo(f"Lost: {_counted((c.n_lost, c) for c in restoring.changed)}.")


def _counted(numbers: Iterable[tuple[int, Change]]) -> str:
    parts = [f"{n:,} {kind.one if n == 1 else kind.many}" for n, kind in numbers if n]
    return ", ".join(parts) or "nothing"
