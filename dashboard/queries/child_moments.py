"""What intervals by child rest on, kept by child and speaker (see `pipeline.ratio_moments`).

Tens of thousands of recordings are looked at once for a way to score and a choice of speakers and
ages; any choice of children is then one of rows. Publishing keeps those of the opening pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from dashboard.filters import Filters
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.chance import chance_cells
from dashboard.queries.comparing import pair_cells
from dashboard.queries.cube import is_of_recordings
from dashboard.queries.selection import Measure
from dashboard.queries.shares import score_cells
from pipeline.ratio_moments import moments_of_chance, moments_of_pairs, moments_of_scores

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Cells = tuple[Ints, Floats]
Moments = TypeVar("Moments", bound=tuple[NDArray[np.generic], ...])


@dataclass(frozen=True, eq=False)
class Asked:
    """What is counted: which utterances, how they are scored, and into which groups. `other` is
    the measure that is compared with the first, where there are two."""

    arrays: ScoreArrays
    filters: Filters
    measure: Measure
    split: str = "none"
    other: Measure | None = None

    @property
    def children(self) -> Mask:
        """(n_children,): which are chosen."""
        names, chosen = self.arrays.recordings.child_names, self.filters.children
        return np.isin(names, chosen) if chosen else np.ones(len(names), np.bool_)

    @property
    def both(self) -> tuple[Measure, Measure]:
        """The two measures that are compared."""
        assert self.other is not None
        return self.measure, self.other

    @cached_property
    def score_cells(self) -> Cells:
        """As `shares.score_cells`."""
        return score_cells(self.arrays, self.filters, self.measure, self.split)

    @cached_property
    def chance_cells(self) -> Cells:
        """As `chance.chance_cells`."""
        return chance_cells(self.arrays, self.filters, self.measure, self.split)

    @cached_property
    def pair_cells(self) -> Cells:
        """As `comparing.pair_cells`."""
        return pair_cells(self.arrays, self.filters, self.both, self.split)


class PairMoments(NamedTuple):
    """What `moments_of_pairs` returns."""

    counts: Ints
    sums: Floats
    share_a: Floats
    share_b: Floats
    change: Floats
    difference: Floats


def score_moments(asked: Asked) -> tuple[Floats, Floats, Floats]:
    """As `moments_of_scores` of all children: those that are not chosen may hold anything."""

    def make(asked: Asked) -> tuple[Floats, Floats, Floats]:
        recordings = asked.arrays.recordings
        n_children = len(recordings.child_names)
        return moments_of_scores(*asked.score_cells, recordings.child, recordings.ages, n_children)

    return _of_choice(asked, asked.measure.counted_as.name("scores"), make)


def chance_moments(asked: Asked) -> tuple[Floats, Floats]:
    """As `moments_of_chance`, likewise."""

    def make(asked: Asked) -> tuple[Floats, Floats]:
        recordings = asked.arrays.recordings
        n_children = len(recordings.child_names)
        return moments_of_chance(*asked.chance_cells, recordings.child, n_children)

    return _of_choice(asked, asked.measure.counted_as.name("chance"), make)


def pair_moments(asked: Asked) -> PairMoments:
    """As `moments_of_pairs`, likewise."""

    def make(asked: Asked) -> tuple[Ints, Floats, Floats, Floats, Floats, Floats]:
        recordings = asked.arrays.recordings
        n_children = len(recordings.child_names)
        return moments_of_pairs(*asked.pair_cells, recordings.child, n_children)

    a, b = asked.both
    return PairMoments(*_of_choice(asked, a.counted_as.pair_name("pairs", b.counted_as), make))


def _of_choice(asked: Asked, name: str, make: Callable[[Asked], Moments]) -> Moments:
    """Moments of the choice, (n_groups, n_children, ...), from what is kept where it can be."""
    arrays, filters, split = asked.arrays, asked.filters, asked.split
    if not is_of_recordings(filters, split):
        return make(asked)
    # Children do not change each other's numbers.
    of_ages = Filters(min_age_days=filters.min_age_days, max_age_days=filters.max_age_days)
    if of_ages.narrowed:
        name = f"{name} {of_ages.min_age_days} to {of_ages.max_age_days} days"
    speakers = arrays.group_names("speaker")
    known = [place for place, speaker in enumerate(speakers) if speaker in filters.speakers]
    if split == "none" and len(known) != 1:
        if filters.speakers:
            name = f"{name} {sorted(filters.speakers)}"
        every = replace(asked, filters=replace(of_ages, speakers=filters.speakers))
        return arrays.kept(f"children {name}", lambda: make(every))
    every = replace(asked, filters=of_ages, split="speaker")
    by_speaker = arrays.kept(f"children by speaker {name}", lambda: make(every))
    if split == "none":
        return _each(by_speaker, lambda part: part[known])
    return _each(by_speaker, lambda part: _only(part, known)) if filters.speakers else by_speaker


def _each(moments: Moments, take: Callable[[NDArray[np.generic]], NDArray[np.generic]]) -> Moments:
    found: Moments = tuple(take(part) for part in moments)  # type: ignore[assignment]
    return found


def _only(part: NDArray[np.generic], places: list[int]) -> NDArray[np.generic]:
    found = np.zeros_like(part)
    found[places] = part[places]
    return found
