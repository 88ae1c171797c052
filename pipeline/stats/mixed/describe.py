"""What a fit says beyond its coefficients: variance explained, and sentences for the reader."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.stats.mixed.coding import INTERCEPT_NAME
from pipeline.stats.mixed.design import Floats, RandomTerm
from pipeline.stats.mixed.frame import ModelFrame
from pipeline.stats.mixed.result import RandomCorrelation, RandomEffect
from pipeline.stats.mixed.search import SINGULAR_BELOW

LOGIT_VARIANCE = math.pi**2 / 3
"""Variance of the standard logistic distribution: the residual of a logit model."""
FEW_LEVELS = 5
_DOMINATING = 0.5
_CORRELATION_OF_ONE = 0.999
_DECIDING_SD = 10.0


@dataclass(frozen=True, slots=True)
class Variances:
    """Shares of variance (Nakagawa, Johnson and Schielzeth 2017, Journal of the Royal Society
    Interface 14: 20170213; slopes after Johnson 2014)."""

    icc: tuple[tuple[str, float], ...]
    r2_marginal: float
    r2_conditional: float


def variances(
    frame: ModelFrame, beta: Floats, factors: tuple[Floats, ...], residual: float
) -> Variances:
    """`residual` is the residual variance on the scale of the linear predictor."""
    explained = float(np.var(frame.design.fixed @ beta))
    between = [
        float(np.mean(((term.values @ factor) ** 2).sum(axis=1)))
        for term, factor in zip(frame.design.terms, factors, strict=True)
    ]
    unexplained = sum(between) + residual
    total = explained + unexplained
    names = (term.group for term in frame.design.terms)
    return Variances(
        tuple((name, own / unexplained) for name, own in zip(names, between, strict=True)),
        explained / total,
        (explained + sum(between)) / total,
    )


def random_parts(
    terms: tuple[RandomTerm, ...], factors: tuple[Floats, ...]
) -> tuple[tuple[RandomEffect, ...], tuple[RandomCorrelation, ...]]:
    """SDs of all effects, and the correlations of those that may correlate."""
    effects: list[RandomEffect] = []
    correlations: list[RandomCorrelation] = []
    for term, factor in zip(terms, factors, strict=True):
        covariance = factor @ factor.T
        sds = np.sqrt(np.diagonal(covariance))
        effects.extend(
            RandomEffect(term.group, name, float(sd))
            for name, sd in zip(term.columns, sds, strict=True)
        )
        start = 0
        for size in term.blocks:
            for i in range(start, start + size):
                for j in range(start, i):
                    both = sds[i] * sds[j]
                    value = float(covariance[i, j] / both) if both > 0 else math.nan
                    correlations.append(
                        RandomCorrelation(term.group, term.columns[j], term.columns[i], value)
                    )
            start += size
    return tuple(effects), tuple(correlations)


def data_messages(frame: ModelFrame) -> list[str]:
    """Sentences about the rows, before anything is fitted."""
    found = []
    n = len(frame.design.response)
    if frame.n_missing:
        found.append(
            f"{frame.n_missing:,} row(s) were left out because a value is missing; {n:,} were used."
        )
    if frame.response.n_without_trials:
        found.append(f"{frame.response.n_without_trials:,} row(s) without any trial were left out.")
    if frame.response.success:
        found.append(
            f"{frame.formula.response_text}: {frame.response.success} counts as 1, the other value "
            "as 0."
        )
    for dropped in frame.dropped:
        why = "no row has it" if dropped.is_empty else "the predictors before it determine it"
        found.append(f"{dropped.name} was left out: {why}, so it has no effect of its own.")
    for term, levels in zip(frame.design.terms, frame.level_names, strict=True):
        if term.n_levels < FEW_LEVELS:
            found.append(
                f"{term.group} has only {term.n_levels} levels: how much they differ (its SD) is "
                f"barely known, and so are effects that vary between them. {FEW_LEVELS} or more "
                "are needed, 10 or more are better."
            )
        counts = np.bincount(term.codes, minlength=term.n_levels)
        share = float(counts.max()) / n
        if term.n_levels > 2 and share > _DOMINATING:
            found.append(
                f"{levels[int(counts.argmax())]} alone gives {share:.0%} of the rows: what is said "
                f"about {term.group} rests mostly on it."
            )
        found.extend(
            f"{name} does not vary within any level of {term.group}, so how its effect varies "
            "between them cannot be told from how the levels differ."
            for name in _fixed_within(term)
        )
    return found


def fit_messages(
    random: tuple[RandomEffect, ...],
    correlations: tuple[RandomCorrelation, ...],
    *,
    relative_sds: Floats,
    is_singular: bool,
    has_converged: bool,
) -> list[str]:
    """Sentences about what the fit found. `relative_sds` (number of random effects,) are SDs over
    the residual SD in units of each column; those that are nearly 0 count as none."""
    found = []
    if not has_converged:
        found.append(
            "The search for the best fit did not settle, so do not rely on these numbers. Fewer "
            "random effects, or predictors on similar scales (scale(x)), often help."
        )
    if not is_singular:
        return found
    zero = [
        effect for effect, size in zip(random, relative_sds, strict=True) if size < SINGULAR_BELOW
    ]
    one = [c for c in correlations if abs(c.value) > _CORRELATION_OF_ONE]
    found.extend(
        f"Singular fit: {effect.term} varies by {effect.group} no more than noise alone would "
        "make it, so its SD is estimated as zero. The model is the same without that random effect."
        for effect in zero
    )
    found.extend(
        f"Singular fit: {c.first} and {c.second} of {c.group} are estimated as perfectly "
        "correlated, which means that the data cannot tell them apart. Write || for |, or leave "
        "one out."
        for c in one
    )
    if not zero and not one:
        found.append(
            "Singular fit: some combination of the random effects does not vary. The data cannot "
            "carry so many of them."
        )
    return found


def certainty_messages(random: tuple[RandomEffect, ...]) -> list[str]:
    """Sentences for binomial models whose groups (nearly) decide the outcome."""
    return [
        f"{effect.term} varies by {effect.group} with an SD of {effect.sd:.3g} in log-odds: its "
        "levels nearly decide the outcome, and the approximation is poor there. Do not rely on "
        "these numbers."
        for effect in random
        if effect.term == INTERCEPT_NAME and effect.sd > _DECIDING_SD
    ]


def _fixed_within(term: RandomTerm) -> list[str]:
    """Effects, beside an intercept, that are the same in all rows of each level."""
    if term.n_effects == 1:
        return []
    found = []
    order = np.argsort(term.codes, kind="stable")
    is_same_level = np.diff(term.codes[order]) == 0
    for name, values in zip(term.columns, term.values.T, strict=True):
        steps = np.abs(np.diff(values[order]))[is_same_level]
        if np.ptp(values) > 0 and (len(steps) == 0 or steps.max() == 0):
            found.append(name)
    return found
