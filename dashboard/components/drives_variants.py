"""A moment's words changed, and how well each version fits its frame and chance frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.charts.probe_moment import variant_scores
from dashboard.components.drives_parts import draw_probe_chart
from dashboard.components.figure import current_look
from dashboard.components.url_choice import url_choice
from dashboard.queries.probes import ScorerProbe
from pipeline.probes.changes import CURVES, PERTURBATIONS, TEMPLATES, Change
from pipeline.probes.measured import CHANGES, Measured

_KINDS = {"changed": "Changed words", "added": "Added words", "forms": "Sentence forms"}
_LEAST_SPAN_SD = 1.5
"""The axis covers at least so much, or hair's breadths would look like effects."""
_CHANGES: dict[str, tuple[Change, ...]] = {
    "changed": PERTURBATIONS,
    "added": CURVES,
    "forms": TEMPLATES,
}


def variants(one: ScorerProbe, measured: Measured, text: str) -> None:
    """Draw the versions of one kind, the words as they were said on top."""
    assert one.probe is not None
    st.subheader("If other words had been said", anchor=False)
    kind = url_choice(
        "Versions", tuple(_KINDS), param="versions", default="changed", words=_KINDS.__getitem__
    )
    rows = _rows(measured, _CHANGES[kind], is_first_only=kind == "changed")
    impossible = [
        f"{change.label} ({'; '.join(reason for reason, _ in reasons)})"
        for change in _CHANGES[kind]
        if (reasons := measured.reasons(change))
    ]
    draw_probe_chart(
        one,
        variant_scores(rows, least_span=_LEAST_SPAN_SD * one.probe.s0, look=current_look()),
        f"variants_{kind}",
        f"Other words for “{text}”",
        "Top: the words as they were said. A version whose dots move together is liked or "
        "disliked on any frame; where only the filled dot moves, the change touches what was in "
        f"view. n = 1 utterance, {measured.rows.null_best.shape[1]} chance windows.",
        rows.rename(
            columns={
                "label": "What was done",
                "text": "Text",
                "own": "Cosine, own best frame",
                "chance": "Cosine, chance frames, mean",
            }
        ),
    )
    if impossible:
        st.caption(f"Not possible here: {', '.join(impossible)}.")


def _rows(measured: Measured, changes: tuple[Change, ...], *, is_first_only: bool) -> pd.DataFrame:
    """label, text, own, chance; of changes that were drawn several times the first, if wanted."""
    rows = measured.rows
    found = []
    for change in (Change.PLAIN, *changes):
        here = rows.change == CHANGES.index(change)
        if is_first_only:
            here &= rows.number == 0
        for row in np.flatnonzero(here & ~np.isnan(rows.best)).tolist():
            chance = float(rows.null_best[row].mean())
            label = "as said" if change is Change.PLAIN else change.label
            found.append((label, rows.text[row], float(rows.best[row]), chance))
    return pd.DataFrame(found, columns=["label", "text", "own", "chance"])
