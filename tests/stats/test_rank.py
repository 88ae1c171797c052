"""Rank correlations agree with scipy, and their intervals with drawing anew."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from pipeline.stats.rank import (
    cluster_sums,
    clustered_correlation,
    correlation_of_sums,
    correlations_of_sums,
    rank_correlation,
    ranks,
    ranks_in_order,
)


def pairs(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, 0.6 * x + rng.normal(size=n)


@pytest.mark.parametrize("decimals", [6, 1, 0])
def test_ranks_share_ties_as_scipy_does(decimals: int):
    values = np.round(pairs(1)[0], decimals)
    np.testing.assert_array_equal(ranks(values), rankdata(values))


def test_ranks_in_groups_start_anew_in_each():
    rng = np.random.default_rng(2)
    values, groups = rng.integers(0, 20, 300).astype(float), rng.integers(0, 4, 300)
    found = ranks_in_order(values, np.lexsort((values, groups)), groups)
    for group in range(4):
        mine = groups == group
        np.testing.assert_array_equal(found[mine], rankdata(values[mine]))


def test_spearmans_rho_is_scipys():
    x, y = pairs(3)
    found = rank_correlation(x, y)
    assert found.estimate == pytest.approx(spearmanr(x, y).statistic)
    assert found.low < found.estimate < found.high
    assert found.n == 400


def test_the_interval_of_independent_pairs_covers_the_truth_about_as_often_as_it_says():
    truth = spearmanr(*pairs(99, 200_000)).statistic
    hits = 0
    for seed in range(300):
        found = rank_correlation(*pairs(seed, 100))
        hits += found.low <= truth <= found.high
    assert 0.91 <= hits / 300 <= 0.985


def test_values_that_do_not_vary_have_no_correlation():
    found = rank_correlation(np.ones(50), np.arange(50.0))
    assert np.isnan(found.estimate)
    assert not found.is_known


def clustered(seed: int, n_children: int = 4, n_recordings: int = 12, n: int = 30):
    """Pairs whose agreement differs between recordings."""
    rng = np.random.default_rng(seed)
    strata = np.repeat(np.arange(n_children), n_recordings)
    clusters = np.repeat(np.arange(len(strata)), n)
    slope = rng.normal(0.5, 0.4, len(strata))[clusters]
    x = rng.normal(size=len(clusters))
    return x, slope * x + rng.normal(size=len(clusters)), clusters, strata


def test_the_clustered_correlation_is_pearsons():
    x, y, clusters, strata = clustered(1)
    found = clustered_correlation(x, y, clusters, strata)
    assert found.estimate == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert (found.n_clusters, found.n_fixed) == (48, 0)


def test_the_clustered_interval_is_about_that_of_drawing_recordings():
    x, y, clusters, strata = clustered(2)
    found = clustered_correlation(x, y, clusters, strata)
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(600):
        taken = np.concatenate([rng.choice(np.flatnonzero(strata == s), 12) for s in range(4)])
        rows = np.concatenate([np.flatnonzero(clusters == c) for c in taken])
        drawn.append(np.corrcoef(x[rows], y[rows])[0, 1])
    low, high = np.quantile(drawn, [0.025, 0.975])
    width = high - low
    assert found.low == pytest.approx(low, abs=0.25 * width)
    assert found.high == pytest.approx(high, abs=0.25 * width)
    naive = rank_correlation(x, y)
    assert found.high - found.low > 1.5 * (naive.high - naive.low)


def test_clusters_alone_in_their_stratum_give_no_interval():
    x, y, clusters, strata = clustered(3, n_recordings=1)
    found = clustered_correlation(x, y, clusters, strata)
    assert not found.is_known
    assert found.n_fixed == 4


def test_nothing_has_no_correlation():
    none = np.zeros(0)
    found = clustered_correlation(none, none, none.astype(int), none.astype(int))
    assert np.isnan(found.estimate)


def test_strata_worked_out_together_are_those_worked_out_alone():
    x, y, clusters, strata = clustered(3)
    strata = np.append(strata, [4, 6])
    x, y = np.append(x, [1, 2, 3, 4, 5.0]), np.append(y, [3, 1, 2, 7, 9.0])
    clusters = np.append(clusters, [48, 48, 48, 49, 49])
    sums = cluster_sums(x, y, clusters, len(strata))
    found = correlations_of_sums(sums, strata, 7)
    assert [rho.n for rho in found] == [360, 360, 360, 360, 3, 0, 2]
    for place, rho in enumerate(found):
        mine = strata == place
        alone = correlation_of_sums(sums[:, mine], np.zeros(mine.sum(), np.int64))
        np.testing.assert_allclose(
            [rho.estimate, rho.low, rho.high, rho.n_clusters, rho.n_fixed],
            [alone.estimate, alone.low, alone.high, alone.n_clusters, alone.n_fixed],
            atol=1e-9,
        )


def test_two_recordings_of_each_child_are_enough_for_an_honest_interval():
    covered = 0
    for seed in range(200):
        x, y, clusters, strata = clustered(1_000 + seed, n_children=12, n_recordings=2)
        found = clustered_correlation(x, y, clusters, strata)
        # Of slope .5 with SD .4 and noise 1: cov .5, variance of y 1 + .5^2 + .4^2.
        covered += found.low <= 0.5 / np.sqrt(1.41) <= found.high
    assert covered / 200 > 0.9
