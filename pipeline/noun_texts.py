"""What is left of an utterance when only its nouns are kept, and a caption of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from pipeline.carriers import CARRIERS, PHOTO, filled
from pipeline.word_knowledge import WordFacts

Words = Sequence[WordFacts]


class NoText(str, Enum):
    """Why an utterance has no such text. Values stand in the store as reasons of missing scores."""

    NO_NOUN = "no_noun"
    NOT_ENGLISH = "not_english"


def nouns_of(words: Words) -> str | NoText:
    """The nouns in their order, as they were said."""
    return " ".join(word.token for word in words if word.is_noun) or NoText.NO_NOUN


def photo_of(words: Words, language: str) -> str | NoText:
    """ "a photo of a ball": the first noun that names something visible, else the first noun.

    language: code of the utterance's language, "" when nothing is known of it.
    """
    if language not in ("en", ""):
        return NoText.NOT_ENGLISH
    noun = first_noun(words)
    if noun is None:
        return NoText.NO_NOUN
    return filled(CARRIERS[PHOTO], noun.token, is_plural=is_plural(noun))


def first_noun(words: Words) -> WordFacts | None:
    """The first noun that names something visible, else the first noun."""
    nouns = [word for word in words if word.is_noun]
    return next((word for word in nouns if word.is_visual), nouns[0] if nouns else None)


def is_plural(noun: WordFacts) -> bool:
    """Whether an English noun stands in its plural, as far as its ending shows."""
    return noun.token != noun.lemma and noun.token.endswith("s")
