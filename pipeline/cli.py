"""The command line: parse, call, say what happened. Only the cli modules print."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli_access import DASHBOARD_HELP, audit, serve
from pipeline.cli_answers import answers_app
from pipeline.cli_base import (
    DeviceOption,
    JsonOption,
    PortOption,
    QuietOption,
    StudyArgument,
    WorkersOption,
    reporting_errors,
)
from pipeline.cli_demo import finish_demo
from pipeline.cli_export import export
from pipeline.cli_fit import fit
from pipeline.cli_import import import_files
from pipeline.cli_models import models_app
from pipeline.cli_people import restore
from pipeline.cli_probe import probe
from pipeline.cli_rate import rate
from pipeline.cli_report import report
from pipeline.cli_sound import sound_app
from pipeline.cli_trials import trials
from pipeline.cli_wer import wer
from pipeline.cli_withdraw import withdraw
from pipeline.errors import ExitCode, SettingsError
from pipeline.offline import stay_offline
from pipeline.private_files import close_to_others

if TYPE_CHECKING:
    from pipeline.engine.runner import RunOptions

app = typer.Typer(
    name="coview",
    help="When a child hears words, does what they see match? Reads head-camera recordings, "
    "scores every utterance against what was in view, and shows the result in a dashboard.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(models_app, name="models")
app.add_typer(sound_app, name="sound")
app.add_typer(answers_app, name="answers")
app.command()(export)
app.command()(report)
app.command()(rate)
app.command()(trials)
app.command()(wer)
app.command()(withdraw)
app.command()(restore)
app.command()(fit)
app.command()(probe)
app.command("import")(import_files)
app.command()(serve)
app.command("dashboard", help=DASHBOARD_HELP)(serve)
app.command()(audit)


def main() -> None:
    """Entry point of `coview` and `python -m pipeline`."""
    close_to_others()
    if not _goes_online(sys.argv[1:]):
        stay_offline()
    # Typer ends the process with 2 for wrong use, as we do.
    app()


def _goes_online(arguments: Sequence[str]) -> bool:
    """Whether a command is there to reach other computers: a model hub, or a cluster's head."""
    is_cluster = any(argument.split("=")[0] == "--address" for argument in arguments)
    return list(arguments[:2]) == ["models", "fetch"] or is_cluster


@app.command()
@reporting_errors
def demo(
    folder: Annotated[Path, typer.Argument(help="Where the demo study is made.")] = Path(
        "demo-study"
    ),
    no_serve: Annotated[
        bool, typer.Option("--no-serve", help="Build and run, but open no dashboard.")
    ] = False,
    workers: WorkersOption = 1,
    port: PortOption = 8501,
    quiet: QuietOption = False,
) -> None:
    """Make the built-in demo study, run everything on it, and open the dashboard."""
    from pipeline.cli_output import counting
    from pipeline.demo.study_writer import write_demo_study
    from pipeline.engine.runner import RunOptions

    with counting("Making the demo study", quiet) as count:
        write_demo_study(folder, on_progress=count)
    _run(folder, RunOptions(n_workers=workers), quiet, False)
    if finish_demo(folder, quiet):
        _run(folder, RunOptions("publish"), quiet, False)
    if not no_serve:
        serve(folder, port)


@app.command()
@reporting_errors
def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make.", show_default=False)],
    videos: Annotated[
        Path, typer.Option("--videos", help="Folder of videos, with sub-folders or not.")
    ],
    child_pattern: Annotated[
        str,
        typer.Option(
            "--child",
            help="Regular expression with a group named child (and date, age_months) that is "
            "searched in each path; without it the sub-folder's name is the child's id.",
        ),
    ] = "",
    copy: Annotated[bool, typer.Option("--copy", help="Copy the videos instead of linking.")] = (
        False
    ),
) -> None:
    """Make a study from a plain folder of videos; transcripts beside them come along."""
    from pipeline.study_init import init_study

    made = init_study(folder, videos, child_pattern=child_pattern, is_copy=copy)
    typer.echo(
        f"{made.root}: {made.n_recordings} recording(s) of {len(made.children)} child(ren), "
        f"{made.n_transcripts} transcript(s)."
    )
    typer.echo(
        "Next: fill in birth dates or ages under metadata/, choose a model in study.toml, then"
    )
    typer.echo(f"  python -m pipeline run {made.root}")


