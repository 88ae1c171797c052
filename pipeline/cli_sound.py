"""The commands `sound ...`: train and test systems on what is seen, heard and said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli_base import (
    DeviceOption,
    JsonOption,
    QuietOption,
    StudyArgument,
    reporting_errors,
)
from pipeline.errors import ExitCode, SettingsError, StudyError

if TYPE_CHECKING:
    from pipeline.sound.prepared import PreparedStudy
    from pipeline.sound.splits import SplitBy
    from pipeline.sound.train_study import LearningChoice
    from pipeline.sound_results import RecallRow
    from pipeline.study import Study

sound_app = typer.Typer(
    name="sound",
    help="What the child hears besides words: how sound, picture and words go together.",
    no_args_is_help=True,
)

SystemOption = Annotated[
    str,
    typer.Option(
        help="wav2clip-frozen, wav2clip, audioclip, slava-a-and-v, slava-av2, slava-av3, "
        "audio-visual, or all."
    ),
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of heads, batches and split.")]
TextOption = Annotated[
    str,
    typer.Option(
        help="What to learn from: captions, utterances, or auto (captions where there are any)."
    ),
]
SplitOption = Annotated[
    str, typer.Option(help="What is kept whole between learning and testing: recording or child.")
]
EncoderOption = Annotated[
    str,
    typer.Option(
        help="CLAP model: a name, or a folder within the study. Without it: "
        "laion/clap-htsat-unfused; demo-clap for a study with demo-clip.",
        show_default=False,
    ),
]
KeepSpeechOption = Annotated[
    bool,
    typer.Option("--keep-speech", help="Let the sound encoder hear speech too (default: cut out)."),
]


@sound_app.command()
@reporting_errors
def train(
    study: StudyArgument,
    system: SystemOption,
    seed: SeedOption = 1,
    text: TextOption = "auto",
    split: SplitOption = "recording",
    encoder: EncoderOption = "",
    keep_speech: KeepSpeechOption = False,
    device: DeviceOption = "auto",
    quiet: QuietOption = False,
) -> None:
    """Train a system on a study and test it on recordings it has not learnt from."""
    from pipeline.cli_output import stepping
    from pipeline.engine.lock import study_lock
    from pipeline.sound.evaluate import pooled_warnings
    from pipeline.sound.systems import SYSTEMS, System, find_system
    from pipeline.sound.train_study import train_on_study
    from pipeline.study import open_study

    chosen = SYSTEMS if system == "all" else (find_system(system),)
    opened = open_study(study)
    choice = _choice(text, split, seed)
    with study_lock(opened):
        ready = _prepared(opened, text, encoder, device, keep_speech, quiet)
        with stepping("Training", quiet) as step:

            def told(one: System, done: int, total: int) -> None:
                step(f"{one.name}, epoch {done}", done / total)

            trained = train_on_study(chosen, ready, choice, opened.derived, told)
    rows, sets = trained.rows, trained.sets
    if not quiet:
        _say_clips(len(sets.train), len(sets.validation), len(sets.test))
        _show(rows)
    for warning in pooled_warnings(rows):
        typer.echo(f"Warning: {warning}", err=True)
    _publish(opened, device, quiet)
    _say_failures(ready)


@sound_app.command()
@reporting_errors
def evaluate(
    study: Annotated[Path | None, typer.Argument(help="Folder of the study.")] = None,
    synthetic: Annotated[
        bool,
        typer.Option("--synthetic", help="Check the systems on made-up clips of known truth."),
    ] = False,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Recall at 10 of the systems trained on a study, within recordings first, beside chance."""
    if synthetic:
        _evaluate_synthetic(seed, as_json, quiet)
        return
    if study is None:
        raise SettingsError("No study is named.", hint="Name a study, or give --synthetic.")
    from pipeline.sound.evaluate import pooled_warnings
    from pipeline.sound.recall_files import kept_rows
    from pipeline.study import open_study

    opened = open_study(study)
    rows = kept_rows(opened.derived)
    if not rows:
        raise StudyError(
            f"{opened.name} has no trained system yet.",
            hint=f"Train one with: python -m pipeline sound train {study} --system slava-av3",
        )
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=1))
    else:
        _show(rows)
    for warning in pooled_warnings(rows):
        typer.echo(f"Warning: {warning}", err=True)


