"""How well a CLIP model tells frames that show what a sentence names from frames that do not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.demo.sentences import empty_sentence, naming_sentence
from pipeline.demo.training_scenes import CUTS, CutScene, Pixels
from pipeline.demo.vocabulary import word_names

Floats = NDArray[np.float32]


class Encoder(Protocol):
    """Unit-length embeddings of pictures, uint8 RGB (n, size, size, 3), and of sentences."""

    def embed_images(self, images: Pixels) -> Floats: ...

    def embed_texts(self, texts: Sequence[str]) -> Floats: ...


@dataclass(frozen=True, slots=True)
class CutMeasure:
    """One cut of many scenes.

    ``auc``: chance that a pair of a cut and a naming sentence whose object is inside has a higher
    cosine than a pair whose object is not. ``recall_at_1``: part of the cuts with exactly one
    object whose best word, by the mean over sentences, is that object. ``threshold``: the cosine
    above which ``hit_rate`` of the pairs with the object inside lie, ``false_alarm_rate`` of those
    without it, and ``empty_alarm_rate`` of the pairs with a sentence that names nothing.
    """

    cut: str
    n_shown: int
    auc: float
    recall_at_1: float
    present_mean: float
    absent_mean: float
    empty_mean: float
    threshold: float
    hit_rate: float
    false_alarm_rate: float
    empty_alarm_rate: float


def measure(
    encoder: Encoder, scenes: Sequence[CutScene], seed: int, threshold: float | None = None
) -> tuple[CutMeasure, ...]:
    """One measure per cut of `CUTS`, over every pairing of scenes and naming sentences.

    Without a threshold, each cut gets the one of `best_threshold`.
    """
    n_sentences = 4
    rng = random.Random(seed)
    words = word_names()
    texts = encoder.embed_texts(
        [naming_sentence(word, rng) for word in words for _ in range(n_sentences)]
    )
    empty_texts = encoder.embed_texts([empty_sentence(rng) for _ in range(30)])
    measures: list[CutMeasure] = []
    for row, cut in enumerate(CUTS):
        images = encoder.embed_images(np.stack([scene.images[row] for scene in scenes]))
        shown = np.stack([scene.shown[row] for scene in scenes])
        cosines = (images @ texts.T).reshape(len(scenes), len(words), n_sentences)
        present = cosines[shown == 1].ravel()
        absent = cosines[shown == 0].ravel()
        is_single = (np.nansum(shown, axis=1) == 1) & ~np.isnan(shown).any(axis=1)
        best = cosines[is_single].mean(axis=2).argmax(axis=1)
        unnamed = (images @ empty_texts.T).ravel()
        chosen = best_threshold(present, absent, unnamed) if threshold is None else threshold
        measures.append(
            CutMeasure(
                cut=cut,
                n_shown=int((shown == 1).sum()),
                auc=area_under_curve(present, absent),
                recall_at_1=float((best == shown[is_single].argmax(axis=1)).mean()),
                present_mean=float(present.mean()),
                absent_mean=float(absent.mean()),
                empty_mean=float(unnamed.mean()),
                threshold=chosen,
                hit_rate=float((present > chosen).mean()),
                false_alarm_rate=float((absent > chosen).mean()),
                empty_alarm_rate=float((unnamed > chosen).mean()),
            )
        )
    return tuple(measures)


def area_under_curve(present: Floats, absent: Floats) -> float:
    """P(present > absent) + P(equal) / 2 over all pairs: the Mann-Whitney statistic, scaled."""
    ordered = np.sort(absent)
    below = np.searchsorted(ordered, present, side="left")
    not_above = np.searchsorted(ordered, present, side="right")
    return float((below + not_above).mean() / (2 * len(absent)))


def best_threshold(present: Floats, absent: Floats, unnamed: Floats) -> float:
    """The cosine with the largest hit rate minus the mean of both false-alarm rates.

    Both count alike: a sentence may name what is not in view, or nothing at all.
    """
    candidates = np.linspace(-1, 1, 2001)
    misses = _share_up_to(candidates, present)
    rejections = (_share_up_to(candidates, absent) + _share_up_to(candidates, unnamed)) / 2
    return float(candidates[int((rejections - misses).argmax())])


def _share_up_to(candidates: NDArray[np.float64], cosines: Floats) -> NDArray[np.float64]:
    """Part of the cosines that do not lie above each candidate."""
    return np.searchsorted(np.sort(cosines), candidates, side="right") / len(cosines)
