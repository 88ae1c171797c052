"""Kills, full disks, damaged files, clocks that jump, two runs at once: nothing is lost, and the
store that one sees is always a whole one."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

from tests.torture import Count, Plan
from tests.torture.faults.damage import count_damaged, count_damaged_shards
from tests.torture.faults.disks import count_full_disks, count_read_only
from tests.torture.faults.kills import count_kills, count_kills_in_a_row, undisturbed
from tests.torture.faults.small_study import write_small_study
from tests.torture.faults.together import (
    count_clock_jumps,
    count_reading_meanwhile,
    count_two_at_once,
)

TITLE = "Faults"
WEIGHT = 3.0


_N_KILLS, _N_DAMAGED, _N_DISKS, _N_CLOCKS, _N_PAIRS, _N_PUBLISHES = 200, 21, 12, 3, 2, 4
_SHARE_OF_KILLS = 0.9
"""Of the time that is left when all else is done."""


def run(plan: Plan) -> Iterator[Count]:
    """Every kind of fault in turn, the kills last."""
    if plan.small:
        yield from _run_small(plan)
        return
    ends = time.monotonic() + plan.seconds
    study = write_small_study(plan.folder / "study", plan.study)
    known = undisturbed(study)
    yield count_two_at_once(study, known, _N_PAIRS)
    yield count_reading_meanwhile(study, known, _N_PUBLISHES)
    yield from count_damaged(study, known, _N_DAMAGED, 0.25 * plan.seconds, plan.seed)
    yield count_full_disks(study, known, _N_DISKS, 0.12 * plan.seconds, plan.seed)
    yield count_read_only(study, known)
    yield count_clock_jumps(study, known, _N_CLOCKS, 0.06 * plan.seconds, plan.seed)
    left = max(30.0, (ends - time.monotonic()) * _SHARE_OF_KILLS)
    n_kills, left = (_N_KILLS, left) if plan.times is None else (plan.times, math.inf)
    yield count_kills(study, known, n_kills, left, plan.seed, n_at_once=2)


def _run_small(plan: Plan) -> Iterator[Count]:
    study = write_small_study(plan.folder / "study", plan.study, n_films=1)
    known = undisturbed(study, is_from_nothing=False)
    yield count_kills_in_a_row(study, known, plan.seed)
    yield count_damaged_shards(study, known, 1, plan.seconds, plan.seed)
    yield count_full_disks(study, known, 1, plan.seconds, plan.seed)
