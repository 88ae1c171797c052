"""Psychometric curves: what they find, what they refuse, and how sure they are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.psychometric_coverage import CHANCE, DESIGNS, WORLDS, Study, rates_of, simulated
from pipeline.errors import FitError
from pipeline.stats.psychometric import Beyond, Psychometric, fit_psychometric
from pipeline.stats.psychometric_search import Tallies, derivatives, peak, probabilities

CLEAR, SHALLOW, _ = WORLDS


def fitted(study: Study, **settings: float) -> Psychometric:
    return fit_psychometric(study.scores, study.is_right, study.raters, study.items, **settings)


def study_of(p: np.ndarray, scores: np.ndarray, n_raters: int, seed: int = 1) -> Study:
    rng = np.random.default_rng(seed)
    items = np.tile(np.arange(len(scores)), n_raters)
    raters = np.repeat(np.arange(n_raters), len(scores))
    return Study(scores[items], rng.random(len(items)) < p[items], raters, items)


def test_derivatives_are_those_of_the_probabilities() -> None:
    x, theta = np.linspace(-2, 2, 9), np.array([0.3, 0.6, 0.07])
    found = derivatives(x, theta, 0.25)
    for place in range(3):
        ahead, behind = theta.copy(), theta.copy()
        ahead[place] += 1e-6
        behind[place] -= 1e-6
        change = probabilities(x, ahead, 0.25) - probabilities(x, behind, 0.25)
        assert found[:, place] == pytest.approx(change / 2e-6, abs=1e-7)


def test_the_search_finds_the_curve_that_expected_counts_were_made_from() -> None:
    x, theta = np.linspace(-1.7, 1.7, 60), np.array([0.2, math.log(2.2), 0.06])
    n = np.full(60, 100.0)
    found = peak(Tallies(x, n * probabilities(x, theta, 0.25), n, 0.25), lapse=None)
    assert found.has_converged
    assert found.theta == pytest.approx(theta, abs=1e-4)


def test_scipys_general_search_finds_no_higher_likelihood() -> None:
    from scipy.optimize import minimize

    study = simulated(DESIGNS[1], SHALLOW, 5)
    found = fitted(study)

    def loss(theta: np.ndarray) -> float:
        threshold, slope, lapse = theta[0], math.exp(theta[1]), min(max(theta[2], 0), 0.25)
        rising = 1 / (1 + np.exp(-slope * (study.scores - threshold)))
        p = CHANCE + (1 - CHANCE - lapse) * rising
        return -float(np.where(study.is_right, np.log(p), np.log1p(-p)).sum())

    start = [found.threshold.estimate, math.log(found.slope.estimate), found.lapse.estimate]
    other = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
    assert found.loglik == pytest.approx(-other.fun, abs=1e-4)


def test_intervals_of_simulated_studies_hold_the_truth() -> None:
    rates = rates_of(DESIGNS[1], SHALLOW, 20)
    assert rates.n_refused == 0
    assert rates.threshold >= 17
    assert rates.slope >= 17
    assert rates.bins / rates.n_bins >= 0.9


def test_intervals_are_wider_than_independent_answers_would_give() -> None:
    study = simulated(DESIGNS[1], CLEAR, 3)
    found = fitted(study)
    loose = fit_psychometric(
        study.scores,
        study.is_right,
        np.arange(len(study.scores)) % 200,
        study.items,
    )
    assert loose.threshold.estimate == pytest.approx(found.threshold.estimate, abs=1e-4)
    assert found.threshold.high - found.threshold.low > 0.01


def test_a_given_lapse_rate_is_held_and_narrows_the_threshold() -> None:
    study = simulated(DESIGNS[1], SHALLOW, 2)
    free, held = fitted(study), fitted(study, lapse=0.02)
    assert held.lapse.estimate == 0.02
    assert math.isnan(held.lapse.low)
    free_width = free.threshold.high - free.threshold.low
    assert held.threshold.high - held.threshold.low < free_width
    with pytest.raises(ValueError, match="0 to"):
        fitted(study, lapse=0.5)


def test_the_unit_of_the_score_does_not_matter() -> None:
    study = simulated(DESIGNS[1], CLEAR, 4)
    raw = fitted(study)
    z = fitted(Study((study.scores - 0.2) / 0.03, study.is_right, study.raters, study.items))
    assert z.threshold.low * 0.03 + 0.2 == pytest.approx(raw.threshold.low, abs=1e-6)
    assert z.slope.high / 0.03 == pytest.approx(raw.slope.high, rel=1e-4)


def test_the_curve_passes_halfway_at_the_threshold_and_its_band_holds_it() -> None:
    found = fitted(simulated(DESIGNS[1], CLEAR, 6))
    at = np.array([found.threshold.estimate, 0.14, 0.34])
    p, low, high = found.curve(at)
    assert p[0] == pytest.approx(found.halfway)
    assert (low < p).all()
    assert (low >= CHANCE).all()
    assert (p < high).all()


def test_a_threshold_outside_the_scores_is_only_said_to_be_beyond() -> None:
    scores = np.linspace(0.14, 0.3, 40)
    p = 0.25 + 0.75 / (1 + np.exp(-25 * (scores - 0.36)))
    found = fitted(study_of(p, scores, 40), lapse=0.0)
    assert found.beyond is Beyond.ABOVE
    assert math.isnan(found.threshold.estimate)
    assert any("above 0.3" in message for message in found.messages)
    easy = 0.25 + 0.75 / (1 + np.exp(-25 * (scores - 0.08)))
    assert fitted(study_of(easy, scores, 40), lapse=0.0).beyond is Beyond.BELOW


@pytest.mark.parametrize(
    ("p_low", "p_high", "n_raters", "words"),
    [
        (0.3, 0.9, 1, "1 rater"),
        (1.0, 1.0, 10, "Every answer is right"),
        (0.2, 0.2, 30, "no more than chance"),
        (0.6, 0.6, 30, "does not clearly rise"),
        (0.9, 0.3, 30, "does not clearly rise"),
    ],
)
def test_answers_that_say_nothing_about_a_curve_are_refused_in_a_sentence(
    p_low: float, p_high: float, n_raters: int, words: str
) -> None:
    scores = np.linspace(0.14, 0.34, 30)
    study = study_of(np.linspace(p_low, p_high, 30), scores, n_raters)
    with pytest.raises(FitError, match=words) as problem:
        fitted(study)
    assert problem.value.hint


def test_no_answers_and_few_different_scores_are_refused() -> None:
    empty = np.zeros(0)
    with pytest.raises(FitError, match="no answers"):
        fitted(Study(empty, empty.astype(bool), empty.astype(int), empty.astype(int)))
    with pytest.raises(FitError, match="too few for a curve"):
        fitted(study_of(np.full(4, 0.5), np.array([0.1, 0.2, 0.3, 0.4]), 10))


def test_a_step_between_two_scores_gets_no_upper_limit_of_its_slope() -> None:
    scores = np.linspace(0.14, 0.34, 40)
    p = np.where(scores < 0.24, 0.25, 1.0)
    found = fitted(study_of(p, scores, 30))
    assert math.isinf(found.slope.high)
    assert found.threshold.estimate == pytest.approx(0.24, abs=0.01)


def test_where_no_item_scores_between_low_and_high_the_interval_spans_the_gap() -> None:
    scores = np.concatenate((np.linspace(-1.5, 0.8, 20), np.linspace(3.8, 10, 20)))
    p = np.where(scores < 2, 0.3, 0.85)
    for seed in range(6):
        found = fitted(study_of(p, scores, 6, seed))
        assert -1.5 < found.threshold.low < 1.5
        assert 2 < found.threshold.high < 10
        assert math.isinf(found.slope.high)
        assert found.slope.low < 2
