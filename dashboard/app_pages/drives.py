"""What drives the score: the named thing, the sentence, or the number of words?"""

from __future__ import annotations

import streamlit as st

from dashboard.components.drives_choice import chosen_probes, usable_probes
from dashboard.components.drives_corpus import answer_cards, index_table
from dashboard.components.drives_moment import moment_part
from dashboard.components.drives_parts import corpus_parts
from dashboard.components.theme_watch import theme_watch
from dashboard.components.url_choice import url_choice
from dashboard.components.view import bare_view, page_style
from dashboard.navigation import moment_from_url
from dashboard.queries.probes import scorer_probes

_VIEWS = {"study": "The whole study", "moment": "One moment"}

view = bare_view()
page_style()
st.title("What drives the score", anchor=False)
with st.sidebar:
    theme_watch()
    st.caption(
        "The filters of the other pages do not apply here: a probe has a sample of its own, from "
        "all children."
    )
st.markdown(
    "A high score can mean that the named thing was there, or only that the sentence has many "
    "words for visible things, in a form the model likes. A probe changes the words of utterances "
    "and scores them again: on their own frames, and on chance frames of the same child."
)
derived = view.store.study_root / "derived"
found = scorer_probes(view.store.cursor(), derived, view.store.options.models)
about, first, second = st.columns([5, 4, 4], gap="medium", vertical_alignment="bottom")
what = url_choice(
    "About",
    tuple(_VIEWS),
    param="about",
    default="moment" if moment_from_url() else "study",
    words=_VIEWS.__getitem__,
    place=about,
)
shown = usable_probes(view.store, chosen_probes(found, first, second))
if not shown:
    st.stop()
if what == "moment":
    moment_part(view, shown[0])
    st.stop()
answer_cards(shown)
corpus_parts(view.store, shown)
index_table(shown)
