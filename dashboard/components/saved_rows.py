"""A table of saved moments: open, move, remove."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.components.moment_web import Json, Piece
from dashboard.components.saved_state import people, write
from dashboard.data import StoreHandle
from dashboard.marked import Marked
from dashboard.navigation import open_moment
from dashboard.saved import Saved
from dashboard.saved_tables import SavedRow
from pipeline.people.marks import delete_note, remove_tag, unstar
from pipeline.people.playlists import move_in_playlist, remove_from_playlist
from pipeline.people.store import PeopleStore

PAGE_ROWS = 50
_ROWS = Piece("saved_rows", html="<table></table>")
_KEY = "saved_rows"
_REMOVE_WORDS = {
    "star": "Take the star off",
    "note": "Delete the note",
    "tag": "Take the tag off",
    "playlist": "Take out of the playlist",
}


def saved_rows(
    store: StoreHandle, saved: Saved, marked: Marked, rows: Sequence[SavedRow], table: pd.DataFrame
) -> None:
    """Draw the rows, PAGE_ROWS at a time; `table` is their `saved_tables.saved_frame`."""
    first = _first_row(marked, len(rows))
    drawn: list[Json] = [
        _drawn(row, facts)
        for row, facts in zip(
            rows[first : first + PAGE_ROWS],
            table.iloc[first : first + PAGE_ROWS].to_dict("records"),
            strict=True,
        )
    ]
    by_id = {_row_id(row): row for row in rows}

    def act() -> None:
        asked = st.session_state[_KEY].opened
        row = by_id.get(int(asked["row"])) if asked else None
        if row is not None and asked["what"] != "open":
            write(lambda: change(people(store), saved, marked, row, str(asked["what"])))

    result = _ROWS.draw(
        key=_KEY,
        data={
            "rows": drawn,
            "is_ordered": marked.kind == "playlist",
            "n": len(rows),
            "remove": _REMOVE_WORDS[marked.kind],
        },
        on_opened=act,
    )
    asked = result.get("opened")
    if isinstance(asked, dict) and asked.get("what") == "open":
        row = by_id.get(int(asked["row"]))
        if row is not None and row.key is not None:
            open_moment(row.key.recording_id, row.key.utterance_id)


def change(box: PeopleStore, saved: Saved, marked: Marked, row: SavedRow, what: str) -> None:
    """Carry out "up", "down" or "remove" on a row."""
    playlist = saved.playlist(marked.name) if marked.kind == "playlist" else None
    if playlist is not None:
        place = playlist.moment_ids.index(row.moment_id)
        if what == "remove":
            remove_from_playlist(box, playlist.playlist_id, [row.moment_id])
        else:
            to = place + (1 if what == "down" else -1)
            move_in_playlist(box, playlist.playlist_id, row.moment_id, to)
    elif what == "remove" and marked.kind == "star":
        unstar(box, [row.moment_id])
    elif what == "remove" and marked.kind == "tag":
        remove_tag(box, [row.moment_id], marked.name)
    elif what == "remove" and row.note_id is not None:
        delete_note(box, row.note_id)


def _row_id(row: SavedRow) -> int:
    return row.moment_id if row.note_id is None else row.note_id


def _drawn(row: SavedRow, facts: dict[Hashable, object]) -> dict[str, Json]:
    is_here = row.key is not None
    score = facts["score"]
    has_score = isinstance(score, float) and not pd.isna(score)
    parts = [str(facts["recording_id"]), labels.clock(int(str(facts["onset_ms"])))]
    if is_here:
        speaker = str(facts["speaker"])
        parts = [str(facts["child_id"]), labels.SPEAKERS.get(speaker, speaker), *parts]
    return {
        "id": _row_id(row),
        "place": int(str(facts["place"])),
        "is_here": is_here,
        "words": str(facts["text"] or labels.NO_WORDS)
        if is_here
        else "Without a moment in this build",
        "meta": " · ".join(parts),
        "note": row.text,
        "when": row.created_at[:10],
        "score": f"{score:.3f}" if has_score else labels.NO_VALUE,
        "is_moved": row.is_moved,
    }


def _first_row(marked: Marked, n_rows: int) -> int:
    n_pages = -(-n_rows // PAGE_ROWS)
    if n_pages < 2:
        return 0
    page = st.selectbox(
        "Page",
        range(n_pages),
        format_func=lambda number: f"{number + 1} of {n_pages}",
        key=f"saved_page_{marked.kind}_{marked.name}",
        width=140,
    )
    return int(page) * PAGE_ROWS