@app.command()
@reporting_errors
def run(
    study: StudyArgument,
    stage: Annotated[
        str, typer.Option(help="Only this stage: speech, vision, text, align or publish.")
    ] = "",
    device: DeviceOption = "auto",
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            help="Recordings worked on at once; 0: one, or with Ray one for each GPU or four CPUs.",
        ),
    ] = 0,
    engine: Annotated[
        str, typer.Option(help="What does the work: local, or ray for several machines.")
    ] = "local",
    address: Annotated[
        str,
        typer.Option(help="Ray cluster, such as auto or 10.0.0.1:6379; without it, this machine."),
    ] = "",
    quiet: QuietOption = False,
    json_logs: Annotated[
        bool, typer.Option("--json-logs", help="One JSON object per line, for batch systems.")
    ] = False,
) -> None:
    """Bring a study up to date: transcripts, frames, embeddings, scores, store."""
    from pipeline.engine.runner import RunOptions

    _run(study, RunOptions(stage, device, workers, engine, address), quiet, json_logs)


def _run(study_path: Path, options: RunOptions, quiet: bool, json_logs: bool) -> None:
    from pipeline.cli_output import watching
    from pipeline.engine.runner import Run
    from pipeline.study import open_study

    study = open_study(study_path)
    for notice in study.notices:
        typer.echo(f"Note: {notice.message}", err=True)
    with watching(study, is_quiet=quiet, is_json=json_logs) as on_event:
        summary = Run(study, options, on_event).execute()
    for failure in summary.failures:
        typer.echo(f"Failed: {failure.recording_id} ({failure.stage}): {failure.message}", err=True)
        if failure.hint:
            typer.echo(f"  {failure.hint}", err=True)
    if summary.store is not None and not quiet and not json_logs:
        typer.echo(f"Store: {summary.store}")
    if summary.failures:
        n_failed = len({failure.recording_id for failure in summary.failures})
        typer.echo(f"{n_failed} recording(s) failed, see above; the others are done.", err=True)
        raise typer.Exit(int(ExitCode.SOME_FAILED))


@app.command()
@reporting_errors
def status(study: StudyArgument, as_json: JsonOption = False) -> None:
    """Show how far a study is and what failed."""
    from pipeline.cli_output import status_table
    from pipeline.engine.progress import study_status
    from pipeline.study import open_study

    found = study_status(open_study(study))
    if as_json:
        typer.echo(json.dumps(asdict(found), default=str, indent=1))
    else:
        status_table(found)


