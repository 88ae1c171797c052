"""The share of highly aligned utterances at every threshold, under two settings."""

from __future__ import annotations

from dashboard import data, summaries
from dashboard.charts import comparing as charts
from dashboard.components.captions import chance_note, pair_note, score_axis, setting_name
from dashboard.components.figure import current_look, show_figure
from dashboard.components.reference import sweep_anchors, sweep_note
from dashboard.components.view import View
from dashboard.queries import shares
from dashboard.queries.selection import Measure
from pipeline.stats import histogram


def threshold_sweeps(view: View, a: Measure, b: Measure) -> None:
    """Draw both sweeps with the chance level of each, and what was published."""
    counts = data.count(view.store, shares.counts_by_recording, view.filters, a, "none")
    width = summaries.score_width(counts) / 4
    sweeps = {
        f"{side}: {setting_name(measure)}": histogram.threshold_sweep(
            data.count(view.store, shares.score_bins, view.filters, measure, width),
            data.count(view.store, shares.null_cells, view.filters, measure),
            width,
        )
        for side, measure in (("A", a), ("B", b))
    }
    show_figure(
        charts.threshold_sweep(
            sweeps,
            threshold=a.threshold,
            anchors=sweep_anchors(view, a),
            axis_title=score_axis(a),
            look=current_look(),
        ),
        key="sweep",
        title="Share of highly aligned utterances at every threshold",
        caption=f"All scored utterances of each setting. {chance_note(a, view.store.options)} "
        f"{sweep_note(view, a)}",
        setting=pair_note(a, b),
    )
