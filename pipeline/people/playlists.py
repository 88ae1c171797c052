"""Playlists: moments in an order that people choose."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.people.marks import tidy_tag
from pipeline.people.moments import moment_id_of
from pipeline.people.store import MomentRef, PeopleStore


@dataclass(frozen=True, slots=True)
class Playlist:
    """A named list; `moment_ids` in its order."""

    playlist_id: int
    name: str
    moment_ids: tuple[int, ...]
    created_at: str


def make_playlist(store: PeopleStore, name: str) -> int:
    """The id of the playlist of this name, made if there is none.

    Names that differ by capitals only are the same. Raises ValueError for an empty name.
    """
    tidy = _tidy_name(name)
    with store.writing() as con:
        found = _named(con, tidy)
        if found is not None:
            return found
        cursor = con.execute(
            "INSERT INTO playlists (name, created_at) VALUES (?, ?)", (tidy, store.timestamp())
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def rename_playlist(store: PeopleStore, playlist_id: int, name: str) -> bool:
    """Give a playlist another name; False, and nothing happens, when another one has it."""
    tidy = _tidy_name(name)
    with store.writing() as con:
        if _named(con, tidy) not in (None, playlist_id):
            return False
        con.execute("UPDATE playlists SET name = ? WHERE playlist_id = ?", (tidy, playlist_id))
    return True


def delete_playlist(store: PeopleStore, playlist_id: int) -> None:
    """Delete a playlist; the other marks of its moments stay."""
    with store.writing() as con:
        con.execute("DELETE FROM playlists WHERE playlist_id = ?", (playlist_id,))


def add_to_playlist(store: PeopleStore, playlist_id: int, moments: Sequence[MomentRef]) -> None:
    """Put moments at the end of a playlist; those that are in it keep their place.

    Nothing happens when the playlist was deleted meanwhile.
    """
    with store.writing() as con:
        if not con.execute(
            "SELECT 1 FROM playlists WHERE playlist_id = ?", (playlist_id,)
        ).fetchone():
            return
        for moment in moments:
            con.execute(
                "INSERT OR IGNORE INTO playlist_moments SELECT ?, ?, "
                "coalesce(max(position) + 1, 0) FROM playlist_moments WHERE playlist_id = ?",
                (playlist_id, moment_id_of(con, moment), playlist_id),
            )


def remove_from_playlist(store: PeopleStore, playlist_id: int, moment_ids: Sequence[int]) -> None:
    """Take moments out of a playlist."""
    with store.writing() as con:
        con.executemany(
            "DELETE FROM playlist_moments WHERE playlist_id = ? AND moment_id = ?",
            [(playlist_id, number) for number in moment_ids],
        )


def move_in_playlist(store: PeopleStore, playlist_id: int, moment_id: int, place: int) -> None:
    """Put a moment at `place`, counted from 0; the others close up. Beyond an end is the end."""
    with store.writing() as con:
        order = list(_moment_ids(con, playlist_id))
        if moment_id not in order:
            return
        order.remove(moment_id)
        order.insert(max(0, place), moment_id)
        con.executemany(
            "UPDATE playlist_moments SET position = ? WHERE playlist_id = ? AND moment_id = ?",
            [(position, playlist_id, number) for position, number in enumerate(order)],
        )


def playlists(con: sqlite3.Connection) -> tuple[Playlist, ...]:
    """All playlists by name, with their moments in order."""
    rows = con.execute(
        "SELECT playlist_id, name, created_at FROM playlists ORDER BY name"
    ).fetchall()
    return tuple(
        Playlist(int(number), str(name), _moment_ids(con, int(number)), str(created))
        for number, name, created in rows
    )


def _moment_ids(con: sqlite3.Connection, playlist_id: int) -> tuple[int, ...]:
    rows = con.execute(
        "SELECT moment_id FROM playlist_moments WHERE playlist_id = ? ORDER BY position, moment_id",
        (playlist_id,),
    )
    return tuple(int(row[0]) for row in rows)


def _named(con: sqlite3.Connection, name: str) -> int | None:
    for number, other in con.execute("SELECT playlist_id, name FROM playlists"):
        if str(other).casefold() == name.casefold():
            return int(number)
    return None


def _tidy_name(name: str) -> str:
    tidy = tidy_tag(name)
    if not tidy:
        raise ValueError("a playlist needs a name with at least one visible character")
    return tidy
