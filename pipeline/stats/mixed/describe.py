"""What a fit says beyond its coefficients: variance explained, and sentences for the reader."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.stats.mixed.design import Floats, RandomTerm
from pipeline.stats.mixed.frame import ModelFrame
from pipeline.stats.mixed.result import RandomCorrelation, RandomEffect

LOGIT_VARIANCE = math.pi**2 / 3
"""Variance of the standard logistic distribution: the residual of a logit model."""
FEW_LEVELS = 5
_DOMINATING = 0.5
_CORRELATION_OF_ONE = 0.999


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
    for name in frame.dropped:
        found.append(
            f"{name} was left out: the predictors before it determine it, so it has no effect of "
            "its own."
        )
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
            f"{name} hardly varies within any level of {term.group}, so how its effect varies "
            "between them cannot be told from how the levels differ."
            for name in _fixed_within(term)
        )
    return found


def fit_messages(
    random: tuple[RandomEffect, ...],
    correlations: tuple[RandomCorrelation, ...],
    *,
    smallest: float,
    is_singular: bool,
    has_converged: bool,
) -> list[str]:
    """Sentences about what the fit found; an SD below `smallest` counts as none."""
    found = []
    if not has_converged:
        found.append(
            "The search for the best fit did not settle, so do not rely on these numbers. Fewer "
            "random effects, or predictors on similar scales (scale(x)), often help."
        )
    if not is_singular:
        return found
    zero = [effect for effect in random if effect.sd <= smallest]
    found.extend(
        f"Singular fit: {effect.term} does not vary by {effect.group} more than chance would let "
        "it, so its SD is estimated as zero. The model is the same without that random effect."
        for effect in zero
    )
    found.extend(
        f"Singular fit: {c.first} and {c.second} of {c.group} are estimated as perfectly "
        "correlated, which means that the data cannot tell them apart. Write || for |, or leave "
        "one out."
        for c in correlations
        if abs(c.value) > _CORRELATION_OF_ONE
    )
    if not found or (not zero and len(found) == int(not has_converged)):
        found.append(
            "Singular fit: some combination of the random effects does not vary. The data cannot "
            "carry so many of them."
        )
    return found


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
