"""Linear mixed models against lme4 and lmerTest (tests/reference/lme4.json) and plain algebra."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.stats.mixed.design import MixedDesign, RandomTerm, split_theta
from pipeline.stats.mixed.fit import fit_mixed
from pipeline.stats.mixed.formula import parse_formula
from pipeline.stats.mixed.frame import model_frame
from pipeline.stats.mixed.profiled import ProfiledDeviance

REFERENCE = Path(__file__).parents[1] / "reference"
FITS = json.loads((REFERENCE / "lme4.json").read_text(encoding="utf-8"))["fits"]


def rows_of(data: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "data" / f"{data}.csv")


@pytest.mark.parametrize(
    "known", FITS, ids=lambda k: f"{k['data']} {k['formula']} {'REML' if k['reml'] else 'ML'}"
)
def test_a_fit_agrees_with_lme4(known: dict) -> None:
    fit = fit_mixed(rows_of(known["data"]), known["formula"], is_reml=known["reml"])
    assert fit.has_converged
    assert fit.loglik == pytest.approx(known["loglik"], abs=1e-3)
    assert [effect.term for effect in fit.fixed] == known["terms"]
    estimates = [effect.estimate for effect in fit.fixed]
    assert estimates == pytest.approx(known["estimate"], rel=1e-4, abs=1e-5)
    assert [effect.se for effect in fit.fixed] == pytest.approx(known["se"], rel=1e-3)
    sds = sorted(row["sdcor"] for row in known["random"])
    found = sorted([*(effect.sd for effect in fit.random), fit.residual_sd])
    assert found == pytest.approx(sds, rel=1e-3, abs=1e-4 * max(sds))
    assert fit.is_singular == known["singular"]
    assert [effect.df for effect in fit.fixed] == pytest.approx(known["df"], rel=0.01)
    known_correlations = [row["sdcor"] for row in known["correlation"]]
    assert [c.value for c in fit.correlations] == pytest.approx(known_correlations, abs=1e-3)


@pytest.mark.parametrize("is_reml", [True, False])
def test_the_deviance_is_that_of_the_marginal_distribution(is_reml: bool) -> None:
    formula = parse_formula("y ~ x + (x | g) + (1 | h)")
    design = model_frame(rows_of("slopes_crossed"), formula, is_binomial=False).design
    profiled = ProfiledDeviance(design)
    theta = np.array([0.7, -0.2, 0.4, 0.5])
    solution, slopes = profiled.solve_with_slopes(theta)
    n, p = design.fixed.shape
    # V = I + Z Lambda Lambda' Z', written out.
    spread = np.eye(n)
    for term, factor in zip(design.terms, split_theta(design.terms, theta), strict=True):
        z = np.zeros((n, term.n_levels, term.n_effects))
        z[np.arange(n), term.codes] = term.values
        flat = (z @ factor).reshape(n, -1)
        spread += flat @ flat.T
    inverse = np.linalg.inv(spread)
    information = design.fixed.T @ inverse @ design.fixed
    beta = np.linalg.solve(information, design.fixed.T @ inverse @ design.response)
    rest = design.response - design.fixed @ beta
    rss = rest @ inverse @ rest
    assert solution.beta == pytest.approx(beta, rel=1e-9)
    assert solution.rss == pytest.approx(rss, rel=1e-9)
    degrees = n - p if is_reml else n
    deviance = np.linalg.slogdet(spread)[1] + degrees * (1 + np.log(2 * np.pi * rss / degrees))
    if is_reml:
        deviance += np.linalg.slogdet(information)[1]
    assert profiled.deviance(solution, is_reml=is_reml) == pytest.approx(deviance, rel=1e-10)
    # The random effects are the best linear predictions.
    predicted = sum(
        (term.values * effects[term.codes]).sum(axis=1)
        for term, effects in zip(design.terms, profiled.effects(theta), strict=True)
    )
    assert predicted == pytest.approx((spread - np.eye(n)) @ inverse @ rest, rel=1e-7, abs=1e-9)
    # The gradient is that of finite differences.
    steps = 1e-5 * np.eye(4)
    ahead = [profiled.deviance(profiled.solve(theta + s), is_reml=is_reml) for s in steps]
    behind = [profiled.deviance(profiled.solve(theta - s), is_reml=is_reml) for s in steps]
    differences = (np.array(ahead) - np.array(behind)) / 2e-5
    gradient = profiled.gradient(solution, slopes, is_reml=is_reml)
    assert gradient == pytest.approx(differences, rel=1e-6, abs=1e-5)


def test_a_design_whose_parts_do_not_fit_is_refused() -> None:
    ones = np.ones((4, 1))
    with pytest.raises(ValueError, match="codes are not within 0 to 1"):
        RandomTerm("g", ("(Intercept)",), np.array([0, 1, 2, 0]), 2, ones, (1,))
    with pytest.raises(ValueError, match="do not fit"):
        RandomTerm("g", ("(Intercept)", "x"), np.array([0, 1, 1, 0]), 2, ones, (1,))
    term = RandomTerm("g", ("(Intercept)",), np.array([0, 1, 1, 0]), 2, ones, (1,))
    with pytest.raises(ValueError, match="as long as the response"):
        MixedDesign(np.zeros(3), np.ones((3, 1)), ("(Intercept)",), (term,))
