"""A made-up study at the size of a corpus, for mixed models: children, recordings, lemmas."""

from __future__ import annotations

import numpy as np
import pandas as pd

FORMULA = "score ~ duration + concreteness + (1 | child) + (1 | recording) + (1 | lemma)"
N_ROWS, N_CHILDREN, N_RECORDINGS, N_LEMMAS = 200_000, 19, 1_500, 3_000


def large_study(
    n_rows: int = N_ROWS,
    *,
    n_recordings: int = N_RECORDINGS,
    n_lemmas: int = N_LEMMAS,
    seed: int = 1,
) -> pd.DataFrame:
    """One row for each use of a lemma, its score (cosine), the utterance's duration (s) and the
    lemma's concreteness.

    Recordings are nested in 19 children and crossed with lemmas, whose frequencies fall off with
    their rank as words' do. Rounded, so that a CSV file holds the same numbers.
    """
    rng = np.random.default_rng(seed)
    recording = rng.integers(0, n_recordings, n_rows)
    child = recording % N_CHILDREN
    rank = (rng.pareto(1.0, n_rows) * 30).astype(np.int64)
    lemma = np.where(rank < n_lemmas, rank, rng.integers(0, n_lemmas, n_rows))
    duration = rng.lognormal(0.3, 0.6, n_rows).round(3)
    concreteness = rng.uniform(1, 5, n_lemmas).round(2)[lemma]
    score = (
        0.2
        + 0.001 * duration
        + 0.003 * concreteness
        + rng.normal(0, 0.01, N_CHILDREN)[child]
        + rng.normal(0, 0.01, n_recordings)[recording]
        + rng.normal(0, 0.02, n_lemmas)[lemma]
        + rng.normal(0, 0.05, n_rows)
    )
    return pd.DataFrame(
        {
            "score": score.round(6),
            "duration": duration,
            "concreteness": concreteness,
            "child": child,
            "recording": recording,
            "lemma": lemma,
        }
    )
