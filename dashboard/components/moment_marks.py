"""Star, tags, notes and playlists of the open moment: a row of its own that runs by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard import labels
from dashboard.components.moment_web import Piece
from dashboard.components.saved_state import (
    current_saved,
    people,
    read_problem,
    write,
    write_problem,
)
from dashboard.data import StoreHandle
from dashboard.navigation import MomentKey
from dashboard.plain import escaped
from dashboard.queries.moment import Moment
from dashboard.saved import MomentMarks, Saved
from pipeline.people.marks import (
    MAX_NOTE,
    MAX_TAG,
    Note,
    add_note,
    add_tag,
    delete_note,
    edit_note,
    remove_tag,
    star,
    tidy_tag,
    unstar,
)
from pipeline.people.playlists import add_to_playlist, make_playlist, remove_from_playlist
from pipeline.people.store import MomentRef, PeopleStore

_ECHO = Piece("marks_echo", html="<span></span>")
_EDITED_STATE = "note_being_edited"


@st.fragment
def marks_row(store: StoreHandle, moment: Moment) -> None:
    """Draw the marks of a moment. What is clicked here runs neither the list nor the charts again.

    The list hears of them by an event in the browser.
    """
    saved = current_saved(store)
    if saved.problem is not None:
        read_problem(saved)
        return
    marks = saved.marks_of(MomentKey(moment.recording_id, moment.utterance_id))
    ref = MomentRef(moment.recording_id, moment.utterance_id, moment.span)
    box = people(store)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _star(box, ref, marks)
        _notes(box, ref, marks)
        _playlists(box, ref, marks, saved)
        _tags(box, ref, marks, saved)
    write_problem()
    if marks.is_moved:
        st.caption(
            "Re-attached: this was written about an earlier transcription of the same stretch of "
            "the recording."
        )
    _ECHO.draw(
        key="marks_echo",
        data={
            "recording": ref.recording_id,
            "utterance": ref.utterance_id,
            "is_starred": marks.is_starred,
            "marks": marks.summary,
        },
    )


def _star(box: PeopleStore, ref: MomentRef, marks: MomentMarks) -> None:
    def toggle() -> None:
        if marks.is_starred:
            write(lambda: unstar(box, marks.moment_ids))
        else:
            write(lambda: star(box, ref))

    st.button(
        "Starred" if marks.is_starred else "Star",
        icon=":material/star:" if not marks.is_starred else ":material/check:",
        type="primary" if marks.is_starred else "secondary",
        key="moment_star",
        shortcut="S",
        on_click=toggle,
        help="Take the star off" if marks.is_starred else "Star this moment",
    )


def _tags(box: PeopleStore, ref: MomentRef, marks: MomentMarks, saved: Saved) -> None:
    key = f"moment_tags_{ref.recording_id}_{ref.utterance_id}"
    st.session_state[key] = list(marks.tags)

    def take() -> None:
        chosen = [str(tag) for tag in st.session_state[key]]
        for tag in chosen:
            if tag not in marks.tags and tidy_tag(tag):
                write(partial(add_tag, box, ref, tag))
        for tag in marks.tags:
            if tag not in chosen:
                write(partial(remove_tag, box, marks.moment_ids, tag))

    st.multiselect(
        "Tags",
        saved.tag_names(),
        key=key,
        accept_new_options=True,
        placeholder="Tags",
        label_visibility="collapsed",
        on_change=take,
        help=f"Choose tags or type a new one, at most {MAX_TAG} characters",
    )


def _notes(box: PeopleStore, ref: MomentRef, marks: MomentMarks) -> None:
    name = labels.plural(len(marks.notes), "note") if marks.notes else "Note"
    with st.popover(name, icon=":material/edit_note:", key="moment_notes"):
        for note in marks.notes:
            _note(box, note)
        _writing(
            f"new_note_{ref.recording_id}_{ref.utterance_id}",
            "New note",
            "Add",
            lambda text: add_note(box, ref, text),
        )


def _note(box: PeopleStore, note: Note) -> None:
    def change(text: str) -> None:
        if not edit_note(box, note, text):
            # Both texts are kept: nobody's words may vanish unseen.
            st.session_state[f"note_conflict_{note.note_id}"] = text
        st.session_state.pop(_EDITED_STATE, None)

    def delete() -> None:
        write(lambda: delete_note(box, note.note_id))

    if st.session_state.get(_EDITED_STATE) == note.note_id:
        _writing(f"note_{note.note_id}", "Change the note", "Save", change, text=note.text)
        return
    st.text(note.text)
    lost = st.session_state.get(f"note_conflict_{note.note_id}")
    if lost is not None:
        st.warning(
            "Someone else changed this note meanwhile. Your text:", icon=":material/warning:"
        )
        st.text(lost)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(_when(note), width="stretch")
        st.button(
            "Edit",
            key=f"edit_note_{note.note_id}",
            type="tertiary",
            on_click=lambda: st.session_state.update({_EDITED_STATE: note.note_id}),
        )
        st.button(
            "Delete",
            key=f"delete_note_{note.note_id}",
            type="tertiary",
            on_click=delete,
        )


def _writing(
    key: str, label: str, button: str, save: Callable[[str], object], text: str = ""
) -> None:
    def take() -> None:
        written = str(st.session_state[key]).strip()
        if written:
            write(lambda: save(written))
            del st.session_state[key]

    if key not in st.session_state:
        st.session_state[key] = text
    st.text_area(label, key=key, max_chars=MAX_NOTE, height=100)
    st.button(button, key=f"save_{key}", on_click=take)


def _playlists(box: PeopleStore, ref: MomentRef, marks: MomentMarks, saved: Saved) -> None:
    n = len(marks.playlists)
    with st.popover(
        labels.plural(n, "playlist") if n else "Playlist",
        icon=":material/playlist_add:",
        key="moment_playlists",
    ):
        for playlist in saved.marks.playlists:
            key = f"in_playlist_{playlist.playlist_id}_{ref.recording_id}_{ref.utterance_id}"
            st.session_state[key] = playlist.name in marks.playlists

            def take(number: int = playlist.playlist_id, key: str = key) -> None:
                if st.session_state[key]:
                    write(lambda: add_to_playlist(box, number, [ref]))
                else:
                    write(lambda: remove_from_playlist(box, number, marks.moment_ids))

            st.checkbox(escaped(playlist.name), key=key, on_change=take)

        def make() -> None:
            name = tidy_tag(str(st.session_state["new_playlist"]))
            if name:
                write(lambda: add_to_playlist(box, make_playlist(box, name), [ref]))
                st.session_state["new_playlist"] = ""

        st.text_input("New playlist", key="new_playlist", max_chars=MAX_TAG, on_change=make)


def _when(note: Note) -> str:
    edited = f", changed {note.edited_at[:10]}" if note.edited_at else ""
    return f"{note.created_at[:10]}{edited}"
