"""A study's store in another program's format, as one folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from duckdb import DuckDBPyConnection

from pipeline.exchange.childproject import SET_NAME
from pipeline.exchange.dataset_files import (
    experiment_of,
    filenames_of,
    index_of,
    write_copy,
    write_index,
    write_psychds,
    write_segments,
    write_tables,
)
from pipeline.exchange.export_folder import (
    ExportNote,
    check_replaceable,
    check_target,
    new_folder,
    write_marker,
)
from pipeline.exchange.export_request import (
    FORMATS,
    RECORDING_FORMATS,
    TABLE_FORMATS,
    ExportRequest,
    Resolved,
    resolve,
)
from pipeline.exchange.recording_files import FileStyle, media_folder, write_recording_files
from pipeline.exchange.scored_recordings import ScoredRecording, scored_recordings
from pipeline.exchange.subtitles import ScoresIn
from pipeline.people.thresholds import thresholds_of_study
from pipeline.store.opening import open_current_store

OnProgress = Callable[[int, int], None]
"""Called with files written and files in all."""


@dataclass(slots=True)
class ExportReport:
    """What came of an export: where it lies, how much it holds, what the person should know."""

    target: Path
    n_files: int = 0
    n_recordings: int = 0
    n_utterances: int = 0
    n_scored: int = 0
    notes: list[str] = field(default_factory=list)


def default_target(study_root: Path, export_format: str) -> Path:
    """Where an export goes when nothing else is said."""
    return study_root / "derived" / f"export-{export_format}"


def export_study(
    study_root: Path,
    request: ExportRequest,
    target: Path,
    on_progress: OnProgress = lambda n_done, n_total: None,
) -> ExportReport:
    """Write the export as the folder `target`, which appears only when it is whole.

    Raises StoreError without a store, for names that it does not have, and when the folder cannot
    or may not be written (see `check_target`).
    """
    check_target(target, study_root)
    with open_current_store(study_root) as con:
        resolved = resolve(con, request, thresholds_of_study(study_root))
        report = ExportReport(target)
        with new_folder(target) as folder:
            _write(con, study_root, resolved, folder, report, on_progress)
            is_scored = request.export_format not in TABLE_FORMATS
            note = ExportNote(
                FORMATS[request.export_format],
                request.words,
                resolved.score if is_scored else None,
                tuple(report.notes),
            )
            write_marker(folder, resolved.facts, note)
    return report


def export_into_study(
    study_root: Path,
    request: ExportRequest,
    on_progress: OnProgress = lambda n_done, n_total: None,
) -> ExportReport:
    """Put the ChildProject set into the study itself: annotations/alignment and its rows in
    metadata/annotations.csv. Coview never reads its own set back as a transcript.

    Raises as `export_study`; also StoreError when annotations/alignment is not ours.
    """
    target = study_root / "annotations" / SET_NAME
    check_replaceable(target)
    index = index_of(study_root)
    with open_current_store(study_root) as con:
        resolved = resolve(con, request, thresholds_of_study(study_root))
        report = ExportReport(target)
        with new_folder(target) as folder:
            entries = write_segments(
                _counted(con, resolved, report, on_progress),
                resolved,
                filenames_of(study_root),
                folder,
            )
            note = ExportNote(FORMATS["childproject"], request.words, resolved.score)
            write_marker(folder, resolved.facts, note)
    write_index(study_root, entries, index)
    _finish(report, resolved)
    return report


def _write(
    con: DuckDBPyConnection,
    study_root: Path,
    resolved: Resolved,
    folder: Path,
    report: ExportReport,
    on_progress: OnProgress,
) -> None:
    request = resolved.request
    if request.export_format in RECORDING_FORMATS:
        style = FileStyle(
            request.export_format,
            resolved.score,
            f"Coview {version('coview')}",
            datetime.now(timezone.utc),
            resolved.facts.study_name,
            media_folder(report.target, study_root),
            ScoresIn(request.scores_in or ScoresIn.NOWHERE),
        )
        write_recording_files(_counted(con, resolved, report, on_progress), style, folder)
    elif request.export_format == "childproject":
        write_copy(
            _counted(con, resolved, report, on_progress),
            resolved,
            filenames_of(study_root),
            experiment_of(study_root, resolved.facts.study_name),
            folder,
        )
    elif request.export_format == "psychds":
        counts = write_psychds(con, resolved, folder)
        report.n_files, report.n_recordings = 1, counts.n_recordings
        report.n_utterances, report.n_scored = counts.n_utterances, counts.n_scored
    else:
        report.n_files, notes = write_tables(con, resolved, folder, on_progress)
        report.notes += notes
        return
    _finish(report, resolved)


def _counted(
    con: DuckDBPyConnection, resolved: Resolved, report: ExportReport, on_progress: OnProgress
) -> Iterator[ScoredRecording]:
    """The recordings, counted in the report as they go by."""
    for recording in scored_recordings(con, resolved.recordings, resolved.score):
        yield recording
        report.n_files += 1
        report.n_recordings += 1
        report.n_utterances += len(recording.utterances)
        report.n_scored += sum(u.score.max_cosine is not None for u in recording.utterances)
        on_progress(report.n_recordings, len(resolved.recordings))


def _finish(report: ExportReport, resolved: Resolved) -> None:
    if report.n_utterances and not report.n_scored:
        report.notes.append(f"No utterance has a score under {resolved.score.words}.")
    n_hidden = sum(bool(r.media_path and not r.shown_media_path) for r in resolved.recordings)
    if n_hidden and resolved.request.export_format == "eaf":
        report.notes.append(
            f"{n_hidden} recording(s) may not be shown: their files do not link the video."
        )
