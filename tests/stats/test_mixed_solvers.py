"""The solvers of mixed models against plain algebra with dense matrices, and finite differences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from threadpoolctl import threadpool_limits

from pipeline.stats.mixed.design import MixedDesign, RandomTerm, split_theta
from pipeline.stats.mixed.formula import parse_formula
from pipeline.stats.mixed.frame import model_frame
from pipeline.stats.mixed.laplace import LaplaceDeviance
from pipeline.stats.mixed.profiled import ProfiledDeviance
from pipeline.stats.mixed.search import minimise

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def rows_of(data: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "data" / f"{data}.csv")


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


@pytest.mark.parametrize("n_levels", [(30, 12), (200, 30)])
def test_the_laplace_deviance_has_its_mode_determinant_and_gradient(
    n_levels: tuple[int, int],
) -> None:
    rng = np.random.default_rng(4)
    n = 300
    terms = tuple(
        RandomTerm(
            name,
            ("(Intercept)", "x")[:k],
            rng.integers(0, size, n),
            size,
            np.column_stack((np.ones(n), rng.normal(size=n)))[:, :k],
            (k,),
        )
        for name, size, k in zip("gh", n_levels, (2, 1), strict=True)
    )
    fixed = np.column_stack((np.ones(n), rng.normal(size=n)))
    trials = rng.integers(1, 5, n).astype(float)
    successes = rng.binomial(trials.astype(int), 0.4).astype(float)
    laplace = LaplaceDeviance(MixedDesign(successes, fixed, ("a", "b"), terms), trials)
    parameters = np.array([0.7, -0.3, 0.5, 0.6, 0.2, 0.4])
    deviance, gradient = laplace.deviance_and_gradient(parameters)
    # Written out: all random effects in one dense matrix.
    parts = []
    for term, factor in zip(terms, split_theta(terms, parameters[:4]), strict=True):
        z = np.zeros((n, term.n_levels, term.n_effects))
        z[np.arange(n), term.codes] = term.values
        parts.append((z @ factor).reshape(n, -1))
    z = np.hstack(parts)
    offset = fixed @ parameters[4:]
    u = np.zeros(z.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-(offset + z @ u)))
        weights = trials * chance * (1 - chance)
        information = (z * weights[:, None]).T @ z + np.eye(len(u))
        u = u + np.linalg.solve(information, z.T @ (successes - trials * chance) - u)
    chance = 1 / (1 + np.exp(-(offset + z @ u)))
    loglik = stats.binom.logpmf(successes, trials, chance).sum()
    expected = -2 * loglik + u @ u + np.linalg.slogdet(information)[1]
    assert deviance == pytest.approx(expected, rel=1e-9)
    steps = 1e-4 * np.eye(6)
    differences = [
        laplace.deviance_and_gradient(parameters + step)[0]
        - laplace.deviance_and_gradient(parameters - step)[0]
        for step in steps
    ]
    assert gradient == pytest.approx(np.array(differences) / 2e-4, rel=1e-4, abs=1e-3)


def test_a_search_that_ends_at_zero_by_accident_goes_on() -> None:
    # Two SDs; the deviance is even in each and has its minimum at (2, 1), a maximum at 0.
    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        rest = z**2 - np.array([4.0, 1.0])
        return float((rest**2).sum()), 4 * rest * z

    found = minimise(objective, np.array([0.0, 0.5]), np.array([True, True]), np.ones(2))
    assert found.parameters == pytest.approx([2.0, 1.0], abs=1e-4)
    assert found.has_converged
