"""How far raters agree with each other: on the option chosen, and on experts' labels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.stats.crossed import CrossedVariance, combined
from pipeline.stats.rater_agreement import (
    NOMINAL,
    Agreement,
    IntraclassCorrelations,
    cohen_kappa,
    fleiss_kappa,
    intraclass_correlations,
    krippendorff_alpha,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient with its 95 % interval (NaN where it has none): `n_units` that at least two
    raters saw, `n_raters` who saw one of them."""

    estimate: float
    low: float
    high: float
    n_units: int
    n_raters: int


@dataclass(frozen=True, slots=True)
class RaterAgreement:
    """Agreement of raters on the same items.

    `same`: the share of pairs of raters of an item who chose the same. `alpha`: Krippendorff's.
    `fleiss` rests on items seen by equally many raters. `cohen` only where there are two raters,
    `icc` (of being right) only where all raters saw all items; else None.
    """

    same: Coefficient
    alpha: Coefficient
    fleiss: Agreement
    cohen: Agreement | None
    icc: IntraclassCorrelations | None


def rater_agreement(
    choices: Ints,
    raters: Ints,
    items: Ints,
    *,
    scale: str = NOMINAL,
    is_right: Floats | None = None,
) -> RaterAgreement:
    """Agreement of the choices (n,), codes of categories; raters and items (n,) are any codes.

    Intervals: jackknife over items plus jackknife over raters, a little too wide rather than too
    narrow. `is_right` (n,) adds the intraclass correlation.
    """
    rater_codes = np.unique(raters, return_inverse=True)[1].astype(np.int64)
    item_codes = np.unique(items, return_inverse=True)[1].astype(np.int64)
    units = _units(choices.astype(np.float64), item_codes)
    alpha = krippendorff_alpha(units, scale)
    n_raters = _n_sharing(rater_codes, item_codes)
    same, coefficient = _coefficients(choices, rater_codes, item_codes, scale, alpha, n_raters)
    table = _crossed_table(choices.astype(np.float64), rater_codes, item_codes)
    cohen = cohen_kappa(table) if table is not None and table.shape[1] == 2 else None
    icc = None
    if is_right is not None and table is not None and not np.isnan(table).any():
        whole = _crossed_table(is_right, rater_codes, item_codes)
        assert whole is not None
        icc = intraclass_correlations(whole)
    fleiss = fleiss_kappa(units)
    return RaterAgreement(
        same,
        coefficient,
        Agreement(fleiss.value, fleiss.n_units, n_raters if fleiss.n_units else 0),
        cohen,
        icc,
    )


def pairs_of(values: Ints, items: Ints, n_values: int) -> Ints:
    """How often two raters of an item gave these two values: (n_values, n_values), symmetric;
    each pair of raters counts once, so the diagonal holds pairs and the rest half of them each."""
    counts = _counts(values, items, n_values)
    found = counts.T @ counts - np.diag(counts.sum(axis=0))
    return np.asarray(found, np.int64)


def _coefficients(
    choices: Ints, raters: Ints, items: Ints, scale: str, alpha: Agreement, n_raters: int
) -> tuple[Coefficient, Coefficient]:
    """Percent agreement and alpha with jackknife intervals over items and raters."""
    values, coded = np.unique(choices, return_inverse=True)
    coded = coded.astype(np.int64)
    k = len(values)
    counts = _counts(coded, items, k)
    sizes = counts.sum(axis=1)
    sums = _item_sums(counts)
    whole = sums.sum(axis=0)
    estimates = _from_sums(whole[None], scale, k)[0]
    shared = np.flatnonzero(sizes >= 2)
    without_items = _from_sums(whole - sums[shared], scale, k)
    without_raters = np.empty((0, 2))
    is_shared = sizes[items] >= 2
    seen = np.unique(raters[is_shared])
    if len(seen) > 2 and len(shared) > 1:
        rows = []
        for rater in seen:
            own = raters == rater
            touched, value = items[own], coded[own]
            before = counts[touched]
            after = before.copy()
            after[np.arange(len(touched)), value] -= 1
            rows.append(whole - _item_sums(before).sum(axis=0) + _item_sums(after).sum(axis=0))
        without_raters = _from_sums(np.stack(rows), scale, k)
    found = []
    for place, estimate in enumerate((estimates[0], alpha.value)):
        low, high = _limits(estimate, without_items[:, place], without_raters[:, place:][:, :1])
        found.append(Coefficient(float(estimate), low, high, alpha.n_units, n_raters))
    return found[0], found[1]


