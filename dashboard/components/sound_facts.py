"""What sound adds to one moment: three scores, in words whether it is seen and heard."""

from __future__ import annotations

import streamlit as st

from dashboard import data, labels
from dashboard.components.view import View
from dashboard.queries.sound import SURE_Z
from dashboard.queries.sound_moment import MomentSound, PairScore, moment_sound
from pipeline.sound_tables import PAIRS

_TILE_PX = 132
_WORDS: dict[str, str] = {
    "seen_and_heard": "**Seen and heard**: the words go with what was in view and with the sounds "
    "around.",
    "seen_only": "**Seen only**: the words go with what was in view, not with the sounds around.",
    "heard_only": "**Heard only**: the words go with the sounds around, not with what was in view.",
    "neither": "**Neither**: the words stand out beside neither the view nor the sounds around.",
}


def moment_sounds(view: View, recording_id: str, utterance_id: str) -> None:
    """Draw the section; nothing, and no query, in a store without scores of sound."""
    if not view.store.options.quadrants:
        return
    found = data.load(view.store, moment_sound, recording_id, utterance_id)
    st.subheader("What was heard around it", anchor=False)
    if found is None:
        st.caption("This utterance was not looked at for sound; score again to include it.")
        return
    if found.missing_reason is not None:
        st.caption(
            f"No scores of sound. {labels.SOUND_MISSING[found.missing_reason]}. "
            f"{_surroundings(found)}"
        )
        return
    row = st.container(horizontal=True, gap="small")
    for pair in found.pairs:
        row.metric(
            labels.SOUND_PAIRS[pair.pair],
            labels.NO_VALUE if pair.z is None else f"{pair.z:+.2f}",
            delta=_beside(pair),
            delta_color="off",
            delta_arrow="off",
            help=_help(pair),
            width=_TILE_PX,
        )
    if found.quadrant is not None:
        st.markdown(_WORDS[found.quadrant])
    st.caption(
        f"{_surroundings(found)} z: how far above other moments of the same recording, in their "
        f"SD; from {SURE_Z:g}, which about one moment in twenty reaches by chance, it counts as "
        "seen or heard. The sound encoder hears sounds, not words."
    )


def _beside(pair: PairScore) -> str:
    if pair.z is None:
        return "too few to compare"
    return f"z, {labels.plural(pair.n_nulls, 'moment')}"


def _help(pair: PairScore) -> str:
    cosine = "" if pair.cosine is None else f" Cosine {pair.cosine:.3f}."
    others = (
        "No z beside other recordings of this child: too few moments."
        if pair.others_z is None
        else f"Beside {labels.plural(pair.others_n_nulls, 'moment')} of other recordings of this "
        f"child: z = {pair.others_z:+.2f}."
    )
    return f"How alike {PAIRS[pair.pair]} are.{cosine}\n\n{others}"


def _surroundings(found: MomentSound) -> str:
    parts = []
    if found.level_db is not None:
        parts.append(f"level {found.level_db:.0f} dBFS")
    if found.speech_share is not None:
        parts.append(f"{labels.percent(found.speech_share, 0)} speech")
    parts.append(f"{found.heard_ms / 1000:.1f} s of sound heard")
    return f"Ten seconds around: {', '.join(parts)}."
