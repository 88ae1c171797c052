"""Tables as CSV that may be opened in a spreadsheet: no cell of text is run as a formula.

Spreadsheets take text that begins with one of RUN for a formula, which may send what is in the
table elsewhere or start programs. Such text gets an apostrophe before it, and `unguarded` takes it
off again. Numbers stay numbers. The signs are those that OWASP lists under CSV injection, the wide
forms of East Asian keyboards included.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import pandas as pd

RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PATTERN = r"^''*[=+\-@\t\r\n＝＋－＠]"
"""RUN behind apostrophes, as SQL writes the pattern in quotes."""
R_GUARD = r"^'(?='*[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-])"
"""The apostrophe that `guarded` puts, as a pattern of Perl's in a string of R."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?%?")
GUARD_NOTE = (
    "An apostrophe stands before text that a spreadsheet would take for a formula; take it off "
    "where a cell begins with apostrophes and then one of = + - @ or a tab or line end."
)


def guarded(text: str) -> str:
    """Text behind an apostrophe where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.lstrip("'").startswith(RUN) else text


def unguarded(cell: str) -> str:
    """The text that `guarded` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(RUN) else cell


def guarded_sql(expression: str) -> str:
    """SQL of DuckDB for `guarded` of a text."""
    return (
        f"CASE WHEN regexp_matches({expression}, '{_PATTERN}') "
        f"THEN '''' || {expression} ELSE {expression} END"
    )


class CsvWriter:
    """Writes rows to `file` with \\n line ends. Python's own writer would leave a carriage return
    in a cell bare, so that what follows it began a row of its own.
    """

    def __init__(self, file: TextIO) -> None:
        self._plain = csv.writer(file, lineterminator="\n")
        self._quoting = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def writerow(self, cells: Sequence[object]) -> None:
        has_return = any(isinstance(cell, str) and "\r" in cell for cell in cells)
        (self._quoting if has_return else self._plain).writerow(cells)

    def writerows(self, rows: Iterable[Sequence[object]]) -> None:
        for cells in rows:
            self.writerow(cells)


def csv_text(frame: pd.DataFrame, float_format: str | None = None) -> str:
    """A table with its header as CSV, text guarded. Text that is a number as it stands is left."""
    guarded_frame = frame.copy(deep=False)
    has_return = False
    for place, dtype in enumerate(frame.dtypes):
        if dtype.kind not in "biufcmM":
            column = frame.iloc[:, place].astype(object)
            cells = [_guarded_cell(cell) for cell in column]
            guarded_frame.isetitem(place, cells)
            has_return = has_return or any(isinstance(c, str) and "\r" in c for c in cells)
    guarded_frame.columns = [guarded(str(name)) for name in frame.columns]
    text: str = guarded_frame.to_csv(
        index=False,
        float_format=float_format,
        lineterminator="\n",
        quoting=csv.QUOTE_NONNUMERIC if has_return else csv.QUOTE_MINIMAL,
    )
    return text


def _guarded_cell(value: object) -> object:
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    return guarded(value)
