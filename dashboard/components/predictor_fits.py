"""Models of a page: asked of the desk, waited for a moment, then shown as progress."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from dashboard.data import StoreHandle
from dashboard.fit_desk import DESK, FitJob, Make, OnStep
from pipeline.predictors.analysis import Analysis, AnalysisResult
from pipeline.predictors.running import run

_ASKED_STATE = "asked_fits"
_PATIENCE_S = 2.5
"""Small studies are fitted within this; nobody wants to see a bar for them."""
_POLL_S = 1.0


def fitted(store: StoreHandle, analyses: Sequence[Analysis]) -> list[AnalysisResult]:
    """The results in order. While they are not there, draws the progress and ends the page.

    Orders of this session that have not begun and are not wanted any more are taken back.
    """
    orders = {f"{store.key} {one!r}": _make(store, one) for one in analyses}
    asked: set[str] = st.session_state.get(_ASKED_STATE, set())
    DESK.forget_waiting(asked - set(orders))
    st.session_state[_ASKED_STATE] = set(orders)
    jobs = [DESK.ask(key, make) for key, make in orders.items()]
    if not DESK.wait(jobs, _PATIENCE_S):
        _progress(jobs, [one.version for one in analyses])
        st.stop()
    if any(job.future.cancelled() for job in jobs):
        # Another session took the order back; this one gives it again.
        st.rerun()
    return [job.future.result() for job in jobs]


def _make(store: StoreHandle, analysis: Analysis) -> Make:
    def make(on_step: OnStep) -> AnalysisResult:
        return run(store.cursor(), analysis, on_step=on_step)

    return make


@st.fragment(run_every=_POLL_S)
def _progress(jobs: Sequence[FitJob[AnalysisResult]], names: Sequence[str]) -> None:
    if any(job.future.cancelled() for job in jobs) or all(job.is_done for job in jobs):
        st.rerun()
    n_done = sum(job.is_done for job in jobs)
    current = next((i for i, job in enumerate(jobs) if job.is_running), None)
    seconds = time.monotonic() - min(job.asked_at_s for job in jobs)
    if current is None:
        words = "Waiting for another model to be fitted"
    else:
        words = f"{names[current]}: {jobs[current].step.lower() or 'starting'}"
    st.progress(
        (n_done + 0.5) / (len(jobs) + 0.5),
        f"{n_done} of {len(jobs)} models fitted. {words} ({seconds:.0f} s)",
    )
    st.caption(
        "You can leave this page: the models are fitted in the background, and the answer is kept "
        "until the server stops."
    )
