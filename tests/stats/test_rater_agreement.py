"""Coefficients of agreement against published worked examples."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.stats.rater_agreement import (
    cohen_kappa,
    fleiss_kappa,
    intraclass_correlations,
    krippendorff_alpha,
)

N = np.nan

# Krippendorff, "Computing Krippendorff's alpha-reliability" (2011): four observers, twelve units.
RELIABILITY = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
        [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
    ]
).T

# Shrout & Fleiss 1979, table 2: four judges of six targets.
JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]],
    dtype=float,
)


@pytest.mark.parametrize(
    ("scale", "alpha"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_alpha_is_that_of_krippendorffs_example(scale, alpha):
    found = krippendorff_alpha(RELIABILITY, scale)
    assert found.value == pytest.approx(alpha, abs=6e-4)
    assert (found.n_units, found.n_raters) == (11, 4)


def test_alpha_needs_something_that_varies_and_is_shared():
    assert np.isnan(krippendorff_alpha(np.ones((5, 2))).value)
    assert np.isnan(krippendorff_alpha(np.array([[1, N], [N, 2]])).value)
    assert krippendorff_alpha(np.array([[1.0, 1], [2, 2]])).value == 1
    with pytest.raises(ValueError, match="nominal, ordinal"):
        krippendorff_alpha(RELIABILITY, "cardinal")


def test_kappa_is_that_of_a_known_table():
    # Two readers of 50 applications: 20 both yes, 15 both no, 5 and 10 apart; kappa .4.
    pairs = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    found = cohen_kappa(np.array(pairs, dtype=float))
    assert found.value == pytest.approx(0.4)
    assert found.n_units == 50
    with pytest.raises(ValueError, match="two raters"):
        cohen_kappa(RELIABILITY)


def test_fleiss_kappa_agrees_with_statsmodels():
    from statsmodels.stats.inter_rater import aggregate_raters
    from statsmodels.stats.inter_rater import fleiss_kappa as theirs

    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 60)
    noise = rng.integers(0, 4, (60, 5))
    ratings = np.where(rng.random((60, 5)) < 0.6, truth[:, None], noise)
    found = fleiss_kappa(ratings.astype(float))
    assert found.value == pytest.approx(theirs(aggregate_raters(ratings)[0]))
    with_gaps = ratings.astype(float)
    with_gaps[:10, 0] = N
    assert fleiss_kappa(with_gaps).n_units == 50


def test_intraclass_correlations_are_those_of_shrout_and_fleiss():
    found = intraclass_correlations(JUDGES)
    assert found.one_absolute == pytest.approx(0.29, abs=5e-3)
    assert found.one_consistent == pytest.approx(0.71, abs=5e-3)
    assert found.mean_absolute == pytest.approx(0.62, abs=5e-3)
    assert found.mean_consistent == pytest.approx(0.91, abs=5e-3)
    assert (found.n_units, found.n_raters) == (6, 4)


def test_intraclass_correlations_need_two_units_and_two_raters():
    assert np.isnan(intraclass_correlations(JUDGES[:1]).one_absolute)
    assert np.isnan(intraclass_correlations(JUDGES[:, :1]).one_absolute)
