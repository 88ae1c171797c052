"""A file of trials or answers, CSV or jsPsych's JSON, as rows and problems."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import RatingError
from pipeline.spreadsheet import unguarded
from pipeline.textfile import read_csv_lines, read_text
from pipeline.validation.files.cells import written
from pipeline.validation.files.columns import RATER
from pipeline.validation.files.parse import first_position, missing_columns, parsed
from pipeline.validation.files.row_cells import RowError
from pipeline.validation.files.rows import FileRow

Lines = Sequence[tuple[str, Mapping[str, str]]]
"""Rows of text with their places in the file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot be taken: where, why, and what to do."""

    place: str
    sentence: str
    fix: str

    @property
    def words(self) -> str:
        return f"{self.place}: {self.sentence} {self.fix}"


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """What a file holds. `n_other` entries of a jsPsych file are no trials of ours, such as
    instructions. `counts_from` is 0 or 1: the first position."""

    path: Path
    rows: tuple[FileRow, ...]
    problems: tuple[Problem, ...]
    n_other: int
    counts_from: int

    @property
    def has_answers(self) -> bool:
        """Whether it is a file of answers, not of trial lists."""
        return any(row.answer is not None for row in self.rows)


def read_answer_file(path: Path) -> AnswerFile:
    """Read a file of answers or of trial lists.

    Raises RatingError for a file of another kind or without the columns that are needed, and
    StudyError for one that cannot be read as text. What is wrong with single rows is in
    `problems`.
    """
    n_other = 0
    if path.suffix.lower() == ".json":
        lines, n_other = _json_lines(path)
    else:
        lines = _csv_lines(path)
    rows: list[FileRow] = []
    problems: list[Problem] = []
    try:
        first = first_position([cells for _, cells in lines])
    except RowError as problem:
        raise RatingError(f"{path.name}: {problem.sentence}", hint=problem.fix) from None
    for line, cells in lines:
        try:
            rows.append(parsed(cells, line, first))
        except RowError as problem:
            problems.append(Problem(f"{path.name}, {line}", problem.sentence, problem.fix))
    return AnswerFile(path, tuple(rows), tuple(problems), n_other, first)


def _csv_lines(path: Path) -> Lines:
    table = read_csv_lines(path)
    _check_columns(path, table.columns)
    return [
        (
            f"line {line}",
            {
                name: unguarded(cell)
                for name, cell in zip(table.columns, cells, strict=False)
                if name
            },
        )
        for line, cells in table.rows
    ]


def _json_lines(path: Path) -> tuple[Lines, int]:
    """The trials of a jsPsych file, and how many of its entries are none."""
    try:
        content = json.loads(read_text(path).text)
    except json.JSONDecodeError as problem:
        raise RatingError(
            f"{path.name}, line {problem.lineno}: it is not JSON ({problem.msg}).",
            hint="Save it again with jsPsych.data.get().json().",
        ) from None
    if not isinstance(content, list):
        raise RatingError(
            f"{path.name} is not a list of trials.",
            hint="Save it again with jsPsych.data.get().json().",
        )
    found: list[tuple[str, dict[str, str]]] = []
    for number, entry in enumerate(content, start=1):
        cells = _entry_cells(entry) if isinstance(entry, dict) else {}
        if "item_id" in cells or "utterance" in cells:
            found.append((f"trial {number}", cells))
    columns = {name for _, cells in found for name in cells}
    if found:
        _check_columns(path, tuple(columns))
    return found, len(content) - len(found)


def _entry_cells(entry: Mapping[str, object]) -> dict[str, str]:
    """An entry's data under our names; what jsPsych itself records fills what is not there."""
    cells = {
        str(name): written(value)
        for name, value in entry.items()
        if value is None or isinstance(value, str | int | float | bool)
    }
    for ours, theirs in (("rt_ms", "rt"), (RATER.name, "subject"), ("is_correct", "correct")):
        if theirs in cells and not cells.get(ours):
            cells[ours] = cells[theirs]
    response = entry.get("response")
    if isinstance(response, int) and not isinstance(response, bool):
        # Buttons count from 0; `selected_position` of files with an order counts from 1.
        first = 1 if "option_order" in cells else 0
        cells.setdefault("selected_position", str(response + first))
    return cells


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    missing = missing_columns(columns)
    if missing:
        raise RatingError(
            f"{path.name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}.",
            hint=f"It has: {', '.join(sorted(columns)) or 'no header'}.",
        )
