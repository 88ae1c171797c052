"""What all commands share: their common options, and errors told as one message."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, NoReturn, ParamSpec

import typer

from pipeline.errors import CoviewError, DiskFullError, StoreError

P = ParamSpec("P")
_DISK_TROUBLE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO),
)

StudyArgument = Annotated[Path, typer.Argument(help="Folder of the study.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
DeviceOption = Annotated[str, typer.Option(help="Where models run: auto, cpu or cuda.")]
WorkersOption = Annotated[int, typer.Option(min=1, help="Recordings worked on at once.")]
PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port of the dashboard.")]


def reporting_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turn a CoviewError into one message on stderr and its exit code."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except CoviewError as problem:
            _fail(problem)
        except OSError as problem:
            if problem.errno not in _DISK_TROUBLE:
                raise
            _fail(_disk_problem(problem))
        except KeyboardInterrupt:
            typer.echo("Stopped. The same command goes on where it was.", err=True)
            raise typer.Exit(130) from None

    return wrapped


def _disk_problem(problem: OSError) -> CoviewError:
    """Where the disk refuses in the midst of anything at all."""
    name = Path(str(problem.filename)).name if problem.filename else "A file"
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(
            f"The disk is full: {name} could not be written.",
            hint="Free some space and give the same command again; it goes on where it was.",
        )
    return StoreError(
        f"{name} could not be read or written: {problem.strerror}.",
        hint="Check the rights of the study folder and the disk, and give the same command again.",
    )


def _fail(problem: CoviewError) -> NoReturn:
    typer.echo(f"Error: {problem.message}", err=True)
    if problem.hint:
        typer.echo(f"  {problem.hint}", err=True)
    raise typer.Exit(int(problem.exit_code))
