"""The curve and the mixed model of a choice of answers: asked of the desk, waited for a moment."""

from __future__ import annotations

import time

import pandas as pd
import streamlit as st

from dashboard.fit_desk import FitDesk, FitJob
from pipeline.validation.results import HumanFits, ResultChoice, human_fits

HUMAN_DESK: FitDesk[HumanFits] = FitDesk()
"""This server's desk for fits of answers: one for all sessions."""

_ASKED_STATE = "asked_human_fits"
_PATIENCE_S = 1.0
_POLL_S = 1.0


def human_fits_of(key: str, table: pd.DataFrame, choice: ResultChoice) -> HumanFits | None:
    """The fits, or None with their progress drawn while they are made; then the page runs anew.

    `key` stands for the answers. Orders of this session that nobody wants any more are taken back.
    """
    order = f"{key} {choice!r}"
    asked: str | None = st.session_state.get(_ASKED_STATE)
    if asked is not None and asked != order:
        HUMAN_DESK.forget_waiting([asked])
    st.session_state[_ASKED_STATE] = order
    job = HUMAN_DESK.ask(order, lambda on_step: human_fits(table, choice, on_step))
    if not HUMAN_DESK.wait([job], _PATIENCE_S):
        _progress(job)
        return None
    if job.future.cancelled():
        st.rerun()
    return job.future.result()


@st.fragment(run_every=_POLL_S)
def _progress(job: FitJob[HumanFits]) -> None:
    if job.is_done:
        st.rerun()
    seconds = time.monotonic() - job.asked_at_s
    words = job.step or "Waiting for another model to be fitted"
    st.progress(0.5, f"{words} ({seconds:.0f} s). The counts below are complete; you can leave.")
