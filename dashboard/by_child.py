"""Numbers of each child with their intervals, from what `dashboard.queries.child_moments` keeps.

The same numbers as `dashboard.summaries` and `dashboard.contrasts` make of frames with a row for
each recording; with tens of thousands of recordings these take most of a page's time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.filters import Filters
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.child_moments import Asked, chance_moments, pair_moments, score_moments
from dashboard.queries.selection import Measure
from pipeline.bin_width import nice_width, spread_of
from pipeline.stats.bootstrap import Interval, within_one
from pipeline.stats.contrasts import Contrast, contrasts_of, limits_and_p, within
from pipeline.stats.from_moments import RatioSpreads, ratio_spreads
from pipeline.stats.multiple import holm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Numbers = Floats | Ints
Places = tuple[Ints, Ints]
"""Groups and children, (n,) each."""

Ratio = Callable[[Asked], tuple[Numbers, Numbers]]
"""What is above and below the line, (n_recordings, n_groups) each."""


def shares_of_children(
    arrays: ScoreArrays, filters: Filters, measure: Measure, split: str = "none"
) -> pd.DataFrame:
    """`summaries.shares_by` child_id, and grp where there is a split, of `counts_by_recording`."""
    asked = Asked(arrays, filters, measure, split)
    told, of_share, of_mean = score_moments(asked)
    places = _places(asked, told[..., 0])
    shares = _ratios(asked, of_share, _share, places)
    means = _ratios(asked, of_mean, _mean, places)
    low, high = _within_one(shares)
    n_utterances, n_recordings, lowest_age, highest_age = told[places].T
    groups = {}
    if split != "none":
        groups["grp"] = pd.array(arrays.group_names(split), dtype="str").take(places[0])
    return pd.DataFrame(
        {
            "child_id": arrays.recordings.children(places[1]),
            **groups,
            "n_utterances": n_utterances.astype(np.int64),
            "n_scored": shares.n.astype(np.int64),
            "share": shares.spread.estimate,
            "low": low,
            "high": high,
            "mean": means.spread.estimate,
            "mean_low": means.low,
            "mean_high": means.high,
            "n_recordings": n_recordings.astype(np.int64),
            "min_age_days": lowest_age,
            "max_age_days": highest_age,
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
    places = _places(asked, of_excess[..., 0])
    spreads = _ratios(asked, of_excess, _excess, places)
    low, high, p = limits_and_p(spreads, reach=1.0)
    return pd.DataFrame(
        {
            "child_id": arrays.recordings.children(places[1]),
            "chance": expected[places] / spreads.n,
            "excess": spreads.spread.estimate,
            "excess_low": low,
            "excess_high": high,
            "p_holm": holm(p),
        }
    )


def excess_of_all(arrays: ScoreArrays, filters: Filters, measure: Measure) -> Contrast | None:
    """`contrasts.excess_share` of `chance_by_recording`."""
    asked = Asked(arrays, filters, measure)
    spreads = _together(asked, chance_moments(asked)[1], _excess)
    return within(contrasts_of(spreads)[0], 1.0) if spreads.n[0] else None


def paired_shares(arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure) -> pd.DataFrame:
    """`summaries.paired_shares` of `comparing.paired_counts`."""
    asked = Asked(arrays, filters, a, other=b)
    found = pair_moments(asked)
    places = _places(asked, found.counts.sum(axis=-1))
    columns: dict[str, object] = {"child_id": arrays.recordings.children(places[1])}
    columns["n"] = found.counts[places].sum(axis=1)
    for side, moments, ratio in (("a", found.share_a, _share_a), ("b", found.share_b, _share_b)):
        shares = _ratios(asked, moments, ratio, places)
        columns[f"share_{side}"] = shares.spread.estimate
        columns[f"low_{side}"], columns[f"high_{side}"] = _within_one(shares)
    _, gained, lost, _ = found.counts[places].T
    return pd.DataFrame({**columns, "gained": gained, "lost": lost})


def mean_difference(arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure) -> Interval:
    """`summaries.mean_difference` of `comparing.paired_counts`."""
    asked = Asked(arrays, filters, a, other=b)
    return _together(asked, pair_moments(asked).difference, _difference).intervals()[0]


def share_change(arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure) -> Interval:
    """`summaries.share_change` of `comparing.paired_counts`."""
    asked = Asked(arrays, filters, a, other=b)
    return _together(asked, pair_moments(asked).change, _change).intervals()[0]


def difference_width(arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure) -> float:
    """`summaries.difference_width` of `comparing.paired_counts`."""
    asked = Asked(arrays, filters, a, other=b)
    found = pair_moments(asked)
    n = float(found.counts[0, asked.children].sum())
    total, squares = found.sums[0, asked.children].sum(axis=0).tolist()
    return nice_width(spread_of(total, squares, n), n)


def _share(asked: Asked) -> tuple[Numbers, Numbers]:
    counts, _ = asked.score_cells
    return counts[..., 2], counts[..., 1]


def _mean(asked: Asked) -> tuple[Numbers, Numbers]:
    counts, sums = asked.score_cells
    return sums[..., 0], counts[..., 1]


def _excess(asked: Asked) -> tuple[Numbers, Numbers]:
    counts, sums = asked.chance_cells
    return counts[..., 1] - sums[..., 2], counts[..., 0]


def _share_a(asked: Asked) -> tuple[Numbers, Numbers]:
    counts, _ = asked.pair_cells
    return counts[..., 2] + counts[..., 3], counts.sum(axis=-1)


def _share_b(asked: Asked) -> tuple[Numbers, Numbers]:
    counts, _ = asked.pair_cells
    return counts[..., 1] + counts[..., 3], counts.sum(axis=-1)


def _change(asked: Asked) -> tuple[Numbers, Numbers]:
    counts, _ = asked.pair_cells
    return counts[..., 1] - counts[..., 2], counts.sum(axis=-1)


def _difference(asked: Asked) -> tuple[Numbers, Numbers]:
    counts, sums = asked.pair_cells
    return sums[..., 0], counts.sum(axis=-1)


def _places(asked: Asked, n: Numbers) -> Places:
    """Known groups of chosen children that hold any, child by child; n (n_groups, n_children)."""
    n_known = len(asked.arrays.group_names(asked.split))
    child, group = np.nonzero((n[:n_known] > 0).T & asked.children[:, None])
    return group, child


def _ratios(asked: Asked, moments: Floats, ratio: Ratio, places: Places) -> RatioSpreads:
    """The ratio at each place, (n,); moments (n_groups, n_children, 10)."""

    cells = cache(lambda: ratio(asked))

    def clusters(place: int) -> tuple[Floats, Floats, Ints]:
        group, child = (int(part[place]) for part in places)
        mine = asked.arrays.recordings.child == child
        tops, bottoms = (part[mine, group].astype(np.float64) for part in cells())
        return tops, bottoms, np.zeros(len(tops), np.int64)

    return ratio_spreads(moments[places], clusters)


def _together(asked: Asked, moments: Floats, ratio: Ratio) -> RatioSpreads:
    """The ratio of all chosen children, (1,); moments (1 or 2 groups, n_children, 10)."""

    def clusters(place: int) -> tuple[Floats, Floats, Ints]:
        child = asked.arrays.recordings.child
        mine = asked.children[child]
        tops, bottoms = (part[mine, 0].astype(np.float64) for part in ratio(asked))
        return tops, bottoms, child[mine].astype(np.int64)

    return ratio_spreads(moments[0, asked.children], clusters, together=True)


def _within_one(shares: RatioSpreads) -> tuple[Floats, Floats]:
    """Limits of shares, as `bootstrap.within_one`."""
    estimate = shares.spread.estimate
    is_all = (estimate == 0) | (estimate == 1)
    low, high = np.maximum(shares.low, 0), np.minimum(shares.high, 1)
    return np.where(is_all, np.nan, low), np.where(is_all, np.nan, high)
