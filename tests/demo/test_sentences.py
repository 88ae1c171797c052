"""What is said in the toy world: grammatical, and silent about objects where it should be."""

from __future__ import annotations

import random
import re

import pytest

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


def _words(sentence: str) -> set[str]:
    return set(re.findall(r"[a-z]+", sentence.lower()))


def test_carriers_are_many_and_different() -> None:
    assert len(set(NAMING_CARRIERS)) == len(NAMING_CARRIERS) >= 40
    assert len(set(EMPTY_SENTENCES)) == len(EMPTY_SENTENCES) >= 40


@pytest.mark.parametrize(
    "sentence",
    [
        *EMPTY_SENTENCES,
        *CHILD_EMPTY_SENTENCES,
        *(c.format(word="", a="") for c in (*NAMING_CARRIERS, *CHILD_NAMING_CARRIERS)),
    ],
)
def test_nothing_but_the_chosen_word_names_an_object(sentence: str) -> None:
    names = {form for word in word_names() for form in (word, f"{word}s", f"{word}es")}
    assert not _words(sentence) & names


def test_a_naming_sentence_names_its_word_and_no_other() -> None:
    rng = random.Random(3)
    for word in word_names():
        for make in (naming_sentence, child_naming_sentence):
            for _ in range(10):
                sentence = make(word, rng)
                assert _words(sentence) & set(word_names()) == {word}
                assert sentence[0].isupper()
                assert re.fullmatch(r"[^.!?]+[.!?]", sentence), sentence


def test_empty_sentences_are_one_sentence_each() -> None:
    rng = random.Random(4)
    for _ in range(100):
        for sentence in (empty_sentence(rng), child_empty_sentence(rng)):
            assert re.fullmatch(r"[^.!?]+[.!?]", sentence), sentence


@pytest.mark.parametrize(
    ("word", "phrase"),
    [
        ("ball", "a ball"),
        ("apple", "an apple"),
        ("umbrella", "an umbrella"),
        ("unicorn", "a unicorn"),
        ("milk", "some milk"),
        ("scissors", "some scissors"),
    ],
)
def test_articles_agree(word: str, phrase: str) -> None:
    assert with_article(word) == phrase


def test_plurals_get_no_singular_verb() -> None:
    rng = random.Random(5)
    sentences = {naming_sentence("scissors", rng) for _ in range(300)}
    assert not [s for s in sentences if re.search(r"\b(is|does|this|that|another|it)\b", s.lower())]
