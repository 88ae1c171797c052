"""The lag profile of one or two crops: what was in view before, during and after the words."""

from __future__ import annotations

import streamlit as st

from dashboard import data, labels
from dashboard.charts import comparing as charts
from dashboard.components.captions import setting_note
from dashboard.components.figure import current_look, show_figure
from dashboard.components.url_choice import url_choice
from dashboard.components.view import View
from dashboard.queries import lags
from dashboard.queries.lags import LagSums
from dashboard.queries.selection import Measure

_BAND = (
    "Band: 95 %, simultaneous: it holds the curve at all lags at once (largest deviation over the "
    "lags, recordings drawn within children)."
)
_SETS = {"all": "All", "high": "Highly aligned under A"}


def lag_profiles(view: View, a: Measure, b: Measure) -> None:
    """Draw the profile for the crops of A and B, for all or only for highly aligned utterances."""
    chosen = url_choice(
        "Utterances", tuple(_SETS), param="lags_of", default="all", words=_SETS.__getitem__
    )
    found: dict[str, LagSums] = {}
    with st.spinner("Reading the cosines around each utterance"):
        for crop in dict.fromkeys((a.crop, b.crop)):
            sums = data.load(view.store, lags.lag_sums, view.filters, a, crop, chosen)
            if sums.n:
                found[f"{labels.CROPS[crop]} crop"] = sums
    if not found:
        st.caption("No utterance of this choice holds exactly one frame, so there is no profile.")
        return
    first = next(iter(found.values()))
    setting = f"A: {setting_note(a)}" if chosen == "high" else f"Model {a.label}."
    show_figure(
        charts.lag_profile(
            {name: lags.lag_profile(sums) for name, sums in found.items()}, look=current_look()
        ),
        key="lag_profile",
        title="Mean cosine of words and frames by lag",
        caption=" ".join(_notes(first, is_high=chosen == "high")),
        setting=setting,
    )
    names, both = list(found), list(found.values())
    if len(both) == 2 and lags.are_paired(both[0], both[1]):
        st.subheader("The difference between the crops by lag", anchor=False)
        show_figure(
            charts.lag_difference(
                lags.lag_difference(both[0], both[1]),
                names=(names[0], names[1]),
                look=current_look(),
            ),
            key="lag_difference",
            title=f"{names[1]} minus {names[0].lower()} by lag",
            caption="The same utterances and frames under both crops"
            + (", each above its own chance level. " if first.has_null else ". ")
            + _BAND,
            setting=setting,
        )


def _notes(sums: LagSums, *, is_high: bool) -> list[str]:
    n_recordings = labels.plural(len(sums.recordings), "recording")
    notes = [
        f"n = {labels.plural(sums.n, 'utterance')} in {n_recordings} that hold exactly one "
        "sampled frame."
    ]
    if sums.n_all > sums.n:
        notes.append(
            f"They are an even sample, over all recordings, of {labels.count(sums.n_all)} such "
            "utterances."
        )
    if sums.has_null:
        notes.append(
            "For these the matched null is the mean cosine with single frames of other "
            "recordings of the same child, which is the chance level at every lag (dashed). Where "
            "the band lies wholly above it, words and frames match better than by chance, at all "
            "such lags at once."
        )
    notes.append(f"{_BAND} Grey: during the utterance.")
    if is_high:
        notes.append(
            "Utterances chosen for a high score are high where it was taken, by chance alone."
        )
    return notes
