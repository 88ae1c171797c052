"""Tables of words as files: delimited text in any encoding, or the first sheet of a workbook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

from pipeline.errors import StudyError
from pipeline.textfile import CsvLines, read_csv_lines
from pipeline.zip_limits import BROKEN_ZIP, MAX_BYTES, TooLargeError, check_size

_BROKEN = (*BROKEN_ZIP, KeyError, IndexError, TypeError, AttributeError, SyntaxError)
"""What openpyxl raises for a damaged workbook; a SyntaxError is XML that is not well-formed."""
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xls")


def read_table_lines(path: Path) -> CsvLines:
    """Columns and rows of a table, whatever the kind of file.

    Raises StudyError for a file that cannot be read as a table.
    """
    suffix = path.suffix.lower()
    if suffix == ".xls":
        raise StudyError(
            f"{path.name} is a workbook of the old kind.", hint="Save it as xlsx or CSV."
        )
    return _workbook(path) if suffix == ".xlsx" else read_csv_lines(path)


def _workbook(path: Path) -> CsvLines:
    from openpyxl import load_workbook  # type: ignore[import-untyped]
    from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]

    try:
        with ZipFile(path) as packed:
            check_size(packed, path)
        sheet = load_workbook(path, read_only=True, data_only=True).worksheets[0]
        # What it says of its size may be wrong, and would be believed.
        sheet.reset_dimensions()
        rows = sheet.iter_rows(values_only=True)
        columns = tuple(_text(cell).strip() for cell in next(rows, ()))
    except TooLargeError as problem:
        raise StudyError(
            f"{path.name} unpacks to more than {MAX_BYTES // 1_000_000} MB.", hint="Save it as CSV."
        ) from problem
    except (*_BROKEN, InvalidFileException) as problem:
        raise _unreadable(path) from problem
    if not any(columns):
        raise StudyError(f"{path.name} is empty.", hint="Its first row must name the columns.")
    repeated = sorted(name for name, n in Counter(columns).items() if name and n > 1)
    if repeated:
        raise StudyError(
            f"{path.name} has the column {repeated[0]} twice.", hint="Remove or rename one."
        )
    return CsvLines(path, columns, _numbered(path, rows), False)


def _numbered(path: Path, rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[int, list[str]]]:
    try:
        for line, row in enumerate(rows, start=2):
            cells = [_text(cell) for cell in row]
            if any(cells):
                yield line, cells
    except _BROKEN as problem:
        raise _unreadable(path) from problem


def _unreadable(path: Path) -> StudyError:
    return StudyError(f"{path.name} cannot be read as a workbook.", hint="Save it as CSV.")


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)
