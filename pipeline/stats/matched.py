"""Two groups compared at equal numbers of frames (or any other level both can have).

The maximum cosine grows with the number of frames even if nothing is aligned, so a group of
longer utterances scores higher by that alone. Here each utterance is weighted so that both groups
have the same distribution over the levels: level k counts as a_k b_k / (a_k + b_k), the overlap
of the groups' numbers of utterances (Cochran 1954, Biometrics 10, 417-451), which is the weight
that makes the difference most certain. Levels that only one group has cannot be compared; they
are left out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.stats.contrasts import Contrast, Side, ratio_difference
from pipeline.stats.drawn import DRAWS, LEVEL, Floats, Ints


@dataclass(frozen=True, slots=True)
class LevelSums:
    """Sums over the utterances of one cluster, side and level; (m,) each, in any order.

    `clusters` are codes; `is_first` tells the side; `levels` are whole numbers (of frames);
    `tops` the numerators (highly aligned utterances, or summed scores) and `counts` the scored
    utterances.
    """

    clusters: Ints
    is_first: NDArray[np.bool_]
    levels: Ints
    tops: Floats
    counts: Floats


@dataclass(frozen=True, slots=True)
class MatchedDifference:
    """First minus second, as it is (`plain`) and with both sides' levels alike (`matched`).

    `plain_first`, `plain_second`, `first` and `second` are the sides' ratios, the latter matched.
    `levels` are those compared; `n_first` and `n_second` the utterances compared,
    `n_first_left_out` and `n_second_left_out` those at levels that the other side does not have.
    """

    plain: Contrast
    matched: Contrast
    plain_first: float
    plain_second: float
    first: float
    second: float
    levels: tuple[int, ...]
    n_first: int
    n_second: int
    n_first_left_out: int
    n_second_left_out: int


def matched_difference(
    sums: LevelSums,
    strata: Ints,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    level: float = LEVEL,
) -> MatchedDifference:
    """Compare two sides at equal levels, with intervals by clusters within strata.

    strata (n_clusters,): the stratum of each cluster. Weights and the means at each level are
    those of all clusters; what is drawn is how far clusters lie from these means
    (post-stratification, Valliant 1993, Journal of the American Statistical Association 88,
    89-96).
    """
    n = len(strata)
    names, codes = np.unique(sums.levels, return_inverse=True)
    sides = (sums.is_first, ~sums.is_first)
    counts = np.stack([_totals(codes[s], sums.counts[s], len(names)) for s in sides])
    tops = np.stack([_totals(codes[s], sums.tops[s], len(names)) for s in sides])
    first, second = (_plain_side(sums, side, n) for side in sides)
    plain = ratio_difference(first, second, strata, draws=draws, seed=seed, level=level)
    is_shared = (counts > 0).all(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        overlap = np.where(is_shared, counts[0] * counts[1] / counts.sum(axis=0), 0.0)
        share = overlap / overlap.sum()
        weights = np.where(is_shared, share / counts, 0.0)
        means = np.where(is_shared, tops / counts, 0.0)
        plain_ratios = tops.sum(axis=1) / counts.sum(axis=1)
    ratios = np.where(is_shared.any(), (share * means).sum(axis=1), np.nan)
    matched_sides = []
    for side, weight, mean, ratio in zip(sides, weights, means, ratios, strict=True):
        place = codes[side]
        part = weight[place] * sums.counts[side]
        away = weight[place] * (sums.tops[side] - mean[place] * sums.counts[side])
        bottoms = _totals(sums.clusters[side], part, n)
        matched_sides.append(Side(_totals(sums.clusters[side], away, n) + ratio * bottoms, bottoms))
    first, second = matched_sides
    matched = ratio_difference(first, second, strata, draws=draws, seed=seed, level=level)
    compared = counts[:, is_shared].sum(axis=1)
    # Weighted utterances are counted as what they are, not by their weights.
    matched = replace(matched, interval=replace(matched.interval, n=float(compared.sum())))
    left_out = counts[:, ~is_shared].sum(axis=1)
    return MatchedDifference(
        plain,
        matched,
        float(plain_ratios[0]),
        float(plain_ratios[1]),
        float(ratios[0]),
        float(ratios[1]),
        tuple(names[is_shared].tolist()),
        int(compared[0]),
        int(compared[1]),
        int(left_out[0]),
        int(left_out[1]),
    )


def _plain_side(sums: LevelSums, side: NDArray[np.bool_], n: int) -> Side:
    clusters = sums.clusters[side]
    return Side(_totals(clusters, sums.tops[side], n), _totals(clusters, sums.counts[side], n))


def _totals(codes: Ints, values: Floats, n: int) -> Floats:
    return np.bincount(codes, values, minlength=n).astype(np.float64)