@app.command("import-scores")
@reporting_errors
def import_scores(
    study: StudyArgument,
    file: Annotated[Path, typer.Argument(help="CSV file of scores.", show_default=False)],
    scorer: Annotated[
        str, typer.Option(help="What to call the scorer; without it, the file's name.")
    ] = "",
    threshold: Annotated[
        float | None,
        typer.Option(help="Score from which a moment counts as highly aligned for this scorer."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check and report; copy nothing.")
    ] = False,
) -> None:
    """Add scores made elsewhere (such as full_clip_results.csv) as one more scorer."""
    from pipeline.store.import_scores import import_scores as take
    from pipeline.study import open_study

    found = take(open_study(study), file, scorer=scorer, threshold=threshold, is_trial=dry_run)
    for one in found.reports:
        typer.echo(one.sentence)
        for count in one.not_used:
            typer.echo(f"  {count.sentence}")
    if found.target is None:
        typer.echo("Nothing was copied (dry run).")
    else:
        typer.echo(f"Copied to {found.target.relative_to(found.target.parents[2])}. Next:")
        typer.echo(f"  python -m pipeline run {study} --stage publish")


@app.command()
@reporting_errors
def where(study: StudyArgument) -> None:
    """Print the path of the current store and nothing else."""
    from pipeline.errors import StoreError
    from pipeline.store.locate import current_store_path

    path = current_store_path(study.expanduser().resolve())
    if path is None:
        raise StoreError(
            f"{study} has no store yet.", hint=f"Make one with: python -m pipeline run {study}"
        )
    typer.echo(str(path))


@app.command()
@reporting_errors
def doctor(
    study: Annotated[Path | None, typer.Argument(help="A study to look at too.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check this machine (and a study) and say what is missing."""
    from pipeline.cli_output import findings_table
    from pipeline.doctor import examine

    findings = examine(study)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        findings_table(findings)
    if any(finding.verdict == "bad" for finding in findings):
        raise typer.Exit(int(ExitCode.WRONG_USE))


@app.command()
@reporting_errors
def frames(
    video: Annotated[Path, typer.Argument(help="A video.", show_default=False)],
    fps: Annotated[float, typer.Option(min=0.1, max=30.0, help="Frames per second.")] = 1.0,
    out: Annotated[
        Path | None, typer.Option(help="Write the frames there as 00000.jpg, 00001.jpg ...")
    ] = None,
    keyframes: Annotated[
        bool, typer.Option("--keyframes", help="The nearest key frames, with their own times.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List (and write) the frames that are sampled from one video."""
    from pipeline.records import FrameMode
    from pipeline.vision.sampling import open_frames
    from pipeline.vision.write_frames import write_frames

    if not video.is_file():
        raise SettingsError(f"There is no file {video}.", hint="Name a video.")
    mode = FrameMode.KEYFRAMES if keyframes else FrameMode.EXACT
    source = open_frames(video, None, 1000.0 / fps, mode)
    rows: list[dict[str, int | str | None]] = []
    for frame in write_frames(source, out):
        path = None if frame.path is None else str(frame.path)
        rows.append({"index": frame.grid_index, "time_ms": frame.time_ms, "path": path})
        if not as_json:
            typer.echo("\t".join(str(v) for v in rows[-1].values() if v is not None))
    notices = [notice.message for notice in source.notices]
    if as_json:
        typer.echo(
            json.dumps({"video": video.name, "fps": fps, "frames": rows, "notices": notices})
        )
    for notice in notices:
        typer.echo(f"Note: {notice}", err=True)


@app.command()
@reporting_errors
def clips(
    study: StudyArgument,
    playlist: Annotated[str, typer.Option(help="Only the moments of this playlist.")] = "",
    child: Annotated[str, typer.Option(help="Only utterances of this child.")] = "",
    top: Annotated[int, typer.Option(min=0, help="Only the N best, of all or of --child.")] = 0,
    everything: Annotated[bool, typer.Option("--all", help="Every utterance.")] = False,
    lead_in_ms: Annotated[
        int, typer.Option(min=0, max=60_000, help="Before the utterance, in milliseconds.")
    ] = 1_000,
    lead_out_ms: Annotated[
        int, typer.Option(min=0, max=60_000, help="After the utterance, in milliseconds.")
    ] = 1_000,
    quiet: QuietOption = False,
) -> None:
    """Cut clips ahead, so that the dashboard plays them at once (its margins are 1000 ms)."""
    from pipeline.cli_output import clip_counts_lines, clip_report_lines, counting
    from pipeline.media.cut_ahead import cut_ahead
    from pipeline.media.precut import ChoiceOptions, chosen_clips
    from pipeline.media.study_clips import StudyClips

    root = study.expanduser().resolve()
    options = ChoiceOptions(playlist, child, top, everything)
    with chosen_clips(root, options) as chosen:
        for line in clip_counts_lines(chosen.counts, chosen.n_lost):
            typer.echo(line, err=True)
        with counting("Clips", quiet) as count:
            report = cut_ahead(
                StudyClips(root),
                chosen.wanted,
                chosen.counts.n_wanted,
                lead_ms=lead_in_ms,
                lag_ms=lead_out_ms,
                on_progress=count,
            )
    for line in clip_report_lines(report):
        typer.echo(line, err=not report.is_whole)
    if not report.is_whole:
        raise typer.Exit(int(ExitCode.SOME_FAILED))


if __name__ == "__main__":
    main()
