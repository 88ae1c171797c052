"""An index, and whether its interval reaches a criterion: yes, no, or it cannot be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Index:
    """One number about what drives the score.

    `scope`: "corpus" or a child. `value`, `lower`, `upper`: None where they cannot be told; `n`
    utterances it rests on, of `n_recordings`; `chance`: what it is where nothing drives the score.
    `supports`: whether the finding holds here, None where that cannot be told or where the number
    has no criterion; `note` says why in words.
    """

    name: str
    scope: str
    value: float | None
    lower: float | None
    upper: float | None
    n: int
    n_recordings: int
    chance: float | None
    supports: bool | None
    note: str


def at_least(index: Index, criterion: float) -> bool | None:
    """Whether the index reaches the criterion, by its whole interval."""
    if index.lower is None or index.upper is None:
        return None
    if index.lower >= criterion:
        return True
    return False if index.upper < criterion else None


def at_most(index: Index, criterion: float) -> bool | None:
    """Whether the index stays at or below the criterion, by its whole interval."""
    if index.lower is None or index.upper is None:
        return None
    if index.upper <= criterion:
        return True
    return False if index.lower > criterion else None


def above(index: Index, criterion: float) -> bool | None:
    """Whether the index is above the criterion, by its whole interval."""
    if index.lower is None or index.upper is None:
        return None
    if index.lower > criterion:
        return True
    return False if index.upper <= criterion else None


def both(first: bool | None, second: bool | None) -> bool | None:
    """Three-valued and."""
    if first is False or second is False:
        return False
    return True if first and second else None
