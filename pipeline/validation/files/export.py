"""A set of trials with its answers as a folder of files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pipeline.errors import RatingError, StoreError
from pipeline.people.answers import answers_of
from pipeline.people.raters import raters_of
from pipeline.people.store import people_store
from pipeline.people.trial_records import SetKind, Trial, TrialSet
from pipeline.people.trial_sets import trial_set, trial_sets, trials_of
from pipeline.validation.files.columns import ANSWER_COLUMNS, SET_FACTS, TRIAL_COLUMNS
from pipeline.validation.files.labels_file import LABEL_COLUMNS, label_rows
from pipeline.validation.files.rows import AnswerGiven, Cell, answer_cells, trial_cells
from pipeline.validation.files.write import (
    Json,
    elapsed_since,
    jspsych_entry,
    write_csv,
    write_json,
)

TRIALS_FILE, ANSWERS_FILE, LABELS_FILE = "trials.csv", "answers.csv", "labels.csv"
JSPSYCH_FILE, SET_FILE = "answers.json", "set.json"


@dataclass(frozen=True, slots=True)
class ExportedSet:
    """The files written. `n_answers` are answers of a 4AFC set, or labels."""

    name: str
    files: tuple[Path, ...]
    n_trials: int
    n_answers: int
    n_raters: int


@dataclass(frozen=True, slots=True)
class AnsweredTrial:
    """An answer with its trial."""

    trial: Trial
    answer: AnswerGiven


def set_named(study_root: Path, name: str) -> int:
    """The id of a set. Raises RatingError when the study has none of this name."""
    with people_store(study_root).reading() as con:
        sets = trial_sets(con)
    for one in sets:
        if one.name == " ".join(name.split()):
            return one.set_id
    known = ", ".join(repr(one.name) for one in sets)
    raise RatingError(
        f"The study has no set of trials named {name!r}.",
        hint=f"Its sets: {known}." if known else "Make one with: python -m pipeline trials STUDY",
    )


def export_set(study_root: Path, set_id: int, folder: Path) -> ExportedSet:
    """Write a set's trial lists and answers into `folder`, which is made if needed.

    A 4AFC set gives trials.csv, answers.csv and answers.json (jsPsych), a set of expert labels
    gives labels.csv; both give set.json, which says how the set was made and what the columns mean.
    Files of an earlier export of the same set are replaced. Raises RatingError for a set that is
    not there and a folder with files of another set or of somebody else, StoreError and
    DiskFullError.
    """
    with people_store(study_root).reading() as con:
        found = trial_set(con, set_id)
        if found is None:
            raise RatingError(
                "This set of trials is not in the study.", hint="See the names on the page Rate."
            )
        _make_folder(folder, found.name)
        # First: it says whose files the others are, also when the rest is interrupted.
        write_json(folder / SET_FILE, _set_entry(found))
        n_raters = len(raters_of(con, set_id))
        if found.kind is SetKind.LABELS:
            rows = list(label_rows(con, found))
            n = write_csv(folder / LABELS_FILE, LABEL_COLUMNS, rows)
            files, n_trials = [LABELS_FILE], 0
        else:
            trials = trials_of(con, set_id)
            answered = answered_trials(con, found, trials)
            facts = set_facts(found)
            write_csv(
                folder / TRIALS_FILE,
                TRIAL_COLUMNS,
                (trial_cells(trial, found.name, facts) for trial in trials),
            )
            n = write_csv(folder / ANSWERS_FILE, ANSWER_COLUMNS, _answer_rows(found, answered))
            write_json(folder / JSPSYCH_FILE, list(_entries(found, answered)))
            files, n_trials = [TRIALS_FILE, ANSWERS_FILE, JSPSYCH_FILE], len(trials)
    written = tuple(folder / name for name in (*files, SET_FILE))
    return ExportedSet(found.name, written, n_trials, n, n_raters)


def answered_trials(
    con: sqlite3.Connection, one: TrialSet, trials: Sequence[Trial]
) -> tuple[AnsweredTrial, ...]:
    """The answers of a set with their trials, by rater and place in the list."""
    by_id = {trial.trial_id: trial for trial in trials}
    raters = {rater.rater_id: rater for rater in raters_of(con, one.set_id)}
    return tuple(
        AnsweredTrial(
            by_id[answer.trial_id],
            AnswerGiven(
                raters[answer.rater_id].label,
                raters[answer.rater_id].is_simulated,
                answer.selected_position,
                answer.rt_ms,
                answer.answered_at,
                answer.app_version,
            ),
        )
        for answer in answers_of(con, one.set_id)
    )


def set_facts(one: TrialSet) -> dict[str, str]:
    """The columns that say how a set was made, from its settings."""
    settings = settings_of(one.settings)
    return {
        name: str(settings[name])
        for name in SET_FACTS
        if isinstance(settings.get(name), str | int | float)
    }


def settings_of(text: str) -> dict[str, object]:
    """The settings of a set; empty when they are not an object of JSON."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _answer_rows(one: TrialSet, answered: Sequence[AnsweredTrial]) -> Iterator[Mapping[str, Cell]]:
    facts = set_facts(one)
    for each in answered:
        yield {
            **trial_cells(each.trial, one.name, facts),
            **answer_cells(each.answer, each.trial.correct_position),
        }


def _entries(one: TrialSet, answered: Sequence[AnsweredTrial]) -> Iterator[dict[str, Json]]:
    facts = set_facts(one)
    begun: dict[str, AnswerGiven] = {}
    n_of: dict[str, int] = {}
    for each in answered:
        answer = each.answer
        first = begun.setdefault(answer.rater, answer)
        index = n_of.get(answer.rater, 0)
        n_of[answer.rater] = index + 1
        cells = {
            **trial_cells(each.trial, one.name, facts),
            **answer_cells(answer, each.trial.correct_position),
        }
        elapsed_ms = elapsed_since(first.answered_at, first.rt_ms, answer.answered_at)
        yield jspsych_entry(each.trial, answer, cells, index=index, elapsed_ms=elapsed_ms)


def _set_entry(one: TrialSet) -> dict[str, object]:
    columns = LABEL_COLUMNS if one.kind is SetKind.LABELS else ANSWER_COLUMNS
    return {
        "name": one.name,
        "kind": one.kind.value,
        "is_simulated": one.is_simulated,
        "created_at": one.created_at,
        "closed_at": one.closed_at,
        "settings": settings_of(one.settings),
        "consent": one.consent,
        "coview_version": version("coview"),
        "columns": {column.name: column.comment for column in columns},
    }


def _make_folder(folder: Path, set_name: str) -> None:
    names = (TRIALS_FILE, ANSWERS_FILE, LABELS_FILE, JSPSYCH_FILE, SET_FILE)
    there = [name for name in names if (folder / name).exists()]
    if there:
        marker = folder / SET_FILE
        text = marker.read_text("utf-8", errors="replace") if marker.is_file() else ""
        if settings_of(text).get("name") != set_name:
            raise RatingError(
                f"The folder {folder.name} holds a {there[0]} that is not of the set {set_name!r}.",
                hint="Name another folder.",
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise StoreError(
            f"The folder {folder.name} cannot be made: {problem.strerror}.",
            hint="Name another folder.",
        ) from problem
