"""Mixed models against lme4 and lmerTest (tests/reference/lme4.json, made by fit.R)."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.mixed_data import large_study
from pipeline.stats.mixed.fit import fit_mixed

REFERENCE = Path(__file__).parents[1] / "reference"
FITS = json.loads((REFERENCE / "lme4.json").read_text(encoding="utf-8"))["fits"]
LINEAR = [known for known in FITS if known["family"] == "gaussian"]
BINOMIAL = [known for known in FITS if known["family"] == "binomial"]


def rows_of(data: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "data" / f"{data}.csv")


def name_of(known: dict) -> str:
    return f"{known['data']} {known['formula']} {'REML' if known['reml'] else 'ML'}"


def test_the_reference_holds_enough_data_sets_of_both_families() -> None:
    assert len({known["data"] for known in FITS}) >= 8
    assert len(LINEAR) >= 16
    assert len(BINOMIAL) >= 4
    assert any(known["singular"] for known in FITS)


@pytest.mark.parametrize("known", LINEAR, ids=name_of)
def test_a_linear_fit_agrees_with_lme4_and_lmertest(known: dict) -> None:
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
    assert [effect.df for effect in fit.fixed] == pytest.approx(known["df"], rel=0.01)
    correlations = [row["sdcor"] for row in known["correlation"]]
    assert [c.value for c in fit.correlations] == pytest.approx(correlations, abs=2e-3)
    assert fit.is_singular == known["singular"]
    assert any("Singular" in message for message in fit.messages) == known["singular"]


@pytest.mark.parametrize("known", BINOMIAL, ids=name_of)
def test_a_binomial_fit_agrees_with_glmer(known: dict) -> None:
    fit = fit_mixed(rows_of(known["data"]), known["formula"], family="binomial")
    assert fit.has_converged
    assert fit.loglik == pytest.approx(known["loglik"], abs=1e-3)
    assert [effect.term for effect in fit.fixed] == known["terms"]
    estimates = [effect.estimate for effect in fit.fixed]
    assert estimates == pytest.approx(known["estimate"], rel=1e-3, abs=1e-4)
    assert [effect.se for effect in fit.fixed] == pytest.approx(known["se"], rel=1e-2)
    sds = sorted(row["sdcor"] for row in known["random"])
    assert sorted(effect.sd for effect in fit.random) == pytest.approx(sds, rel=1e-3)
    correlations = [row["sdcor"] for row in known["correlation"]]
    assert [c.value for c in fit.correlations] == pytest.approx(correlations, abs=2e-3)
    assert all(math.isinf(effect.df) for effect in fit.fixed)
    assert math.isnan(fit.residual_sd)


def test_a_study_of_20000_rows_agrees_with_lme4() -> None:
    known = json.loads((REFERENCE / "lme4_medium.json").read_text(encoding="utf-8"))
    fit = fit_mixed(large_study(known["n"], n_recordings=300, n_lemmas=600), known["formula"])
    assert fit.has_converged
    estimates = [effect.estimate for effect in fit.fixed]
    assert estimates == pytest.approx(known["estimate"], rel=1e-3)
    assert [effect.se for effect in fit.fixed] == pytest.approx(known["se"], rel=1e-3)
    assert [effect.df for effect in fit.fixed] == pytest.approx(known["df"], rel=0.01)
    sds = sorted(row["sdcor"] for row in known["random"])
    found = sorted([*(effect.sd for effect in fit.random), fit.residual_sd])
    assert found == pytest.approx(sds, rel=1e-3)
    assert fit.loglik == pytest.approx(known["loglik"], abs=1e-3)


def test_the_units_of_a_predictor_change_nothing_but_its_own_effect() -> None:
    rows = rows_of("slopes_crossed")
    formula = "y ~ x + (x | g) + (1 | h)"
    fit = fit_mixed(rows, formula)
    moved = fit_mixed(rows.assign(x=rows["x"] * 1e6), formula)
    assert moved.fixed[1].estimate * 1e6 == pytest.approx(fit.fixed[1].estimate, rel=1e-4)
    assert moved.fixed[1].df == pytest.approx(fit.fixed[1].df, rel=1e-3)
    assert moved.random[1].sd * 1e6 == pytest.approx(fit.random[1].sd, rel=1e-3)
    assert moved.residual_sd == pytest.approx(fit.residual_sd, rel=1e-4)
    # REML's criterion has the units of the fixed effects: lme4 shows the same difference.
    assert moved.loglik == pytest.approx(fit.loglik - math.log(1e6), abs=1e-4)
    yes = rows.assign(y=(rows["y"] > rows["y"].median()).astype(int))
    small = fit_mixed(yes, "y ~ x + (1 | g)", family="binomial")
    large = fit_mixed(yes.assign(x=yes["x"] * 1e6), "y ~ x + (1 | g)", family="binomial")
    assert large.loglik == pytest.approx(small.loglik, abs=1e-5)
    assert large.fixed[1].statistic == pytest.approx(small.fixed[1].statistic, rel=1e-3)


def test_the_shares_of_variance_are_those_of_their_definitions() -> None:
    rows = rows_of("crossed")
    fit = fit_mixed(rows, "y ~ x + (1 | g) + (1 | h)")
    fitted = fit.fixed[1].estimate * rows["x"]
    g, h = (effect.sd**2 for effect in fit.random)
    total = fitted.var(ddof=0) + g + h + fit.residual_sd**2
    assert fit.r2_marginal == pytest.approx(fitted.var(ddof=0) / total)
    assert fit.r2_conditional == pytest.approx((fitted.var(ddof=0) + g + h) / total)
    unexplained = g + h + fit.residual_sd**2
    assert dict(fit.icc) == pytest.approx({"g": g / unexplained, "h": h / unexplained})
    fit = fit_mixed(rows_of("choices"), "y ~ x + (1 | g)", family="binomial")
    own = fit.random[0].sd ** 2
    assert dict(fit.icc)["g"] == pytest.approx(own / (own + math.pi**2 / 3))