def _evaluate_synthetic(seed: int, as_json: bool, quiet: bool) -> None:
    from pipeline.cli_output import counting
    from pipeline.sound.invariants import invariants, synthetic_rows

    with counting("Training all systems on made-up clips", quiet or as_json) as count:
        rows = synthetic_rows(seed, on_epoch=count)
    found = invariants(rows)
    if as_json:
        content = {
            "rows": [asdict(row) for row in rows],
            "invariants": [{**asdict(one), "holds": one.holds} for one in found],
        }
        typer.echo(json.dumps(content, indent=1))
    else:
        _show(rows)
        for one in found:
            typer.echo(f"{'holds' if one.holds else 'FAILS'}  {one.margin:+.3f}  {one.name}")
    if not all(one.holds for one in found):
        raise typer.Exit(int(ExitCode.SOME_FAILED))


@sound_app.command()
@reporting_errors
def score(
    study: StudyArgument,
    system: SystemOption = "slava-av3",
    seed: SeedOption = 1,
    text: TextOption = "auto",
    split: SplitOption = "recording",
    encoder: EncoderOption = "",
    keep_speech: KeepSpeechOption = False,
    device: DeviceOption = "auto",
    quiet: QuietOption = False,
) -> None:
    """Give every utterance its see-say, hear-say and see-hear score beside chance."""
    from pipeline.cli_output import counting
    from pipeline.engine.lock import study_lock
    from pipeline.sound.study_clips import fitted_system
    from pipeline.sound.systems import find_system
    from pipeline.sound.utterance_scores import ScoringJob, score_utterances
    from pipeline.study import open_study

    chosen = find_system(system)
    opened = open_study(study)
    choice = _choice(text, split, seed)
    with study_lock(opened):
        ready = _prepared(opened, text, encoder, device, keep_speech, quiet)
        fitted, said = fitted_system(chosen, ready.learn)
        inputs = choice.inputs(ready, said)
        job = ScoringJob(fitted, seed, inputs, ready.learn, ready.utterances)
        with counting("Learning from the other recordings, fold by fold", quiet) as count:
            path, counts = score_utterances(job, ready.features, opened.derived, count)
    if not quiet:
        typer.echo(
            f"{counts.n_scored} of {counts.n_utterances} utterances scored: "
            + ", ".join(f"{n} {name}" for name, n in counts.quadrants.items())
            + "."
        )
        typer.echo(f"Written to {path.relative_to(opened.root)}.")
    _publish(opened, device, quiet)
    _say_failures(ready)


@sound_app.command()
@reporting_errors
def captions(
    study: StudyArgument,
    file: Annotated[
        Path, typer.Argument(help="AVCaps JSON, or a CSV of captions.", show_default=False)
    ],
    kind: Annotated[
        str,
        typer.Option(help="For a CSV without a kind column: audio, visual or audio_visual."),
    ] = "",
) -> None:
    """Import captions: what is seen or heard in stretches of recordings."""
    from pipeline.sound.captions import kept_name, read_captions, write_captions
    from pipeline.sound.clip_set import Kind
    from pipeline.study import open_study

    kinds = [one.value for one in Kind]
    if kind and kind not in kinds:
        raise SettingsError(
            f"There is no kind of caption {kind!r}.", hint=f"Choose one of: {', '.join(kinds)}."
        )
    opened = open_study(study)
    found = read_captions(file, opened.recordings, Kind(kind) if kind else None)
    path = write_captions(opened.root, kept_name(file), found.captions)
    for one in Kind:
        if n := sum(caption.kind is one for caption in found.captions):
            typer.echo(f"{n} caption(s) of the kind {one.value}.")
    for notice in found.notices:
        typer.echo(f"Note: {notice.message}", err=True)
    typer.echo(f"Copied to {path.relative_to(opened.root)}.")


