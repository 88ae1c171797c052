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
from dashboard.components.url_choice import url_choice
from dashboard.components.view import open_view, stop_when_empty
from dashboard.queries import sound

_PARTS = {
    "both": "Seen and heard",
    "groups": "By child and group",
    "scores": "Three scores",
    "list": "Moments",
    "recall": "Can the system tell?",
    "around": "What there was to hear",
}

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
part = url_choice("Show", tuple(_PARTS), param="part", default="both", words=_PARTS.__getitem__)
if part == "recall":
    recall_section(recalls, system.system)
elif part == "around" or not counts["n_scored"].sum():
    surroundings_section(view)
elif part == "both":
    quadrant_section(view, counts)
elif part == "groups":
    group_section(view)
elif part == "scores":
    distribution_section(view)
else:
    moment_section(view)
