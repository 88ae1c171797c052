"""Text and CSV files as labs have them: any usual encoding, any line end."""

from __future__ import annotations

import codecs
import csv
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import CoviewError, StudyError
from pipeline.spreadsheet import unguarded

if TYPE_CHECKING:
    from _csv import Reader

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class TextFile:
    """Content of a text file with \\n line ends; `is_latin1` when it was not UTF-8."""

    text: str
    is_latin1: bool


def read_text(path: Path) -> TextFile:
    """Read UTF-8 (with or without BOM), UTF-16 with BOM, else Latin-1; unify line ends.

    Raises StudyError when the file cannot be opened or holds NUL bytes (not a text file).
    """
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    is_latin1 = False
    if raw.startswith(_UTF16_MARKS):
        text = raw.decode("utf-16", errors="replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text, is_latin1 = raw.decode("latin-1"), True
    if "\0" in text:
        raise _not_text(path)
    return TextFile(text.replace("\r\n", "\n").replace("\r", "\n"), is_latin1)


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: its line in the file (the header is line 1) and its cells by column name."""

    line: int
    cells: dict[str, str]

    def text(self, column: str) -> str:
        """Stripped cell; "" when the column is absent or the cell says NA or NaN.

        An apostrophe that kept a spreadsheet from running the cell is off.
        """
        value = unguarded(self.cells.get(column, "")).strip()
        return "" if value.lower() in ("na", "nan", "none", "null") else value


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file: its columns, rows, and whether it was read as Latin-1."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[CsvRow, ...]
    is_latin1: bool = False

    def require(self, columns: tuple[str, ...], kind: type[CoviewError] = StudyError) -> None:
        """Raise `kind` naming the file and the columns it lacks."""
        missing = [column for column in columns if column not in self.columns]
        if missing:
            raise kind(
                f"{self.path.name} lacks the column{'s' if len(missing) > 1 else ''} "
                f"{', '.join(missing)}.",
                hint=f"It has: {', '.join(self.columns) or 'no header'}.",
            )


def read_csv(path: Path, delimiter: str = "") -> CsvTable:
    """Read a CSV with a header row; the delimiter is found if not given.

    Blank lines are passed over. Raises StudyError for an empty file, a repeated column, or a row
    with more cells than the header.
    """
    lines = read_csv_lines(path, delimiter)
    rows = [
        CsvRow(line, dict(zip(lines.columns, cells, strict=False))) for line, cells in lines.rows
    ]
    return CsvTable(path, lines.columns, tuple(rows), lines.is_latin1)


@dataclass(frozen=True, slots=True)
class CsvLines:
    """A CSV file read line by line, for files of millions of rows.

    `rows` gives (line in the file, cells) once; a row may have fewer cells than `columns`.
    """

    path: Path
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]
    is_latin1: bool


def read_csv_lines(path: Path, delimiter: str = "") -> CsvLines:
    """`read_csv` without keeping the rows; it raises the same errors, rows' as they come.

    The file is gone through twice, once to find its encoding, and never held whole.
    """
    encoding = _encoding(path)
    lines = _decoded_lines(path, encoding)
    first_line = next(lines, "")
    if not delimiter:
        delimiter = max(",;\t", key=first_line.count)
    reader = csv.reader(chain((first_line,), lines), delimiter=delimiter)
    _, header = next(_rows(path, reader), (0, []))
    if not header:
        raise StudyError(f"{path.name} is empty.", hint="Its first line must name the columns.")
    columns = tuple(name.strip() for name in header)
    repeated = sorted(name for name, n in Counter(columns).items() if name and n > 1)
    if repeated:
        raise StudyError(
            f"{path.name} has the column {repeated[0]} twice.", hint="Remove or rename one."
        )
    rows = _rows(path, reader, len(columns))
    return CsvLines(path, columns, rows, encoding == "latin-1")


def _encoding(path: Path) -> str:
    """Name of the codec that `read_text` would use; the same errors."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoding = "utf-8-sig"
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                if file.tell() == len(block) and block.startswith(_UTF16_MARKS):
                    return "utf-16"
                if b"\0" in block:
                    raise _not_text(path)
                if encoding != "latin-1":
                    try:
                        decoder.decode(block)
                    except UnicodeDecodeError:
                        encoding = "latin-1"
        if encoding != "latin-1":
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        encoding = "latin-1"
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    return encoding


def _decoded_lines(path: Path, encoding: str) -> Iterator[str]:
    try:
        with path.open(encoding=encoding, errors="replace") as file:
            if encoding != "utf-16":
                yield from file
            for line in file:
                if "\0" in line:
                    raise _not_text(path)
                yield line
    except OSError as problem:
        raise _unreadable(path, problem) from problem


def _unreadable(path: Path, problem: OSError) -> StudyError:
    return StudyError(
        f"{path.name} cannot be read: {problem.strerror}.", hint="Check the file's rights."
    )


def _not_text(path: Path) -> StudyError:
    return StudyError(
        f"{path.name} is not a text file.", hint="Export it again as CSV or plain text."
    )


def _rows(
    path: Path, reader: Reader, n_columns: int = sys.maxsize
) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with their first lines."""
    line = reader.line_num + 1
    try:
        for cells in reader:
            if any(cells) and any(map(str.strip, cells)):
                if len(cells) > n_columns and any(map(str.strip, cells[n_columns:])):
                    raise StudyError(
                        f"{path.name}, line {line}: {len(cells)} cells under {n_columns} columns.",
                        hint="Put text that holds the delimiter in double quotes.",
                    )
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as problem:
        raise StudyError(
            f"{path.name}, line {line}: {problem}.", hint="Export the file again as CSV."
        ) from problem
