"""Export of a playlist: its clips and a table about them."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import streamlit as st

from dashboard import labels
from dashboard.components.export_job import Work, export_button
from dashboard.components.export_tables import chosen_export, file_stem
from dashboard.components.moment_player import margin_choice
from dashboard.components.saved_state import current_saved, read_problem
from dashboard.components.store_facts import store_facts
from dashboard.components.view import View
from dashboard.filters import Filters, with_value
from dashboard.marked import Marked
from dashboard.saved import Saved
from pipeline.exchange.clips_export import Margins, Taken, export_clips
from pipeline.exchange.selection import Selection
from pipeline.exchange.table_export import Bundle
from pipeline.faces.choice import ShownIn
from pipeline.media.study_clips import StudyClips
from pipeline.store.locate import current_store_path


def playlist_export(view: View) -> None:
    """A menu of playlists, the margins of the clips, and the button."""
    if not view.store.viewer.role.sees_media:
        st.caption("Your role plays no clips, so there are none to export.")
        return
    saved = current_saved(view.store)
    read_problem(saved)
    names = [playlist.name for playlist in saved.marks.playlists]
    if not names:
        st.caption("There is no playlist yet. Put moments on one on the Moments page.")
        return
    name = st.selectbox("Playlist", names, key="export_playlist", width=420)
    marked = Marked("playlist", name)
    keys = [(key.recording_id, key.utterance_id) for key in saved.keys(marked)]
    n_lost = _n_lost(saved, marked)
    margins = margin_choice()
    note = f"{labels.plural(len(keys), 'moment')}."
    if n_lost:
        note += f" {labels.plural(n_lost, 'moment')} of it cannot be found in this store."
    st.caption(
        f"{note} The whole list, whatever the filters are. Only clips of recordings whose families "
        "allowed excerpts (permission `excerpts`) leave; the others are noted."
    )
    taken = _taken(view)
    known = store_facts(view.store)
    plain = replace(view, filters=_without_restrictions(view.filters))

    def make(work: Work) -> Bundle:
        store = current_store_path(view.store.study_root) or view.store.path
        rows = replace(
            chosen_export(plain, "csv"),
            name=file_stem(view, f"playlist {name}"),
            meaning=f"One row per moment of the playlist {name}, in its order.",
            selection=Selection(f"playlist {name}", {"playlist": name}),
            methods="",
        )
        with duckdb.connect(str(store), read_only=True) as current:
            return export_clips(
                work.cursor,
                current,
                known,
                keys,
                rows,
                StudyClips(view.store.study_root, shown_in=ShownIn.EXPORTS),
                Margins(margins.lead_ms, margins.lag_ms),
                work.folder,
                work.on_step,
                work.stopped.is_set,
                taken,
            ).bundle

    export_button(
        "Export the playlist",
        key="export_clips",
        store=view.store,
        what=f"clips of playlist {name}",
        identity=f"{view.store.key} {name} {keys} {margins} {view.measure} {taken}",
        make=make,
        is_disabled=not keys,
        is_confirmed=taken is Taken.CONFIRMED,
    )


def _taken(view: View) -> Taken:
    """What an admin takes out; nobody else is asked."""
    if not view.store.viewer.role.manages:
        return Taken.EXCERPTS
    is_confirmed = st.checkbox(
        "Also clips of recordings with the permission `media`: they stay with those who work with "
        "the study",
        key="export_confirmed",
        help="The families allowed to play these recordings in the lab, not to show them outside. "
        "That you take clips of them out is written down.",
    )
    return Taken.CONFIRMED if is_confirmed else Taken.EXCERPTS


def _n_lost(saved: Saved, marked: Marked) -> int:
    return sum(saved.key_of(number) is None for number in saved.moment_ids(marked))


def _without_restrictions(filters: Filters) -> Filters:
    """The way of scoring only: a playlist is exported whole, whatever the filters are."""
    plain = Filters()
    for name in ("scorer", "crop", "window", "statistic", "scale", "threshold"):
        plain = with_value(plain, name, getattr(filters, name))
    return plain
