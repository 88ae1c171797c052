"""ChildProject's converted segments with a transcription: a CSV, times in milliseconds."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import TranscriptError
from pipeline.speech.readers.reading import Reading, as_transcript_errors
from pipeline.speech.segment import Segment, clean_text, milliseconds
from pipeline.spreadsheet import unguarded
from pipeline.textfile import CsvRow, read_csv

TIME_COLUMNS = ("segment_onset", "segment_offset")
_NO_WORDS = frozenset(("", "NA", "NaN", "0", "0."))
"""ACLEW's annotators write 0. for a sound of the child that is no word."""


class ChildProjectCsv:
    """segment_onset, segment_offset, transcription; optionally raw_filename, speaker_type,
    language. One file may hold several recordings, told apart by raw_filename.
    """

    name = "ChildProject CSV"

    def recognises(self, head: str) -> bool:
        columns = header_columns(head)
        return "transcription" in columns and set(TIME_COLUMNS) <= columns

    def read(self, path: Path) -> Reading:
        with as_transcript_errors():
            table = read_csv(path)
        table.require((*TIME_COLUMNS, "transcription"), TranscriptError)
        return Reading(tuple(_segment(row) for row in table.rows), "line", table.is_latin1)


def header_columns(head: str) -> frozenset[str]:
    """Column names in the first line of a CSV, whichever usual delimiter it has."""
    line = head.lstrip("\ufeff").split("\n", 1)[0]
    delimiter = max(",;\t", key=line.count)
    return frozenset(name.strip().strip('"') for name in line.split(delimiter))


def time_cell(row: CsvRow, column: str) -> int | None:
    """A cell that holds milliseconds, to the nearest whole one; None if it holds no number."""
    try:
        return milliseconds(float(row.text(column)) / 1000)
    except ValueError:
        return None


def _segment(row: CsvRow) -> Segment:
    problem = next(
        (
            f"{column} is {row.cells.get(column, '')!r}, not a time in ms"
            for column in TIME_COLUMNS
            if time_cell(row, column) is None
        ),
        "",
    )
    # CsvRow.text would take the words "none" and "null" for missing; both are things people say.
    text = unguarded(row.cells.get("transcription", "")).strip()
    return Segment(
        row=row.line,
        onset_ms=time_cell(row, "segment_onset"),
        offset_ms=time_cell(row, "segment_offset"),
        text="" if text in _NO_WORDS else clean_text(text),
        speaker=row.text("speaker_type"),
        language=row.text("language") or None,
        belongs_to=row.text("raw_filename"),
        problem=problem,
    )
