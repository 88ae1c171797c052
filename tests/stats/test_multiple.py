"""Corrections for many tests."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.stats.multiple import benjamini_hochberg, holm

P = np.array([0.01, 0.04, np.nan, 0.03, 0.005])


def test_holm_multiplies_the_smallest_by_the_number_of_tests():
    assert holm(P) == pytest.approx([0.03, 0.06, np.nan, 0.06, 0.02], nan_ok=True)


def test_benjamini_and_hochberg_raise_by_rank():
    expected = [0.02, 0.04, np.nan, 0.04, 0.02]
    assert benjamini_hochberg(P) == pytest.approx(expected, nan_ok=True)


def test_corrected_values_keep_their_order_and_lie_between_p_and_one():
    p = np.random.default_rng(1).uniform(size=40)
    for corrected in (holm(p), benjamini_hochberg(p)):
        assert (corrected >= p).all()
        assert corrected.max() <= 1
        assert (np.diff(corrected[np.argsort(p)]) >= 0).all()
    assert (benjamini_hochberg(p) <= holm(p)).all()


def test_false_findings_among_many_are_rare():
    rng = np.random.default_rng(2)
    any_false = [(holm(rng.uniform(size=50)) < 0.05).any() for _ in range(1_000)]
    assert 0.03 < np.mean(any_false) < 0.07


def test_nothing_stays_nothing():
    assert len(holm(np.zeros(0))) == 0
