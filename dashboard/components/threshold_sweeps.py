"""The share of highly aligned utterances at every threshold, under two settings."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard import data, labels, summaries
from dashboard.charts import comparing as charts
from dashboard.components.captions import chance_note, pair_note, score_axis, setting_name
from dashboard.components.figure import current_look, show_figure
from dashboard.components.reference import sweep_anchors, sweep_note
from dashboard.components.view import View
from dashboard.queries import shares
from dashboard.queries.matched import sweep_band
from dashboard.queries.selection import Measure
from pipeline.stats import histogram


def threshold_sweeps(view: View, a: Measure, b: Measure) -> None:
    """Draw both sweeps with the chance level of each, and what was published."""
    counts = data.count(view.store, shares.counts_by_recording, view.filters, a, "none")
    width = summaries.score_width(counts) / 4
    sweeps, bands = {}, {}
    sizes: list[str] = []
    levels: list[str] = []
    for side, measure in (("A", a), ("B", b)):
        name = f"{side}: {setting_name(measure)}"
        bins = data.count(view.store, shares.score_bins, view.filters, measure, width)
        cells = data.count(view.store, shares.null_cells, view.filters, measure)
        sweeps[name] = histogram.threshold_sweep(bins, cells, width)
        sizes.append(f"{labels.count(int(bins['n'].sum()))} under {side}")
        chance = summaries.chance_share(cells, a.threshold)
        if chance == chance:
            levels.append(f"{labels.percent(chance)} under {side}")
        rows = _band(view, measure, 4 * width)
        if rows is not None:
            bands[name] = rows
    at_threshold = f" Expected by chance at the threshold: {', '.join(levels)}." if levels else ""
    show_figure(
        charts.threshold_sweep(
            sweeps,
            bands,
            threshold=a.threshold,
            anchors=sweep_anchors(view, a),
            axis_title=score_axis(a),
            look=current_look(),
        ),
        key="sweep",
        title="Share of highly aligned utterances at every threshold",
        caption=f"All scored utterances of each setting: n = {', '.join(sizes)}."
        f"{at_threshold} Bands hold "
        "the whole curve with 95 % (recordings drawn within children, the largest deviation "
        "over all thresholds); none is drawn where nearly all or nearly no utterances score as "
        f"much. {chance_note(a, view.store.options)} "
        f"{sweep_note(view, a)}",
        setting=pair_note(a, b),
    )


def _band(view: View, measure: Measure, width: float) -> pd.DataFrame | None:
    found = data.count(view.store, sweep_band, view.filters, measure, width)
    if found is None:
        return None
    low, high = np.maximum(found.band.low, 0), np.minimum(found.band.high, 1)
    return pd.DataFrame({"threshold": found.thresholds, "low": low, "high": high})
