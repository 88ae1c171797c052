"""Export for annotators' tools: the chosen utterances, one file for each recording."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from importlib.metadata import version

import streamlit as st

from dashboard.components.export_job import Work, export_button
from dashboard.components.export_tables import counts_of, file_stem, selection_of
from dashboard.components.store_facts import store_facts
from dashboard.components.view import View
from dashboard.queries.exporting import chosen_numbers, chosen_recordings
from pipeline.exchange.export_folder import ExportNote
from pipeline.exchange.export_request import FORMATS, RECORDING_FORMATS
from pipeline.exchange.recording_files import FileStyle
from pipeline.exchange.recordings_bundle import export_recordings
from pipeline.exchange.scored_recordings import ScoreChoice
from pipeline.exchange.subtitles import ScoresIn
from pipeline.exchange.table_export import Bundle

_TITLES = {"eaf": "ELAN", "textgrid": "Praat", "srt": "SRT", "vtt": "WebVTT"}
_HOLDS = {
    "eaf": "A tier for each speaker; maximum cosine, z and flags on tiers below it.",
    "textgrid": "A tier for each speaker; maximum cosine, z and flags on tiers after it.",
    "srt": "Subtitles with the speaker before the words; no scores.",
    "vtt": "Subtitles with the speaker before the words; scores as notes, which players hide.",
}


def recordings_export(view: View) -> None:
    """The choice of a format, and the button."""
    chosen: str = st.segmented_control(
        "Format of the files",
        RECORDING_FORMATS,
        default=RECORDING_FORMATS[0],
        key="export_recordings_format",
        format_func=_TITLES.__getitem__,
        required=True,
    )
    st.caption(f"{_HOLDS[chosen]} Put the files beside the videos to see both.")
    known = store_facts(view.store)
    score = ScoreChoice(view.measure.scorer, view.measure.crop, view.measure.window)
    selection = selection_of(view)

    def make(work: Work) -> Bundle:
        style = FileStyle(
            chosen,
            score,
            f"Coview {version('coview')}",
            datetime.now(timezone.utc),
            known.study_name,
            scores_in=ScoresIn.NOTES if chosen == "vtt" else ScoresIn.NOWHERE,
        )
        return export_recordings(
            work.cursor,
            known,
            chosen_recordings(work.cursor, view.filters),
            chosen_numbers(view.filters),
            style,
            ExportNote(FORMATS[chosen], selection.words, score),
            work.folder / f"{file_stem(view, _TITLES[chosen])}.zip",
            work.on_step,
            work.stopped.is_set,
        )

    export_button(
        "Export the files",
        key="export_recordings",
        store=view.store,
        what=f"{chosen}: {selection.words}",
        identity=f"{view.store.key} {view.filters} {asdict(score)} {chosen}",
        make=make,
        is_disabled=not counts_of(view).n_utterances,
    )
