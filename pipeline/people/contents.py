"""What a people's store holds, in rows that can be counted and compared with another's."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass

_MOMENT = "m.recording_id, m.utterance_id, m.onset_ms, m.offset_ms"
_OF_MOMENT = "JOIN moments m USING (moment_id)"
_OF_RATER = "JOIN raters r USING (rater_id) JOIN trial_sets s ON s.set_id = r.set_id"


@dataclass(frozen=True, slots=True)
class _Kind:
    """`table` must be there for the kind to be counted: older files lack some."""

    one: str
    many: str
    table: str
    query: str


_KINDS = (
    _Kind("star", "stars", "stars", f"SELECT {_MOMENT} FROM stars {_OF_MOMENT}"),
    _Kind("tag", "tags", "tags", f"SELECT {_MOMENT}, tag FROM tags {_OF_MOMENT}"),
    _Kind("note", "notes", "notes", f"SELECT {_MOMENT}, text FROM notes {_OF_MOMENT}"),
    _Kind("playlist", "playlists", "playlists", "SELECT name FROM playlists"),
    _Kind(
        "place in a playlist",
        "places in playlists",
        "playlist_moments",
        f"SELECT p.name, {_MOMENT} FROM playlist_moments {_OF_MOMENT} "
        "JOIN playlists p USING (playlist_id)",
    ),
    _Kind("set of trials", "sets of trials", "trial_sets", "SELECT name FROM trial_sets"),
    _Kind(
        "rater",
        "raters",
        "raters",
        "SELECT s.name, r.label FROM raters r JOIN trial_sets s USING (set_id)",
    ),
    _Kind(
        "answer",
        "answers",
        "answers",
        "SELECT s.name, r.label, t.list_number, t.position, t.item_id, a.selected_position "
        f"FROM answers a {_OF_RATER} JOIN trials t USING (trial_id)",
    ),
    _Kind(
        "label of an expert",
        "labels of experts",
        "expert_labels",
        f"SELECT s.name, r.label, e.item_id, e.label, e.referent FROM expert_labels e {_OF_RATER}",
    ),
    _Kind(
        "chosen threshold",
        "chosen thresholds",
        "chosen_thresholds",
        "SELECT scorer, threshold FROM chosen_thresholds",
    ),
)


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of one kind: `one` and `many` are its words, `rows` tell two such things apart."""

    one: str
    many: str
    rows: Counter[tuple[object, ...]]

    def told(self, n: int) -> str:
        return f"{n:,} {self.one if n == 1 else self.many}"


@dataclass(frozen=True, slots=True)
class Change:
    """How many things of one kind one file holds and another does not."""

    one: str
    many: str
    n_gained: int
    n_lost: int


Contents = tuple[Held, ...]


def contents(con: sqlite3.Connection) -> Contents:
    """Everything that people wrote and may miss; kinds that the file has no table for are empty."""
    tables = {str(row[0]) for row in con.execute("SELECT name FROM sqlite_master")}
    return tuple(
        Held(
            kind.one,
            kind.many,
            Counter(tuple(row) for row in con.execute(kind.query))
            if kind.table in tables
            else Counter(),
        )
        for kind in _KINDS
    )


def in_words(held: Contents) -> str:
    """'12 notes, 1 playlist', without what there is none of."""
    parts = [kind.told(kind.rows.total()) for kind in held if kind.rows]
    return ", ".join(parts) or "nothing"


def changes(now: Contents, then: Contents) -> tuple[Change, ...]:
    """What a person gains and loses when `then` takes the place of `now`, kind by kind.

    A note that was edited between is one gained and one lost; so is an answer that was changed.
    """
    return tuple(
        Change(
            after.one,
            after.many,
            (after.rows - before.rows).total(),
            (before.rows - after.rows).total(),
        )
        for before, after in zip(now, then, strict=True)
    )
