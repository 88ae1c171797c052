"""What the matched null leads one to expect."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.stats.chance import expected_counts, expected_shares


def test_a_threshold_at_the_mean_is_passed_by_half():
    shares = expected_shares(
        np.array([0.2]), np.array([0.02]), np.array([7.0]), np.array([0.2, 0.24])
    )
    assert shares == pytest.approx([0.5, 0.02275], abs=1e-4)


def test_groups_count_as_often_as_they_weigh():
    shares = expected_shares(
        np.array([0.1, 0.3]), np.array([0.001, 0.001]), np.array([3.0, 1.0]), np.array([0.2])
    )
    assert shares == pytest.approx([0.25])


def test_it_agrees_with_drawn_windows():
    rng = np.random.default_rng(1)
    mean, sd = rng.uniform(0.18, 0.22, 500), rng.uniform(0.01, 0.03, 500)
    drawn = rng.normal(mean, sd, (400, 500))
    expected = expected_shares(mean, sd, np.ones(500), np.array([0.24]))
    assert expected[0] == pytest.approx((drawn >= 0.24).mean(), abs=0.003)


def test_counts_add_up_to_the_utterances():
    edges = np.linspace(-1, 1, 401)
    counts = expected_counts(np.array([0.2, 0.1]), np.array([0.02, 0.01]), np.array([5, 9]), edges)
    assert counts.sum() == pytest.approx(14)
    assert edges[np.argmax(counts)] == pytest.approx(0.1, abs=0.006)


def test_no_spread_is_a_step():
    shares = expected_shares(
        np.array([0.2]), np.array([0.0]), np.array([1.0]), np.array([0.19, 0.21])
    )
    assert shares == pytest.approx([1, 0])


def test_nothing_gives_no_share():
    nothing = np.empty(0)
    assert np.isnan(expected_shares(nothing, nothing, nothing, np.array([0.2]))).all()
    assert expected_counts(nothing, nothing, nothing, np.array([0.0, 1.0])).tolist() == [0]
