"""The sentence that the model likes best for a frame."""

from __future__ import annotations

import streamlit as st

from dashboard import labels
from dashboard.components.drives_jobs import awaited, encoder_of
from dashboard.data import StoreHandle
from dashboard.navigation import MomentKey
from dashboard.plain import escaped
from dashboard.queries.probe_moment import MomentMaterial, search_moment
from dashboard.queries.probes import ScorerProbe
from pipeline.probes.search_sample import Searched

_ENGLISH = ("en", "")


def favourite(
    store: StoreHandle, one: ScorerProbe, key: MomentKey, material: MomentMaterial
) -> None:
    """Show the favourite that was found with the probe, or offer to search for it."""
    assert one.probe is not None
    st.subheader("The model’s favourite sentence for this frame", anchor=False)
    if material.material.utterances[0].language not in _ENGLISH:
        st.caption("Sentences are built in English only; this utterance is in another language.")
        return
    wanted = (key.recording_id, key.utterance_id)
    known = next(
        (f for f in one.probe.searched() if (f.recording_id, f.utterance_id) == wanted), None
    )
    if known is None:
        known = _searched_now(store, one, key, material)
    if known is not None:
        _show(known)


def _searched_now(
    store: StoreHandle, one: ScorerProbe, key: MomentKey, material: MomentMaterial
) -> Searched | None:
    assert one.probe is not None
    s0, encode = one.probe.s0, encoder_of(store, one.model)
    order = f"search {store.key} {one.key} {key}"
    if not st.session_state.get(order):

        def ask() -> None:
            st.session_state[order] = True

        st.caption(
            "Builds sentences word by word from the study’s own words and keeps what fits this "
            "frame best: some thousand sentences."
        )
        st.button("Search for it", icon=":material/manage_search:", on_click=ask)
        return None
    return awaited(order, lambda on_step: search_moment(material, s0, encode), "Searching")


def _show(found: Searched) -> None:
    best = found.favourite
    with st.container(border=True):
        said, liked = st.columns(2, gap="large")
        said.caption("Heard")
        said.subheader(f"“{escaped(found.text)}”", anchor=False)
        liked.caption("The model’s favourite")
        liked.subheader(f"“{escaped(best.text)}”", anchor=False)
        shared = ", ".join(best.shared)
        verdict = (
            f"It names the same thing ({shared})."
            if shared
            else "It shares no noun with the words."
        )
        size = (
            f"It fits {best.headroom:.2f} SD better than what was said."
            if best.headroom > 0
            else "It fits no better than what was said."
        )
        st.markdown(f"{verdict} {size}")
        st.caption(
            f"Of {labels.count(best.n_texts)} texts from words of this study in twelve sentence "
            "forms. Fit: the cosine with this frame less that with the child’s mean frame, so that "
            "what suits every frame gains nothing. n = 1 frame; no interval."
        )
