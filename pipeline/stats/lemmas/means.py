"""Means of lemmas that do not make too much of rare ones.

A word heard ten times has a high or low mean by chance. Its shrunken mean is the best guess of
what it would have over endlessly many utterances: its own mean and the mean of all words, each by
its weight (the best linear unbiased prediction of a random lemma effect; Morris 1983, Journal of
the American Statistical Association 78, 47-55).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import FitError
from pipeline.stats.bootstrap import LEVEL, Interval
from pipeline.stats.lemmas.random_effects import Floats, fit_random_effects

MIN_LEMMAS = 5
"""Fewer words say too little about how much words differ."""


@dataclass(frozen=True, slots=True, eq=False)
class ShrunkenMeans:
    """estimates, low, high and own_weight (0-1: how much a word's own mean counts), all (n,).

    overall: the mean over words, its n the number of words. sd: standard deviation of the true
    means of words; 0 when the means differ no more than by chance.
    """

    estimates: Floats
    low: Floats
    high: Floats
    own_weight: Floats
    overall: Interval
    sd: float


def shrunken_means(means: Floats, variances: Floats, *, level: float = LEVEL) -> ShrunkenMeans:
    """Shrink means (n,) known with variances (n,) towards their overall mean.

    Intervals are for the true means: they hold the variance of the prediction and of the overall
    mean, and take the SD between words as known. Raises FitError below MIN_LEMMAS words.
    """
    from scipy.special import ndtri, stdtrit

    if len(means) < MIN_LEMMAS:
        raise FitError(
            f"Shrunken means need {MIN_LEMMAS} words; there are {len(means)}.",
            hint="Lower the minimum count, or take off a filter.",
        )
    fit = fit_random_effects(means, variances, np.ones((len(means), 1)))
    overall, variance = float(fit.coefficients[0]), float(fit.covariance[0, 0])
    total = fit.tau2 + variances
    own = np.divide(fit.tau2, total, out=np.ones_like(total), where=total > 0)
    estimates = own * means + (1 - own) * overall
    half = float(ndtri((1 + level) / 2)) * np.sqrt(own * variances + (1 - own) ** 2 * variance)
    around = float(stdtrit(fit.df, (1 + level) / 2)) * math.sqrt(fit.scale * variance)
    return ShrunkenMeans(
        estimates,
        estimates - half,
        estimates + half,
        own,
        Interval(overall, overall - around, overall + around, len(means), len(means), 0),
        math.sqrt(fit.tau2),
    )


def variances_of_means(
    n: Floats, n_same: Floats, *, within_variance: float, likeness: float
) -> Floats:
    """Variance of the mean score of each lemma over the utterances it could have been heard in.

    n (n_lemmas,): its scored utterances; n_same: the sum over recordings of the squared number of
    them. within_variance: of scores around the means of their lemmas, pooled over lemmas, because
    the variance of ten scores says little. likeness: `likeness_within`. The factor is the design
    effect 1 + (b - 1) likeness for clusters of unequal size (Kish 1965, Survey Sampling, ch. 5),
    with b = n_same / n: a word heard a hundred times in one book reading is heard about once.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        alike = 1 + (n_same / n - 1) * likeness
        found: Floats = within_variance * alike / n
    return found


def likeness_within(
    counts: Floats, sums: Floats, squares: Floats, strata: NDArray[np.int64]
) -> float:
    """How alike the scores of one recording are, 0-1: the intraclass correlation of recordings
    within children, from the analysis of variance (Donner 1986, International Statistical Review
    54, 67-82).

    counts, sums, squares: number, sum and sum of squares of the scores of each recording (r,);
    strata: its child. 0 when no child has two recordings with scores or no recording two scores.
    """
    kept = counts > 0
    counts, sums, squares, strata = counts[kept], sums[kept], squares[kept], strata[kept]
    if not len(counts):
        return 0.0
    _, child = np.unique(strata, return_inverse=True)
    n_child, sum_child = np.bincount(child, counts), np.bincount(child, sums)
    n, groups, children = float(counts.sum()), len(counts), len(n_child)
    if groups <= children or n <= groups:
        return 0.0
    between = float(np.sum(sums**2 / counts) - np.sum(sum_child**2 / n_child))
    within = float(squares.sum() - np.sum(sums**2 / counts))
    mean_between, mean_within = between / (groups - children), within / (n - groups)
    size = (n - float(np.sum(np.bincount(child, counts**2) / n_child))) / (groups - children)
    below = mean_between + (size - 1) * mean_within
    return min(1.0, max(0.0, (mean_between - mean_within) / below)) if below > 0 else 0.0
