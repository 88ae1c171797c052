"""The answer of a comparison: how the share changes from A to B."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import contrasts, labels, summaries
from dashboard.components.captions import differing_names, interval_note, threshold_text
from dashboard.plain import escaped
from dashboard.queries.selection import Measure
from pipeline.stats.bootstrap import Interval


def change_headline(a: Measure, b: Measure, paired: pd.DataFrame) -> None:
    """One sentence and the numbers behind it. paired: the frame of `comparing.paired_counts`."""
    change = summaries.share_change(paired)
    difference = summaries.mean_difference(paired)
    before, after, gained, lost = (
        contrasts.paired_share(paired, column) for column in ("high_a", "high_b", "gained", "lost")
    )
    points = 100 * change.estimate
    st.markdown(f"### {_sentence(a, b, points)}")
    columns = st.columns(5)
    for column, label, value, note in (
        (columns[0], "Share under A", labels.percent(before.estimate), _limits(before)),
        (columns[1], "Share under B", labels.percent(after.estimate), _limits(after)),
        (
            columns[2],
            "Change",
            f"{points:+.1f} points",
            f"{100 * change.low:+.1f} to {100 * change.high:+.1f}"
            if change.is_known
            else "no interval",
        ),
        (
            columns[3],
            "Mean difference",
            f"{difference.estimate:+.4f}",
            f"{difference.low:+.4f} to {difference.high:+.4f}"
            if difference.is_known
            else "no interval",
        ),
        (
            columns[4],
            "Gained / lost",
            f"{labels.count(int(paired['gained'].sum()))} / "
            f"{labels.count(int(paired['lost'].sum()))}",
            f"{labels.percent(gained.estimate)} / {labels.percent(lost.estimate)}",
        ),
    ):
        column.metric(label, value, delta=note, delta_color="off", delta_arrow="off")
    st.caption(
        f"Both at a threshold of {threshold_text(a)} and on the same "
        f"{labels.count(int(change.n))} utterances, model {escaped(a.label)}. A threshold is "
        "known for one setting; another crop or window shifts all scores, so look at the "
        "differences and at "
        "chance (under “Every threshold”) as well. "
        f"Gained: {_sentence_limits(gained)}; lost: {_sentence_limits(lost)}. "
        f"{interval_note(change)}"
    )


def _limits(share: Interval) -> str:
    return labels.percent_range(share.low, share.high) if share.is_known else "no interval"


def _sentence_limits(share: Interval) -> str:
    return f"{labels.percent(share.estimate)} of utterances ({_limits(share)})"


def _sentence(a: Measure, b: Measure, points: float) -> str:
    new, old = differing_names(b, a)
    if not round(points, 1):
        return f"{new} instead of {old} leaves the share of highly aligned utterances as it is"
    verb = "raises" if points > 0 else "lowers"
    return (
        f"{new} instead of {old} {verb} the share of highly aligned utterances "
        f"by {abs(points):.1f} points"
    )
