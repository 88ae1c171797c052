"""Ranks in steps are the ranks that sorting gives, over all and within children."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from pipeline.stats.paired_ranks import paired_ranks
from pipeline.stats.rank import cluster_sums


def of(a: np.ndarray, b: np.ndarray, child: np.ndarray):
    """Pairs of every second utterance, each of its child's only recording."""
    number = np.arange(0, len(a), 2, dtype=np.int32)
    n_children = int(child.max()) + 1
    found = paired_ranks(number, child, child, (a, b), (n_children, n_children))
    return number, found


def test_a_million_ranks_are_nearly_those_of_sorting():
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.2, 0.05, (2, 300_000)).astype(np.float32)
    a[:6] = [1e6, 0, -1e6, 0, 40.0, 0]
    number, found = of(a, b, np.zeros(len(a), np.int32))
    exact = rankdata(b[number]) - rankdata(a[number])
    assert np.abs(found.change - exact).max() < 60
    assert np.corrcoef(found.change, exact)[0, 1] > 1 - 1e-6
    first = found.ranks_of(np.arange(5))
    np.testing.assert_allclose(first[0], rankdata(a[number])[:5], atol=40)
    np.testing.assert_allclose(first[1], rankdata(b[number])[:5], atol=40)


def test_ranks_of_ratings_are_exact_over_all_and_within_children():
    rng = np.random.default_rng(6)
    a, b = rng.integers(0, 9, (2, 5_000)).astype(np.float32)
    child = rng.integers(0, 3, 5_000).astype(np.int32)
    number, found = of(a, b, child)
    a, b, child = a[number], b[number], child[number].astype(np.int64)
    np.testing.assert_array_equal(found.change, rankdata(b) - rankdata(a))
    np.testing.assert_allclose(found.sums, cluster_sums(rankdata(a), rankdata(b), child, 3))
    within = np.zeros((2, len(a)))
    for place in range(3):
        mine = child == place
        within[:, mine] = [rankdata(x[mine]) - (mine.sum() + 1) / 2 for x in (a, b)]
    expected = cluster_sums(within[0], within[1], child, 3)
    np.testing.assert_allclose(found.sums_within, expected, atol=1e-6)