def _limits(estimate: float, without_items: Floats, without_raters: Floats) -> tuple[float, float]:
    parts = [_jackknife(without_items), _jackknife(without_raters.ravel())]
    if math.isnan(estimate) or not all(np.isfinite(part) for part in parts):
        return math.nan, math.nan
    sizes = (without_raters.size, without_items.size)
    found: CrossedVariance = combined(
        np.array([parts[1]]), np.array([parts[0]]), np.zeros(1), sizes
    )
    reach = float(found.reach()[0])
    if reach == 0:
        return math.nan, math.nan
    return float(estimate) - reach, min(1.0, float(estimate) + reach)


def _jackknife(without: Floats) -> float:
    n = len(without)
    if n < 2 or np.isnan(without).any():
        return math.nan
    return float((n - 1) / n * ((without - without.mean()) ** 2).sum())


def _item_sums(counts: Floats) -> Floats:
    """What each item adds to the coincidences, to pairs that agree and to pairs: (m, k*k+2)."""
    sizes = counts.sum(axis=1)
    shared = (sizes >= 2)[:, None, None]
    outer = counts[:, :, None] * counts[:, None, :]
    outer -= counts[:, :, None] * np.eye(counts.shape[1])
    weighted = np.where(shared, outer / np.maximum(sizes - 1, 1)[:, None, None], 0.0)
    agreeing = np.einsum("mkk->m", outer)
    pairs = sizes * (sizes - 1)
    return np.column_stack((weighted.reshape(len(counts), -1), agreeing, pairs))


def _from_sums(sums: Floats, scale: str, k: int) -> Floats:
    """Percent agreement and Krippendorff's alpha from summed coincidences (m, k*k+2): (m, 2)."""
    coincidences = sums[:, :-2].reshape(-1, k, k)
    totals = coincidences.sum(axis=2)
    n = totals.sum(axis=1)
    ends = np.cumsum(totals, axis=1) - totals / 2
    if scale == NOMINAL:
        distances = np.broadcast_to(1.0 - np.eye(k), coincidences.shape)
    else:
        distances = (ends[:, :, None] - ends[:, None, :]) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = (coincidences * distances).sum(axis=(1, 2))
        expected = (totals[:, :, None] * totals[:, None, :] * distances).sum(axis=(1, 2)) / (n - 1)
        alpha = 1 - observed / expected
        same = sums[:, -2] / sums[:, -1]
    return np.stack((same, alpha), axis=1)


def _counts(values: Ints, items: Ints, n_values: int) -> Floats:
    n_items = int(items.max(initial=-1)) + 1
    flat = np.bincount(items * n_values + values, minlength=n_items * n_values)
    return flat.reshape(n_items, n_values).astype(np.float64)


def _units(values: Floats, items: Ints) -> Floats:
    """Ratings by item, side by side from the left: (n_items, most ratings of an item). Who gave
    them does not matter to alpha and Fleiss' kappa, and so the table stays small."""
    if not len(items):
        return np.empty((0, 1))
    order = np.argsort(items, kind="stable")
    sizes = np.bincount(items)
    starts = np.cumsum(sizes) - sizes
    places = np.arange(len(items)) - np.repeat(starts, sizes)
    found = np.full((len(sizes), int(sizes.max())), np.nan)
    found[items[order], places] = values[order]
    return found


def _n_sharing(raters: Ints, items: Ints) -> int:
    sizes = np.bincount(items)
    return len(np.unique(raters[sizes[items] >= 2])) if len(items) else 0


_MOST_CELLS = 4_000_000


def _crossed_table(values: Floats, raters: Ints, items: Ints) -> Floats | None:
    """Ratings (n_items, n_raters), NaN where not seen; None where it would be huge, which two
    raters or a complete design of people never are."""
    shape = (int(items.max(initial=-1)) + 1, int(raters.max(initial=-1)) + 1)
    if not len(values) or shape[0] * shape[1] > _MOST_CELLS:
        return None
    found = np.full(shape, np.nan)
    found[items, raters] = values
    return found
