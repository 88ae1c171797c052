"""Many tests on one page: p-values corrected for their number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.stats.drawn import Floats


def holm(p_values: Floats) -> Floats:
    """Corrected p-values (n,): below .05 are those that survive at a 5 % chance of any false one
    (Holm 1979, Scandinavian Journal of Statistics 6, 65-70). NaN stays NaN and is not counted."""
    order, ordered = _ordered(p_values)
    steps = np.arange(len(ordered), 0, -1)
    return _put_back(p_values, order, np.maximum.accumulate(ordered * steps))


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Corrected p-values (n,): of those below .05 at most 5 % are false ones on average
    (Benjamini & Hochberg 1995, Journal of the Royal Statistical Society B 57, 289-300). NaN stays
    NaN and is not counted."""
    order, ordered = _ordered(p_values)
    n = len(ordered)
    raised = ordered * (n / np.arange(1, n + 1))
    return _put_back(p_values, order, np.minimum.accumulate(raised[::-1])[::-1])


def _ordered(p_values: Floats) -> tuple[NDArray[np.intp], Floats]:
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    return order, p_values[order]


def _put_back(p_values: Floats, order: NDArray[np.intp], corrected: Floats) -> Floats:
    found = np.full(len(p_values), np.nan)
    found[order] = np.minimum(corrected, 1.0)
    return found
