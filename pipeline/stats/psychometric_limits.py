"""How sure a psychometric curve is, when raters and items both repeat.

The covariance is a sandwich clustered two ways (see `crossed`), its clusters counted as if each had
been left out: a one-step jackknife, which does not understate with few clusters (MacKinnon, Nielsen
& Webb 2023, Journal of Econometrics 232, 272-299). A sandwich alone fails where the lapse rate is
at its limit, because threshold and ceiling then trade places on one side only. So the limits of a
parameter are where twice the loss of log-likelihood, the other parameters searched anew, reaches
Student's t squared times the ratio of its clustered variance to that of independent answers
(Chandler & Bate 2007, Biometrika 94, 167-183).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.stats.crossed import CrossedVariance, combined
from pipeline.stats.psychometric_search import (
    HIGHEST,
    LAPSE,
    LOG_SLOPE,
    LOWEST,
    Floats,
    Peak,
    Tallies,
    climb,
    derivatives,
    information,
    probabilities,
    safe,
)

Ints = NDArray[np.int64]

_MOST_LEVERAGE = 0.5
"""Share of the information in one direction that a cluster can have and still be left out."""

_PLAIN_LOG_SLOPE, _STEEP_LOG_SLOPE = 0.4, 1.4
"""A curve steeper than the second gets stuck between two items: it is searched for from the first
too."""

_BISECTIONS = 40
_CLOSE = 1e-3
"""Limits are found to this part of an SD of the scores, or of the log slope."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Single answers `is_right` (n,) to the item `items` (n,) by the rater `raters` (n,): codes
    from 0; items count as the rows of the tallies."""

    is_right: Floats
    raters: Ints
    items: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Clustered variances of theta's q searched parameters, and how much larger they are than if
    answers were independent (q,). `by_rater`, `by_item`, `alone` are the parts' covariances (q, q),
    `sizes` the numbers of raters and items."""

    variance: CrossedVariance
    inflation: Floats
    by_rater: Floats
    by_item: Floats
    alone: Floats
    sizes: tuple[int, int]

    def of(self, gradient: Floats) -> CrossedVariance:
        """Variances (m,) of combinations of theta; `gradient` is (m, q)."""
        by_rater, by_item, alone = (
            np.einsum("mq,qr,mr->m", gradient, part, gradient)
            for part in (self.by_rater, self.by_item, self.alone)
        )
        return combined(by_rater, by_item, alone, self.sizes)


def spread(tallies: Tallies, answers: Answers, at: Peak, *, is_lapse_held: bool) -> Spread:
    """The clustered spread around a peak; with a held lapse rate q is 2, else 3.

    Raises numpy's LinAlgError where the answers do not tell the parameters apart.
    """
    q = LAPSE if is_lapse_held else LAPSE + 1
    p = safe(probabilities(tallies.x, at.theta, tallies.chance))
    dp = derivatives(tallies.x, at.theta, tallies.chance)[:, :q]
    weight = 1 / (p * (1 - p))
    items = answers.items
    scores = ((answers.is_right - p[items]) * weight[items])[:, None] * dp[items]
    known = weight[:, None, None] * dp[:, :, None] * dp[:, None, :]
    whole = information(tallies, at.theta)[:q, :q]
    inverse = np.linalg.inv(whole)
    parts = [_left_out(scores, known[items], codes, whole) for codes in (answers.raters, items)]
    sizes = (len(parts[0]), len(parts[1]))
    by_rater, by_item, alone = (part.T @ part for part in (*parts, scores @ inverse))
    variance = combined(np.diagonal(by_rater), np.diagonal(by_item), np.diagonal(alone), sizes)
    inflation = variance.variances / np.diagonal(inverse)
    return Spread(variance, inflation, by_rater, by_item, alone, sizes)


def _left_out(scores: Floats, known: Floats, codes: Ints, whole: Floats) -> Floats:
    """By how much theta changes, to first order, without each cluster: (clusters, q)."""
    n, q = int(codes.max()) + 1, scores.shape[1]
    sums = np.stack([np.bincount(codes, scores[:, j], n) for j in range(q)], axis=1)
    own = np.empty((n, q, q))
    for j in range(q):
        for k in range(q):
            own[:, j, k] = np.bincount(codes, known[:, j, k], n)
    root = np.linalg.inv(np.linalg.cholesky(whole))
    leverages, directions = np.linalg.eigh(root @ own @ root.T)
    # A step between two scores rests on a few items; without them nothing would be left to divide
    # by, and the change to first order means nothing.
    stretched = 1 / (1 - np.clip(leverages, 0, _MOST_LEVERAGE))
    along = np.einsum("nji,nj->ni", directions, sums @ root.T) * stretched
    changes = np.einsum("nij,nj->ni", directions, along) @ root
    return np.asarray(changes * np.sqrt((n - 1) / n))


def profile_limits(
    tallies: Tallies, at: Peak, found: Spread, parameter: int, *, held: tuple[int, ...]
) -> tuple[float, float]:
    """Limits of one parameter; an end of its range where the likelihood sets none before."""
    allowed = float(found.variance.quantiles()[parameter] ** 2 * found.inflation[parameter])
    reach = float(found.variance.reach()[parameter])
    low, high = (
        _limit(tallies, at, parameter, held, allowed=allowed, reach=side * reach)
        for side in (-1, 1)
    )
    return low, high


def _limit(
    tallies: Tallies,
    at: Peak,
    parameter: int,
    held: tuple[int, ...],
    *,
    allowed: float,
    reach: float,
) -> float:
    theta, plain = at.theta, np.array([0.0, _PLAIN_LOG_SLOPE, at.theta[LAPSE]])

    def loss(value: float) -> float:
        nonlocal theta
        starts = [theta.copy()]
        if at.theta[LOG_SLOPE] > _STEEP_LOG_SLOPE:
            starts.append(plain.copy())
        for start in starts:
            start[parameter] = value
        found = [climb(tallies, start, (*held, parameter)) for start in starts]
        best = max(found, key=lambda one: one.loglik)
        theta = best.theta
        return 2 * (at.loglik - best.loglik) - allowed

    inner = float(at.theta[parameter])
    end = float((HIGHEST if reach > 0 else LOWEST)[parameter])
    outer, loss_outer, loss_inner = inner, -allowed, -allowed
    while loss_outer < 0:
        if outer == end:
            return end
        inner, loss_inner = outer, loss_outer
        outer = min(outer + reach, end) if reach > 0 else max(outer + reach, end)
        loss_outer = loss(outer)
    # Regula falsi with the Illinois rule: the root lies between inner and outer.
    for _ in range(_BISECTIONS):
        if abs(outer - inner) < _CLOSE:
            break
        middle = inner - loss_inner * (outer - inner) / (loss_outer - loss_inner)
        loss_middle = loss(middle)
        if abs(loss_middle) < _CLOSE * allowed:
            return middle
        if loss_middle < 0:
            inner, loss_inner, loss_outer = middle, loss_middle, loss_outer / 2
        else:
            outer, loss_outer, loss_inner = middle, loss_middle, loss_inner / 2
    return outer
