"""Stars, tags and notes: one function per thing a person does, each one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.people.moments import moment_id_of
from pipeline.people.store import MomentRef, PeopleStore
from pipeline.records import TimeSpan

MAX_TAG = 60
MAX_NOTE = 10_000


@dataclass(frozen=True, slots=True)
class SavedMoment:
    """A moment that something was written about."""

    moment_id: int
    ref: MomentRef


@dataclass(frozen=True, slots=True)
class Star:
    """A starred moment; `created_at` is UTC as text, here and below."""

    moment_id: int
    created_at: str


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of one moment."""

    moment_id: int
    tag: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Note:
    """A free text about a moment; `edited_at` is None until it is changed."""

    note_id: int
    moment_id: int
    text: str
    created_at: str
    edited_at: str | None


def star(store: PeopleStore, moment: MomentRef) -> None:
    """Star a moment; a starred one stays starred."""
    with store.writing() as con:
        con.execute(
            "INSERT OR IGNORE INTO stars VALUES (?, ?)",
            (moment_id_of(con, moment), store.timestamp()),
        )


def unstar(store: PeopleStore, moment_ids: Sequence[int]) -> None:
    """Take the stars off."""
    with store.writing() as con:
        con.executemany("DELETE FROM stars WHERE moment_id = ?", [(i,) for i in moment_ids])


def tidy_tag(text: str) -> str:
    """A tag without control characters and surplus spaces, at most MAX_TAG long; may be empty."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_TAG].strip()


def add_tag(store: PeopleStore, moment: MomentRef, tag: str) -> str:
    """Tag a moment and return the tag as it is spelled.

    A tag that differs from one in use by capitals only takes over that spelling. Raises ValueError
    for a tag without a visible character.
    """
    tidy = tidy_tag(tag)
    if not tidy:
        raise ValueError("a tag needs at least one visible character")
    with store.writing() as con:
        in_use = {
            str(row[0]).casefold(): str(row[0]) for row in con.execute("SELECT tag FROM tags")
        }
        spelled = in_use.get(tidy.casefold(), tidy)
        con.execute(
            "INSERT OR IGNORE INTO tags VALUES (?, ?, ?)",
            (moment_id_of(con, moment), spelled, store.timestamp()),
        )
    return spelled


def remove_tag(store: PeopleStore, moment_ids: Sequence[int], tag: str) -> None:
    """Take one tag off some moments."""
    with store.writing() as con:
        con.executemany(
            "DELETE FROM tags WHERE moment_id = ? AND tag = ?", [(i, tag) for i in moment_ids]
        )


def add_note(store: PeopleStore, moment: MomentRef, text: str) -> int:
    """Write a note and return its id. Raises ValueError for an empty or overlong text."""
    checked = _note_text(text)
    with store.writing() as con:
        cursor = con.execute(
            "INSERT INTO notes (moment_id, text, created_at) VALUES (?, ?, ?)",
            (moment_id_of(con, moment), checked, store.timestamp()),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def edit_note(store: PeopleStore, note: Note, text: str) -> bool:
    """Change a note. False, and nothing happens, when someone else has changed it meanwhile."""
    checked = _note_text(text)
    with store.writing() as con:
        cursor = con.execute(
            "UPDATE notes SET text = ?, edited_at = ? WHERE note_id = ? AND text = ?",
            (checked, store.timestamp(), note.note_id, note.text),
        )
        return cursor.rowcount == 1


def delete_note(store: PeopleStore, note_id: int) -> None:
    """Delete a note."""
    with store.writing() as con:
        con.execute("DELETE FROM notes WHERE note_id = ?", (note_id,))


def saved_moments(con: sqlite3.Connection) -> tuple[SavedMoment, ...]:
    """Every moment that anything was ever written about."""
    rows = con.execute(
        "SELECT moment_id, recording_id, utterance_id, onset_ms, offset_ms FROM moments "
        "ORDER BY moment_id"
    )
    return tuple(
        SavedMoment(
            int(number),
            MomentRef(str(recording), str(utterance), TimeSpan(int(onset_ms), int(offset_ms))),
        )
        for number, recording, utterance, onset_ms, offset_ms in rows
    )


def stars(con: sqlite3.Connection) -> tuple[Star, ...]:
    """All stars, newest first."""
    rows = con.execute(
        "SELECT moment_id, created_at FROM stars ORDER BY created_at DESC, rowid DESC"
    )
    return tuple(Star(int(number), str(created)) for number, created in rows)


def tags(con: sqlite3.Connection) -> tuple[Tag, ...]:
    """All tags, in the alphabet's order."""
    rows = con.execute("SELECT moment_id, tag, created_at FROM tags ORDER BY tag, created_at")
    return tuple(Tag(int(number), str(tag), str(created)) for number, tag, created in rows)


def notes(con: sqlite3.Connection) -> tuple[Note, ...]:
    """All notes, oldest first."""
    rows = con.execute(
        "SELECT note_id, moment_id, text, created_at, edited_at FROM notes ORDER BY note_id"
    )
    return tuple(
        Note(int(note), int(moment), str(text), str(created), edited and str(edited))
        for note, moment, text, created, edited in rows
    )


def _note_text(text: str) -> str:
    checked = text.strip()
    if not checked or len(checked) > MAX_NOTE:
        raise ValueError(f"a note has 1 to {MAX_NOTE} characters, this one {len(checked)}")
    return checked
