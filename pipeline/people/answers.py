"""Answers of a 4AFC set: one transaction each, the first answer of a trial stays."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.errors import RatingError
from pipeline.people.store import PeopleStore
from pipeline.people.trial_records import N_OPTIONS, Answer, Part, Rater, Trial
from pipeline.people.trial_sets import trial_of


@dataclass(frozen=True, slots=True)
class Place:
    """The `number`-th of `total`: practice trials are counted apart from the others."""

    number: int
    total: int


def save_answer(
    store: PeopleStore,
    rater_id: int,
    trial_id: int,
    *,
    selected_position: int,
    rt_ms: float | None,
    app_version: str,
) -> bool:
    """Keep an answer; on disk when this returns. False when that trial was answered before.

    Raises ValueError for a position that is not 1 to 4, and RatingError when the trial is not in
    the rater's list, or the rater or the set is closed.
    """
    if not 1 <= selected_position <= N_OPTIONS:
        raise ValueError(f"a position is 1 to {N_OPTIONS}, not {selected_position}")
    with store.writing() as con:
        row = con.execute(
            "SELECT coalesce(r.closed_at, s.closed_at), EXISTS (SELECT 1 FROM answers a "
            "WHERE a.rater_id = r.rater_id AND a.trial_id = t.trial_id) "
            "FROM raters r JOIN trial_sets s USING (set_id) "
            "JOIN trials t ON t.set_id = r.set_id AND t.list_number = r.list_number "
            "WHERE r.rater_id = ? AND t.trial_id = ?",
            (rater_id, trial_id),
        ).fetchone()
        if row is None:
            raise RatingError("This question is not in this person's list.")
        closed_at, is_answered = row
        if is_answered:
            return False
        if closed_at is not None:
            raise RatingError("This study takes no more answers.")
        con.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)",
            (rater_id, trial_id, selected_position, rt_ms, store.timestamp(), app_version),
        )
    return True


def add_answers(store: PeopleStore, answers: Sequence[Answer]) -> int:
    """Keep answers that were given elsewhere, all or nothing; how many were new.

    Those of a trial that its rater has answered are passed over.
    """
    with store.writing() as con:
        before = con.total_changes
        con.executemany(
            "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (rater_id, trial_id) DO NOTHING",
            [
                (
                    one.rater_id,
                    one.trial_id,
                    one.selected_position,
                    one.rt_ms,
                    one.answered_at,
                    one.app_version,
                )
                for one in answers
            ],
        )
        return con.total_changes - before


def answers_of(con: sqlite3.Connection, set_id: int) -> tuple[Answer, ...]:
    """The answers of a set, by rater and place in the list."""
    rows = con.execute(
        "SELECT a.rater_id, a.trial_id, a.selected_position, a.rt_ms, a.answered_at, "
        "a.app_version FROM answers a JOIN trials t USING (trial_id) WHERE t.set_id = ? "
        "ORDER BY a.rater_id, t.list_number, t.position",
        (set_id,),
    )
    return tuple(
        Answer(int(rater), int(trial), int(position), rt_ms, str(at), str(version))
        for rater, trial, position, rt_ms, at, version in rows
    )


def waiting_trials(con: sqlite3.Connection, rater: Rater) -> Iterator[Trial]:
    """The trials a rater has not answered, in the list's order."""
    rows = con.execute(
        "SELECT trial_id FROM trials t WHERE set_id = ? AND list_number = ? AND NOT EXISTS "
        "(SELECT 1 FROM answers a WHERE a.rater_id = ? AND a.trial_id = t.trial_id) "
        "ORDER BY position",
        (rater.set_id, rater.list_number, rater.rater_id),
    ).fetchall()
    for (trial_id,) in rows:
        trial = trial_of(con, int(trial_id))
        assert trial is not None
        yield trial


def next_trial(con: sqlite3.Connection, rater: Rater) -> Trial | None:
    """The first trial of the rater's list that they have not answered; None when done."""
    return next(waiting_trials(con, rater), None)


def place_of(con: sqlite3.Connection, rater: Rater, trial: Trial) -> Place:
    """Where a trial stands in its rater's list."""
    rows = con.execute(
        "SELECT t.position FROM trials t JOIN items i USING (set_id, item_id) "
        "WHERE t.set_id = ? AND t.list_number = ? AND (i.part = ?) = ?",
        (
            rater.set_id,
            trial.list_number,
            Part.PRACTICE.value,
            trial.item.part is Part.PRACTICE,
        ),
    ).fetchall()
    return Place(sum(position <= trial.position for (position,) in rows), len(rows))


def is_answered(con: sqlite3.Connection, rater: Rater, trial_id: int) -> bool:
    """Whether a rater has answered a trial."""
    row = con.execute(
        "SELECT 1 FROM answers WHERE rater_id = ? AND trial_id = ?", (rater.rater_id, trial_id)
    ).fetchone()
    return row is not None


def n_answered(con: sqlite3.Connection, rater: Rater) -> int:
    """How many trials a rater has answered, practice included."""
    row = con.execute(
        "SELECT count(*) FROM answers WHERE rater_id = ?", (rater.rater_id,)
    ).fetchone()
    return int(row[0])
