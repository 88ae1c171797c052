"""metadata/norms/mapping.csv: what the columns of norms that Coview does not know mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StudyError
from pipeline.textfile import CsvRow, read_csv

MAPPING_FILE = "mapping.csv"
ROWS = ("mean", "sum", "first")
PART_OF_SPEECH = "part of speech"
"""Name of the norm whose values are parts of speech, not numbers."""

_COLUMNS = ("file", "word", "value", "norm")
_OPTIONAL = ("unit", "rows", "count", "language", "only")
_YES, _NO = ("yes", "true", "1", "y"), ("no", "false", "0", "n", "")


@dataclass(frozen=True, slots=True)
class NormMapping:
    """One norm of one file: which column is the word and which the value, what the norm is called.

    rows: what several rows of one word give, one of ROWS. is_count: values are counts, which are
    kept as log10. only: column and value that a row must have to count, or None.
    """

    file: str
    word: str
    value: str
    norm: str
    unit: str = ""
    rows: str = "mean"
    is_count: bool = False
    language: str = "en"
    only: tuple[str, str] | None = None


def read_norm_mapping(path: Path) -> tuple[NormMapping, ...]:
    """Rows of mapping.csv: file, word, value, norm and, if wanted, unit, rows, count, language,
    only (written column=value).

    Raises StudyError naming the line and the fix.
    """
    table = read_csv(path)
    table.require(_COLUMNS)
    unknown = sorted(set(table.columns) - {*_COLUMNS, *_OPTIONAL, ""})
    if unknown:
        raise StudyError(
            f"{path.name} has the unknown column {unknown[0]}.",
            hint=f"Known: {', '.join((*_COLUMNS, *_OPTIONAL))}.",
        )
    return tuple(_mapping(path, row) for row in table.rows)


def _mapping(path: Path, row: CsvRow) -> NormMapping:
    where = f"{path.name}, line {row.line}"
    for column in _COLUMNS:
        if not row.text(column):
            raise StudyError(f"{where}: {column} is empty.", hint="Fill it in, or remove the row.")
    count = row.text("count").lower()
    if count not in (*_YES, *_NO):
        raise StudyError(f"{where}: count is {count!r}.", hint="Write yes or no.")
    rows = row.text("rows").lower() or ("sum" if count in _YES else "mean")
    if rows not in ROWS:
        raise StudyError(f"{where}: rows is {rows!r}.", hint=f"Choose one of: {', '.join(ROWS)}.")
    column, equals, value = row.text("only").partition("=")
    if bool(column.strip()) != bool(equals):
        raise StudyError(
            f"{where}: only is {row.text('only')!r}.", hint="Write it as column=value."
        )
    return NormMapping(
        row.text("file"),
        row.text("word"),
        row.text("value"),
        row.text("norm"),
        row.text("unit"),
        rows,
        count in _YES,
        row.text("language") or "en",
        (column.strip(), value.strip()) if equals else None,
    )
