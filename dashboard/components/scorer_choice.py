"""Whose scores: the model, and where the store has them, other texts and hubs taken out."""

from __future__ import annotations

import streamlit as st

from dashboard.components.filter_state import change_filters, saved_filters
from dashboard.filters import with_value
from dashboard.queries.options import StoreOptions
from pipeline.score_settings import ScorerSetting, TextVariant

SETTINGS_HINT = (
    "Scores of the nouns only, of “a photo of a NOUN”, and with hubs taken out: add the line "
    '`settings = ["hub", "nouns", "photo", "nouns+hub", "photo+hub"]` to [align] in study.toml and '
    "run the study again."
)
_WORDS = {
    TextVariant.RAW: "As transcribed",
    TextVariant.NOUNS: "Nouns only",
    TextVariant.PHOTO: "A photo of a NOUN",
}
_WORDS_HELP = {
    TextVariant.RAW: "As transcribed: does all that was said fit what was in view?",
    TextVariant.NOUNS: "Nouns only: do the nouns alone fit? Where this score is as high, the other "
    "words add nothing. Utterances without a known noun have no score.",
    TextVariant.PHOTO: "“a photo of a NOUN”: is the named thing in view? The first noun that names "
    "something visible, put as captions put it.",
}
_HUB_HELP = (
    "Some frames are near to every sentence, and some sentences to every frame. Takes the mean "
    "sentence and the mean frame of the child away before comparing: does the utterance fit this "
    "view better than the child’s utterances do on average? Scores are then no cosines, and have "
    "no known threshold."
)


def scorer_choice(scorer: str, options: StoreOptions) -> None:
    """Draw the controls; a change is taken over before the page runs again. Each setting of a
    score is a scorer of its own, so the link keeps one name."""
    names = list(dict.fromkeys(model.base for model in options.models))
    settings = options.settings_of(scorer)
    here = next(setting for setting, name in settings.items() if name == scorer)
    base = next(model.base for model in options.models if model.scorer == scorer)
    if len(names) > 1:
        key = "filter_scorer"
        st.session_state[key] = base
        st.selectbox("Model", names, key=key, on_change=lambda: _take(st.session_state[key]))
    texts = [text for text in TextVariant if any(one.text is text for one in settings)]
    if len(texts) > 1:
        _text(texts, here, settings)
    other = ScorerSetting(here.text, not here.is_hub_corrected)
    if any(one.is_hub_corrected for one in settings):
        key = "filter_hub"
        st.session_state[key] = here.is_hub_corrected
        st.toggle(
            "Hub-corrected",
            key=key,
            disabled=other not in settings,
            on_change=lambda: _take(settings[other]),
            help=_HUB_HELP,
        )


def settings_hint(options: StoreOptions) -> str:
    """For help texts: how to get further settings, where the store has none."""
    has_settings = any(model.scorer != model.base for model in options.models)
    return "" if has_settings else f"\n\n{SETTINGS_HINT}"


def _text(
    texts: list[TextVariant], here: ScorerSetting, settings: dict[ScorerSetting, str]
) -> None:
    key = "filter_text"
    st.session_state[key] = here.text.value

    def take() -> None:
        text = TextVariant(st.session_state[key])
        wanted = ScorerSetting(text, here.is_hub_corrected)
        other = ScorerSetting(text, not here.is_hub_corrected)
        _take(settings[wanted if wanted in settings else other])

    st.selectbox(
        "Words compared",
        [text.value for text in texts],
        key=key,
        format_func=lambda name: _WORDS[TextVariant(name)],
        on_change=take,
        help="\n\n".join(_WORDS_HELP[text] for text in texts),
    )


def _take(scorer: str) -> None:
    # A threshold means nothing for another score.
    change_filters(with_value(with_value(saved_filters(), "scorer", scorer), "threshold", None))
