"""Probes that the page asks for: of one moment, a search, or of the whole study."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from dashboard import data
from dashboard.components.problems import show_problem
from dashboard.data import StoreHandle
from dashboard.fit_desk import FitDesk, FitJob, OnStep
from dashboard.queries.probes import ScorerProbe
from pipeline.errors import CoviewError
from pipeline.probes.encodings import Encode
from pipeline.records import ModelRef
from pipeline.vision.text_client import ServedModel

Result = TypeVar("Result")

N_UTTERANCES = 1_000
_PATIENCE_S = 2.0
_POLL_S = 1.0
_TRIES_STATE = "probe_tries"


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What became of an order: a result, or a problem that is told on the page."""

    result: Result | None = None
    problem: CoviewError | None = None


DESK: FitDesk[Outcome[object]] = FitDesk(ThreadPoolExecutor(1, thread_name_prefix="probe"))
"""This server's desk for probes: one at a time, beside the fits."""


def encoder_of(store: StoreHandle, model: ModelRef) -> Encode:
    """The text side of the model that scored the store; it raises ModelError when asked, if the
    model is not on this machine."""
    return ServedModel(data.text_encoder(store), model).embed_texts


def awaited(key: str, make: Callable[[OnStep], Result], what: str) -> Result | None:
    """What `make` gives; None while it is under way or when it failed, which is then told."""
    tries: dict[str, int] = st.session_state.setdefault(_TRIES_STATE, {})
    order = f"{key} {tries.get(key, 0)}"

    def ordered(on_step: OnStep) -> Outcome[object]:
        try:
            return Outcome(make(on_step))
        except CoviewError as problem:
            return Outcome(problem=problem)

    job = DESK.ask(order, ordered)
    if not DESK.wait([job], _PATIENCE_S):
        _progress(job, what)
        return None
    outcome = job.future.result()
    if outcome.problem is not None:
        show_problem(outcome.problem)

        def again() -> None:
            tries[key] = tries.get(key, 0) + 1

        st.button("Try again", key=f"again_{key}", on_click=again)
        return None
    found: Result = outcome.result  # type: ignore[assignment]
    return found


@st.fragment(run_every=_POLL_S)
def _progress(job: FitJob[Outcome[object]], what: str) -> None:
    if job.is_done:
        st.rerun()
    seconds = time.monotonic() - job.asked_at_s
    waits = not job.is_running
    words = "Waiting for another probe" if waits else job.step or "Starting the model"
    st.progress(_share(job.step), f"{what}. {words} ({seconds:.0f} s)")
    st.caption("You can leave this page: the work goes on, and what is found is kept.")


def _share(step: str) -> float:
    """How far a step like "50 of 1,000 utterances" is."""
    words = step.replace(",", "").split()
    if len(words) > 2 and words[0].isdigit() and words[2].isdigit() and int(words[2]):
        return min(1.0, int(words[0]) / int(words[2]))
    return 0.0


def offer_probe(store: StoreHandle, one: ScorerProbe) -> None:
    """A button that probes the scorer in the background, and its progress."""
    state = f"probe_asked_{store.key}_{one.scorer}_{one.key}"
    if not st.session_state.get(state):

        def ask() -> None:
            st.session_state[state] = True

        st.button(
            f"Probe {N_UTTERANCES:,} utterances now",
            key=f"offer_{one.scorer}",
            icon=":material/play_arrow:",
            on_click=ask,
        )
        return
    done = awaited(state, lambda on_step: _probe(store, one.model, on_step), "Probing")
    if done is not None:
        st.session_state[state] = False
        st.rerun()


def _probe(store: StoreHandle, model: ModelRef, on_step: OnStep) -> str:
    from pipeline.probes.run import run_probe
    from pipeline.probes.settings import ProbeSettings
    from pipeline.study import open_study

    found = run_probe(
        open_study(store.study_root),
        ProbeSettings(n_utterances=N_UTTERANCES),
        lambda: ServedModel(data.text_encoder(store), model),
        scorer=model.scorer,
        on_progress=lambda done, total: on_step(f"{done:,} of {total:,} utterances"),
    )
    return found.identity.fingerprint
