"""A world in which it is known what drives the score: frames and encoders made by hand.

Every scene shows one noun and one verb; frames carry them in coordinates of their own, all frames
share a "hub" coordinate, and each has the mark of one of two kinds of picture. The planted encoder
adds the weights of a text's words, whatever their order; every noun adds something on the hub
(more nouns, more score), and two carrier sentences add a mark each. All texts and frames are made
unit vectors by a coordinate that the other side never has, so every cosine is an exact sum.
The deaf encoder gives each text a direction of its own that has nothing to do with any frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.carriers import CARRIERS
from pipeline.parts_of_speech import FUNCTION
from pipeline.probes.material import Hubs, Material, ProbeUtterance, SampleCounts, UtteranceFrames
from pipeline.records import Float32Array
from pipeline.tokens import tokenize
from pipeline.word_knowledge import WordKnowledge

Floats = NDArray[np.float64]

_NOUNS = """
dog cat bunny cow horse pig duck fish frog monkey car bus train boat ball doll drum kite apple
banana cookie egg shoe hat
"""
_VERBS = "bring find hold show give throw push pull wash kiss open chase"
_LITTLE = "the you do it there can we my"
NOUNS, VERBS, LITTLE = (words.split() for words in (_NOUNS, _VERBS, _LITTLE))

HUB, FIRST_MARK, SECOND_MARK = 36, 37, 38
_TEXT_PAD, _FRAME_PAD, DIM = 39, 40, 41
_SECONDS, _SCENE_S, _NULL_STORE = 80, 8, 100


@dataclass(frozen=True, slots=True)
class Planted:
    """Weights of the planted encoder (`noun`, `verb`, `hub` of each noun, `mark` of the two
    carriers) and strengths with which frames carry them."""

    noun: float = 0.30
    verb: float = 0.15
    hub: float = 0.06
    mark: float = 0.30
    shown: float = 0.30
    hub_shown: float = 0.25
    mark_shown: float = 0.35
    noise: float = 0.03
    first_kind: float = 0.7
    """Share of frames of the first kind, on which the first marked carrier is best."""
    aligned: float = 0.6
    """Share of utterances about the scene."""

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Unit vectors (n, DIM): the bag of words, the hub, the mark."""
        vectors = np.zeros((len(texts), DIM))
        for row, text in enumerate(texts):
            for token in tokenize(text):
                if token in _NOUN_PLACE:
                    vectors[row, _NOUN_PLACE[token]] += self.noun
                    vectors[row, HUB] += self.hub
                elif token in _VERB_PLACE:
                    vectors[row, len(NOUNS) + _VERB_PLACE[token]] += self.verb
            if text.startswith(_FIRST):
                vectors[row, FIRST_MARK] += self.mark
            elif text.startswith(_SECOND):
                vectors[row, SECOND_MARK] += self.mark
        return _padded(vectors, _TEXT_PAD)

    def frames(
        self, nouns: NDArray[np.int64], verbs: NDArray[np.int64], rng: np.random.Generator
    ) -> Float32Array:
        """Unit vectors (n, DIM) of frames that show nouns (n,) and verbs (n,)."""
        n = len(nouns)
        vectors = np.zeros((n, DIM))
        vectors[:, : len(NOUNS) + len(VERBS)] = rng.normal(
            0, self.noise, (n, len(NOUNS) + len(VERBS))
        )
        vectors[np.arange(n), nouns] += self.shown
        vectors[np.arange(n), len(NOUNS) + verbs] += self.shown
        vectors[:, HUB] = self.hub_shown
        is_first = rng.random(n) < self.first_kind
        vectors[is_first, FIRST_MARK] = self.mark_shown
        vectors[~is_first, SECOND_MARK] = self.mark_shown
        return _padded(vectors, _FRAME_PAD)

    @property
    def noun_effect(self) -> float:
        """Cosine that a noun adds where it is shown: minus G of the swap of a noun that is there.

        On chance frames a noun is shown as often before as after the swap.
        """
        return self.noun * self.shown

    @property
    def named(self) -> float:
        """Share of utterances whose noun is shown: those about the scene, and others by chance."""
        return self.aligned + (1 - self.aligned) / len(NOUNS)

    @property
    def verb_effect(self) -> float:
        """Cosine that a verb adds where it is shown."""
        return self.verb * self.shown

    @property
    def beyond_nouns(self) -> float:
        """GSI in cosine: the verb, less what verbs add on chance frames."""
        return self.verb_effect * (1 - 1 / len(VERBS))

    @property
    def reliance(self) -> float:
        """ORI of an utterance of one noun and one verb, both shown."""
        noun = self.noun_effect * (1 - 1 / len(NOUNS))
        return self.noun_effect / (noun + self.beyond_nouns)

    @property
    def added_present(self) -> float:
        """VWS in cosine: a noun that is shown, and the hub."""
        return self.noun_effect + self.added_absent

    @property
    def added_absent(self) -> float:
        """Cosine that a noun adds where it is not shown: the hub alone."""
        return self.hub * self.hub_shown

    @property
    def template_eta2(self) -> float:
        """Eta^2 of carrier for nouns that are not shown."""
        size, k = self.mark * self.mark_shown, len(CARRIERS)
        p = self.first_kind
        between = (p**2 + (1 - p) ** 2) / k - 1 / k**2
        total = 1 / k - 1 / k**2
        return size**2 * between / (size**2 * total + (self.noun * self.noise) ** 2)


