"""Which scorers' probes the page shows, and what it says where there is none."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import labels
from dashboard.components.drives_jobs import offer_probe
from dashboard.components.url_choice import url_choice
from dashboard.data import StoreHandle
from dashboard.plain import escaped
from dashboard.queries.probes import ProbeState, ScorerProbe

_NOTHING = "no other"


def chosen_probes(
    found: Sequence[ScorerProbe], first_place: DeltaGenerator, second_place: DeltaGenerator
) -> tuple[ScorerProbe, ...]:
    """Draw the choice of one or two scorers in two places; those with a probe come first."""
    by_name = {one.scorer: one for one in found}
    names = tuple(by_name)
    if len(names) < 2:
        return tuple(found)
    first = by_name[url_choice("Model", names, param="model", default=names[0], place=first_place)]
    others = tuple(one.scorer for one in found if one.state.has_results and one is not first)
    if not others or not first.state.has_results:
        return (first,)
    beside = url_choice(
        "Beside it", (_NOTHING, *others), param="beside", default=_NOTHING, place=second_place
    )
    return (first,) if beside == _NOTHING else (first, by_name[beside])


def usable_probes(store: StoreHandle, chosen: Sequence[ScorerProbe]) -> tuple[ScorerProbe, ...]:
    """The chosen scorers that have a probe; says what is wrong with the others and with old
    ones."""
    for one in chosen:
        if not one.state.has_results:
            _missing(store, one)
        elif one.state is ProbeState.OTHER_STORE:
            _outdated(store, one, "The study was run anew since, with other files or settings.")
        elif one.state is ProbeState.OTHER_MODEL:
            _outdated(store, one, "The scores have been made by other weights of the model since.")
    return tuple(one for one in chosen if one.state.has_results)


def _missing(store: StoreHandle, one: ScorerProbe) -> None:
    if one.state is ProbeState.NO_MODEL:
        st.info(
            f"{escaped(one.scorer)} cannot be probed: its scores were made elsewhere and imported, "
            "so there is no model here that could score changed words.",
            icon=":material/block:",
        )
        return
    if one.state is ProbeState.DAMAGED:
        st.warning(f"The files of the probe of {escaped(one.scorer)} are damaged. Probe again.")
    else:
        st.info(
            f"{escaped(one.scorer)} has not been probed yet. A probe changes the words of a sample "
            "of utterances, scores them again with the study’s own model, and says whether a high "
            "score means that the named thing is there. It takes some minutes, and needs the "
            "model on this machine.",
            icon=":material/science:",
        )
    st.code(f"python -m pipeline probe {store.study_root.name}", language=None)
    offer_probe(store, one)


def _outdated(store: StoreHandle, one: ScorerProbe, why: str) -> None:
    st.warning(
        f"This probe of {escaped(one.scorer)} was made of an earlier build of the store. {why} Its "
        f"numbers hold for that build. Anew: `python -m pipeline probe {store.study_root.name}`",
        icon=":material/history:",
    )
    offer_probe(store, one)


def sample_note(one: ScorerProbe) -> str:
    """How the sample of a probe came about."""
    assert one.probe is not None
    counts, settings = one.probe.facts.counts, one.probe.identity.settings
    left_out = "; ".join(f"{n:,} with {reason}" for reason, n in counts.not_usable)
    others = f"; not usable: {left_out}" if left_out else ""
    return (
        f"Probe of {one.scorer}: {counts.n_sampled:,} of {counts.n_usable:,} usable utterances, "
        f"from all children ({counts.n_utterances:,} in all{others}), "
        f"{labels.CROPS[settings.crop].lower()} crop, seed {settings.seed}."
    )


def unit_note(one: ScorerProbe) -> str:
    """What one SD is."""
    assert one.probe is not None
    return (
        f"SD: how much the cosines of utterances with chance frames vary ({one.probe.s0:.3f} for "
        f"{one.scorer})."
    )
