"""What the matched null leads one to expect: shares above a threshold, and a distribution.

A store keeps mean and SD of each utterance's null windows, not the windows. Here each
utterance's null is taken to be normal with that mean and SD. A maximum over frames leans to the
right of a normal, so far out in the tail the share expected by chance is a little too low.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def expected_above(null_mean: Floats, null_sd: Floats, threshold: float) -> Floats:
    """Chance that a null window is at or above the threshold, elementwise: (n,)."""
    from scipy.special import ndtr

    above: Floats = ndtr((null_mean - threshold) / np.maximum(null_sd, 1e-9))
    return above


def expected_shares(
    null_mean: Floats, null_sd: Floats, weights: Floats, thresholds: Floats
) -> Floats:
    """Share of null windows at or above each threshold: (n_thresholds,).

    null_mean, null_sd and weights are (n,): one entry for each utterance, or for each group of
    utterances with (nearly) the same null, weighted by their number. NaN without any weight.
    """
    from scipy.special import ndtr

    total = weights.sum()
    if not total:
        return np.full(len(thresholds), np.nan)
    sd = np.maximum(null_sd, 1e-9)
    above = ndtr((null_mean[:, None] - thresholds[None, :]) / sd[:, None])
    shares: Floats = weights @ above / total
    return shares


def expected_counts(null_mean: Floats, null_sd: Floats, weights: Floats, edges: Floats) -> Floats:
    """Utterances expected in each bin between consecutive edges if all were null windows.

    edges is (n + 1,), the result (n,); it adds up to the summed weights within the edges.
    """
    total = weights.sum()
    if not total:
        return np.zeros(len(edges) - 1)
    above = expected_shares(null_mean, null_sd, weights, edges)
    counts: Floats = total * (above[:-1] - above[1:])
    return counts


def z_above_by_chance(n_nulls: NDArray[np.int64], threshold: float) -> Floats:
    """Chance that a z against so many nulls reaches a threshold, elementwise: (n,).

    If the own value is one more draw from the normal distribution of its k nulls, then
    z / sqrt(1 + 1 / k) follows Student's t with k - 1 degrees of freedom, because mean and SD are
    estimated: of 8 nulls 8.2 %, of 100 nulls 5.2 % reach 1.645. NaN below two nulls.
    """
    from scipy.special import stdtr

    k = n_nulls.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        above: Floats = stdtr(k - 1, -threshold / np.sqrt(1 + 1 / k))
    return np.where(k >= 2, above, np.nan)
