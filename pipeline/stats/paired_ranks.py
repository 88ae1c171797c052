"""Ranks of millions of pairs, over all and within children, in a few passes.

The range of each score, but for rare extremes, is cut into LEVELS steps; values of one step share
their mean rank, so that nothing need be sorted.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.compiled import compiled_for
from pipeline.stats import counting
from pipeline.stats.rank import LEVELS, level_scale

_SAMPLE = 50_000
_WITHIN = 16
"""Levels taken together within a child."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PairedRanks:
    """Of n pairs: `sums` and `sums_within` (6, n_recordings) as `rank.cluster_sums` of the ranks
    over all and within the child; `change` float32 (n,) is the rank of b minus that of a."""

    sums: Floats
    sums_within: Floats
    change: NDArray[np.float32]
    _cells: tuple[NDArray[np.int32], NDArray[np.int32]]
    _ranks: tuple[Floats, Floats]

    def ranks_of(self, places: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Ranks from 1 of a and of b at some places of the pairs."""
        mean = (len(self.change) + 1) / 2
        a, b = (
            ranks[cells[places]] + mean
            for ranks, cells in zip(self._ranks, self._cells, strict=True)
        )
        return a, b


def paired_ranks(
    number: NDArray[np.int32],
    recording: NDArray[np.int32],
    child: NDArray[np.int32],
    scores: tuple[NDArray[np.float32], NDArray[np.float32]],
    shape: tuple[int, int],
) -> PairedRanks:
    """Ranks of the utterances `number` (n,), all of which have both scores.

    recording, child (codes) and scores are over all utterances; shape: how many recordings and
    children there are.
    """
    n, (n_recordings, n_children) = len(number), shape
    # Each score on a thread of its own; the loops do not hold Python's lock.
    with ThreadPoolExecutor(2) as threads:
        levels = list(threads.map(lambda one: _levels(number, child, one, n_children), scores))
    cells, ranks, within = zip(*levels, strict=True)
    change = np.zeros(n, np.float32)
    parts = np.zeros((2, 2, 6, n_recordings))
    halves = slice(0, n // 2), slice(n // 2, n)

    def sum_half(place: int) -> None:
        half = halves[place]
        compiled_for(counting.sum_ranks, n)(
            number[half],
            recording,
            child,
            (cells[0][half], cells[1][half]),
            (ranks[0], ranks[1]),
            (within[0], within[1]),
            change[half],
            *parts[place],
        )

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(sum_half, range(2)))
    sums, sums_within = parts.sum(axis=0)
    return PairedRanks(sums, sums_within, change, (cells[0], cells[1]), (ranks[0], ranks[1]))


def _levels(
    number: NDArray[np.int32],
    child: NDArray[np.int32],
    values: NDArray[np.float32],
    n_children: int,
) -> tuple[NDArray[np.int32], Floats, Floats]:
    """The level of each pair, (n,); ranks of the levels (LEVELS,) and within children."""
    step = max(1, len(number) // _SAMPLE)
    low, scale = level_scale(values[number[::step]], LEVELS)
    cell = np.zeros(len(number), np.int32)
    counts = np.zeros(LEVELS, np.int64)
    counts_within = np.zeros((n_children, LEVELS // _WITHIN), np.int64)
    compiled_for(counting.count_levels, len(number))(
        number, child, values, low, scale, cell, counts, counts_within
    )
    return cell, _centred_ranks(counts[None])[0], _centred_ranks(counts_within)


def _centred_ranks(counts: NDArray[np.int64]) -> Floats:
    """Mean rank of each level (groups, levels), less the mean rank of the group."""
    totals = counts.sum(axis=1, keepdims=True)
    found: Floats = np.cumsum(counts, axis=1) - (counts - 1) / 2 - (totals + 1) / 2
    return found
