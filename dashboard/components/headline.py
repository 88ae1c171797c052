"""The answer at the top of a page: the share of highly aligned utterances and what it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import streamlit as st

from dashboard import labels
from dashboard.components.captions import interval_note, setting_note
from dashboard.components.view import View
from dashboard.plain import escaped
from dashboard.queries.shares import Totals
from pipeline.stats.bootstrap import Interval
from pipeline.stats.contrasts import Contrast


@dataclass(frozen=True, slots=True)
class Chance:
    """The share expected by chance (NaN when unknown) and what was observed above it."""

    share: float
    excess: Contrast | None


def headline(
    view: View, totals: Totals, n_utterances: int, share: Interval, chance: Chance
) -> None:
    """One sentence, the numbers behind it, and how they were made."""
    st.markdown(f"### {_sentence(share, chance.share)}")
    columns = st.columns(5)
    columns[0].metric(
        "Highly aligned",
        labels.percent(share.estimate),
        delta=labels.percent_range(share.low, share.high) if share.is_known else "no interval",
        delta_color="off",
        delta_arrow="off",
        help=interval_note(share),
    )
    columns[1].metric(
        "Expected by chance",
        labels.percent(chance.share),
        delta=_surplus(chance.excess),
        delta_color="off",
        delta_arrow="off",
    )
    columns[2].metric(
        "Utterances",
        labels.count(n_utterances),
        delta=f"{labels.count(int(share.n))} scored",
        delta_color="off",
        delta_arrow="off",
    )
    columns[3].metric(
        "Children",
        labels.count(totals.n_children),
        delta=labels.plural(totals.n_recordings, "recording"),
        delta_color="off",
        delta_arrow="off",
    )
    columns[4].metric(
        "Recorded",
        labels.hours(totals.total_ms),
        delta="whole recordings",
        delta_color="off",
        delta_arrow="off",
    )
    note = f"{setting_note(view.measure)} {interval_note(share)}{_excess_note(chance.excess)}"
    st.caption(escaped(note))


def _sentence(share: Interval, chance: float) -> str:
    if math.isnan(share.estimate):
        return "None of these utterances has a score"
    text = (
        f"{labels.percent(share.estimate)} of utterances are highly aligned with what was in view"
    )
    if math.isnan(chance):
        return text
    return f"{text}, against {labels.percent(chance)} expected by chance"


def _surplus(excess: Contrast | None) -> str:
    if excess is None or math.isnan(excess.estimate):
        return "not known"
    return f"observed {100 * excess.estimate:+.1f}"


def _excess_note(excess: Contrast | None) -> str:
    if excess is None or not excess.interval.is_known:
        return ""
    low, high = 100 * excess.interval.low, 100 * excess.interval.high
    return (
        f" Above chance: {100 * excess.estimate:+.1f} points (95 %: {low:+.1f} to {high:+.1f}; "
        "share and chance drawn together, recording by recording)."
    )
