"""Shrunken means and regressions on norms give published numbers, or say why they cannot."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import FitError
from pipeline.stats.lemmas.collinearity import collinearity
from pipeline.stats.lemmas.means import likeness_within, shrunken_means, variances_of_means
from pipeline.stats.lemmas.norms import regress_on_norms
from pipeline.stats.lemmas.random_effects import fit_random_effects

# Thirteen trials of BCG vaccination (Colditz et al. 1994, JAMA 271, 698-702): cases and others
# among the vaccinated, cases and others among the controls, degrees of latitude.
_BCG = np.array(
    [
        (4, 119, 11, 128, 44),
        (6, 300, 29, 274, 55),
        (3, 228, 11, 209, 42),
        (62, 13536, 248, 12619, 52),
        (33, 5036, 47, 5761, 13),
        (180, 1361, 372, 1079, 44),
        (8, 2537, 10, 619, 19),
        (505, 87886, 499, 87892, 13),
        (29, 7470, 45, 7232, 27),
        (17, 1699, 65, 1600, 42),
        (186, 50448, 141, 27197, 18),
        (5, 2493, 3, 2338, 33),
        (27, 16886, 29, 17825, 33),
    ],
    np.float64,
)


@pytest.fixture
def bcg() -> pd.DataFrame:
    a, b, c, d, latitude = _BCG.T
    return pd.DataFrame(
        {
            "lemma": [f"trial {i}" for i in range(13)],
            "mean": np.log(a / (a + b)) - np.log(c / (c + d)),
            "variance": 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d),
            "latitude": latitude,
        }
    )


def words(n: int = 200, seed: int = 2, tau: float = 0.02) -> pd.DataFrame:
    """Lemma means of which concreteness explains a known part."""
    rng = np.random.default_rng(seed)
    concrete, frequency = rng.normal(3, 1, n), rng.normal(2, 0.5, n)
    variance = 0.01 / rng.integers(10, 500, n)
    truth = 0.2 + 0.01 * (concrete - 3) + tau * rng.normal(size=n)
    return pd.DataFrame(
        {
            "lemma": [f"w{i}" for i in range(n)],
            "mean": truth + np.sqrt(variance) * rng.normal(size=n),
            "variance": variance,
            "concreteness": concrete,
            "frequency": frequency,
            "truth": truth,
        }
    )


def test_reml_gives_the_published_numbers_of_the_bcg_trials(bcg):
    y, v = bcg["mean"].to_numpy(), bcg["variance"].to_numpy()
    plain = fit_random_effects(y, v, np.ones((13, 1)))
    # As metafor prints them (Viechtbauer 2010, Journal of Statistical Software 36(3)).
    assert plain.tau2 == pytest.approx(0.3132, abs=5e-5)
    assert plain.coefficients[0] == pytest.approx(-0.7145, abs=5e-5)
    assert math.sqrt(plain.covariance[0, 0]) == pytest.approx(0.1798, abs=5e-5)
    found = regress_on_norms(bcg, ["latitude"])
    model = found.alone[0]
    assert model.slopes[0].estimate == pytest.approx(-0.0291, abs=5e-5)
    # metafor stops its steps a little before the maximum.
    assert model.sd_left**2 == pytest.approx(0.0764, abs=1e-4)
    assert model.r2 == pytest.approx(0.7562, abs=5e-4)
    assert found.joint is not None
    assert found.joint.slopes[0].estimate == pytest.approx(model.slopes[0].estimate)


def test_tested_slopes_are_those_of_weighted_least_squares(bcg):
    import statsmodels.api as sm

    found = regress_on_norms(bcg, ["latitude"]).alone[0]
    weights = 1 / (found.sd_left**2 + bcg["variance"])
    expected = sm.WLS(bcg["mean"], sm.add_constant(bcg["latitude"]), weights=weights).fit()
    slope = found.slopes[0]
    assert slope.estimate == pytest.approx(expected.params["latitude"])
    assert slope.se == pytest.approx(expected.bse["latitude"])
    assert slope.p == pytest.approx(expected.pvalues["latitude"])
    assert (slope.low, slope.high) == pytest.approx(tuple(expected.conf_int().loc["latitude"]))
    assert slope.df == expected.df_resid
    assert slope.sd_estimate == pytest.approx(slope.estimate * bcg["latitude"].std())
    assert slope.standardised == pytest.approx(slope.sd_estimate / bcg["mean"].std())


def test_the_likelihood_is_highest_where_reml_says(bcg):
    y, v = bcg["mean"].to_numpy(), bcg["variance"].to_numpy()
    design = np.column_stack([np.ones(13), bcg["latitude"]])

    def loglik(tau2: float) -> float:
        w = 1 / (tau2 + v)
        information = (design * w[:, None]).T @ design
        b = np.linalg.solve(information, (design * w[:, None]).T @ y)
        fit = float(w @ (y - design @ b) ** 2)
        return 0.5 * (np.log(w).sum() - np.linalg.slogdet(information)[1] - fit)

    best = fit_random_effects(y, v, design).tau2
    assert loglik(best) > max(loglik(best * 0.98), loglik(best * 1.02))


def test_with_equal_variances_shrinking_has_a_closed_form():
    means = np.array([0.1, 0.14, 0.2, 0.22, 0.3, 0.33])
    variance = 0.001
    found = shrunken_means(means, np.full(6, variance))
    total = means.var(ddof=1)
    own = 1 - variance / total
    np.testing.assert_allclose(found.own_weight, own, rtol=1e-6)
    np.testing.assert_allclose(found.estimates, means.mean() + own * (means - means.mean()))
    assert found.sd == pytest.approx(math.sqrt(total - variance), rel=1e-6)
    assert found.overall.estimate == pytest.approx(means.mean())
    half = 1.959964 * math.sqrt(own * variance + (1 - own) ** 2 * total / 6)
    np.testing.assert_allclose(found.high - found.estimates, half, rtol=1e-6)


def test_rare_words_are_shrunk_most_and_predict_better_than_their_own_means():
    table = words(600, tau=0.01)
    found = shrunken_means(table["mean"].to_numpy(), table["variance"].to_numpy())
    order = np.argsort(table["variance"])
    assert (np.diff(found.own_weight[order]) <= 0).all()
    errors = found.estimates - table["truth"]
    assert (errors**2).mean() < 0.9 * ((table["mean"] - table["truth"]) ** 2).mean()
    is_inside = (found.low <= table["truth"]) & (table["truth"] <= found.high)
    assert 0.92 < is_inside.mean() < 0.98


def test_means_that_differ_by_chance_alone_become_one_mean():
    means = np.array([0.2, 0.21, 0.19, 0.2, 0.205])
    found = shrunken_means(means, np.full(5, 0.01))
    assert found.sd == 0
    np.testing.assert_allclose(found.estimates, means.mean())


def test_means_that_are_known_exactly_are_kept():
    means = np.array([0.2, 0.3, 0.1, 0.25, 0.4])
    found = shrunken_means(means, np.zeros(5))
    np.testing.assert_allclose(found.estimates, means)
    assert found.sd == pytest.approx(means.std(ddof=1), rel=1e-4)


@pytest.mark.parametrize(
    ("means", "message"),
    [([0.2, 0.3, 0.1], "need 5 words; there are 3"), ([0.2] * 6, "the same mean score")],
)
def test_too_little_to_shrink_is_said(means: list[float], message: str):
    with pytest.raises(FitError, match=message) as problem:
        shrunken_means(np.array(means), np.full(len(means), 0.01))
    assert problem.value.hint


def test_a_joint_model_finds_what_was_planted():
    found = regress_on_norms(words(), ["concreteness", "frequency"])
    assert found.joint is not None
    concrete, frequency = found.joint.slopes
    assert concrete.low < 0.01 < concrete.high
    assert concrete.p_holm < 0.001
    assert frequency.low < 0 < frequency.high
    assert found.n == 200
    assert found.joint.r2 >= found.alone[1].r2
    assert [model.slopes[0].norm for model in found.alone] == ["concreteness", "frequency"]


def test_residuals_of_partial_plots_are_the_models(bcg):
    model = regress_on_norms(words(), ["concreteness", "frequency"]).joint
    assert model is not None
    residuals = [part["partial"] - part["fitted"] for _, part in model.partial.groupby("norm")]
    np.testing.assert_allclose(residuals[0], residuals[1], atol=1e-12)
    one = model.partial[model.partial["norm"] == "concreteness"]
    slope = np.polyfit(one["value"], one["fitted"], 1)[0]
    assert slope == pytest.approx(model.slopes[0].estimate)
    weighted = np.polyfit(one["value"], one["partial"], 1, w=np.sqrt(one["weight"]))[0]
    assert weighted == pytest.approx(model.slopes[0].estimate, rel=0.05)


def test_type_one_errors_keep_to_their_level_with_few_words():
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(200):
        variance = 0.01 / rng.integers(10, 200, 12)
        table = pd.DataFrame(
            {
                "lemma": list("abcdefghijkl"),
                "mean": 0.2 + rng.normal(size=12) * np.sqrt(0.0004 + variance),
                "variance": variance,
                "x": rng.normal(size=12),
            }
        )
        wrong += regress_on_norms(table, ["x"]).alone[0].slopes[0].p < 0.05
    assert 0.01 < wrong / 200 < 0.09


def test_collinearity_is_that_of_the_textbook():
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    rng = np.random.default_rng(2)
    x = rng.normal(size=(80, 3)) * [1, 5, 0.1] + [0, 100, 3]
    x[:, 2] += 0.09 * x[:, 0]
    found = collinearity(x, ("a", "b", "c"))
    with_constant = np.column_stack([np.ones(80), x])
    expected = [variance_inflation_factor(with_constant, i) for i in (1, 2, 3)]
    np.testing.assert_allclose(found.inflation, expected, rtol=1e-6)
    np.testing.assert_allclose(found.correlations, np.corrcoef(x.T), atol=1e-12)
    eigen = np.linalg.eigvalsh(np.corrcoef(x.T))
    assert found.condition == pytest.approx(math.sqrt(eigen[-1] / eigen[0]), rel=1e-6)
    assert found.inflated == ()


def test_two_predictors_that_correlate_by_r_have_a_closed_form():
    x = np.array([[1.0, 2], [2, 1], [3, 5], [4, 3], [5, 6], [6, 4.5]])
    found = collinearity(x, ("a", "b"))
    r = np.corrcoef(x.T)[0, 1]
    np.testing.assert_allclose(found.inflation, 1 / (1 - r**2))
    assert found.condition == pytest.approx(math.sqrt((1 + r) / (1 - r)))


def test_a_norm_that_others_give_exactly_leaves_the_single_models(bcg):
    table = words()
    table["twice"] = 2 * table["concreteness"] + 1
    found = regress_on_norms(table, ["concreteness", "frequency", "twice"])
    assert found.joint is None
    assert "concreteness, twice can be worked out from each other" in found.problem
    assert math.isinf(found.collinearity.condition)
    assert found.collinearity.inflated == ("concreteness", "twice")
    assert len(found.alone) == 3
    assert found.alone[0].slopes[0].p == pytest.approx(found.alone[2].slopes[0].p)


def test_words_that_lack_a_number_are_left_out_and_counted():
    table = words(60)
    table.loc[:4, "frequency"] = np.nan
    table.loc[10, "mean"] = np.nan
    found = regress_on_norms(table, ["concreteness", "frequency"])
    assert (found.n, found.n_left_out) == (54, 6)
    assert len(found.alone[0].partial) == 54


@pytest.mark.parametrize(
    ("change", "norms", "message"),
    [
        (lambda t: t.head(3), ["concreteness"], "3 words have a score .* needs 5"),
        (lambda t: t.assign(concreteness=4.0), ["concreteness"], "the same concreteness"),
        (lambda t: t.assign(concreteness=np.nan), ["concreteness"], "0 words have a score"),
        (lambda t: t.assign(mean=0.2), ["concreteness"], "the same mean score"),
        (lambda t: t, [], "No norm is chosen"),
    ],
)
def test_what_cannot_be_fitted_is_said_in_a_sentence(change, norms, message):
    with pytest.raises(FitError, match=message) as problem:
        regress_on_norms(change(words()), norms)
    assert problem.value.hint


def test_more_norms_than_words_carry_leave_the_single_models():
    table = words(7)
    rng = np.random.default_rng(4)
    norms = [f"n{i}" for i in range(4)]
    table[norms] = rng.normal(size=(7, 4))
    found = regress_on_norms(table, norms)
    assert found.joint is None
    assert "4 norms need 8 words, there are 7" in found.problem


def test_p_values_are_corrected_over_the_norms_of_one_kind_of_model():
    found = regress_on_norms(words(), ["concreteness", "frequency"])
    alone = sorted(model.slopes[0].p for model in found.alone)
    corrected = sorted(model.slopes[0].p_holm for model in found.alone)
    assert corrected == pytest.approx([2 * alone[0], max(2 * alone[0], alone[1])])


def test_scores_of_one_recording_that_are_alike_make_means_less_sure():
    rng = np.random.default_rng(5)
    children = np.repeat(np.arange(6), 40)
    n = rng.integers(5, 30, 240)
    recording = np.repeat(np.arange(240), n)
    # A fifth of the variance within a child lies between its recordings.
    level = children[recording] + np.sqrt(0.2) * rng.normal(size=240)[recording]
    scores = level + np.sqrt(0.8) * rng.normal(size=len(recording))
    likeness = likeness_within(
        n.astype(float),
        np.bincount(recording, scores),
        np.bincount(recording, scores**2),
        children,
    )
    assert likeness == pytest.approx(0.2, abs=0.03)
    spread, together = variances_of_means(
        np.array([100.0, 100.0]),
        np.array([100.0, 10_000.0]),
        within_variance=0.01,
        likeness=likeness,
    )
    assert spread == pytest.approx(0.01 / 100)
    assert together == pytest.approx(0.01 / 100 * (1 + 99 * likeness))


def test_without_two_recordings_of_a_child_nothing_is_known_of_likeness():
    one = np.array([10.0])
    assert likeness_within(one, one * 0.2, one * 0.05, np.array([0])) == 0
    assert likeness_within(np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3, np.int64)) == 0
