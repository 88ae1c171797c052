"""How the command line shows progress and results: rich for people, JSON lines for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from pipeline.engine.events import (
    Event,
    FramesSampled,
    OnEvent,
    RecordingFinished,
    Said,
    SpeechHeard,
    StageStarted,
)
from pipeline.study import Study

if TYPE_CHECKING:
    from pipeline.doctor import Finding
    from pipeline.engine.progress import StudyStatus
    from pipeline.media.clip_choice import ChoiceCounts
    from pipeline.media.cut_ahead import CutReport
    from pipeline.vision.registry import KnownModel, ModelCheck

_STAGE_TITLES = {
    "speech": "Speech: transcripts and speakers",
    "vision": "Vision: frames and their embeddings",
    "text": "Text: embeddings of utterances",
    "align": "Alignment: scores and matched null",
}


@contextmanager
def watching(study: Study, *, is_quiet: bool, is_json: bool) -> Iterator[OnEvent]:
    """Show a run's events and keep them as JSON lines under derived/logs."""
    logs = study.derived / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    started = datetime.now(timezone.utc)
    with (logs / f"run-{started:%Y%m%dT%H%M%S}.jsonl").open("a", encoding="utf-8") as log:

        def write_log(event: Event) -> None:
            if not isinstance(event, FramesSampled | SpeechHeard):
                _write_json_line(log, event)

        if is_json:

            def on_event_json(event: Event) -> None:
                write_log(event)
                if not isinstance(event, FramesSampled | SpeechHeard):
                    _write_json_line(sys.stderr, event)

            yield on_event_json
            return
        with _bars(is_quiet) as progress:
            show = _StageBars(progress)

            def on_event(event: Event) -> None:
                write_log(event)
                show.on_event(event)

            yield on_event


@contextmanager
def counting(title: str, is_quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar for work that reports (n_done, n_total)."""
    with _bars(is_quiet) as progress:
        task = progress.add_task(title, total=None)

        def count(n_done: int, n_total: int) -> None:
            progress.update(task, completed=n_done, total=n_total)

        yield count


@contextmanager
def stepping(title: str, is_quiet: bool) -> Iterator[Callable[[str, float | None], None]]:
    """A bar for work that reports (what it does, how far it is from 0 to 1)."""
    with _bars(is_quiet) as progress:
        task = progress.add_task(title, total=None)

        def step(what: str, share: float | None) -> None:
            done = None if share is None else round(100 * share)
            progress.update(task, description=f"{title}: {what}", completed=done, total=100)

        yield step


class _StageBars:
    """One bar per stage; frames move the description, recordings the bar. Several stages may go
    on side by side."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, TaskID] = {}

    def on_event(self, event: Event) -> None:
        if isinstance(event, Said):
            self._progress.console.print(event.text, highlight=False)
        elif isinstance(event, StageStarted):
            self._bars[event.stage] = self._progress.add_task(
                _STAGE_TITLES[event.stage], total=event.n_total, completed=event.n_done
            )
        elif isinstance(event, RecordingFinished):
            self._show(event.stage, advance=1)
        elif isinstance(event, FramesSampled):
            self._show("vision", f"{event.n_frames} frames")
        elif isinstance(event, SpeechHeard):
            self._show("speech", f"{event.heard_ms // 60_000} min heard")

    def _show(self, stage: str, detail: str = "", advance: int = 0) -> None:
        title = _STAGE_TITLES[stage] + (f" ({detail})" if detail else "")
        self._progress.update(self._bars[stage], advance=advance, description=title)


def _bars(is_quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, quiet=is_quiet),
    )


def _write_json_line(stream: TextIO, event: Event) -> None:
    line = {
        "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "event": type(event).__name__,
        **asdict(event),
    }
    stream.write(json.dumps(line, default=str) + "\n")
    stream.flush()


def clip_counts_lines(counts: ChoiceCounts, n_lost: int) -> list[str]:
    """What was chosen, and what of it can have no clip."""
    lines = []
    if n_lost:
        lines.append(f"Note: {n_lost} moment(s) of the playlist are not in this store.")
    if counts.n_not_permitted:
        lines.append(
            f"Note: {counts.n_not_permitted} of {counts.n_chosen} utterance(s) may not be shown: "
            "the permission of their recording is scores_only."
        )
    if counts.n_without_video:
        lines.append(
            f"Note: {counts.n_without_video} utterance(s) have frames but no video, so no clip."
        )
    return lines


def clip_report_lines(report: CutReport) -> list[str]:
    """What came of cutting clips ahead."""
    lines = [
        f"Failed: {failure.recording_id} ({failure.n_utterances} utterance(s)): {failure.message}"
        for failure in report.failures
    ]
    megabytes, cap = report.size_bytes / 1e6, report.max_bytes / 1e6
    lines.append(
        f"{report.n_cut} clip(s) cut, {report.n_there} were there; together {megabytes:,.1f} MB."
    )
    if report.n_forgotten:
        lines.append(f"{report.n_forgotten} older clip(s) were deleted to make room.")
    if report.n_left:
        lines.append(
            f"{report.n_left} clip(s) were not cut: the cache keeps {cap:,.0f} MB, and more would "
            "throw out the first ones of this choice. Choose fewer."
        )
    return lines


def status_table(status: StudyStatus) -> None:
    """Print how far a study is."""
    console = Console()
    table = Table(title=f"{status.name}: {status.n_recordings} recordings")
    table.add_column("Stage")
    for title in ("Done", "Failed", "To do"):
        table.add_column(title, justify="right")
    for stage in status.stages:
        table.add_row(stage.stage, str(stage.n_done), str(stage.n_failed), str(stage.n_pending))
    console.print(table)
    for failure in status.failures:
        console.print(
            f"Failed: {failure.recording_id} ({failure.stage}): {failure.message} {failure.hint}",
            highlight=False,
        )
    for notice in status.notices:
        console.print(f"Note: {notice}", highlight=False)
    if status.is_settings_changed:
        console.print("study.toml was changed since the last run; run again to use it.")
    console.print(f"Store: {status.store or 'none yet'}", highlight=False, soft_wrap=True)


def findings_table(findings: Sequence[Finding]) -> None:
    """Print what `doctor` found."""
    console = Console()
    signs = {"good": "ok", "note": "note", "bad": "MISSING"}
    for finding in findings:
        console.print(
            f"{signs[finding.verdict]:8}{finding.subject}: {finding.message}",
            highlight=False,
            soft_wrap=True,
            markup=False,
        )


def models_table(models: Sequence[KnownModel]) -> None:
    """Print known models and whether they are here."""
    table = Table(title="Models")
    for title in ("Kind", "Name", "Weights", "On this machine", "Note"):
        table.add_column(title)
    for model in models:
        table.add_row(
            model.kind, model.name, model.weights, "yes" if model.is_here else "no", model.note
        )
    Console().print(table)


def check_table(check: ModelCheck) -> None:
    """Print what `models check` found."""
    console = Console()
    for line in check.lines:
        sign = "ok" if line.is_ok else "WRONG"
        console.print(
            f"{sign:8}{line.subject}: {line.message}", highlight=False, soft_wrap=True, markup=False
        )