_NOUN_PLACE = {word: place for place, word in enumerate(NOUNS)}
_VERB_PLACE = {word: place for place, word in enumerate(VERBS)}
_FIRST = CARRIERS[0].split("{")[0]
_SECOND = CARRIERS[6].split("{")[0]


@dataclass(frozen=True, slots=True)
class Deaf:
    """An encoder without bias and without sense: a text's direction is drawn by its hash."""

    seed: int

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Unit vectors (n, DIM), equal for equal texts."""
        rows = []
        for text in texts:
            digest = hashlib.blake2b(f"{self.seed} {text}".encode(), digest_size=8).digest()
            rows.append(np.random.default_rng(int.from_bytes(digest, "big")).normal(size=DIM))
        vectors = np.array(rows)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors, np.float32)


Encoder = Planted | Deaf


def knowledge() -> WordKnowledge:
    """What is known of the words of this world."""
    parts = {
        **dict.fromkeys(NOUNS, "noun"),
        **dict.fromkeys(VERBS, "verb"),
        **dict.fromkeys(LITTLE, FUNCTION),
    }
    counts = {(word, "en"): 5 + len(word) for word in parts}
    return WordKnowledge(parts, frozenset(NOUNS), counts, "en")


def world(
    encoder: Encoder,
    seed: int,
    *,
    n_children: int = 6,
    n_recordings: int = 3,
    n_each: int = 20,
    n_null: int = 16,
    most_frames: int = 3,
    planted: Planted | None = None,
) -> Material:
    """Utterances of one verb and one noun with their frames; the encoder gives z and null.

    planted: what frames show, for an encoder that is not planted.
    """
    shown = planted or (encoder if isinstance(encoder, Planted) else Planted())
    rng = np.random.default_rng(seed)
    words = knowledge()
    utterances: list[ProbeUtterance] = []
    frames: list[UtteranceFrames] = []
    for child in range(n_children):
        scenes = [_scenes(rng) for _ in range(n_recordings)]
        pictures = [shown.frames(nouns, verbs, rng) for nouns, verbs in scenes]
        for number in range(n_recordings):
            others = [pictures[other] for other in range(n_recordings) if other != number]
            for place in range(n_each):
                scene = int(rng.integers(_SECONDS // _SCENE_S))
                n_frames = int(rng.integers(1, most_frames + 1))
                first = scene * _SCENE_S + int(rng.integers(_SCENE_S - n_frames))
                nouns, verbs = scenes[number]
                is_aligned = rng.random() < shown.aligned
                noun = NOUNS[nouns[first] if is_aligned else rng.integers(len(NOUNS))]
                verb = VERBS[verbs[first] if is_aligned else rng.integers(len(VERBS))]
                begin = ("can you", "we", "you do")[int(rng.integers(3))]
                text = f"{begin} {verb} the {noun}.".capitalize()
                null = _windows(others, n_frames, _NULL_STORE + n_null, rng)
                window = pictures[number][first : first + n_frames]
                vector = encoder.encode([text])[0]
                score = float((window @ vector).max())
                tops = (null[n_null:] @ vector).max(axis=1).astype(np.float64)
                mean, sd = float(tops.mean()), float(tops.std(ddof=1))
                onset_ms = 1_000 * first
                utterances.append(
                    ProbeUtterance(
                        f"c{child}r{number}",
                        f"u{place}",
                        f"c{child}",
                        onset_ms,
                        onset_ms + 1_000 * n_frames,
                        text,
                        "en",
                        tuple(words.word(token, "en") for token in tokenize(text)),
                        (score - mean) / sd,
                        mean,
                        sd,
                        (),
                        frozenset({noun, NOUNS[nouns[first]]}),
                    )
                )
                times_ms = onset_ms + 1_000 * np.arange(n_frames, dtype=np.int64)
                frames.append(UtteranceFrames(window, null[:n_null], n_frames // 2, times_ms))
    nothing = np.zeros(DIM, np.float32)
    hubs = {f"c{child}": Hubs(nothing, nothing) for child in range(n_children)}
    counts = SampleCounts(len(utterances), len(utterances), len(utterances))
    return Material(tuple(utterances), tuple(frames), hubs, words, counts, "planted")


def _scenes(rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Noun and verb of every second of a recording."""
    n_scenes = _SECONDS // _SCENE_S
    nouns = rng.integers(len(NOUNS), size=n_scenes).repeat(_SCENE_S)
    verbs = rng.integers(len(VERBS), size=n_scenes).repeat(_SCENE_S)
    return nouns.astype(np.int64), verbs.astype(np.int64)


def _windows(
    pictures: Sequence[Float32Array], n_frames: int, n: int, rng: np.random.Generator
) -> Float32Array:
    """(n, n_frames, DIM) windows of consecutive frames of other recordings."""
    which = rng.integers(len(pictures), size=n)
    first = rng.integers(_SECONDS - n_frames + 1, size=n)
    return np.stack(
        [pictures[w][f : f + n_frames] for w, f in zip(which, first, strict=True)]
    ).astype(np.float32)


def _padded(vectors: Floats, pad: int) -> Float32Array:
    """Unit rows, by a coordinate that the other side leaves at 0."""
    squares = (vectors**2).sum(axis=1)
    assert squares.max(initial=0) < 1, "words or strengths are too heavy for a unit vector"
    vectors[:, pad] = np.sqrt(1 - squares)
    return vectors.astype(np.float32)
