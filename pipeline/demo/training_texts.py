"""Sentences for training the demo model, and the tokens that may appear in them."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.sentences import (
    CHILD_EMPTY_SENTENCES,
    CHILD_NAMING_CARRIERS,
    EMPTY_SENTENCES,
    NAMING_CARRIERS,
    child_empty_sentence,
    child_naming_sentence,
    empty_sentence,
    naming_sentence,
    with_article,
)
from pipeline.demo.vocabulary import word_names

NO_WORD = -1

CAPTIONS = (
    "{word}",
    "the {word}",
    "{a}",
    "a photo of {a}.",
    "a picture of {a}.",
    "a photo of the {word}.",
    "an image of {a}",
    "there is {a}.",
    "a child looking at {a}.",
    "{a} on the floor.",
    "a close-up of {a}.",
    "a drawing of {a}.",
)


@dataclass(frozen=True, slots=True)
class TextBatch:
    """Sentences, and for each the index of the word it names or `NO_WORD`: int64 (n_texts,)."""

    sentences: tuple[str, ...]
    named: NDArray[np.int64]


def sample_texts(n_per_word: int, n_empty: int, rng: random.Random) -> TextBatch:
    """`n_per_word` sentences for every word, and `n_empty` sentences that name nothing."""
    sentences: list[str] = []
    named: list[int] = []
    for index, word in enumerate(word_names()):
        for _ in range(n_per_word):
            sentences.append(_lengthened(_naming(word, rng), rng))
            named.append(index)
    for _ in range(n_empty):
        sentences.append(_lengthened(_empty(rng), rng))
        named.append(NO_WORD)
    return TextBatch(tuple(sentences), np.array(named, dtype=np.int64))


def all_texts() -> tuple[str, ...]:
    """Every carrier with every word, and every sentence without one: all tokens training sees."""
    carriers = (*NAMING_CARRIERS, *CHILD_NAMING_CARRIERS, *CAPTIONS)
    naming = (
        carrier.format(word=word, a=with_article(word))
        for carrier in carriers
        for word in word_names()
    )
    return (*naming, *EMPTY_SENTENCES, *CHILD_EMPTY_SENTENCES)


def _naming(word: str, rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.7:
        return naming_sentence(word, rng)
    if kind < 0.85:
        return child_naming_sentence(word, rng)
    return CAPTIONS[int(rng.random() * len(CAPTIONS))].format(word=word, a=with_article(word))


def _empty(rng: random.Random) -> str:
    return empty_sentence(rng) if rng.random() < 0.8 else child_empty_sentence(rng)


def _lengthened(sentence: str, rng: random.Random) -> str:
    """Sometimes with sentences before or after: speech recognisers join what is said quickly."""
    if rng.random() < 0.12:
        sentence = f"{_empty(rng)} {sentence}"
    if rng.random() < 0.12:
        sentence = f"{sentence} {_empty(rng)}"
    return sentence
