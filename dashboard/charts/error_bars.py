"""Intervals as Plotly's error bars, chance levels as ticks: the same look in every chart."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts.look import Look


def error_bars(
    rows: pd.DataFrame | Mapping[str, NDArray[np.float64]],
    colour: str,
    *,
    of: str,
    low: str = "low",
    high: str = "high",
    scale: float = 1.0,
) -> dict[str, object]:
    """Bars around column `of` from `low` to `high`, times `scale` (100 for shares drawn in %).

    An unknown limit draws nothing.
    """
    middle, lower, upper = (np.asarray(rows[name], np.float64) for name in (of, low, high))
    return {
        "type": "data",
        "symmetric": False,
        # Of NaN and 0 fmax takes the 0.
        "array": np.fmax(scale * (upper - middle), 0).astype(np.float32),
        "arrayminus": np.fmax(scale * (middle - lower), 0).astype(np.float32),
        "color": colour,
        "thickness": 1.5,
        "width": 0,
    }


def chance_tick(look: Look, size_px: int) -> dict[str, object]:
    """The marker of what is expected by chance: an upright tick, `size_px` high."""
    line = {"width": 2, "color": look.muted}
    return {"symbol": "line-ns-open", "size": size_px, "color": look.muted, "line": line}
