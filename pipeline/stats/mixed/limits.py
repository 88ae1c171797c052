"""Models that no rows of this shape can carry, told before anything is fitted."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from pipeline.errors import FitError
from pipeline.stats.mixed.design import Floats, RandomTerm
from pipeline.stats.mixed.frame import ModelFrame

MOST_DENSE = 10_000
"""Random effects beside those of the largest factor: their cross products are one dense matrix
(0.8 GB at this size, and several copies of it)."""


def check_size(frame: ModelFrame, *, is_binomial: bool) -> None:
    """Raise FitError where rows, levels and effects do not fit each other."""
    design = frame.design
    n, p = design.fixed.shape
    if p == 0:
        raise FitError(
            "The formula has no fixed effect.", hint="Keep the intercept: y ~ 1 + (1 | child)."
        )
    n_parameters = p + sum(term.n_parameters for term in design.terms) + (not is_binomial)
    if n <= n_parameters:
        raise FitError(
            f"{n} row(s) are too few: the model has {n_parameters} numbers to estimate.",
            hint="Use more rows or a smaller model.",
        )
    for term in design.terms:
        is_yes_no = is_binomial and bool((frame.response.trials == 1).all())
        _check_term(term, n, is_binomial=is_binomial, is_yes_no=is_yes_no)
        if is_binomial and _is_decided(term, frame):
            raise FitError(
                f"Within every level of {term.group} the outcome is always the same, so "
                f"{term.group} decides it and nothing is left for other effects.",
                hint=f"Use rows in which the outcome differs within levels of {term.group}.",
            )
        if term.n_levels <= p and _is_explained(term, design.fixed):
            raise FitError(
                f"The fixed effects already give each level of {term.group} a value of its own, "
                "so how much the levels differ at random cannot be told.",
                hint=f"Keep {term.group} in one place only.",
            )
    for one, other in combinations(design.terms, 2):
        n_pairs = len(np.unique(one.codes * other.n_levels + other.codes))
        if one.n_levels == other.n_levels == n_pairs:
            raise FitError(
                f"{one.group} and {other.group} divide the rows in the same way.",
                hint="Keep one of them in the formula.",
            )
    sizes = sorted(term.n_levels * term.n_effects for term in design.terms)
    if sum(sizes[:-1]) > MOST_DENSE:
        raise FitError(
            f"The random effects beside those of the largest factor are {sum(sizes[:-1]):,}; at "
            f"most {MOST_DENSE:,} fit in memory.",
            hint="Leave one of the large factors out, or use rows of fewer levels.",
        )


def _is_decided(term: RandomTerm, frame: ModelFrame) -> bool:
    """Whether each level of a binomial model has successes only or failures only."""
    successes = np.bincount(term.codes, frame.response.values, term.n_levels)
    trials = np.bincount(term.codes, frame.response.trials, term.n_levels)
    return bool(np.all((successes == 0) | (successes == trials)))


def _is_explained(term: RandomTerm, fixed: Floats) -> bool:
    """Whether the levels are combinations of the fixed effects (n, p)."""
    levels = np.zeros((len(term.codes), term.n_levels))
    levels[np.arange(len(term.codes)), term.codes] = 1.0
    unexplained = levels - fixed @ np.linalg.lstsq(fixed, levels, rcond=None)[0]
    return bool(np.abs(unexplained).max() < 1e-6)


def _check_term(term: RandomTerm, n: int, *, is_binomial: bool, is_yes_no: bool) -> None:
    if term.n_levels == n and (is_yes_no or not is_binomial):
        raise FitError(
            f"Every row has a {term.group} of its own, so its effect cannot be told from noise.",
            hint=f"Leave (1 | {term.group}) out.",
        )
    if term.n_levels * term.n_effects >= n and not is_binomial:
        raise FitError(
            f"{term.group} has {term.n_levels:,} levels with {term.n_effects} effects each: more "
            f"than the {n:,} rows.",
            hint="Let fewer effects vary.",
        )
