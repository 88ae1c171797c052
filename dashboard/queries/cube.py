"""Counts kept apart by speaker and by recording or child: they add up to any choice of these.

Most choices are of children, ages and speakers. What is counted once for each speaker of each
recording gives the counts of all such choices by adding, with no look at the utterances: whole
numbers are the same, and sums differ in the last of sixteen digits. Other choices look at the
utterances.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dashboard.filters import Filters
from dashboard.queries.arrays import Numbers, ScoreArrays
from dashboard.queries.choosing import recordings_left

Number = TypeVar("Number", np.int64, np.float64)
Mask = NDArray[np.bool_]
Cells = NDArray[np.int64]
Sums = NDArray[np.float64]

_BY_RECORDING = frozenset(("children", "speakers", "min_age_days", "max_age_days"))
_BY_CHILD = frozenset(("children", "speakers"))
_SPLITS = ("none", "speaker")


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Which speakers, (n_speakers + 1,) with the unknown last, and which recordings or children,
    (n,), are chosen; None where all are."""

    speakers: Mask | None
    places: Mask | None


def is_of_recordings(filters: Filters, split: str) -> bool:
    """Whether recordings and speakers are all that the choice and the split are of."""
    return split in _SPLITS and filters.narrowed <= _BY_RECORDING


def choice_of_recordings(arrays: ScoreArrays, filters: Filters, split: str) -> Choice | None:
    """The choice as one of recordings and speakers; None when it or the split is of more."""
    if not is_of_recordings(filters, split):
        return None
    places = None
    if filters.narrowed - {"speakers"}:
        places = recordings_left(filters, arrays.recordings.frame)
    return Choice(_speakers(arrays, filters), places)


def choice_of_children(arrays: ScoreArrays, filters: Filters) -> Choice | None:
    """The choice as one of children and speakers; None when it is of more."""
    if not filters.narrowed <= _BY_CHILD:
        return None
    places = None
    if filters.children:
        places = np.isin(arrays.recordings.child_names, filters.children)
    return Choice(_speakers(arrays, filters), places)


def counted(
    arrays: ScoreArrays,
    choice: Choice,
    name: str,
    count: Callable[[], tuple[Cells, Sums]],
    *,
    by_speaker: bool = False,
) -> tuple[Cells, Sums]:
    """Counts and sums of the chosen, (n, n_speakers + 1, ...) if by speaker, else (n, 1, ...).

    `count` makes them of all utterances, by speaker; they are kept under `name`, which says all
    that they depend on.
    """

    def parts() -> tuple[Cells, Sums]:
        counts, sums = count()
        return _by_speaker(counts), _by_speaker(sums)

    def whole() -> tuple[Cells, Sums]:
        counts, sums = arrays.kept(f"cube {name}", parts)
        return _added(counts, None), _added(sums, None)

    if not by_speaker and choice.speakers is None:
        counts, sums = arrays.kept(f"whole cube {name}", whole)
    else:
        counts, sums = arrays.kept(f"cube {name}", parts)
        chosen = _apart if by_speaker else _added
        counts, sums = chosen(counts, choice.speakers), chosen(sums, choice.speakers)
    return _left(counts, choice.places), _left(sums, choice.places)


def child_and_speaker(arrays: ScoreArrays) -> Numbers:
    """int32 (n_utterances,): place of each one's child times the number of speakers, and one for
    the unknown, plus the place of its speaker."""

    def make() -> tuple[Numbers]:
        n = np.int32(n_speakers(arrays))
        return (arrays.child * n + arrays.group("speaker"),)

    return arrays.kept("child and speaker", make)[0]


def n_speakers(arrays: ScoreArrays) -> int:
    """Speakers there are, and one more for the unknown."""
    return len(arrays.group_names("speaker")) + 1


def _speakers(arrays: ScoreArrays, filters: Filters) -> Mask | None:
    if not filters.speakers:
        return None
    return np.array([*(name in filters.speakers for name in arrays.group_names("speaker")), False])


def _by_speaker(cells: NDArray[Number]) -> NDArray[Number]:
    """(n, n_speakers, ...) as (n_speakers, n, ...), of which one speaker is quick to take."""
    return np.ascontiguousarray(np.moveaxis(cells, 1, 0))


def _apart(cells: NDArray[Number], speakers: Mask | None) -> NDArray[Number]:
    """Of (n_speakers, n, ...) the chosen, as (n, n_speakers, ...) with zeros for the others."""
    if speakers is not None:
        cells = _kept_of(cells, speakers)
    found: NDArray[Number] = np.moveaxis(cells, 0, 1)
    return found


def _added(cells: NDArray[Number], speakers: Mask | None) -> NDArray[Number]:
    """Of (n_speakers, n, ...) the sums over the chosen, as (n, 1, ...)."""
    total = np.zeros_like(cells[0])
    for speaker, of_one in enumerate(cells):
        if speakers is None or speakers[speaker]:
            total += of_one
    found: NDArray[Number] = total[:, None]
    return found


def _left(cells: NDArray[Number], places: Mask | None) -> NDArray[Number]:
    """The cells, with zeros for places that are not chosen."""
    return cells if places is None else _kept_of(cells, places)


def _kept_of(cells: NDArray[Number], is_kept: Mask) -> NDArray[Number]:
    """The cells with zeros where the first axis, (n,), is not kept."""
    found: NDArray[Number] = np.zeros_like(cells)
    found[is_kept] = cells[is_kept]
    return found
