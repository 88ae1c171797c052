"""Numbers of each child with their intervals, from what `dashboard.queries.child_moments` keeps.

The same numbers as `dashboard.summaries` and `dashboard.contrasts` make of frames with a row for
each recording; with tens of thousands of recordings these take most of a page's time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.filters import Filters
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.chance import chance_cells
from dashboard.queries.child_moments import Asked, chance_moments, pair_moments, score_moments
from dashboard.queries.comparing import pair_cells
from dashboard.queries.selection import Measure
from dashboard.queries.shares import score_cells
from pipeline.bin_width import nice_width, spread_of
from pipeline.stats.bootstrap import Interval, within_one
from pipeline.stats.contrasts import Contrast, contrasts_of, within
from pipeline.stats.from_moments import Clusters, RatioSpreads, ratio_spreads
from pipeline.stats.multiple import holm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


_SCORED, _HIGH = 1, 2
"""Places in `score_cells`."""

Ratio = tuple[Floats, Floats]
"""Numerators and denominators (n_recordings, n_groups)."""


def shares_of_children(
    arrays: ScoreArrays, filters: Filters, measure: Measure, split: str = "none"
) -> pd.DataFrame:
    """`summaries.shares_by` child_id, and grp where there is a split, of `counts_by_recording`."""
    asked = Asked(arrays, filters, measure, split)
    told, of_share, of_mean = score_moments(asked)
    names = arrays.group_names(split)
    child, group = np.nonzero((told[: len(names), :, 0] > 0).T & asked.children[:, None])
    told, of_share, of_mean = (part[group, child] for part in (told, of_share, of_mean))
    shares = ratio_spreads(of_share, _of_each(asked, _share, child, group))
    means = ratio_spreads(of_mean, _of_each(asked, _mean, child, group))
    low, high = _within_one(shares)
    rows = {"child_id": _named(arrays.recordings.child_names, child)}
    if split != "none":
        rows["grp"] = _named(names, group)
    return pd.DataFrame(
        {
            **rows,
            "n_utterances": told[:, 0].astype(np.int64),
            "n_scored": shares.n.astype(np.int64),
            "share": shares.spread.estimate,
            "low": low,
            "high": high,
            "mean": means.spread.estimate,
            "mean_low": means.low,
            "mean_high": means.high,
            "n_recordings": told[:, 1].astype(np.int64),
            "min_age_days": told[:, 2],
            "max_age_days": told[:, 3],
        }
    )


def share_of_all(arrays: ScoreArrays, filters: Filters, measure: Measure) -> Interval:
    """`summaries.overall_share` of `counts_by_recording`."""
    asked = Asked(arrays, filters, measure)
    return within_one(_together(asked, score_moments(asked)[1], _share).intervals()[0])


def excess_of_children(arrays: ScoreArrays, filters: Filters, measure: Measure) -> pd.DataFrame:
    """`contrasts.excess_by_child` of `chance_by_recording`."""
    asked = Asked(arrays, filters, measure)
    expected, of_excess = chance_moments(asked)
    child = np.flatnonzero((of_excess[0, :, 0] > 0) & asked.children)
    spreads = ratio_spreads(
        of_excess[0, child], _of_each(asked, _excess, child, np.zeros_like(child))
    )
    found = [within(one, 1.0) for one in contrasts_of(spreads)]
    return pd.DataFrame(
        {
            "child_id": _named(arrays.recordings.child_names, child),
            "chance": expected[0, child] / spreads.n,
            "excess": spreads.spread.estimate,
            "excess_low": [one.interval.low for one in found],
            "excess_high": [one.interval.high for one in found],
            "p_holm": holm(np.array([one.p for one in found])),
        }
    )


def excess_of_all(arrays: ScoreArrays, filters: Filters, measure: Measure) -> Contrast | None:
    """`contrasts.excess_share` of `chance_by_recording`."""
    asked = Asked(arrays, filters, measure)
    spreads = _together(asked, chance_moments(asked)[1], _excess)
    return within(contrasts_of(spreads)[0], 1.0) if spreads.n[0] else None


def paired_shares(arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure) -> pd.DataFrame:
    """`summaries.paired_shares` of `comparing.paired_counts`."""
    asked = Asked(arrays, filters, a)
    counts, _, of_a, of_b, *_ = pair_moments(asked, b)
    child = np.flatnonzero(counts[0].any(axis=1) & asked.children)
    found: dict[str, object] = {"child_id": _named(arrays.recordings.child_names, child)}
    found["n"] = counts[0, child].sum(axis=1)
    for side, moments, columns in (("a", of_a, (2, 3)), ("b", of_b, (1, 3))):
        ratio = _of_pairs(b, *columns)
        shares = ratio_spreads(
            moments[0, child], _of_each(asked, ratio, child, np.zeros_like(child))
        )
        found[f"share_{side}"] = shares.spread.estimate
        found[f"low_{side}"], found[f"high_{side}"] = _within_one(shares)
    return pd.DataFrame({**found, "gained": counts[0, child, 1], "lost": counts[0, child, 2]})


def mean_difference(arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure) -> Interval:
    """`summaries.mean_difference` of `comparing.paired_counts`."""
    asked = Asked(arrays, filters, a)
    return _together(asked, pair_moments(asked, b)[5], _difference_to(b)).intervals()[0]


def share_change(arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure) -> Interval:
    """`summaries.share_change` of `comparing.paired_counts`."""
    asked = Asked(arrays, filters, a)
    return _together(asked, pair_moments(asked, b)[4], _change_to(b)).intervals()[0]


def difference_width(arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure) -> float:
    """`summaries.difference_width` of `comparing.paired_counts`."""
    asked = Asked(arrays, filters, a)
    counts, sums, *_ = pair_moments(asked, b)
    n = float(counts[0, asked.children].sum())
    total, squares = sums[0, asked.children].sum(axis=0).tolist()
    return nice_width(spread_of(total, squares, n), n)


def _together(asked: Asked, moments: Floats, ratio: Callable[[Asked], Ratio]) -> RatioSpreads:
    """The ratio of all chosen children; moments (1 or 2 groups, n_children, 10)."""

    def clusters(place: int) -> tuple[Floats, Floats, Ints]:
        tops, bottoms = ratio(asked)
        child = asked.arrays.recordings.child
        mine = asked.children[child]
        return tops[mine, 0], bottoms[mine, 0], child[mine].astype(np.int64)

    return ratio_spreads(moments[0, asked.children], clusters, together=True)


def _of_each(asked: Asked, ratio: Callable[[Asked], Ratio], child: Ints, group: Ints) -> Clusters:
    """Clusters of the ratios of some children and groups, each a stratum."""

    @cache
    def cells() -> Ratio:
        return ratio(asked)

    def clusters(place: int) -> tuple[Floats, Floats, Ints]:
        mine = asked.arrays.recordings.child == child[place]
        tops, bottoms = (part[mine, group[place]] for part in cells())
        return tops, bottoms, np.zeros(len(tops), np.int64)

    return clusters


def _share(asked: Asked) -> Ratio:
    counts, _ = score_cells(asked.arrays, asked.filters, asked.measure, asked.split)
    return counts[..., _HIGH].astype(np.float64), counts[..., _SCORED].astype(np.float64)


def _mean(asked: Asked) -> Ratio:
    counts, sums = score_cells(asked.arrays, asked.filters, asked.measure, asked.split)
    return sums[..., 0], counts[..., _SCORED].astype(np.float64)


def _excess(asked: Asked) -> Ratio:
    counts, sums = chance_cells(asked.arrays, asked.filters, asked.measure, asked.split)
    return counts[..., 1] - sums[..., 2], counts[..., 0].astype(np.float64)


def _of_pairs(b: Measure, *columns: int) -> Callable[[Asked], Ratio]:
    """The share of pairs in some columns of `pair_cells`."""

    def ratio(asked: Asked) -> Ratio:
        counts, _ = pair_cells(asked.arrays, asked.filters, (asked.measure, b), asked.split)
        tops = counts[..., list(columns)].sum(axis=-1)
        return tops.astype(np.float64), counts.sum(axis=-1).astype(np.float64)

    return ratio


def _change_to(b: Measure) -> Callable[[Asked], Ratio]:
    gained, lost = _of_pairs(b, 1), _of_pairs(b, 2)

    def ratio(asked: Asked) -> Ratio:
        tops, bottoms = gained(asked)
        return tops - lost(asked)[0], bottoms

    return ratio


def _difference_to(b: Measure) -> Callable[[Asked], Ratio]:
    def ratio(asked: Asked) -> Ratio:
        pair = asked.measure, b
        counts, sums = pair_cells(asked.arrays, asked.filters, pair, asked.split)
        return sums[..., 0], counts.sum(axis=-1).astype(np.float64)

    return ratio


def _within_one(shares: RatioSpreads) -> tuple[Floats, Floats]:
    """Limits of shares, as `bootstrap.within_one`."""
    estimate = shares.spread.estimate
    is_all = (estimate == 0) | (estimate == 1)
    low, high = np.maximum(shares.low, 0), np.minimum(shares.high, 1)
    return np.where(is_all, np.nan, low), np.where(is_all, np.nan, high)


def _named(names: Sequence[str], places: Ints) -> pd.api.extensions.ExtensionArray:
    return pd.Series(names, dtype="str").take(places).array
