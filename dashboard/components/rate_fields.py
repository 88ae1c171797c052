"""Fields that both kinds of set share: which moments, by whose score, shown how."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboard import labels
from dashboard.components.view import View
from pipeline.people.trial_records import ImageVariant
from pipeline.schema import WINDOWS
from pipeline.validation.plan import TrialPlan

_IMAGE_WORDS = {
    ImageVariant.FULL_FRAME.value: "The whole frame",
    ImageVariant.MODEL_INPUT.value: "The square that the model saw",
}


@dataclass(frozen=True, slots=True)
class Scoring:
    """What was chosen."""

    image_variant: ImageVariant
    with_sound: bool
    min_words: int
    with_doubtful: bool
    scorer: str
    crop: str
    window: str

    def plan(self, name: str, *, bins: int, seed: int) -> TrialPlan:
        """A plan with these choices, the rest as usual. Raises SettingsError as `TrialPlan`."""
        return TrialPlan(
            name=name,
            bins=bins,
            seed=seed,
            image_variant=self.image_variant,
            with_sound=self.with_sound,
            min_words=self.min_words,
            with_doubtful=self.with_doubtful,
            scorer=self.scorer,
            crop=self.crop,
            window=self.window,
        )


def scoring_fields(view: View, *, with_sound: bool) -> Scoring:
    """Draw the fields; `with_sound` is where that one starts."""
    options = view.store.options
    labelled = {m.scorer: m.label for m in options.models if m.weights != "imported"}
    with st.container(horizontal=True):
        scorer = st.selectbox(
            "Scores of", list(labelled), format_func=labelled.__getitem__, key="rate_scorer"
        )
        crop = st.selectbox(
            "Crop", options.crops, format_func=labels.CROPS.__getitem__, key="rate_crop"
        )
        window = st.selectbox(
            "Window", list(WINDOWS), format_func=labels.WINDOWS.__getitem__, key="rate_window"
        )
        image = st.selectbox(
            "Raters see",
            list(_IMAGE_WORDS),
            format_func=_IMAGE_WORDS.__getitem__,
            key="rate_image",
            help="The original study showed people the whole frame while the model saw its middle "
            "square. What you choose is kept with every answer.",
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        min_words = number("Fewest words", 1, 1, 50, "Leave out shorter utterances.")
        # Each kind of set has a field of its own, because it starts differently.
        has_sound = st.checkbox(
            "Raters may play the utterance", with_sound, key=f"rate_sound_{with_sound}"
        )
        with_doubtful = st.checkbox(
            "Also doubtful transcripts",
            key="rate_doubtful",
            help="Utterances flagged as perhaps not said at all.",
        )
    return Scoring(
        ImageVariant(image),
        has_sound,
        min_words,
        with_doubtful,
        scorer or "",
        crop or "center",
        window,
    )


def number(label: str, value: int, low: int, high: int, help_text: str) -> int:
    """A field for a whole number."""
    return int(
        st.number_input(
            label, low, high, value, key=f"rate_{label.lower()}", help=help_text, width=150
        )
    )
