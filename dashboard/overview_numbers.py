"""Everything that the opening page counts, in one place: the page asks for it, and so does the
server before the first person comes."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dashboard import by_child, contrasts, data, summaries
from dashboard.data import StoreHandle
from dashboard.filters import Filters
from dashboard.queries import chance, shares
from dashboard.queries.selection import Measure
from dashboard.queries.shares import Totals
from pipeline.stats import histogram
from pipeline.stats.bootstrap import Interval
from pipeline.stats.contrasts import Contrast


@dataclass(frozen=True, slots=True)
class OverviewNumbers:
    """The answer and what it rests on.

    counts: one row per recording (`shares.counts_by_recording`), by_chance: the same of the
    matched null (`chance.chance_by_recording`). bins and expected: the scores and what the null
    expects of them, in bins of `width`. children: a row per child with share, chance and excess.
    """

    counts: pd.DataFrame
    totals: Totals
    share: Interval
    expected_share: float
    excess: Contrast | None
    width: float
    bins: pd.DataFrame
    expected: pd.DataFrame
    children: pd.DataFrame


def overview_numbers(
    store: StoreHandle, filters: Filters, measure: Measure
) -> OverviewNumbers | None:
    """The numbers of the Overview page; None when no utterance is left.

    They are remembered: intervals over tens of thousands of recordings take longer than counts.
    """
    return data.kept(
        store, f"overview {filters!r} {measure!r}", lambda: _numbers(store, filters, measure)
    )


def _numbers(store: StoreHandle, filters: Filters, measure: Measure) -> OverviewNumbers | None:
    counts = data.count(store, shares.counts_by_recording, filters, measure)
    if not len(counts):
        return None
    by_chance = data.count(store, chance.chance_by_recording, filters, measure)
    cells = data.count(store, shares.null_cells, filters, measure)
    width = summaries.score_width(counts)
    bins = histogram.bins_of_all(data.count(store, shares.score_bins, filters, measure, width))
    children = data.count(store, by_child.shares_of_children, filters, measure).merge(
        data.count(store, by_child.excess_of_children, filters, measure), on="child_id", how="left"
    )
    return OverviewNumbers(
        counts,
        data.load(store, shares.totals, filters),
        by_child.share_of_all(store.arrays, filters, measure),
        contrasts.expected_share(by_chance),
        by_child.excess_of_all(store.arrays, filters, measure),
        width,
        bins,
        histogram.expected_bins(cells, bins, width),
        children,
    )
