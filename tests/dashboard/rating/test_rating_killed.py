"""A server that is killed in the middle of a session loses no answer it acknowledged."""

from __future__ import annotations

from pathlib import Path

from benchmarks.rating_load import differences, kill_again_and_again
from benchmarks.rating_study import write_rating_study


def test_after_every_kill_all_acknowledged_answers_are_kept_and_the_right_trial_follows(
    tmp_path: Path,
):
    study = write_rating_study(tmp_path / "study", n_lists=1, n_trials=300)
    (code,) = study.invite(1)
    log = kill_again_and_again(study, code, 4, seed=3, module=("dashboard.rating",))
    assert log.problems == []
    assert len(log.acknowledged) >= 4
    assert differences(study, [log]) == (0, 0, 0)
