"""The text stage for further settings of the score: texts made from the nouns of an utterance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.noun_texts import NoText, nouns_of, photo_of
from pipeline.results import Transcript, VariantTexts
from pipeline.score_settings import TextVariant
from pipeline.tokens import tokenize
from pipeline.vision.image_text_model import ImageTextModel
from pipeline.word_knowledge import WordKnowledge

NO_NOUN = NoText.NO_NOUN.value
"""Why a score is missing; also of utterances in other languages, whose nouns nobody lists here."""


def made_text(text: str, language: str | None, variant: TextVariant, words: WordKnowledge) -> str:
    """The text that stands for an utterance, "" where it has none.

    Parts of speech are known of English words: an utterance in another language has no noun.
    """
    code = words.language(language)
    if code not in ("en", ""):
        return ""
    facts = [words.word(token, code) for token in tokenize(text)]
    made = nouns_of(facts) if variant is TextVariant.NOUNS else photo_of(facts, code)
    return "" if isinstance(made, NoText) else made


def embed_variants(
    transcript: Transcript,
    model: ImageTextModel,
    words: WordKnowledge,
    variants: Sequence[TextVariant],
) -> tuple[VariantTexts, ...]:
    """Make and embed the texts of each variant; equal texts are embedded once, all in one batch."""
    made = [
        [made_text(u.text, u.language, variant, words) for u in transcript.utterances]
        for variant in variants
    ]
    wanted = list(dict.fromkeys(text for texts in made for text in texts if text))
    row_of_wanted = {text: row for row, text in enumerate(wanted)}
    vectors = np.zeros((0, model.ref.dim), np.float32)
    if wanted:
        vectors = model.embed_texts(wanted)
    found = []
    for variant, texts in zip(variants, made, strict=True):
        unique = list(dict.fromkeys(text for text in texts if text))
        row_of = {text: row for row, text in enumerate(unique)}
        found.append(
            VariantTexts(
                recording_id=transcript.recording_id,
                model=model.ref,
                variant=variant,
                utterance_ids=tuple(u.utterance_id for u in transcript.utterances),
                texts=tuple(texts),
                missing_reason=tuple("" if text else NO_NOUN for text in texts),
                vector_row=np.array([row_of.get(text, -1) for text in texts], np.int64),
                vectors=vectors[[row_of_wanted[text] for text in unique]],
            )
        )
    return tuple(found)
