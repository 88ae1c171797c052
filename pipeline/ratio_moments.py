"""What intervals of shares and means rest on: sums over recordings, and how these vary.

A share is sum(t) / sum(b) over the recordings of a child, with t highly aligned and b scored
utterances; a mean has summed scores for t. The spread of such a ratio over recordings follows from
the sums and the central co-moments of t and b to third order (Davison & Hinkley 1997, Bootstrap
Methods, sections 2.6 and 3.8; see `pipeline.stats.from_moments`). They do not depend on the ratio,
so that those of each child give the interval of one child and of all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.compiled import compiled, compiled_for

FIELDS = ("n", "t", "b", "tt", "tb", "bb", "ttt", "ttb", "tbb", "bbb")
"""Of the clusters with b > 0: how many, sums of t and b, then sums of products of their distances
from the stratum's means."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Strata = NDArray[np.int32]


def ratio_moments(
    tops: Floats | Ints, bottoms: Floats | Ints, strata: Strata, n_strata: int
) -> Floats:
    """(n_strata, len(FIELDS)) of clusters with tops and bottoms (n,) in strata (n,) from 0."""
    found = np.zeros((n_strata, len(FIELDS)))
    compiled_for(add_moments, len(tops))(
        np.ascontiguousarray(tops, np.float64),
        np.ascontiguousarray(bottoms, np.float64),
        np.ascontiguousarray(strata, np.int32),
        found,
    )
    return found


def add_moments(tops: Floats, bottoms: Floats, strata: Strata, found: Floats) -> None:
    """`ratio_moments` into zeros, as a plain loop for `pipeline.compiled`."""
    for i in range(len(tops)):
        if bottoms[i] > 0:
            found[strata[i], 0] += 1
            found[strata[i], 1] += tops[i]
            found[strata[i], 2] += bottoms[i]
    for i in range(len(tops)):
        if bottoms[i] > 0:
            s = strata[i]
            t = tops[i] - found[s, 1] / found[s, 0]
            b = bottoms[i] - found[s, 2] / found[s, 0]
            found[s, 3] += t * t
            found[s, 4] += t * b
            found[s, 5] += b * b
            found[s, 6] += t * t * t
            found[s, 7] += t * t * b
            found[s, 8] += t * b * b
            found[s, 9] += b * b * b


def moments_of_scores(
    counts: Ints, sums: Floats, child: Strata, ages: Floats, n_children: int
) -> tuple[Floats, Floats, Floats]:
    """What is said of the scores of each group of each child.

    counts (n_recordings, n_groups, k >= 3): utterances, scored, at or above the threshold. sums
    (n_recordings, n_groups, l >= 1): of scores. child and ages (in days, NaN when unknown) of the
    recordings. Returns (n_groups, n_children, 4): utterances, recordings that hold any, the lowest
    and the highest age of these; and `ratio_moments` of the share and of the mean, (n_groups,
    n_children, 10) each.
    """
    n_groups = counts.shape[1]
    told = np.full((n_groups, n_children, 4), np.nan)
    share, mean = (np.zeros((n_groups, n_children, len(FIELDS))) for _ in range(2))
    for group in range(n_groups):
        n, n_scored, n_high = (counts[:, group, i].astype(np.float64) for i in range(3))
        spoken = np.flatnonzero(n)
        of = child[spoken]
        told[group, :, 0] = np.bincount(of, n[spoken], n_children)
        told[group, :, 1] = np.bincount(of, minlength=n_children)
        np.fmin.at(told[group, :, 2], of, ages[spoken])
        np.fmax.at(told[group, :, 3], of, ages[spoken])
        share[group] = ratio_moments(n_high, n_scored, child, n_children)
        mean[group] = ratio_moments(sums[:, group, 0], n_scored, child, n_children)
    return told, share, mean


def moments_of_chance(
    counts: Ints, sums: Floats, child: Strata, n_children: int
) -> tuple[Floats, Floats]:
    """What is said of the scores that have a null, against it.

    counts (n_recordings, n_groups, 2): how many, at or above the threshold; sums (n_recordings,
    n_groups, 3), the last of how many chance alone puts there. Returns (n_groups, n_children):
    the sums of the last, and `ratio_moments` of the share beyond chance.
    """
    n_groups = counts.shape[1]
    expected = np.zeros((n_groups, n_children))
    beyond = np.zeros((n_groups, n_children, len(FIELDS)))
    for group in range(n_groups):
        n, high, by_chance = counts[:, group, 0], counts[:, group, 1], sums[:, group, 2]
        expected[group] = np.bincount(child, by_chance, n_children)
        beyond[group] = ratio_moments(high - by_chance, n, child, n_children)
    return expected, beyond


def moments_of_pairs(
    counts: Ints, sums: Floats, child: Strata, n_children: int
) -> tuple[Ints, Floats, Floats, Floats, Floats, Floats]:
    """What is said of utterances scored under A and B.

    counts (n_recordings, n_groups, 4): below both thresholds, at or above that of B alone, of A
    alone, of both; sums (n_recordings, n_groups, 2): of B minus A, of its square. Returns counts
    and sums of the children, (n_groups, n_children, 4) and (n_groups, n_children, 2), and
    `ratio_moments` of the share under A, under B, of the change of the share, and of the mean
    difference.
    """
    n_groups = counts.shape[1]
    cells = np.zeros((n_groups, n_children, 4), np.int64)
    added = np.zeros((n_groups, n_children, 2))
    shape = (n_groups, n_children, len(FIELDS))
    a, b, change, difference = (np.zeros(shape) for _ in range(4))
    for group in range(n_groups):
        mine = counts[:, group]
        for i in range(4):
            cells[group, :, i] = np.bincount(child, mine[:, i], n_children).astype(np.int64)
        for i in range(2):
            added[group, :, i] = np.bincount(child, sums[:, group, i], n_children)
        n, gained, lost, both = mine.sum(axis=1), mine[:, 1], mine[:, 2], mine[:, 3]
        for found, tops in (
            (a, lost + both),
            (b, gained + both),
            (change, gained - lost),
            (difference, sums[:, group, 0]),
        ):
            found[group] = ratio_moments(tops, n, child, n_children)
    return cells, added, a, b, change, difference


def prepare() -> None:
    """Make the loop machine code: a second on a computer's first time, then a moment."""
    nothing = np.zeros(0)
    compiled(add_moments)(nothing, nothing, np.zeros(0, np.int32), np.zeros((1, len(FIELDS))))
