"""A ChildProject annotation set named `alignment`: segments with their scores.

Rules: the tables that `child-project validate` 0.4 checks (ChildProject.annotations and
ChildProject.projects). NA is ChildProject's word for unknown.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.column import Column
from pipeline.exchange.citations import METHOD
from pipeline.exchange.scored_recordings import (
    RecordingFacts,
    ScoreChoice,
    ScoredRecording,
    ScoredUtterance,
)
from pipeline.spreadsheet import CsvWriter, guarded
from pipeline.textfile import CsvTable

SET_NAME = "alignment"

SEGMENT_COLUMNS = (
    Column("raw_filename", "VARCHAR", "NA: the set is made from the store, not from a file"),
    Column("segment_onset", "INTEGER", "Start, from the start of the recording", "ms"),
    Column("segment_offset", "INTEGER", "End, from the start of the recording", "ms"),
    Column("speaker_type", "VARCHAR", "FEM, MAL, CHI (key child), OCH (other child) or NA"),
    Column("transcription", "VARCHAR", "What was said, as transcribed"),
    Column("words", "INTEGER", "Words in the transcription", "count"),
    Column("utterance_id", "VARCHAR", "Utterance within its recording"),
    Column("language", "VARCHAR", "Language code, if known"),
    Column("flags", "VARCHAR", "Marks such as overlapping or repetitive, parted by semicolons"),
    Column("n_frames", "INTEGER", "Frames in the window", "count"),
    Column("max_cosine", "FLOAT", "Largest cosine over the frames of the window", "cosine"),
    Column("mean_cosine", "FLOAT", "Mean cosine over the frames of the window", "cosine"),
    Column("null_mean_cosine", "FLOAT", "Mean of max_cosine under the matched null", "cosine"),
    Column("null_sd_cosine", "FLOAT", "SD of max_cosine under the matched null", "cosine"),
    Column("max_z_sd", "FLOAT", "max_cosine as z against the matched null", "SD"),
    Column("p", "FLOAT", "(1 + null windows at or above max_cosine) / (K + 1)", "0-1"),
    Column("missing_reason", "VARCHAR", "Why there is no score"),
)

INDEX_COLUMNS = (
    "set",
    "recording_filename",
    "time_seek",
    "range_onset",
    "range_offset",
    "raw_filename",
    "format",
    "filter",
    "annotation_filename",
    "imported_at",
    "package_version",
    "error",
    "merged_from",
)


@dataclass(frozen=True, slots=True)
class SetEntry:
    """A recording in the set. `recording_filename` is its name in metadata/recordings.csv."""

    facts: RecordingFacts
    recording_filename: str
    annotation_filename: str
    end_ms: int


def annotation_filename(recording: ScoredRecording) -> str:
    """The file of a recording's segments, named as ChildProject names them."""
    return f"{recording.facts.recording_id}_0_{recording.end_ms}.csv"


def segment_lines(recording: ScoredRecording, *, with_text: bool) -> Iterator[str]:
    """converted/*.csv of one recording in pieces of text."""
    columns = [column.name for column in _segment_columns(with_text=with_text)]
    places = [place for place, c in enumerate(SEGMENT_COLUMNS) if c.name in columns]
    buffer = io.StringIO()
    writer = CsvWriter(buffer)
    writer.writerow(columns)
    for utterance in recording.utterances:
        cells = _cells(utterance)
        writer.writerow([_safe(cells[place]) for place in places])
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def metannots_text(choice: ScoreChoice, made_at: datetime, version: str, *, with_text: bool) -> str:
    """metannots.yml: how the set was made, in ChildProject's fields."""
    fields = {
        "segmentation": SET_NAME,
        "segmentation_type": "permissive",
        "method": "automated",
        "sampling_method": "none",
        "annotation_algorithm_name": "Coview",
        "annotation_algorithm_publication": METHOD,
        "annotation_algorithm_version": version,
        "date_annotation": f"{made_at:%Y-%m-%d}",
        "has_speaker_type": "Y",
        "has_transcription": "Y" if with_text else "N",
        "has_words": "Y",
        "notes": f"Match of each utterance with what was in view: {choice.words}. Columns: "
        + "; ".join(f"{c.name}: {c.meaning}" for c in _segment_columns(with_text=with_text)[6:])
        + ".",
    }
    # A JSON string is a YAML string, whatever it holds.
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in fields.items())


def index_text(entries: Sequence[SetEntry], existing: CsvTable | None, made_at: datetime) -> str:
    """metadata/annotations.csv with the set in it; rows of other sets stay as they are."""
    columns = list(existing.columns) if existing is not None else []
    columns += [column for column in INDEX_COLUMNS if column not in columns]
    kept = [row.cells for row in existing.rows] if existing is not None else []
    rows = [cells for cells in kept if cells.get("set") != SET_NAME]
    rows += [
        {
            "set": SET_NAME,
            "recording_filename": guarded(entry.recording_filename),
            "time_seek": "0",
            "range_onset": "0",
            "range_offset": str(entry.end_ms),
            "raw_filename": "NA",
            "format": "NA",
            "annotation_filename": guarded(entry.annotation_filename),
            "imported_at": f"{made_at:%Y-%m-%d %H:%M:%S}",
            "package_version": "NA",
        }
        for entry in entries
    ]
    return _csv_text(columns, rows)


def children_text(entries: Sequence[SetEntry], experiment: str) -> str:
    """metadata/children.csv of a copy: no birth dates, which the store does not keep."""
    columns = ("experiment", "child_id", "child_dob", "dob_accuracy")
    children = sorted({entry.facts.child_id for entry in entries})
    return _csv_text(
        columns,
        [dict(zip(columns, (experiment, guarded(c), "NA", "NA"), strict=True)) for c in children],
    )


def recordings_text(entries: Sequence[SetEntry], experiment: str) -> str:
    """metadata/recordings.csv of a copy; ages are given in days."""
    rows = [
        {
            "experiment": experiment,
            "child_id": guarded(facts.child_id),
            "date_iso": "NA" if facts.date is None else facts.date.isoformat(),
            "start_time": "NA",
            "recording_device_type": "unknown",
            "recording_filename": guarded(entry.recording_filename),
            "duration": str(entry.end_ms),
            "recording_id": guarded(facts.recording_id),
            "age_days": "NA" if facts.age_days is None else str(facts.age_days),
            "permission": facts.permission,
        }
        for entry in entries
        if (facts := entry.facts)
    ]
    return _csv_text(tuple(rows[0]) if rows else (), rows)


def _csv_text(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """A CSV file; a cell that a row lacks is empty."""
    buffer = io.StringIO()
    writer = CsvWriter(buffer)
    writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return buffer.getvalue()


def _segment_columns(*, with_text: bool) -> tuple[Column, ...]:
    return tuple(c for c in SEGMENT_COLUMNS if with_text or c.name != "transcription")


def _safe(cell: str | int | None) -> str | int | None:
    return guarded(cell) if isinstance(cell, str) else cell


def _cells(utterance: ScoredUtterance) -> tuple[str | int | None, ...]:
    score = utterance.score
    return (
        "NA",
        utterance.onset_ms,
        utterance.offset_ms,
        utterance.speaker,
        utterance.text,
        len(utterance.text.split()) if utterance.n_words is None else utterance.n_words,
        utterance.utterance_id,
        utterance.language,
        ";".join(utterance.flags),
        score.n_frames,
        *(
            None if value is None else f"{value:.6g}"
            for value in (
                score.max_cosine,
                score.mean_cosine,
                score.null_mean,
                score.null_sd,
                score.z,
                score.p,
            )
        ),
        score.missing_reason,
    )
