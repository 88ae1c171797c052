"""What a model would call aligned: its favourite sentence for a frame, from the study's words.

Words are ranked by one product of matrices; with the best of them sentences are built word by word
in the twelve carriers, and a few are kept at every step (beam search). A sentence is worth

    (c(t, f) - c(t, F)) / s0

with F the mean vector of the child's frames: what it gains from this frame beyond any frame. So a
sentence that is near to everything (a hub) wins nothing by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.carriers import CARRIERS, with_article
from pipeline.probes.encodings import TextEncodings
from pipeline.probes.material import Floats
from pipeline.records import Float32Array
from pipeline.word_knowledge import WordFacts


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """`n_kept` words are tried, `beam` sentences kept, of at most `most_words` words; a word that
    gains less than `least_gain` s0 ends the search."""

    n_kept: int = 30
    beam: int = 5
    most_words: int = 6
    least_gain: float = 0.25


@dataclass(frozen=True, slots=True)
class Favourite:
    """The best sentence found for a frame. `worth` and `of_utterance` are in units of s0;
    `headroom` is their difference. `n_visual` of its words name something visible; `shared` are
    nouns of the utterance that are among them. `n_texts` were tried."""

    text: str
    words: tuple[str, ...]
    cosine: float
    worth: float
    of_utterance: float
    n_visual: int
    shared: tuple[str, ...]
    n_texts: int

    @property
    def headroom(self) -> float:
        return self.worth - self.of_utterance


@dataclass(frozen=True, slots=True, eq=False)
class SearchFrame:
    """A frame (dim,), unit, the mean (dim,) of the child's frames, and the probe's s0."""

    frame: Float32Array
    mean_frame: Float32Array
    s0: float

    def worth(self, texts: Float32Array) -> Floats:
        """Worth (n,) of text vectors (n, dim)."""
        gains = texts @ (self.frame - self.mean_frame)
        return np.asarray(gains / self.s0, np.float64)


def favourite_sentence(
    frame: SearchFrame,
    utterance: Sequence[WordFacts],
    vocabulary: Sequence[WordFacts],
    encodings: TextEncodings,
    settings: SearchSettings = SearchSettings(),
) -> Favourite:
    """Search a vocabulary of at least one word for the sentence of the greatest worth."""
    own = " ".join(word.token for word in utterance)
    of_utterance = float(frame.worth(encodings.of([own]))[0])
    singles = frame.worth(encodings.of([word.token for word in vocabulary]))
    kept = [vocabulary[place] for place in np.argsort(-singles, kind="stable")[: settings.n_kept]]
    n_texts = len(vocabulary)
    beam: list[tuple[float, str, tuple[WordFacts, ...]]] = []
    while True:
        starts: list[tuple[str, tuple[WordFacts, ...]]]
        starts = (
            [(carrier, words) for _, carrier, words in beam]
            if beam
            else [(carrier, ()) for carrier in CARRIERS]
        )
        longer = [
            (carrier, (*words, word))
            for carrier, words in starts
            for word in kept
            if word not in words
        ]
        if not longer:
            break
        worths = frame.worth(encodings.of([sentence(*one) for one in longer]))
        n_texts += len(longer)
        best = np.argsort(-worths, kind="stable")[: settings.beam]
        if beam and worths[best[0]] - beam[0][0] < settings.least_gain:
            break
        beam = [(float(worths[place]), *longer[place]) for place in best]
        if len(beam[0][2]) >= settings.most_words:
            break
    worth, carrier, words = beam[0]
    text = sentence(carrier, words)
    nouns = {word.lemma for word in utterance if word.is_noun}
    return Favourite(
        text,
        tuple(word.token for word in words),
        float(encodings.of([text])[0] @ frame.frame),
        worth,
        of_utterance,
        sum(word.is_visual for word in words),
        tuple(word.token for word in words if word.lemma in nouns),
        n_texts,
    )


def sentence(carrier: str, words: Sequence[WordFacts]) -> str:
    """A carrier with one word or several: "look at the dog ball"."""
    first, rest = words[0], "".join(f" {word.token}" for word in words[1:])
    named = with_article(first.token) if first.is_noun else first.token
    return carrier.format(a=named + rest, the=f"the {first.token}{rest}")
