"""What a probe works on: utterances with their words, and the frames they are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Float32Array
from pipeline.word_knowledge import WordFacts, WordKnowledge

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ProbeUtterance:
    """A sampled utterance. `z`, `null_mean` and `null_sd` are the store's, for the strict window.

    `nearby`: object nouns of other utterances with z of at least the settings' `hit_z` that were
    said near it: they too may be in view. `said_near`: lemmas of all object nouns said near it.
    """

    recording_id: str
    utterance_id: str
    child_id: str
    onset_ms: int
    offset_ms: int
    text: str
    language: str
    words: tuple[WordFacts, ...]
    z: float
    null_mean: float
    null_sd: float
    nearby: tuple[str, ...] = ()
    said_near: frozenset[str] = frozenset()

    @property
    def has_object(self) -> bool:
        """Whether a noun in it names something visible."""
        return any(word.is_object for word in self.words)


@dataclass(frozen=True, slots=True, eq=False)
class UtteranceFrames:
    """Unit vectors of the frames of one utterance and of its null windows.

    window (n_frames, dim): frames during the utterance, in order of time; null (K, n_frames, dim):
    windows of as many frames from elsewhere. `middle`: place of the frame nearest to the middle of
    the utterance; the null's middle frame stands at the same place. `times_ms` (n_frames,).
    `null_frames`: recording and time (ms) of each frame of `null`.
    """

    window: Float32Array
    null: Float32Array
    middle: int
    times_ms: NDArray[np.int64]
    null_frames: tuple[tuple[tuple[str, int], ...], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Hubs:
    """Mean vectors (dim,), not of unit length: of the study's texts, and of a child's frames."""

    text: Float32Array
    frame: Float32Array


@dataclass(frozen=True, slots=True)
class SampleCounts:
    """How the sample came about. `not_usable`: why utterances could not be drawn, and how many."""

    n_utterances: int
    n_usable: int
    n_sampled: int
    not_usable: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """Everything a probe needs but the text encoder; `frames` go with `utterances`, `hubs` are by
    child.

    `knowledge_sources`: where parts of speech and visual words come from, in words.
    """

    utterances: tuple[ProbeUtterance, ...]
    frames: tuple[UtteranceFrames, ...]
    hubs: Mapping[str, Hubs]
    knowledge: WordKnowledge
    counts: SampleCounts
    knowledge_sources: str = ""
