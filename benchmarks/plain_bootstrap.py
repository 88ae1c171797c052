"""The usual bootstrap intervals of a ratio, for comparison: percentiles and BCa."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.stats.drawn import drawn_counts

Floats = NDArray[np.float64]

_NORMAL = 1.959964


def percentile_limits(
    tops: Floats, bottoms: Floats, strata: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """2.5 and 97.5 % of the drawn ratios of every study; arrays are (n_studies, n_clusters)."""
    drawn = _drawn(tops, bottoms, strata)
    return _at(drawn, np.full(len(tops), 0.025)), _at(drawn, np.full(len(tops), 0.975))


def bca_limits(tops: Floats, bottoms: Floats, strata: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Bias-corrected and accelerated limits (Efron 1987, Journal of the American Statistical
    Association 82, 171-185), acceleration by the infinitesimal jackknife."""
    from scipy.special import ndtr, ndtri

    drawn = _drawn(tops, bottoms, strata)
    estimate = tops.sum(axis=1) / bottoms.sum(axis=1)
    parts = (tops - estimate[:, None] * bottoms).reshape(len(tops), int(strata.max()) + 1, -1)
    parts = (parts - parts.mean(axis=2, keepdims=True)).reshape(len(tops), -1)
    squares = np.maximum((parts**2).sum(axis=1), 1e-12)
    acceleration = (parts**3).sum(axis=1) / 6 / squares**1.5
    below = (drawn < estimate[:, None]).mean(axis=1) + (drawn == estimate[:, None]).mean(axis=1) / 2
    shift = ndtri(np.clip(below, 0.001, 0.999))
    places = []
    for normal in (-_NORMAL, _NORMAL):
        moved = shift + normal
        places.append(ndtr(shift + moved / (1 - acceleration * moved)))
    return _at(drawn, places[0]), _at(drawn, places[1])


def _drawn(tops: Floats, bottoms: Floats, strata: NDArray[np.int64]) -> Floats:
    """Drawn ratios, sorted: (n_studies, draws). Every study draws the same clusters' places."""
    counts = drawn_counts(strata)
    return np.asarray(np.sort((tops @ counts.T) / (bottoms @ counts.T), axis=1))


def _at(ordered: Floats, places: Floats) -> Floats:
    """Quantiles (n,) of each row at its own place, by the nearest drawn value."""
    last = ordered.shape[1] - 1
    return np.asarray(ordered[np.arange(len(ordered)), np.round(places * last).astype(int)])
