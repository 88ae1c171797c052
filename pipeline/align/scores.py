"""One setting's scores of a child's utterances, filled crop by crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.align.kernels import Int16Array
from pipeline.align.null import draw_runs
from pipeline.align.null_scores import CHANCE, NullWork, score_null, turns
from pipeline.align.rounded import RoundedTexts
from pipeline.align.threads import Threads
from pipeline.align.utterances import Utterances
from pipeline.align.window_scores import OBSERVED, score_windows
from pipeline.records import Float32Array
from pipeline.schema import SCORE_STATISTICS, WINDOWS

_NAMES = tuple(column.name for column in SCORE_STATISTICS)
_OBSERVED = slice(_NAMES.index(OBSERVED[0]), _NAMES.index(OBSERVED[-1]) + 1)
assert _NAMES[_OBSERVED] == OBSERVED
_CHANCE = [_NAMES.index(name) for name in CHANCE]
_SHIFTED = [_NAMES.index(name) for name in (*OBSERVED, "null_mean")]
"""Statistics that a constant taken off all cosines of an utterance lowers by as much."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of m utterances with the texts (m, dim).

    statistics: float32 (m, n_crops, n_windows, n_statistics), in the order of SCORE_STATISTICS;
    cosines: float32 (n_lags, n_crops), in the order of the lag table; has_null: (m,).
    """

    utterances: Utterances
    texts: RoundedTexts
    statistics: NDArray[np.float32]
    cosines: Float32Array
    has_null: NDArray[np.bool_]

    @classmethod
    def empty(
        cls, utterances: Utterances, vectors: Float32Array, n_crops: int, threads: Threads
    ) -> Scores:
        """Before any crop is looked at; vectors (m, dim)."""
        m, n_lags = len(utterances), int(utterances.reach.n_frames.sum())
        return cls(
            utterances,
            RoundedTexts.of(vectors, threads),
            np.full((m, n_crops, len(WINDOWS), len(_NAMES)), np.nan, np.float32),
            np.empty((n_lags, n_crops), np.float32),
            np.zeros(m, np.bool_),
        )

    def fill(
        self, crop: int, images: Int16Array, n_sub_crops: int, n_draws: int, threads: Threads
    ) -> None:
        """Score one crop; images (n_frames * n_sub_crops, dim) are of all frames of the child.
        Without draws there is no null.

        Threads fill separate rows, so their number does not change the result.
        """
        own = self.utterances

        def score(rows: slice) -> None:
            part, texts = own.of(rows), self.texts.of_rows(rows)
            statistics = self.statistics[rows, crop]
            found = score_windows(
                texts,
                images,
                n_sub_crops,
                part.reach,
                part.windows,
                self.cosines[lags_before[rows.start] : lags_before[rows.stop], crop],
                statistics[..., _OBSERVED],
            )
            if not n_draws:
                return
            runs = draw_runs(part.windows, part.places, part.keys, n_draws)
            work = NullWork.of(runs, n_sub_crops)
            chance = score_null(texts, images, n_sub_crops, work, part.windows, found)
            statistics[..., _CHANCE] = chance
            self.has_null[rows] = runs.window_first[:, 0] >= 0

        lags_before = np.append(0, np.cumsum(own.reach.n_frames[:, 0]))
        threads.each(score, turns(own.windows.n_frames[:, -1], n_draws, threads.n))

    def of(self, rows: slice, lags: slice, crops: Sequence[int]) -> Scores:
        """The scores of some utterances, with their rows of the lag table, under some crops."""
        statistics, cosines = self.statistics[rows], self.cosines[lags]
        if list(crops) != list(range(self.cosines.shape[1])):
            statistics, cosines = statistics[:, crops], cosines[:, crops]
        return Scores(
            self.utterances.of(rows),
            self.texts.of_rows(rows),
            statistics,
            cosines,
            self.has_null[rows],
        )

    def shift(self, crop: int, taken_off: Float32Array) -> None:
        """Take a number (m,) off every cosine of an utterance under one crop."""
        self.statistics[:, crop][..., _SHIFTED] -= taken_off[:, None, None]
        utterance_row, _ = self.utterances.reach.rows(0)
        self.cosines[:, crop] -= taken_off[utterance_row]
