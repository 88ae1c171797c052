"""Simulated raters and experts for the demo: how a program answers trials from the demo's truth.

Nobody rated anything. Raters differ in how well they look and in how often they press any key; one
of them does not attend at all, so that there is someone for the catch trials to find.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from pipeline.demo.chance import between, log_normal, normal, stream
from pipeline.demo.simulated_views import WorldViews
from pipeline.demo.world import Case
from pipeline.people.trial_records import (
    N_OPTIONS,
    Answer,
    Item,
    LabelGiven,
    MomentLabel,
    Part,
    Trial,
    TrialMode,
)

SIMULATED = "simulated"
"""Source of a simulated rater, and the program that answers."""
N_RATERS, N_EXPERTS = 12, 3
INATTENTIVE = 9
"""Number of the rater who does not attend."""

_FIRST_DAY = datetime(2026, 3, 2, 9, tzinfo=timezone.utc)
_EYE, _EYE_SD = 4.6, 0.6
"""How strongly a rater goes for what fits: log odds of a plain fit against none."""
_ITEM_SD = 0.7
_LAPSES = (0.02, 0.07)
_CATCH_MISSED = 0.02
_GUESSES = 0.9
_MEDIAN_MS = {TrialMode.IMAGES: 2_600.0, TrialMode.UTTERANCES: 4_300.0, TrialMode.MOMENT: 5_200.0}
_HASTY_MS = 650.0
_UNSURE = 1.5
"""How many times longer an answer takes where nothing fits."""
_FASTEST_MS = 280.0
_PAUSE_MS = (400.0, 1_400.0)

_LABELS: dict[Case, tuple[tuple[MomentLabel, float], ...]] = {
    Case.CENTER: (
        (MomentLabel.ALIGNED, 0.90),
        (MomentLabel.PARTLY, 0.07),
        (MomentLabel.NOT, 0.03),
    ),
    Case.EDGE: ((MomentLabel.ALIGNED, 0.60), (MomentLabel.PARTLY, 0.30), (MomentLabel.NOT, 0.10)),
    Case.LAGGED: (
        (MomentLabel.PARTLY, 0.30),
        (MomentLabel.NOT, 0.60),
        (MomentLabel.CANNOT_TELL, 0.10),
    ),
    Case.ABSENT: ((MomentLabel.NOT, 0.92), (MomentLabel.PARTLY, 0.05), (MomentLabel.ALIGNED, 0.03)),
    Case.NONE: (
        (MomentLabel.NOT, 0.55),
        (MomentLabel.CANNOT_TELL, 0.38),
        (MomentLabel.PARTLY, 0.07),
    ),
}
"""What an expert says of a moment, by what the camera saw."""


def rater_label(number: int) -> str:
    """The pseudonym of rater 1, 2 ..."""
    return f"{SIMULATED} {number:02}"


def expert_label(number: int) -> str:
    """The pseudonym of expert 1, 2 ..."""
    return f"{SIMULATED} expert {number}"


@dataclass(frozen=True, slots=True)
class _Eye:
    """One rater: the draw towards what fits, the share of answers that are guesses, the pace."""

    strength: float
    lapse: float
    catch_missed: float
    pace: float
    is_hasty: bool


def simulated_answers(
    trials: Sequence[Trial], views: WorldViews, *, number: int, rater_id: int, seed: int
) -> tuple[Answer, ...]:
    """The answers of rater `number` to the trials of a list, in its order.

    The same for the same seed, rater and items, whatever scores the items have.
    """
    eye = _eye(number, seed)
    clock = _FIRST_DAY + timedelta(days=number // 4, hours=number % 4)
    found: list[Answer] = []
    for trial in trials:
        item = trial.item
        chance = stream(seed, f"simulated/{number}/{item.item_id}")
        fits = views.fits(item)
        option = _choice(item, fits, eye, chance, _difficulty(item, seed))
        is_sure = item.part is Part.CATCH or max(fits) > 0
        rt_ms = _rt_ms(item.mode, eye, chance, is_sure=is_sure)
        clock += timedelta(milliseconds=rt_ms + between(*_PAUSE_MS, chance))
        position = trial.option_order.index(option) + 1
        found.append(
            Answer(
                rater_id,
                trial.trial_id,
                position,
                round(rt_ms, 1),
                clock.isoformat(timespec="seconds"),
                SIMULATED,
            )
        )
    return tuple(found)


def simulated_labels(
    items: Sequence[Item], views: WorldViews, *, number: int, rater_id: int, seed: int
) -> tuple[LabelGiven, ...]:
    """What expert `number` says about each moment."""
    eye = _eye(100 + number, seed)
    clock = _FIRST_DAY + timedelta(days=7 + number)
    found: list[LabelGiven] = []
    for item in items:
        chance = stream(seed, f"expert/{number}/{item.item_id}")
        moment = item.options[0].moment
        label = _drawn(_LABELS[views.case_of(moment)], chance)
        line = views.line_of(moment)
        named = "" if line is None else line.named_word or ""
        rt_ms = _rt_ms(item.mode, eye, chance, is_sure=label is not MomentLabel.CANNOT_TELL)
        clock += timedelta(milliseconds=rt_ms + between(*_PAUSE_MS, chance))
        found.append(
            LabelGiven(
                rater_id,
                item.item_id,
                label,
                named,
                round(rt_ms, 1),
                clock.isoformat(timespec="seconds"),
                SIMULATED,
            )
        )
    return tuple(found)


def _eye(number: int, seed: int) -> _Eye:
    chance = stream(seed, f"simulated/{number}")
    strength = _EYE + _EYE_SD * normal(chance)
    lapse = between(*_LAPSES, chance)
    pace = log_normal(1.0, 0.2, chance)
    if number == INATTENTIVE:
        return _Eye(strength, _GUESSES, 1.0, pace, is_hasty=True)
    return _Eye(strength, lapse, _CATCH_MISSED, pace, is_hasty=False)


def _difficulty(item: Item, seed: int) -> float:
    """How much harder than usual the target is to see; the same for every rater."""
    return _ITEM_SD * normal(stream(seed, f"difficulty/{item.item_id}"))


def _choice(
    item: Item, fits: Sequence[float], eye: _Eye, chance: random.Random, difficulty: float
) -> int:
    """The option that is chosen, 0 the target."""
    is_guess = chance.random() < (eye.catch_missed if item.part is Part.CATCH else eye.lapse)
    guess = int(chance.random() * N_OPTIONS)
    if is_guess:
        return guess
    if item.part is Part.CATCH:
        return 0
    drawn = [eye.strength * fit for fit in fits]
    if fits[0] > 0:
        drawn[0] -= difficulty
    weights = [math.exp(value) for value in drawn]
    at = chance.random() * sum(weights)
    for option, weight in enumerate(weights):
        at -= weight
        if at < 0:
            return option
    return N_OPTIONS - 1


def _rt_ms(mode: TrialMode, eye: _Eye, chance: random.Random, *, is_sure: bool) -> float:
    median = _HASTY_MS if eye.is_hasty else _MEDIAN_MS[mode]
    if not is_sure and not eye.is_hasty:
        median *= _UNSURE
    return max(_FASTEST_MS, log_normal(median * eye.pace, 0.35, chance))


def _drawn(shares: Sequence[tuple[MomentLabel, float]], chance: random.Random) -> MomentLabel:
    at = chance.random()
    for label, share in shares:
        at -= share
        if at < 0:
            return label
    return shares[-1][0]
