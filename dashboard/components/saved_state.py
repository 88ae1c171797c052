"""What people wrote, read anew in each run, and the way a click writes it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import streamlit as st

from dashboard.access.session import current_viewer
from dashboard.data import StoreHandle
from dashboard.queries.saved import attachments
from dashboard.saved import Saved
from pipeline.errors import AccessError, CoviewError
from pipeline.people.attach import Attachment
from pipeline.people.marks import SavedMoment
from pipeline.people.snapshot import Marks, read_marks
from pipeline.people.store import PeopleStore, people_store

_SAVED_STATE = "saved_marks"
_PLACES_STATE = "saved_places"
_PROBLEM_STATE = "saved_problem"


def people(store: StoreHandle) -> PeopleStore:
    """The people's store beside the open corpus store."""
    return people_store(store.study_root)


def current_saved(store: StoreHandle) -> Saved:
    """All marks as they are now, with their places in the open store; of children that the viewer
    may not see there are none.

    A file that cannot be read is a `problem` of the marks; moments can be looked at without.
    """
    key = (store.key, people(store).state())
    kept: tuple[object, Saved] | None = st.session_state.get(_SAVED_STATE)
    if kept is not None and kept[0] == key:
        return kept[1]
    try:
        marks = read_marks(people(store))
    except CoviewError as problem:
        return Saved(problem=problem)
    if not store.is_whole:
        marks = _of_recordings(marks, set(store.arrays.recordings.frame["recording_id"]))
    saved = Saved(marks, _places(store, marks))
    st.session_state[_SAVED_STATE] = (key, saved)
    return saved


def write(action: Callable[[], object]) -> bool:
    """Run an action on the people's store from a callback; whether it was carried out.

    A refusal is told by `write_problem`. Whoever sees some children only writes nothing: a list
    that looks empty to them may hold moments of others.
    """
    try:
        if current_viewer().children is not None:
            raise AccessError("You may read what was written about these children, not change it.")
        action()
    except CoviewError as problem:
        st.session_state[_PROBLEM_STATE] = problem
        return False
    return True


def write_problem() -> None:
    """Say why the last action was not carried out, once."""
    problem: CoviewError | None = st.session_state.pop(_PROBLEM_STATE, None)
    if problem is not None:
        st.error(f"This was not saved. {problem}", icon=":material/error:")


def read_problem(saved: Saved) -> None:
    """Say why stars, tags, notes and playlists cannot be shown."""
    if saved.problem is not None:
        st.warning(
            f"Stars, tags, notes and playlists cannot be read. {saved.problem}",
            icon=":material/bookmark_remove:",
        )


def _of_recordings(marks: Marks, recordings: Collection[str]) -> Marks:
    """The marks of moments of these recordings alone, and the playlists that hold one."""
    moments = tuple(m for m in marks.moments if m.ref.recording_id in recordings)
    ids = {moment.moment_id for moment in moments}
    lists = (
        replace(one, moment_ids=tuple(i for i in one.moment_ids if i in ids))
        for one in marks.playlists
    )
    return Marks(
        moments,
        tuple(star for star in marks.stars if star.moment_id in ids),
        tuple(tag for tag in marks.tags if tag.moment_id in ids),
        tuple(note for note in marks.notes if note.moment_id in ids),
        tuple(one for one in lists if one.moment_ids),
    )


def _places(store: StoreHandle, marks: Marks) -> dict[int, Attachment]:
    """Where the marked moments are; a build does not change, so each is looked for once."""
    kept_key, known = st.session_state.get(_PLACES_STATE, ("", {}))
    places: dict[SavedMoment, Attachment] = known if kept_key == store.key else {}
    unknown = [moment for moment in marks.moments if moment not in places]
    if unknown:
        found = attachments(store.cursor(), unknown)
        places = {**places, **dict(zip(unknown, found, strict=True))}
        st.session_state[_PLACES_STATE] = (store.key, places)
    return {moment.moment_id: places[moment] for moment in marks.moments}
