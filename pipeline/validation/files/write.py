"""Trials and answers as CSV and as jsPsych's JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from pipeline.column import Column
from pipeline.errors import DiskFullError, StoreError
from pipeline.people.trial_records import Trial, TrialMode
from pipeline.spreadsheet import CsvWriter, guarded
from pipeline.validation.files.rows import AnswerGiven, Cell, as_text, image_name

_NO_ROOM = 28
_SECOND_MS = 1000.0

Json = str | float | bool | None | list[str]


def write_csv(path: Path, columns: Sequence[Column], rows: Iterable[Mapping[str, Cell]]) -> int:
    """Write rows under these columns; how many. Text that a spreadsheet would run is guarded.

    The file appears only when it is whole. Raises DiskFullError and StoreError.
    """
    partial = path.with_name(f"{path.name}.partial")
    n_rows = 0
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = CsvWriter(file)
            writer.writerow([column.name for column in columns])
            for cells in rows:
                text = as_text(cells)
                writer.writerow(
                    [
                        guarded(text.get(column.name, ""))
                        if column.type == "VARCHAR"
                        else text.get(column.name, "")
                        for column in columns
                    ]
                )
                n_rows += 1
        partial.replace(path)
    except OSError as problem:
        raise _unwritten(path, problem) from problem
    return n_rows


def write_json(path: Path, entries: object) -> None:
    """Write what is given as JSON; the file appears only when it is whole."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", "utf-8")
        partial.replace(path)
    except OSError as problem:
        raise _unwritten(path, problem) from problem


def jspsych_entry(
    trial: Trial,
    answer: AnswerGiven | None,
    cells: Mapping[str, Cell],
    *,
    index: int,
    elapsed_ms: int | None,
) -> dict[str, Json]:
    """A trial as jsPsych records one of its plug-in html-button-response, with our columns.

    `response` counts buttons from 0, `rt` is in milliseconds, `time_elapsed` in milliseconds since
    the rater's first answer was begun.
    """
    options = trial.shown()
    is_images = trial.item.mode is TrialMode.IMAGES
    choices = [image_name(option) if is_images else option.text for option in options]
    stimulus = (
        f"<p>{escape(trial.item.prompt)}</p>"
        if is_images or trial.item.prompt
        else f'<img src="{escape(image_name(trial.item.options[0]))}">'
    )
    entry: dict[str, Json] = {
        "trial_type": "html-button-response",
        "trial_index": index,
        "stimulus": stimulus,
        "choices": choices,
    }
    if answer is not None:
        entry |= {
            "time_elapsed": elapsed_ms,
            "rt": answer.rt_ms,
            "response": answer.selected_position - 1,
            "correct": answer.selected_position == trial.correct_position,
            "subject": answer.rater,
        }
    return {**entry, **dict(cells)}


def elapsed_since(first_at: str, first_rt_ms: float | None, answered_at: str) -> int | None:
    """Milliseconds from the start of a rater's first trial to an answer; None without times."""
    from datetime import datetime

    try:
        begun = datetime.fromisoformat(first_at.replace("Z", "+00:00"))
        ended = datetime.fromisoformat(answered_at.replace("Z", "+00:00"))
        passed_s = (ended - begun).total_seconds()
    except (ValueError, TypeError):
        return None
    return round(passed_s * _SECOND_MS + (first_rt_ms or 0.0))


def _unwritten(path: Path, problem: OSError) -> StoreError:
    if problem.errno == _NO_ROOM:
        return DiskFullError(
            f"The disk is full: {path.name} could not be written.",
            hint="Free some space and export again.",
        )
    return StoreError(
        f"{path.name} could not be written: {problem.strerror}.",
        hint="Check the rights of the folder.",
    )
