"""What drives the score of one moment: its words, its variants, the model's favourite sentence."""

from __future__ import annotations

import streamlit as st

from dashboard import data, labels
from dashboard.components.drives_choice import unit_note
from dashboard.components.drives_favourite import favourite
from dashboard.components.drives_frames import chance_frames, own_frame
from dashboard.components.drives_jobs import awaited, encoder_of
from dashboard.components.drives_parts import measured_of
from dashboard.components.drives_variants import variants
from dashboard.components.drives_word_bars import word_bars_of
from dashboard.components.moment_facts import moment_title
from dashboard.components.problems import show_problem
from dashboard.components.view import View
from dashboard.navigation import MomentKey, moment_from_url, open_moment, set_moment_in_url
from dashboard.queries import moment as moment_queries
from dashboard.queries.probe_moment import (
    MomentMaterial,
    moment_material,
    of_sample,
    place_in_sample,
    probe_moment,
)
from dashboard.queries.probes import ScorerProbe
from pipeline.config import load_settings
from pipeline.errors import ProbeError
from pipeline.probes.changes import Change
from pipeline.probes.measured import Measured, SampledUtterances
from pipeline.probes.read_words import read_knowledge

_CHOICE = "drives_moment"
_FEWEST_WORDS = 3
_METRIC_PX = 150


def moment_part(view: View, one: ScorerProbe) -> None:
    """Draw the choice of a moment, and the moment."""
    sample = measured_of(view.store, one).utterances
    key = moment_from_url() or _first(sample)
    place = place_in_sample(sample, key.recording_id, key.utterance_id)
    _choice(sample, place)
    moment = data.load(
        view.store, moment_queries.moment, key.recording_id, key.utterance_id, view.measure
    )
    if moment is None:
        st.warning("The open store has no such moment. It may come from another build.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container():
            moment_title(moment)
        if st.button("See and hear it", icon=":material/play_circle:"):
            open_moment(key.recording_id, key.utterance_id)
    try:
        material = _material(view, one, key)
    except ProbeError as problem:
        show_problem(problem)
        return
    measured = _measured(view, one, key, place, material)
    if measured is not None:
        _numbers(one, measured)
    left, right = st.columns([2, 3], gap="large")
    with left:
        own_frame(view.store, material)
    with right:
        if measured is not None:
            word_bars_of(one, measured, moment.text)
        chance_frames(view.store, material)
    if measured is None:
        return
    variants(one, measured, moment.text)
    favourite(view.store, one, key, material)


def _first(sample: SampledUtterances) -> MomentKey:
    """The best matching moment of the sample with some words in it."""
    n_words = [len(text.split()) for text in sample.texts]
    order = sorted(
        range(len(sample)), key=lambda i: (n_words[i] < _FEWEST_WORDS, -float(sample.z[i]))
    )
    return MomentKey(sample.recording_ids[order[0]], sample.utterance_ids[order[0]])


def _choice(sample: SampledUtterances, place: int | None) -> None:
    """A menu of the sampled utterances, best matching first."""
    order = sorted(range(len(sample)), key=lambda i: -float(sample.z[i]))
    st.session_state[_CHOICE] = place

    def take() -> None:
        chosen = st.session_state[_CHOICE]
        if chosen is not None:
            set_moment_in_url(MomentKey(sample.recording_ids[chosen], sample.utterance_ids[chosen]))

    st.selectbox(
        f"Moment, of the {labels.plural(len(sample), 'utterance')} of the sample, best matching "
        "first",
        order,
        key=_CHOICE,
        index=None,
        format_func=lambda i: (
            f"“{sample.texts[i]}”  ·  {sample.child_ids[i]}  ·  z {sample.z[i]:+.1f}"
        ),
        placeholder="A moment outside the sample is open; choose another here",
        on_change=take,
    )


def _material(view: View, one: ScorerProbe, key: MomentKey) -> MomentMaterial:
    assert one.probe is not None
    identity, store = one.probe.identity, view.store
    language = load_settings(store.study_root / "study.toml").speech.language
    words = data.shared(store, read_knowledge, language)
    return data.kept(
        store,
        f"moment {one.key} {key}",
        lambda: moment_material(
            store.cursor(), identity, key.recording_id, key.utterance_id, words
        ),
    )


def _measured(
    view: View, one: ScorerProbe, key: MomentKey, place: int | None, material: MomentMaterial
) -> Measured | None:
    """The moment's variants: of the sample, or probed now."""
    if place is not None:
        return of_sample(measured_of(view.store, one), place)
    assert one.probe is not None
    identity, encode = one.probe.identity, encoder_of(view.store, one.model)
    return awaited(
        f"moment {view.store.key} {one.key} {key}",
        lambda on_step: probe_moment(material, identity, encode),
        "This moment is not in the sample, so it is probed now",
    )


def _numbers(one: ScorerProbe, measured: Measured) -> None:
    assert one.probe is not None
    raw, sampled = measured.cosines(Change.RAW), measured.utterances
    own, chance = float(raw.best[0]), float(raw.null_best[0].mean())
    row = st.container(horizontal=True, gap="small")
    for label, value, note in (
        ("Own best frame", f"{own:.3f}", "cosine"),
        ("Chance frames", f"{chance:.3f}", f"mean of {raw.null_best.shape[1]} windows"),
        ("Match", f"{(own - chance) / one.probe.s0:+.2f} SD", "own less chance"),
        ("z", f"{float(sampled.z[0]):+.2f}", "in the store"),
    ):
        row.metric(label, value, delta=note, delta_color="off", delta_arrow="off", width=_METRIC_PX)
    st.caption(unit_note(one))
