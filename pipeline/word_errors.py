"""Counts of word errors against a reference transcript, and the file they are kept in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.records import Speaker
from pipeline.spreadsheet import CsvWriter

FOLDER = "word_errors"
_COUNTS = ("n_reference", "n_substituted", "n_deleted", "n_inserted", "n_outside")
_COLUMNS = ("recording_id", "child_id", "speaker", *_COUNTS)


@dataclass(frozen=True, slots=True)
class WordCounts:
    """Words of the reference, and errors in them. `n_outside` are words heard where the reference
    has no speech; they are told apart and do not count as errors.
    """

    n_reference: int = 0
    n_substituted: int = 0
    n_deleted: int = 0
    n_inserted: int = 0
    n_outside: int = 0

    def __add__(self, other: WordCounts) -> WordCounts:
        return WordCounts(*(getattr(self, n) + getattr(other, n) for n in _COUNTS))

    @property
    def n_errors(self) -> int:
        return self.n_substituted + self.n_deleted + self.n_inserted

    @property
    def rate(self) -> float | None:
        """Word error rate: errors per word of the reference (can exceed 1); None without words."""
        return self.n_errors / self.n_reference if self.n_reference else None


@dataclass(frozen=True, slots=True)
class WordErrorRow:
    """Counts of one recording and one speaker class of the reference.

    Words heard where the reference has no speech stand with speaker NA.
    """

    recording_id: str
    child_id: str
    speaker: Speaker
    counts: WordCounts


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Errors against one reference set."""

    reference: str
    rows: tuple[WordErrorRow, ...]


def total(rows: Iterable[WordErrorRow]) -> WordCounts:
    """Counts of several rows together."""
    return sum((row.counts for row in rows), WordCounts())


def write_word_errors(derived: Path, errors: WordErrors) -> Path:
    """Write derived/word_errors/SET.csv, replacing what was there."""
    text = io.StringIO()
    writer = CsvWriter(text)
    writer.writerow(_COLUMNS)
    for row in errors.rows:
        counts = [getattr(row.counts, name) for name in _COUNTS]
        writer.writerow([row.recording_id, row.child_id, row.speaker.value, *counts])
    path = derived / FOLDER / f"{errors.reference.replace('/', '~')}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(text.getvalue(), encoding="utf-8")
    partial.replace(path)
    return path


def read_word_errors(derived: Path) -> tuple[WordErrors, ...]:
    """What was measured, one entry for each reference set; StoreError for a damaged file."""
    return tuple(_read(path) for path in sorted((derived / FOLDER).glob("*.csv")))


def _read(path: Path) -> WordErrors:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = tuple(_row(cells) for cells in csv.DictReader(file))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise StoreError(
            f"{path.name} in derived/{FOLDER} is damaged.",
            hint="Delete it and run the command wer again.",
        ) from problem
    return WordErrors(path.stem.replace("~", "/"), rows)


def _row(cells: dict[str, str]) -> WordErrorRow:
    counts: Sequence[int] = [int(cells[name]) for name in _COUNTS]
    return WordErrorRow(
        cells["recording_id"], cells["child_id"], Speaker(cells["speaker"]), WordCounts(*counts)
    )
