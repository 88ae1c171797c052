"""The answer of a comparison of two scorers, and the moments on which they differ."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import contrasts, data, labels
from dashboard.components.captions import interval_note
from dashboard.components.moments_table import SCORE_COLUMN, moments_table
from dashboard.components.view import View
from dashboard.plain import escaped
from dashboard.queries.agreement import Agreement
from dashboard.queries.chance import chance_by_recording
from dashboard.queries.selection import Measure
from pipeline.stats.bootstrap import Interval


def agreement_headline(found: Agreement, names: tuple[str, str]) -> None:
    """One sentence and the numbers behind it."""
    rho = found.rho
    paired = found.paired.assign(high_both=found.paired["high_a"] - found.paired["lost"])
    high_a, high_b = (contrasts.paired_share(paired, side) for side in ("high_a", "high_b"))
    both = contrasts.conditional_share(paired, "high_both", "high_a")
    st.markdown(f"### {_sentence(rho.estimate, names)}")
    columns = st.columns(4)
    limits = f"{rho.low:.3f} to {rho.high:.3f}" if rho.is_known else "no interval"
    for column, label, value, note in (
        (columns[0], "Rank correlation", f"{rho.estimate:.3f}", limits),
        (
            *(columns[1], "Highly aligned under A", labels.percent(high_a.estimate)),
            _limits(high_a),
        ),
        (
            *(columns[2], "Highly aligned under B", labels.percent(high_b.estimate)),
            _limits(high_b),
        ),
        (
            *(columns[3], "High under both, of those under A", labels.percent(both.estimate)),
            _limits(both),
        ),
    ):
        column.metric(label, value, delta=note, delta_color="off", delta_arrow="off")
    st.caption(
        f"{labels.plural(found.n_both, 'utterance')} scored by both; "
        f"{labels.count(found.n_only_a)} only by A, {labels.count(found.n_only_b)} only by B. "
        "Spearman’s rho; interval: 95 %, jackknife over recordings within children. Each scorer "
        f"has its own threshold; their scores are not on one scale. {interval_note(high_a)}"
    )


def _limits(share: Interval) -> str:
    return labels.percent_range(share.low, share.high) if share.is_known else "no interval"


def chance_of_both(view: View, measures: tuple[Measure, Measure]) -> str:
    """Each scorer's chance level, of all its scored utterances; empty where it has no null."""
    known = []
    for side, measure in zip("AB", measures, strict=True):
        rows = data.count(view.store, chance_by_recording, view.filters, measure)
        if len(rows):
            share = labels.percent(contrasts.expected_share(rows))
            known.append(f"{share} expected by chance under {side}")
    return f" {', '.join(known)}." if known else ""


def differing_moments(found: Agreement) -> None:
    """Two tables side by side; a chosen row opens the moment."""
    left, right = st.columns(2, gap="large")
    with left:
        _table(found.differing, "up", "Higher under B")
    with right:
        _table(found.differing, "down", "Higher under A")


def _table(differing: pd.DataFrame, change: str, title: str) -> None:
    rank = st.column_config.NumberColumn(
        format="%.0f %%", width="small", help="Share of these utterances that are lower"
    )
    moments_table(
        differing[differing["change"] == change],
        {"A": "score_a", "A rank": "rank_a", "B": "score_b", "B rank": "rank_b"},
        title=title,
        key=f"differing_{change}",
        columns={"A": SCORE_COLUMN, "B": SCORE_COLUMN, "A rank": rank, "B rank": rank},
    )


def _sentence(rho: float, names: tuple[str, str]) -> str:
    a, b = (escaped(name) for name in names)
    if rho != rho:
        return f"{a} and {b} cannot be compared: one of them gives every utterance the same score"
    size = abs(rho)
    how = (
        "in nearly the same order"
        if size >= 0.9
        else "in a similar order"
        if size >= 0.6
        else "in a loosely similar order"
        if size >= 0.3
        else "in a barely related order"
    )
    if rho <= -0.3:
        how = f"{how}, but reversed"
    return f"{a} and {b} put the utterances {how}"
