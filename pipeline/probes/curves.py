"""How the score grows with every word that is added: k-word curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.probes.changes import Change
from pipeline.probes.effects import Effects
from pipeline.probes.material import Floats
from pipeline.probes.measured import Measured


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Least-squares slope of the cosine, in units of s0, on the number of added words.

    `products` and `squares` (n,) of each utterance: their sums' ratio is the pooled slope within
    utterances; NaN without two points. `null_products` (n, K): the same at chance frames.
    """

    products: Floats
    squares: Floats
    null_products: Floats


def slopes(effects: Effects, change: Change, most_added: int) -> Slopes:
    """Slopes of one kind of added words, from no added word to as many as there are."""
    own, null = effects.measured.by_number(change, most_added + 1)
    k = np.where(np.isnan(own), np.nan, np.arange(most_added + 1.0))
    n_points = (~np.isnan(own)).sum(axis=1)
    few = n_points < 2
    centred = k - _nan_mean(k)
    squares = np.nansum(centred**2, axis=1)
    products = np.nansum(centred * own, axis=1) / effects.s0
    null_products = np.nansum(centred[:, :, None] * null, axis=1) / effects.s0
    products[few], squares[few], null_products[few] = np.nan, np.nan, np.nan
    return Slopes(products, squares, null_products)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Mean score after k added words, in units of s0 above no added word: at the best frames of
    hits and at their null windows. `n` utterances have so many words to add."""

    change: Change
    k: int
    n: int
    on_frame: float
    on_null: float


def curve_points(
    measured: Measured, s0: float, most_added: int, chosen: NDArray[np.bool_]
) -> tuple[CurvePoint, ...]:
    """Points of the three curves over the chosen utterances (n,)."""
    points = []
    for change in (Change.PRESENT_ADDED, Change.ABSENT_ADDED, Change.FUNCTION_ADDED):
        own, null = measured.by_number(change, most_added + 1)
        gain, null_gain = own - own[:, :1], (null - null[:, :1]).mean(axis=2)
        for k in range(most_added + 1):
            has = chosen & ~np.isnan(gain[:, k])
            if has.any():
                on_frame = float(gain[has, k].mean()) / s0
                on_null = float(null_gain[has, k].mean()) / s0
                points.append(CurvePoint(change, k, int(has.sum()), on_frame, on_null))
    return tuple(points)


def _nan_mean(values: Floats) -> Floats:
    count = np.maximum((~np.isnan(values)).sum(axis=1, keepdims=True), 1)
    return np.asarray(np.nansum(values, axis=1, keepdims=True) / count)
