"""How far raters of the same units agree, beyond what chance gives.

Ratings are a table (n_units, n_raters) of numbers or of codes of categories, NaN where a rater
did not see a unit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NOMINAL, ORDINAL, INTERVAL, RATIO = "nominal", "ordinal", "interval", "ratio"
SCALES = (NOMINAL, ORDINAL, INTERVAL, RATIO)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A coefficient (NaN when nothing varies or nobody shares a unit) and what it rests on: units
    that at least two raters saw, and raters who saw one of them."""

    value: float
    n_units: int
    n_raters: int


def krippendorff_alpha(ratings: Floats, scale: str = NOMINAL) -> Agreement:
    """Krippendorff's alpha for any number of raters, units that some did not see, and four scales
    (Krippendorff 2018, Content Analysis, 4th ed., chapter 12).

    1 - observed over expected disagreement of pairs of ratings of a unit. Raises ValueError for
    an unknown scale.
    """
    if scale not in SCALES:
        raise ValueError(f"{scale!r} is not one of {', '.join(SCALES)}")
    shared = _shared(ratings)
    n_raters = int((~np.isnan(shared)).any(axis=0).sum())
    values = np.unique(shared[~np.isnan(shared)])
    if len(values) < 2:
        return Agreement(math.nan, len(shared), n_raters)
    counts = np.stack([(shared == value).sum(axis=1) for value in values], axis=1)
    per_unit = counts.sum(axis=1, keepdims=True)
    # Coincidences: each ordered pair of ratings of a unit, a unit of m ratings counting as m.
    weighted = counts / (per_unit - 1)
    coincidences = weighted.T @ counts - np.diag(weighted.sum(axis=0))
    totals = coincidences.sum(axis=1)
    distances = _distances(values, totals, scale)
    observed = float((coincidences * distances).sum())
    expected = float((np.outer(totals, totals) * distances).sum()) / (totals.sum() - 1)
    value = 1 - observed / expected if expected > 0 else math.nan
    return Agreement(value, len(shared), n_raters)


def cohen_kappa(ratings: Floats) -> Agreement:
    """Cohen's kappa of two raters over the units that both saw (Cohen 1960).

    Raises ValueError unless there are two raters.
    """
    if ratings.shape[1] != 2:
        raise ValueError(f"Cohen's kappa is of two raters, not of {ratings.shape[1]}")
    both = ratings[~np.isnan(ratings).any(axis=1)]
    values = np.unique(both)
    if not len(both):
        return Agreement(math.nan, 0, 0)
    first, second = (
        np.array([(both[:, rater] == value).mean() for value in values]) for rater in (0, 1)
    )
    observed, expected = float((both[:, 0] == both[:, 1]).mean()), float(first @ second)
    value = (observed - expected) / (1 - expected) if expected < 1 else math.nan
    return Agreement(value, len(both), 2)


def fleiss_kappa(ratings: Floats) -> Agreement:
    """Fleiss' kappa over the units that the same number of raters saw, the most frequent number
    (Fleiss 1971); the raters may differ from unit to unit."""
    shared = _shared(ratings)
    if not len(shared):
        return Agreement(math.nan, 0, 0)
    n_seen = (~np.isnan(shared)).sum(axis=1)
    sizes, how_often = np.unique(n_seen, return_counts=True)
    m = int(sizes[np.argmax(how_often)])
    kept = shared[n_seen == m]
    values = np.unique(kept[~np.isnan(kept)])
    counts = np.stack([(kept == value).sum(axis=1) for value in values], axis=1)
    observed = float(((counts**2).sum(axis=1) - m).mean()) / (m * (m - 1))
    expected = float(((counts.sum(axis=0) / counts.sum()) ** 2).sum())
    value = (observed - expected) / (1 - expected) if expected < 1 else math.nan
    return Agreement(value, len(kept), int((~np.isnan(kept)).any(axis=0).sum()))


@dataclass(frozen=True, slots=True)
class IntraclassCorrelations:
    """Of units that all raters saw. `consistent` leaves differences between raters' means out.

    one_*: of a single rating; mean_*: of the mean over all raters. In Shrout & Fleiss' words
    (2, 1), (3, 1), (2, k) and (3, k).
    """

    one_absolute: float
    one_consistent: float
    mean_absolute: float
    mean_consistent: float
    n_units: int
    n_raters: int


def intraclass_correlations(ratings: Floats) -> IntraclassCorrelations:
    """Two-way intraclass correlations (Shrout & Fleiss 1979, Psychological Bulletin 86)."""
    whole = ratings[~np.isnan(ratings).any(axis=1)]
    n, k = whole.shape
    if n < 2 or k < 2:
        return IntraclassCorrelations(math.nan, math.nan, math.nan, math.nan, n, k)
    grand = whole.mean()
    of_units = k * float(((whole.mean(axis=1) - grand) ** 2).sum()) / (n - 1)
    of_raters = n * float(((whole.mean(axis=0) - grand) ** 2).sum()) / (k - 1)
    residual = whole - whole.mean(axis=1, keepdims=True) - whole.mean(axis=0) + grand
    error = float((residual**2).sum()) / ((n - 1) * (k - 1))
    between_raters = (of_raters - error) / n
    return IntraclassCorrelations(
        _ratio(of_units - error, of_units + (k - 1) * error + k * between_raters),
        _ratio(of_units - error, of_units + (k - 1) * error),
        _ratio(of_units - error, of_units + between_raters),
        _ratio(of_units - error, of_units),
        n,
        k,
    )


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else math.nan


def _shared(ratings: Floats) -> Floats:
    """The units that at least two raters saw."""
    return np.asarray(ratings[(~np.isnan(ratings)).sum(axis=1) >= 2])


def _distances(values: Floats, totals: Floats, scale: str) -> Floats:
    """Squared distance of each two values, (k, k)."""
    if scale == NOMINAL:
        return 1.0 - np.eye(len(values))
    if scale == ORDINAL:
        # Ratings between two ranks, and half of those at them.
        ends = np.cumsum(totals) - totals / 2
        return np.asarray((ends[:, None] - ends[None, :]) ** 2)
    difference = values[:, None] - values[None, :]
    if scale == INTERVAL:
        return np.asarray(difference**2)
    total = values[:, None] + values[None, :]
    shares = np.divide(difference, total, out=np.zeros_like(total), where=total != 0)
    return np.asarray(shares**2)
