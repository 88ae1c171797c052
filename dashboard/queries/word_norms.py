"""Lemmas beside norms: what goes into the regressions and their charts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard.queries.word_index import WordIndex
from dashboard.queries.word_scores import Doubles, LemmaScores
from dashboard.queries.word_table import part_name
from pipeline.parts_of_speech import PARTS_OF_SPEECH
from pipeline.stats.lemmas.norms import FREQUENCY_HERE, usual_norms


def predictors(index: WordIndex) -> tuple[str, ...]:
    """What words' scores can be regressed on: the norms, and how often words are heard here."""
    usual = usual_norms(index.norms)
    others = [name for name in (*index.norms, FREQUENCY_HERE) if name not in usual]
    return (*usual, *others)


def unit_of(index: WordIndex, norm: str) -> str:
    """Unit and source of a predictor, in words."""
    if norm == FREQUENCY_HERE:
        return "log10 of the utterances with the word, whole study"
    return index.units.get(norm) or "in its own unit"


def regression_table(
    index: WordIndex,
    lemmas: LemmaScores,
    norms: tuple[str, ...],
    min_count: int,
    part_of_speech: str,
) -> pd.DataFrame:
    """Lemmas with at least min_count scored utterances, most frequent first: lemma, part, n,
    mean, variance (of the mean) and a column for each of norms, NaN where unknown."""
    is_kept = lemmas.n >= max(1, min_count)
    if part_of_speech:
        is_kept &= index.parts == PARTS_OF_SPEECH.index(part_of_speech)
    kept = np.flatnonzero(is_kept)
    kept = kept[np.argsort(-lemmas.n[kept], kind="stable")]
    return pd.DataFrame(
        {
            "lemma": [index.lemmas[place] for place in kept],
            "part": [part_name(index, int(place)) for place in kept],
            "n": lemmas.n[kept],
            "mean": lemmas.mean[kept],
            "variance": lemmas.variance[kept],
            **{norm: _values(index, norm)[kept] for norm in norms},
        }
    )


def _values(index: WordIndex, norm: str) -> Doubles:
    if norm == FREQUENCY_HERE:
        return np.asarray(np.log10(np.diff(index.starts)), np.float64)
    return index.norms[norm]
