"""Which words match what is seen? Every lemma with its score, and one of them opened."""

from __future__ import annotations

import streamlit as st

from dashboard import data, labels
from dashboard.components.url_choice import url_choice
from dashboard.components.view import open_view, stop_when_empty
from dashboard.components.word_controls import part_control, word_controls, word_pager
from dashboard.components.word_norms import norms_choice, word_norms
from dashboard.components.word_rows import word_rows, words_note
from dashboard.components.word_state import current_words, opened_lemma
from dashboard.components.word_view import word_view
from dashboard.queries import words
from dashboard.queries.word_index import word_index
from dashboard.queries.word_scores import WordSource, lemma_scores
from dashboard.queries.word_table import Words, word_page

_TABS = {"table": "Table", "norms": "Norms"}

view = open_view("Words")
index = data.shared(view.store, word_index)
stop_when_empty(len(index))
listing = current_words(tuple(index.norms))
source = WordSource(index, view.store.arrays)
tab = url_choice("Show", tuple(_TABS), param="tab", default="table", words=lambda name: _TABS[name])
is_table = tab == "table"
scores, page = None, None
norms: tuple[str, ...] = ()
if listing.is_shrunk or not is_table:
    scores = data.load_given(view.store, source, lemma_scores, view.filters, view.measure)
    stop_when_empty(int(scores.n.sum()))
if is_table:
    page = data.load_given(
        view.store, Words(source, scores), word_page, view.filters, view.measure, listing
    )
    is_narrowed = bool(listing.search or listing.part_of_speech)
    stop_when_empty(page.n_listed + page.n_hidden if not is_narrowed else 1)
opened = opened_lemma()
place = index.lemmas.index(opened) if opened in index.lemmas else None

if is_table:
    word_controls(listing, index, has_z=view.store.options.has_null)
else:
    part_control(listing, index)
    norms = norms_choice(index)
left, right = st.columns([7, 6], gap="large") if place is not None else (st.container(), None)
with left:
    if page is not None:
        word_rows(page, view.measure, index, opened)
        word_pager(listing, page)
        words_note(page, listing)
    elif scores is not None and norms:
        word_norms(view, index, scores, norms, listing, opened)
    n_unknown = data.load(view.store, words.n_without_language)
    if n_unknown:
        st.caption(
            f"The language of {labels.plural(n_unknown, 'utterance')} is unknown; their words are "
            "counted as heard. Name it as language under [speech] in study.toml and run again."
        )
if right is not None and place is not None:
    with right:
        word_view(view, index.lemmas[place], index.forms[place])
elif opened is not None:
    st.warning(f"The word “{opened}” is not heard in this store.", icon=":material/search_off:")
