"""Every change of an utterance as a function of its words (and a generator where it draws).

A change that an utterance does not allow gives an `Impossible` with the reason in words, so that
nothing is left out without being counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.carriers import article
from pipeline.noun_texts import NoText, photo_of
from pipeline.probes.changes import Change
from pipeline.word_knowledge import WordFacts, WordKnowledge

Words = Sequence[WordFacts]
Tokens = tuple[str, ...]

NO_NOUN = "no word is known to be a noun"
NOTHING_ELSE = "nothing but nouns"
UNCHANGED = "nothing would change"
ONE_WORD = "fewer than two different words"
NO_OTHER_WORD = "the study has no other such word"
NOT_ENGLISH = "the sentence is English, the utterance is not"
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Impossible:
    """Why an utterance cannot be changed in a way."""

    reason: str


def words_shuffled(words: Words, rng: np.random.Generator) -> Tokens | Impossible:
    """All words in another order."""
    return _rearranged(words, range(len(words)), rng)


def nouns_adjectives_shuffled(words: Words, rng: np.random.Generator) -> Tokens | Impossible:
    """Nouns and adjectives change places, all others stay."""
    return _rearranged(words, [i for i, word in enumerate(words) if _names(word)], rng)


def others_shuffled(words: Words, rng: np.random.Generator) -> Tokens | Impossible:
    """All but nouns and adjectives change places."""
    return _rearranged(words, [i for i, word in enumerate(words) if not _names(word)], rng)


def within_trigrams_shuffled(words: Words, rng: np.random.Generator) -> Tokens | Impossible:
    """Groups of three words stay where they are; the words within each change places."""
    result: list[str] = []
    is_changed = False
    for group in _trigrams(words):
        found = _rearranged(group, range(len(group)), rng)
        is_changed |= not isinstance(found, Impossible)
        result += _tokens(group) if isinstance(found, Impossible) else found
    return tuple(result) if is_changed else Impossible(ONE_WORD)


def trigrams_shuffled(words: Words, rng: np.random.Generator) -> Tokens | Impossible:
    """Groups of three words change places and stay as they are within."""
    groups = [_tokens(group) for group in _trigrams(words)]
    if len(set(groups)) < 2:
        return Impossible("fewer than two different groups of three words")
    order = _other_order(groups, rng)
    return tuple(token for place in order for token in groups[place])


def no_function_words(words: Words) -> Tokens | Impossible:
    """Without the words of closed classes."""
    kept = tuple(word.token for word in words if not word.is_function)
    if len(kept) == len(words):
        return Impossible("no function word")
    return kept or Impossible("nothing but function words")


def nouns_only(words: Words) -> Tokens | Impossible:
    """The nouns in their order."""
    kept = tuple(word.token for word in words if word.is_noun)
    if not kept:
        return Impossible(NO_NOUN)
    return kept if len(kept) < len(words) else Impossible(NOTHING_ELSE)


def no_nouns(words: Words) -> Tokens | Impossible:
    """All words but the nouns."""
    kept = tuple(word.token for word in words if not word.is_noun)
    if len(kept) == len(words):
        return Impossible(NO_NOUN)
    return kept or Impossible(NOTHING_ELSE)


def swapped(
    words: Words,
    part: str,
    knowledge: WordKnowledge,
    language: str,
    avoid: frozenset[str],
    rng: np.random.Generator,
) -> Tokens | Impossible:
    """Every word of a part of speech becomes another, about as frequent and as visual.

    avoid: lemmas said near the moment, besides those of the utterance itself. "a" and "an" before
    a swapped English word follow it.
    """
    avoided = avoid | {word.lemma for word in words}
    result = list(_tokens(words))
    places = [i for i, word in enumerate(words) if word.part == part]
    if not places:
        return Impossible(f"no word is known to be {article(part)} {part}")
    for place in places:
        found = knowledge.replacement(words[place], language, avoided, rng)
        if found is None:
            return Impossible(NO_OTHER_WORD)
        avoided |= {knowledge.word(found, language).lemma}
        result[place] = found
        if language == "en" and place and result[place - 1] in ("a", "an"):
            result[place - 1] = article(found)
    return tuple(result)


def photo_of_noun(words: Words, language: str) -> Tokens | Impossible:
    """The first noun that names something visible, else the first noun, in "a photo of"."""
    sentence = photo_of(words, language)
    if isinstance(sentence, NoText):
        return Impossible(NO_NOUN if sentence is NoText.NO_NOUN else NOT_ENGLISH)
    return tuple(sentence.split())


def left_out(words: Words) -> list[Tokens] | Impossible:
    """One text for each word, without it."""
    if len(words) < 2:
        return Impossible("a single word")
    tokens = _tokens(words)
    return [tokens[:place] + tokens[place + 1 :] for place in range(len(tokens))]


SHUFFLES: dict[Change, Callable[[Words, np.random.Generator], Tokens | Impossible]] = {
    Change.WORDS_SHUFFLED: words_shuffled,
    Change.NOUNS_ADJECTIVES_SHUFFLED: nouns_adjectives_shuffled,
    Change.OTHERS_SHUFFLED: others_shuffled,
    Change.WITHIN_TRIGRAMS_SHUFFLED: within_trigrams_shuffled,
    Change.TRIGRAMS_SHUFFLED: trigrams_shuffled,
}
REMOVALS: dict[Change, Callable[[Words], Tokens | Impossible]] = {
    Change.NO_FUNCTION_WORDS: no_function_words,
    Change.NOUNS_ONLY: nouns_only,
    Change.NO_NOUNS: no_nouns,
}
SWAPS = {
    Change.NOUN_SWAPPED: "noun",
    Change.VERB_SWAPPED: "verb",
    Change.ADJECTIVE_SWAPPED: "adjective",
}


def _names(word: WordFacts) -> bool:
    return word.part in ("noun", "adjective")


def _tokens(words: Words) -> Tokens:
    return tuple(word.token for word in words)


def _trigrams(words: Words) -> list[Words]:
    return [words[start : start + 3] for start in range(0, len(words), 3)]


def _rearranged(
    words: Words, places: Sequence[int], rng: np.random.Generator
) -> Tokens | Impossible:
    """The words at some places in another order; never the order they had."""
    tokens = list(_tokens(words))
    movable = [tokens[place] for place in places]
    if len(set(movable)) < 2:
        return Impossible(ONE_WORD)
    for place, taken in zip(places, _other_order(movable, rng), strict=True):
        tokens[place] = movable[taken]
    return tuple(tokens)


def _other_order(items: Sequence[object], rng: np.random.Generator) -> list[int]:
    """A random order of items of which two differ, such that it can be told from theirs."""
    before = list(items)
    for _ in range(_TRIES):
        order = [int(place) for place in rng.permutation(len(before))]
        if [before[place] for place in order] != before:
            return order
    # Nearly all items are equal: two that differ change places.
    order = list(range(len(before)))
    other = next(i for i in order if before[i] != before[0])
    order[0], order[other] = other, 0
    return order
