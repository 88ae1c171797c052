"""Kills, full disks, damaged files, clocks that jump, two runs at once: nothing is lost, and the
store that one sees is always a whole one."""

from __future__ import annotations

from collections.abc import Iterator

from tests.torture import Count, Plan
from tests.torture.faults.kills import count_kills, undisturbed
from tests.torture.faults.small_study import write_small_study

TITLE = "Faults"
WEIGHT = 2.0
_N_KILLS, _N_KILLS_SMALL = 200, 4


def run(plan: Plan) -> Iterator[Count]:
    """Every kind of fault in turn."""
    study = write_small_study(plan.folder / "study", plan.study)
    known = undisturbed(study)
    n = _N_KILLS_SMALL if plan.small else _N_KILLS
    seconds = plan.seconds if plan.small else 0.6 * plan.seconds
    yield count_kills(study, known, n, max(30.0, seconds), plan.seed, 1 if plan.small else 2)
