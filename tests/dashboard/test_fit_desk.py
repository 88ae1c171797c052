"""Fits in the background: begun once, remembered, and taken back when nobody wants them."""

from __future__ import annotations

from threading import Event

import pytest

from dashboard.fit_desk import FitDesk
from pipeline.predictors.analysis import Analysis, AnalysisResult
from pipeline.predictors.choice import ScoreChoice

RESULT = AnalysisResult(
    Analysis("k", "q", "", "", "y ~ 1", "utterances", "gaussian", (), "", ScoreChoice("clip")),
    None,
)


def test_the_same_order_is_made_once_and_tells_its_steps():
    desk, n_made = FitDesk(), []

    def make(on_step):
        n_made.append(1)
        on_step("Fitting 3 rows")
        return RESULT

    jobs = [desk.ask("a", make) for _ in range(3)]
    assert desk.wait(jobs, 5)
    assert len(n_made) == 1
    assert jobs[0] is jobs[1] is jobs[2]
    assert jobs[0].future.result() is RESULT
    assert jobs[0].step == "Fitting 3 rows"


def test_orders_that_wait_can_be_taken_back_and_given_again():
    desk, go = FitDesk(), Event()

    def slow(on_step):
        go.wait(5)
        return RESULT

    running, waiting = desk.ask("slow", slow), desk.ask("next", lambda on_step: RESULT)
    assert not desk.wait([running], 0.05)
    desk.forget_waiting({"slow", "next", "unknown"})
    assert waiting.future.cancelled()
    again = desk.ask("next", lambda on_step: RESULT)
    assert again is not waiting
    go.set()
    assert desk.wait([running, again], 5)
    assert running.future.result() is again.future.result() is RESULT


def test_a_fit_that_broke_off_is_tried_again():
    desk = FitDesk()

    def broken(on_step):
        raise MemoryError

    job = desk.ask("a", broken)
    desk.wait([job], 5)
    with pytest.raises(MemoryError):
        job.future.result()
    again = desk.ask("a", lambda on_step: RESULT)
    assert desk.wait([again], 5)
    assert again.future.result() is RESULT


def test_only_the_latest_results_are_kept():
    desk = FitDesk()
    jobs = [desk.ask(str(i), lambda on_step: RESULT) for i in range(200)]
    assert desk.wait(jobs, 5)
    desk.ask("last", lambda on_step: RESULT)
    assert len(desk._jobs) <= 121
    assert desk.ask("199", lambda on_step: RESULT) is jobs[199]
