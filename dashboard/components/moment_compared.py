"""What the score of a moment compares, where that is not the cosine of what was said."""

from __future__ import annotations

import streamlit as st

from dashboard import data
from dashboard.components.view import View
from dashboard.queries.moment import Moment, compared_text
from pipeline.score_settings import PLAIN, TextVariant


def compared_note(view: View, moment: Moment) -> None:
    """One line: which text was compared with the frames, and whether hubs were taken out."""
    model = next(m for m in view.store.options.models if m.scorer == view.measure.scorer)
    if model.setting == PLAIN:
        return
    note = "Compared with the frames: what was said"
    if model.setting.text is not TextVariant.RAW:
        ids = (moment.recording_id, moment.utterance_id)
        text = data.load(view.store, compared_text, *ids, model.text_variant)
        if text is None:
            return
        note = f"Compared with the frames: “{text}”"
    if model.is_hub_corrected:
        note += ", the child’s mean text and mean frame taken off"
    st.caption(f"{note}.")
