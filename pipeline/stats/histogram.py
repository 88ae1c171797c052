"""Scores in bins: how wide, how many by chance, and the share from each bin on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.bin_width import nice_width as nice_width
from pipeline.bin_width import spread_of as spread_of
from pipeline.stats.chance import expected_counts, expected_shares

Floats = NDArray[np.float64]

_NEGLIGIBLE_SHARE = 0.002


def expected_bins(cells: pd.DataFrame, bins: pd.DataFrame, width: float) -> pd.DataFrame:
    """The null's distribution in the observed bins, and beyond where it is not negligible.

    Columns: bin_start, n (utterances expected), share (of all utterances that have a null).
    """
    if not len(cells) or not len(bins):
        return pd.DataFrame({"bin_start": [], "n": [], "share": []})
    spread = 4 * cells["null_sd"]
    anchor = float(bins["bin_start"].min())
    first = min(0.0, float((cells["null_mean"] - spread).min()) - anchor)
    last = max(float(bins["bin_start"].max()) + width, float((cells["null_mean"] + spread).max()))
    places = np.arange(np.floor(first / width), np.ceil((last - anchor) / width) + 1)
    edges: Floats = anchor + places * width
    counts = expected_counts(
        _floats(cells, "null_mean"), _floats(cells, "null_sd"), _floats(cells, "n"), edges
    )
    share = counts / float(cells["n"].sum())
    is_observed = (edges[:-1] >= anchor) & (edges[:-1] < float(bins["bin_start"].max()) + width)
    kept = is_observed | (share >= _NEGLIGIBLE_SHARE)
    return pd.DataFrame({"bin_start": edges[:-1], "n": counts, "share": share})[kept]


def bins_of_all(bins: pd.DataFrame) -> pd.DataFrame:
    """Bins of all children together: bin_start, n, in order."""
    return bins.groupby("bin_start")["n"].sum().reset_index()


def threshold_sweep(bins: pd.DataFrame, cells: pd.DataFrame, width: float) -> pd.DataFrame:
    """Share at or above each bin edge, and by chance: threshold, share, chance (NaN if unknown)."""
    totals = bins_of_all(bins)
    if not len(totals):
        return pd.DataFrame({"threshold": [], "share": [], "chance": []})
    anchor = float(totals["bin_start"].min())
    places = ((totals["bin_start"] - anchor) / width).round().astype(int)
    counts = np.zeros(int(places.max()) + 2)
    counts[places] = totals["n"]
    share = counts[::-1].cumsum()[::-1] / counts.sum()
    edges: Floats = anchor + np.arange(len(counts), dtype=np.float64) * width
    chance = expected_shares(
        _floats(cells, "null_mean"), _floats(cells, "null_sd"), _floats(cells, "n"), edges
    )
    return pd.DataFrame({"threshold": edges, "share": share, "chance": chance})


def _floats(rows: pd.DataFrame, column: str) -> Floats:
    return rows[column].to_numpy(dtype=np.float64)
