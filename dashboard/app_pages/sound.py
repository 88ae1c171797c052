"""Do words go with what a child hears besides words? Three scores, quadrants, recall."""

from __future__ import annotations

import streamlit as st

from dashboard import data
from dashboard.components.sound_headline import sound_headline
from dashboard.components.sound_parts import (
    distribution_section,
    moment_section,
    no_sound_yet,
    surroundings_section,
)
from dashboard.components.sound_quadrants import group_section, quadrant_section
from dashboard.components.sound_recall import recall_section
from dashboard.components.view import open_view, stop_when_empty
from dashboard.queries import sound

view = open_view("Sound")
system = data.load(view.store, sound.sound_system)
recalls = data.load(view.store, sound.recalls)
if system is None:
    no_sound_yet(view, is_trained=bool(recalls.rows))
    if recalls.rows:
        recall_section(recalls)
    st.stop()
counts = data.count(view.store, sound.quadrant_counts, view.filters, view.measure.scorer, "none")
stop_when_empty(len(counts))
if view.filters.heard:
    st.info(
        "These utterances were chosen by being seen or heard, so the shares below say nothing. "
        "Take that filter off to see them.",
        icon=":material/filter_alt:",
    )
sound_headline(counts, system)
recall_section(recalls, system.system)
if counts["n_scored"].sum():
    distribution_section(view)
    quadrant_section(view, counts)
    group_section(view)
    moment_section(view)
surroundings_section(view)
