"""What each word of a moment adds to its score."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.charts.probe_moment import word_bars
from dashboard.components.drives_parts import draw_probe_chart
from dashboard.components.figure import current_look
from dashboard.queries.probes import ScorerProbe
from pipeline.probes.attribution import word_shares
from pipeline.probes.measured import Measured


def word_bars_of(one: ScorerProbe, measured: Measured, text: str) -> None:
    """Bars for the words of a moment; says so where there is only one."""
    assert one.probe is not None
    st.markdown("**What each word adds**")
    shares = word_shares(measured, 0, one.probe.s0)
    if not shares:
        st.caption("It is a single word, so the whole score is about it.")
        return
    words = pd.DataFrame(
        [(share.word, share.on_frame, share.on_null, share.grounded) for share in shares],
        columns=["word", "on_frame", "on_null", "grounded"],
    )
    draw_probe_chart(
        one,
        word_bars(words, y_title="Lost without it (SD)", look=current_look()),
        "words",
        f"What each word adds to “{text}”",
        "Each word is left out in turn. What it adds on its own frame and not on chance frames is "
        f"about what was in view. n = 1 utterance, {measured.rows.null_best.shape[1]} chance "
        "windows.",
        words.rename(
            columns={
                "word": "Word",
                "on_frame": "Own best frame (SD)",
                "on_null": "Chance frames (SD)",
                "grounded": "Difference (SD)",
            }
        ),
    )
