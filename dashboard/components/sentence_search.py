"""Searching what was seen: a sentence is embedded and compared with every frame."""

from __future__ import annotations

import streamlit as st
from duckdb import DuckDBPyConnection

from dashboard import data, labels
from dashboard.components.problems import show_problem
from dashboard.components.view import View
from dashboard.moment_list import MomentList
from dashboard.plain import escaped
from dashboard.queries import search
from dashboard.queries.saved import Keys
from dashboard.queries.search import Hits, Seen
from dashboard.queries.sentence import cosines_of_frames
from pipeline.errors import ModelError


def sentence_hits(view: View, listing: MomentList, keys: Keys | None) -> Hits | None:
    """The moments whose view fits the list's sentence; None when it cannot be searched for.

    Why not is then told on the page.
    """
    try:
        seen = seen_with(view, listing.look)
    except ModelError as problem:
        show_problem(problem)
        st.caption("The list below is as without the sentence.")
        return None
    # The order, the seed and the page are no part of the answer.
    asked = MomentList(words=listing.words, is_any_form=listing.is_any_form, look=listing.look)
    return data.load_given(
        view.store, seen, search.look_hits, view.filters, view.measure, asked, keys
    )


def seen_with(view: View, sentence: str) -> Seen:
    """How well each frame of the store fits a sentence, under the crop of the view.

    Raises ModelError when the model that embedded the frames is not on this machine, or when
    the store has no frame embeddings.
    """
    models, scorer = view.store.options.models, view.measure.scorer
    model = data.load(view.store, search.searchable_model, models, scorer)
    if model is None:
        raise ModelError(
            "This store holds no frame embeddings, so views cannot be searched.",
            hint="Run the pipeline on the study's videos or frames.",
        )
    with st.spinner("Asking the text encoder; the first time it has to start"):
        vector = data.sentence_vector(view.store, sentence, model)
    times = data.shared(view.store, search.timeline)

    def read(
        con: DuckDBPyConnection, scorer: str, crop: str, vector: search.Vector
    ) -> search.Floats:
        return cosines_of_frames(con, view.store.path, times, scorer, crop, vector)

    with st.spinner("Looking through the frames"):
        cosines = data.shared(view.store, read, model.scorer, view.measure.crop, vector)
    return Seen(times, cosines)


def sentence_note(view: View, listing: MomentList, hits: Hits) -> str:
    """What the list of a sentence holds and what was left out of it."""
    measure = view.measure
    crop, window = labels.CROPS[measure.crop].lower(), labels.window(measure.window).lower()
    if not hits.numbers:
        return f"No chosen utterance has a frame in its window ({window} window)."
    note = (
        f"{labels.plural(len(hits.numbers), 'moment')} whose view looks most like "
        f"“{escaped(listing.look)}”: the best cosine of the sentence with the frames of each "
        f"utterance’s window ({crop} crop, {window} window). "
        f"{labels.plural(hits.n_searched, 'utterance')} searched"
    )
    n_without = hits.n_chosen - hits.n_searched
    return f"{note}; {labels.count(n_without)} more without a frame." if n_without else f"{note}."
