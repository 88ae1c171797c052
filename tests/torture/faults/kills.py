"""kill -9 at random points of a run, over all stages and publishing."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.torture import Count
from tests.torture.faults.running import Moment, Touches, run_killed, run_to_the_end
from tests.torture.faults.small_study import NEW, OLD, SmallStudy, twin
from tests.torture.faults.views import NOTHING, Content, content_of, store_view


@dataclass(frozen=True, slots=True)
class References:
    """Undisturbed runs of both states: their content, what OLD left, and how NEW was made of
    nothing (where that was done) and of OLD."""

    old: Content
    new: Content | None
    new_after_old: Content
    old_derived: Path
    touches: tuple[Touches, ...]

    def expected(self, is_after_old: bool) -> Content:
        """NEW made of OLD, or of nothing."""
        if is_after_old:
            return self.new_after_old
        assert self.new is not None, "NEW was not made of nothing"
        return self.new


def undisturbed(study: SmallStudy, *, is_from_nothing: bool = True) -> References:
    """Make both states, with nothing in the way; leaves the study NEW."""
    study.become(OLD)
    run_to_the_end(study.root)
    old = content_of(study.root)
    kept = study.root.with_name(f"{study.root.name}-old")
    shutil.copytree(study.derived, kept)
    study.become(NEW)
    from_old = run_to_the_end(study.root)
    after_old = content_of(study.root)
    if not is_from_nothing:
        return References(old, None, after_old, kept, (from_old,))
    study.reset(None)
    from_nothing = run_to_the_end(study.root)
    return References(old, content_of(study.root), after_old, kept, (from_old, from_nothing))


def count_kills(
    study: SmallStudy, known: References, n: int, seconds: float, seed: int, n_at_once: int
) -> Count:
    """Kill `n` runs and let each come to its end, or as many as there is time for."""
    chance = random.Random(seed)
    ends = time.monotonic() + seconds
    n_starts = len(known.touches)
    tries = [(i, _moments(chance, known.touches[i % n_starts], i)) for i in range(n)]
    twins = [twin(study, study.root.with_name(f"{study.root.name}-{k}")) for k in range(n_at_once)]
    numbers = count()

    def work(own: SmallStudy) -> list[str]:
        found = []
        while (number := next(numbers)) < n and time.monotonic() < ends:
            i, moments = tries[number]
            found.append(_tried(own, known, i % n_starts == 0, moments))
        return found

    own_seconds = time.monotonic()
    with ThreadPoolExecutor(n_at_once) as pool:
        outcomes = [sentence for found in pool.map(work, twins) for sentence in found]
    wrong = tuple(sentence for sentence in outcomes if sentence)
    took = time.monotonic() - own_seconds
    what = f"killed (SIGKILL) amid a stage or publishing, then run again ({took:.0f} s)"
    return Count(what, len(outcomes), len(outcomes) - len(wrong), wrong)


def count_kills_in_a_row(study: SmallStudy, known: References, seed: int) -> Count:
    """One run killed in each place in turn, and then let come to its end."""
    chance = random.Random(seed)
    touches = known.touches[0]
    moments = [Moment(place, chance.randrange(n)) for place, n in touches.numbers.items() if n]
    wrong = _tried(study, known, True, moments)
    n_right = 0 if wrong else len(moments)
    what = "killed (SIGKILL) in each stage and amid publishing, then run again"
    return Count(what, len(moments), n_right, (wrong,) if wrong else ())


def _moments(chance: random.Random, touches: Touches, i: int) -> list[Moment]:
    """One moment, or two in a row for every third: the second hits the run that mends."""
    places = sorted(touches.numbers)
    found: list[Moment] = []
    for _ in range(2 if i % 3 == 2 else 1):
        place = places[(i // 2) % len(places)] if not found else chance.choice(places)
        if chance.random() < 0.5:
            found.append(Moment(place, n=chance.randrange(touches.numbers[place])))
        else:
            found.append(Moment(place, delay_s=chance.uniform(0, touches.seconds[place])))
    return found


def _tried(
    study: SmallStudy, known: References, is_after_old: bool, moments: Sequence[Moment]
) -> str:
    """Kill at each moment in turn, look, finish, compare; "" when all was as it should be."""
    expected = known.expected(is_after_old)
    allowed = {known.old.store if is_after_old else NOTHING, expected.store}
    name = (
        f"{'OLD, then NEW' if is_after_old else 'NEW from nothing'}: {'; '.join(map(str, moments))}"
    )
    study.become(NEW)
    study.reset(known.old_derived if is_after_old else None)
    try:
        for moment in moments:
            code = run_killed(study.root, moment)
            if code not in (0, -signal.SIGKILL):
                return f"{name}: the run ended by itself with {code}"
            seen = store_view(study.root)
            if seen not in allowed:
                return f"{name}: after the kill one sees {seen}"
        run_to_the_end(study.root)
        difference = expected.difference(content_of(study.root))
    except Exception as problem:  # noqa: BLE001 - whatever comes of a kill is counted
        return f"{name}: {type(problem).__name__}: {problem}"
    return f"{name}: {difference}" if difference else ""
