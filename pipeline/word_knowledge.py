"""What is known of the words of a study: part of speech, whether they name something visible,
how often they are said, and which other words could stand in their place.

A word is visual from a concreteness of 4 on the scale of 1 to 5 (Brysbaert et al. 2014). Parts of
speech are those of the store, which has them from the study's norms, by lemma and without looking
at the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import nsmallest

import numpy as np

from pipeline.lemmas import language_code, lemma_of
from pipeline.own_words import PARTS, PICTURABLE
from pipeline.parts_of_speech import FUNCTION, is_function_word

VISUAL_FROM = 4.0
SCALE_TOP = 5.0
_NEAREST = 10
"""Among so many words of the nearest frequency the replacement is drawn."""


@dataclass(frozen=True, slots=True)
class WordFacts:
    """One token of an utterance. `part` is one of PARTS_OF_SPEECH, "" when unknown."""

    token: str
    lemma: str
    part: str
    is_visual: bool

    @property
    def is_function(self) -> bool:
        return self.part == FUNCTION

    @property
    def is_noun(self) -> bool:
        return self.part == "noun"

    @property
    def is_object(self) -> bool:
        """A noun that names something visible."""
        return self.is_noun and self.is_visual


@dataclass(frozen=True, slots=True)
class _Pool:
    """Words that can replace each other, by falling frequency: tokens, their lemmas, log counts."""

    tokens: tuple[str, ...]
    lemmas: tuple[str, ...]
    log_counts: tuple[float, ...]


_PoolKey = tuple[str, str, bool, bool]


@dataclass(frozen=True, slots=True)
class WordKnowledge:
    """`parts` and `visual` by lemma; `counts`: how often (token, language) is said in the study.

    `is_own_parts`, `is_own_visual`: the study's norms give none, so the own English list stands
    in for them.
    """

    parts: Mapping[str, str]
    visual: frozenset[str]
    counts: Mapping[tuple[str, str], int]
    default_language: str = ""
    is_own_parts: bool = False
    is_own_visual: bool = False
    _facts: dict[tuple[str, str], WordFacts] = field(default_factory=dict, repr=False)
    _pools: dict[_PoolKey, _Pool] = field(default_factory=dict, repr=False)

    def language(self, language: str | None) -> str:
        """Code of an utterance's language, the study's own where the utterance names none."""
        named = language or self.default_language
        return language_code(named) or named.strip().lower()

    def word(self, token: str, language: str) -> WordFacts:
        """What is known of a token; language as `language` gives it."""
        key = (token, language)
        found = self._facts.get(key)
        if found is None:
            found = self._facts[key] = self._look_up(token, language)
        return found

    def vocabulary(self, language: str, part: str, *, is_visual: bool) -> tuple[str, ...]:
        """Dictionary forms said in the study, most frequent first."""
        return self._pool((language, part, is_visual, True)).tokens

    def replacement(
        self, word: WordFacts, language: str, avoid: frozenset[str], rng: np.random.Generator
    ) -> str | None:
        """A word of the same part of speech, as visual, as inflected and about as frequent.

        avoid: lemmas that may not be it. None when the study has no other such word.
        """
        pool = self._pool((language, word.part, word.is_visual, word.token == word.lemma))
        own = float(np.log(self.counts.get((word.token, language), 1)))
        near = nsmallest(
            _NEAREST,
            (
                (abs(log_count - own), token)
                for token, lemma, log_count in zip(
                    pool.tokens, pool.lemmas, pool.log_counts, strict=True
                )
                if lemma != word.lemma and lemma not in avoid
            ),
        )
        return near[int(rng.integers(len(near)))][1] if near else None

    def _look_up(self, token: str, language: str) -> WordFacts:
        is_english = language == "en"
        lemma = lemma_of(token, language)
        part = self.parts.get(lemma, "")
        if is_english and (is_function_word(token) or is_function_word(lemma)):
            part = FUNCTION
        if not part and self.is_own_parts and is_english:
            part = PARTS.get(lemma, "")
        is_visual = lemma in self.visual or (
            self.is_own_visual and is_english and lemma in PICTURABLE
        )
        return WordFacts(token, lemma, part, is_visual and part != FUNCTION)

    def _pool(self, key: _PoolKey) -> _Pool:
        found = self._pools.get(key)
        if found is None:
            found = self._pools[key] = self._fill(*key)
        return found

    def _fill(self, language: str, part: str, is_visual: bool, is_base: bool) -> _Pool:
        chosen = []
        for (token, said_in), count in self.counts.items():
            if said_in != language:
                continue
            word = self.word(token, language)
            if (
                word.part == part
                and word.is_visual == is_visual
                and (token == word.lemma) == is_base
                and "'" not in token
            ):
                chosen.append((-count, token, word.lemma))
        chosen.sort()
        return _Pool(
            tuple(token for _, token, _ in chosen),
            tuple(lemma for _, _, lemma in chosen),
            tuple(float(np.log(-count)) for count, _, _ in chosen),
        )