def _prepared(
    opened: Study, text: str, encoder: str, device: str, keep_speech: bool, quiet: bool
) -> PreparedStudy:
    from pipeline.cli_output import counting
    from pipeline.engine.progress import last_shards
    from pipeline.engine.tools import resolved_device
    from pipeline.sound.encoder import ClapEncoder, usual_encoder
    from pipeline.sound.prepared import StudyShards, prepare
    from pipeline.sound.study_clips import TextChoice
    from pipeline.store.layout import Stage
    from pipeline.vision.open_clip_model import OpenClipModel

    where = resolved_device(device)
    ears = ClapEncoder(encoder or usual_encoder(opened.settings.model.name), opened.root, where)
    eyes = OpenClipModel(opened.settings.model, opened.root, where)
    shards = StudyShards(last_shards(opened, Stage.SPEECH), last_shards(opened, Stage.TEXT))
    with counting("Features of sound and picture", quiet) as count:
        ready = prepare(
            opened,
            shards,
            ears,
            eyes,
            TextChoice(text),
            keep_speech=keep_speech,
            on_recording=count,
        )
    for notice in ready.notices:
        typer.echo(f"Note: {notice}", err=True)
    return ready


def _publish(opened: Study, device: str, quiet: bool) -> None:
    """Bring the store up to date with what was just made, so that the dashboard shows it."""
    from pipeline.cli_output import watching
    from pipeline.engine.runner import Run, RunOptions

    with watching(opened, is_quiet=quiet, is_json=False) as on_event:
        summary = Run(opened, RunOptions("publish", device), on_event).execute()
    if summary.store is not None and not quiet:
        typer.echo(f"Store: {summary.store}")


def _choice(text: str, split: str, seed: int) -> LearningChoice:
    from pipeline.sound.study_clips import TextChoice
    from pipeline.sound.train_study import LearningChoice

    choices = [choice.value for choice in TextChoice]
    if text not in choices:
        raise SettingsError(
            f"There are no texts {text!r}.", hint=f"Choose one of: {', '.join(choices)}."
        )
    return LearningChoice(TextChoice(text), _split_by(split), seed)


def _split_by(split: str) -> SplitBy:
    from pipeline.sound.splits import SplitBy

    try:
        return SplitBy(split)
    except ValueError:
        raise SettingsError(
            f"A study cannot be split by {split!r}.", hint="Choose recording or child."
        ) from None


def _say_clips(n_train: int, n_validation: int, n_test: int) -> None:
    typer.echo(
        f"Learnt from {n_train} clips, stopped by {n_validation}, tested on {n_test} of other "
        "recordings."
    )


def _say_failures(ready: PreparedStudy) -> None:
    for failure in ready.failures:
        typer.echo(f"Failed: {failure.recording_id} ({failure.stage}): {failure.message}", err=True)
    if ready.failures:
        raise typer.Exit(int(ExitCode.SOME_FAILED))


def _show(rows: Sequence[RecallRow]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for title in ("System", "Retrieve", "By", "Recordings"):
        table.add_column(title)
    for title in ("Recall@10", "95 % interval", "Chance", "Clips"):
        table.add_column(title, justify="right")
    for row in sorted(rows, key=lambda row: row.scope != "within-recording"):
        table.add_row(
            row.system + ("*" if row.text else ""),
            row.gallery,
            row.query,
            "its own" if row.scope == "within-recording" else "all",
            f"{row.recall_at_10:.2f}",
            f"{row.lower:.2f} to {row.upper:.2f}",
            f"{row.chance:.2f}",
            f"{row.n:,}",
        )
    Console().print(table)
    for said in dict.fromkeys(row.text for row in rows if row.text):
        typer.echo(f"* learnt from {said}")
