"""What predicts alignment? The paper's questions and one's own as mixed models."""

from __future__ import annotations

import streamlit as st

from dashboard.components.captions import setting_note
from dashboard.components.predictor_answer import headline, main_result, versions
from dashboard.components.predictor_choice import predictor_choice, url_menu
from dashboard.components.predictor_export import in_r
from dashboard.components.predictor_fits import fitted
from dashboard.components.predictor_model import model_view
from dashboard.components.view import open_view, stop_when_empty
from dashboard.plain import escaped

view = open_view("Predictors")
analyses = predictor_choice(view)
results = fitted(view.store, analyses)
facts = next((result.facts for result in results if result.facts is not None), None)
if facts is not None:
    stop_when_empty(facts.n_chosen)

by_key = {result.analysis.key: result for result in results}
first = main_result(results)
headline(first)
st.caption(escaped(f"{setting_note(view.measure)} {first.facts.words if first.facts else ''}"))
versions(results)
shown = first
if len(results) > 1:
    st.divider()
    key = url_menu(
        "Version in full",
        tuple(by_key),
        param="version",
        default=first.analysis.key,
        words=lambda key: by_key[key].analysis.version,
        width=360,
    )
    shown = by_key[key]
    st.caption(f"`{shown.analysis.formula}` {shown.analysis.note}")
    if shown is not first:
        headline(shown)
        if shown.facts:
            st.caption(shown.facts.words)
model_view(view, shown)
in_r(view, shown)
