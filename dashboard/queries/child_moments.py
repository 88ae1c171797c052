"""What intervals by child rest on, kept by child and speaker (see `pipeline.ratio_moments`).

Tens of thousands of recordings are looked at once for a way to score and a choice of speakers and
ages; any choice of children is then one of rows. Publishing keeps those of the opening pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dashboard.filters import Filters
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.chance import chance_cells
from dashboard.queries.comparing import pair_cells
from dashboard.queries.cube import choice_of_recordings
from dashboard.queries.selection import Measure
from dashboard.queries.shares import score_cells
from pipeline.ratio_moments import moments_of_chance, moments_of_pairs, moments_of_scores

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
PairMoments = tuple[Ints, Floats, Floats, Floats, Floats, Floats]
Moments = TypeVar("Moments", bound=tuple[NDArray[np.generic], ...])


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is counted: which utterances, how they are scored, and into which groups."""

    arrays: ScoreArrays
    filters: Filters
    measure: Measure
    split: str = "none"

    @property
    def children(self) -> Mask:
        """(n_children,): which are chosen."""
        names, chosen = self.arrays.recordings.child_names, self.filters.children
        return np.isin(names, chosen) if chosen else np.ones(len(names), np.bool_)


def score_moments(asked: Asked) -> tuple[Floats, Floats, Floats]:
    """As `moments_of_scores` of all children: those that are not chosen may hold anything."""

    def make(filters: Filters, split: str) -> tuple[Floats, Floats, Floats]:
        recordings = asked.arrays.recordings
        counts, sums = score_cells(asked.arrays, filters, asked.measure, split)
        n_children = len(recordings.child_names)
        return moments_of_scores(counts, sums, recordings.child, recordings.ages, n_children)

    return _of_choice(asked, asked.measure.counted_as.name("scores"), make)


def chance_moments(asked: Asked) -> tuple[Floats, Floats]:
    """As `moments_of_chance`, likewise."""

    def make(filters: Filters, split: str) -> tuple[Floats, Floats]:
        recordings = asked.arrays.recordings
        counts, sums = chance_cells(asked.arrays, filters, asked.measure, split)
        return moments_of_chance(counts, sums, recordings.child, len(recordings.child_names))

    return _of_choice(asked, asked.measure.counted_as.name("chance"), make)


def pair_moments(asked: Asked, b: Measure) -> PairMoments:
    """As `moments_of_pairs`, likewise, with the measure that was asked as A."""

    def make(filters: Filters, split: str) -> PairMoments:
        recordings = asked.arrays.recordings
        counts, sums = pair_cells(asked.arrays, filters, (asked.measure, b), split)
        return moments_of_pairs(counts, sums, recordings.child, len(recordings.child_names))

    return _of_choice(asked, asked.measure.counted_as.pair_name("pairs", b.counted_as), make)


def _of_choice(asked: Asked, name: str, make: Callable[[Filters, str], Moments]) -> Moments:
    """Moments of the choice, (n_groups, n_children, ...), from what is kept where it can be."""
    arrays, filters, split = asked.arrays, asked.filters, asked.split
    if choice_of_recordings(arrays, filters, split) is None:
        return make(filters, split)
    # Children do not change each other's numbers.
    every = replace(Filters(), min_age_days=filters.min_age_days, max_age_days=filters.max_age_days)
    ages = "" if every == Filters() else f" {every.min_age_days} to {every.max_age_days} days"
    names = arrays.group_names("speaker")
    known = [speaker for speaker in names if speaker in filters.speakers]
    if split == "none" and filters.speakers and len(known) != 1:
        some = replace(every, speakers=filters.speakers)
        return arrays.kept(
            f"children {name}{ages} {sorted(filters.speakers)}", lambda: make(some, split)
        )
    if split == "none" and not filters.speakers:
        return arrays.kept(f"children {name}{ages}", lambda: make(every, split))
    by_speaker = arrays.kept(f"children by speaker {name}{ages}", lambda: make(every, "speaker"))
    if not filters.speakers:
        return by_speaker
    if split == "none":
        place = names.index(known[0])
        return _each(by_speaker, lambda part: part[place : place + 1])
    is_chosen = np.array([*(speaker in known for speaker in names), False])
    return _each(by_speaker, lambda part: _only(part, is_chosen))


def _each(moments: Moments, take: Callable[[NDArray[np.generic]], NDArray[np.generic]]) -> Moments:
    found: Moments = tuple(take(part) for part in moments)  # type: ignore[assignment]
    return found


def _only(part: NDArray[np.generic], is_chosen: Mask) -> NDArray[np.generic]:
    found = np.zeros_like(part)
    found[is_chosen] = part[is_chosen]
    return found
