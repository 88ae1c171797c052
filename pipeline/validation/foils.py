"""Which wrong options a target may have, and drawing three of them.

Random numbers come from `random.Random.random`, whose sequence for a seed is the same in every
version of Python, and are spent on candidates in the order of their ids.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pipeline.people.trial_records import N_OPTIONS
from pipeline.validation.candidates import Candidate
from pipeline.validation.plan import Foils

MIN_APART_MS = 60_000
"""Options of one recording lie at least this far apart, else they may show the same scene."""
MAX_WORDS_APART = 1
"""Foils that are matched on length have as many words as the target, one more or one less."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DrawnFoils:
    """Three foils; `n_unmatched` of them could not be matched on length."""

    foils: tuple[Candidate, ...]
    n_unmatched: int


def stream(seed: int, *purpose: object) -> random.Random:
    """A stream of random numbers that depends on seed and purpose only."""
    return random.Random(":".join(map(str, (seed, *purpose))))


def in_random_order(rng: random.Random, things: Sequence[T]) -> list[T]:
    """All of them, each once."""
    keyed = [(rng.random(), place) for place in range(len(things))]
    return [things[place] for _, place in sorted(keyed)]


def can_stand_together(one: Candidate, other: Candidate) -> bool:
    """Whether two moments may be options of one trial.

    Their words differ and neither text is contained in the other, their lemmas are not the same
    set, and in one recording their frames and their utterances lie MIN_APART_MS apart.
    """
    if one.moment.recording_id == other.moment.recording_id and (
        abs(one.frame_ms - other.frame_ms) < MIN_APART_MS
        or abs(one.moment.span.onset_ms - other.moment.span.onset_ms) < MIN_APART_MS
    ):
        return False
    if one.lemmas == other.lemmas:
        return False
    first, second = f" {one.words} ", f" {other.words} "
    return first not in second and second not in first


class FoilPool:
    """Candidates sorted so that foils for a target are found quickly."""

    def __init__(
        self, candidates: Sequence[Candidate], rule: Foils, *, is_matched_on_length: bool
    ) -> None:
        self._rule = rule
        self._is_matched = is_matched_on_length
        self._groups: dict[tuple[str, int], list[Candidate]] = defaultdict(list)
        self._lengths: dict[str, set[int]] = defaultdict(set)
        for candidate in sorted(candidates, key=lambda one: one.key):
            child, length = self._child(candidate), self._length(candidate)
            self._groups[child, length].append(candidate)
            self._lengths[child].add(length)

    def draw(self, target: Candidate, rng: random.Random) -> DrawnFoils | None:
        """Three foils that may stand with the target and with each other, or None."""
        chosen: list[Candidate] = []
        n_unmatched = 0
        for far, group in self._nearest_first(target):
            for candidate in _drawn_without_return(group, rng):
                if all(can_stand_together(candidate, one) for one in (target, *chosen)):
                    chosen.append(candidate)
                    n_unmatched += far > MAX_WORDS_APART
                if len(chosen) == N_OPTIONS - 1:
                    return DrawnFoils(tuple(chosen), n_unmatched)
        return None

    def _nearest_first(self, target: Candidate) -> Iterator[tuple[int, list[Candidate]]]:
        """(difference in words, candidates): first all within MAX_WORDS_APART, then farther."""
        child, length = self._child(target), self._length(target)
        by_distance: dict[int, list[Candidate]] = defaultdict(list)
        for other in sorted(self._lengths[child]):
            distance = max(MAX_WORDS_APART, abs(other - length))
            by_distance[distance] += self._groups[child, other]
        yield from sorted(by_distance.items())

    def _child(self, candidate: Candidate) -> str:
        return candidate.child_id if self._rule is Foils.SAME_CHILD else ""

    def _length(self, candidate: Candidate) -> int:
        return candidate.n_words if self._is_matched else 0


def _drawn_without_return(group: list[Candidate], rng: random.Random) -> Iterator[Candidate]:
    """The group in random order, drawn as far as it is asked for."""
    moved: dict[int, int] = {}
    for place in range(len(group)):
        taken = place + int(rng.random() * (len(group) - place))
        yield group[moved.get(taken, taken)]
        moved[taken] = moved.get(place, place)
