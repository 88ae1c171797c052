"""Scores in bins: how wide, how many by chance, and the share from each bin on."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.stats.chance import expected_counts, expected_shares

Floats = NDArray[np.float64]

_FEW_SCORES = 2_000
_NEGLIGIBLE_SHARE = 0.002


def nice_width(spread: float, n: float) -> float:
    """1, 2, 2.5 or 5 times a power of ten: about 36 bins over 6 SD, 18 for few scores."""
    if not spread > 0:
        return 0.005
    wanted = 6 * spread / (36 if n >= _FEW_SCORES else 18)
    decade = 10.0 ** math.floor(math.log10(wanted))
    return float(min((1, 2, 2.5, 5, 10), key=lambda step: abs(step * decade - wanted)) * decade)


def spread_of(total: float, squares: float, n: float) -> float:
    """SD of n values from their sum and the sum of their squares; 0 without any."""
    return math.sqrt(max(0.0, squares / n - (total / n) ** 2)) if n else 0.0


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
