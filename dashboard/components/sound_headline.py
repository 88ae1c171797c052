"""What was found about sound, in words and four numbers, and what the numbers do not say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard import labels, summaries
from dashboard.components.captions import interval_note
from dashboard.queries.sound import SURE_Z, SoundSystem
from pipeline.sound.systems import SYSTEMS
from pipeline.stats.bootstrap import Interval

SEEN = ("seen_and_heard", "seen_only")
HEARD = ("heard_only", "seen_and_heard")
BOTH = ("seen_and_heard",)
KINDS: dict[str, tuple[str, ...]] = {"seen": SEEN, "heard": HEARD, "seen_and_heard": BOTH}
"""Shares that are told -> the quadrants that make them, in the order of a filter."""


@dataclass(frozen=True, slots=True)
class Found:
    """A share of the scored utterances with its interval, and what chance alone would give."""

    share: Interval
    expected: float

    @property
    def is_above(self) -> bool:
        return self.share.is_known and self.share.low > self.expected

    @property
    def is_below(self) -> bool:
        return self.share.is_known and self.share.high < self.expected


def counted(counts: pd.DataFrame, quadrants: tuple[str, ...]) -> pd.DataFrame:
    """Counts of `sound.quadrant_counts` as the shares are made from: n_high in these quadrants."""
    n_high = sum(counts[name] for name in quadrants)
    return counts.assign(n_high=n_high, sum_score=0.0, sum_sq=0.0)


def expected_share(counts: pd.DataFrame, kind: str) -> float:
    """Share of scored utterances that chance alone would put there; NaN without any."""
    n = int(counts["n_scored"].sum())
    return float(counts[f"expected_{kind}"].sum() / n) if n else math.nan


def found_share(counts: pd.DataFrame, kind: str) -> Found:
    """The share of one of KINDS."""
    share = summaries.overall_share(counted(counts, KINDS[kind]))
    return Found(share, expected_share(counts, kind))


def sound_headline(counts: pd.DataFrame, system: SoundSystem) -> None:
    """One sentence, four numbers and how they were made. counts: `sound.quadrant_counts`."""
    found = {kind: found_share(counts, kind) for kind in KINDS}
    n, n_scored = int(counts["n_utterances"].sum()), int(counts["n_scored"].sum())
    st.markdown(f"### {_sentence(found['heard'])}")
    columns = st.columns(4)
    for column, kind, name in zip(
        columns, KINDS, ("Seen", "Heard", "Seen and heard"), strict=False
    ):
        share = found[kind].share
        column.metric(
            name,
            labels.percent(share.estimate),
            delta=labels.percent_range(share.low, share.high) if share.is_known else "no interval",
            delta_color="off",
            delta_arrow="off",
            help=_HELP[kind],
        )
        column.caption(f"by chance {labels.percent(found[kind].expected)}")
    columns[3].metric(
        "Utterances",
        labels.count(n),
        delta=f"{labels.count(n_scored)} with scores",
        delta_color="off",
        delta_arrow="off",
    )
    st.caption(
        f"{_independent(found)}{interval_note(found['heard'].share)} By chance: what an utterance "
        "that fits no better than other moments of its recording would reach, given how many "
        f"there were. {made_by(system)}"
    )
    with st.expander("What these numbers say, and what they do not"):
        st.markdown(_meaning(system))


def made_by(system: SoundSystem) -> str:
    """The system, its encoder and its texts in two sentences."""
    title = next((one.title for one in SYSTEMS if one.name == system.system), system.system)
    encoder = f"sound encoder {system.encoder}" if system.encoder else "sound encoder not known"
    speech = {True: "speech was left in", False: "speech was cut out", None: ""}[
        system.hears_speech
    ]
    texts = f"learnt from {system.text}" if system.text else "learnt from captions"
    parts = ", ".join(part for part in (encoder, speech, texts) if part)
    return (
        f"Scores by {title} ({parts}); each recording was scored by what had learnt from others "
        f"({labels.plural(system.n_folds, 'part')}, seed {system.seed})."
    )


def _sentence(heard: Found) -> str:
    share, chance = labels.percent(heard.share.estimate), labels.percent(heard.expected)
    if math.isnan(heard.share.estimate):
        return "None of these utterances has scores of sound"
    if heard.is_above:
        start = "Words go with the sounds around them more often than chance would have it"
    elif heard.is_below:
        start = "Words go with the sounds around them less often than chance would have it"
    else:
        start = "Words do not go with the sounds around them more often than by chance"
    return f"{start}: {share} of utterances, against {chance}"


def _independent(found: dict[str, Found]) -> str:
    """What would be seen and heard if the one did not depend on the other."""
    both = found["seen"].share.estimate * found["heard"].share.estimate
    if math.isnan(both):
        return ""
    return (
        "If what is heard had nothing to do with what is seen, "
        f"{labels.percent(both)} would be both. "
    )


_HELP: dict[str, str] = {
    "seen": f"See–say z of {SURE_Z:g} or more: the words go with what was in view better than with "
    "other moments of the recording. Whether they are heard too does not matter here.",
    "heard": f"Hear–say z of {SURE_Z:g} or more: the words go with the sounds around better than "
    "with other moments of the recording. Whether they are seen too does not matter here.",
    "seen_and_heard": "Both of these.",
}


def _meaning(system: SoundSystem) -> str:
    speech = (
        "Speech was left in the sound, so voices count as sounds."
        if system.hears_speech
        else "All that the transcript calls speech was cut out before it listened; what the "
        "transcript missed stays in."
    )
    points = [
        "**See–say** compares the words with the picture, **hear–say** the words with the sound, "
        "**see–hear** the picture with the sound, over the ten seconds around an utterance.",
        "Each is told as z: how far above up to 100 other moments of the *same recording*, in "
        "their SD. Sharing a room, a voice or a microphone with them therefore counts for nothing.",
        f"**The sound encoder hears sounds, not words.** {speech}",
        f"An utterance counts as seen, or as heard, from z = {SURE_Z:g}. About one in twenty gets "
        "there by chance, so a single moment proves little; shares over many moments do.",
        "A high score does not say that the child attended, nor that the thing that sounds is the "
        "thing that is named: only that such words, sights and sounds tend to come together.",
    ]
    if system.text:
        points.insert(
            3,
            f"The system learnt from {system.text}: it knows which words tend to be said beside "
            "which sights and sounds in this study, not what people would call them.",
        )
    return "\n".join(f"- {point}" for point in points)
