"""The way from a moment to what drives its score."""

from __future__ import annotations

import streamlit as st

from dashboard.components.view import View
from dashboard.navigation import open_drives
from dashboard.queries.moment import Moment


def drives_link(view: View, moment: Moment) -> None:
    """A link to the page about this moment; none where a score has no model that could be asked,
    nor for who may not see that page."""
    model = next(m for m in view.store.options.models if m.scorer == view.measure.scorer)
    if moment.score is None or not model.dim or not view.store.is_whole:
        return
    if st.button(
        "What drives this score?",
        key="drives_link",
        type="tertiary",
        icon=":material/science:",
    ):
        open_drives(moment.recording_id, moment.utterance_id)
