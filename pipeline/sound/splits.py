"""Which clips a system learns from, stops by and is tested on: whole recordings or children."""

from __future__ import annotations

from enum import Enum

import numpy as np

from pipeline.errors import StudyError
from pipeline.records import Int64Array
from pipeline.sound.clip_set import ClipSet, SplitSets

_TEST_SHARE = _VALIDATION_SHARE = 0.2
_PARTS = 3
MOST_LEARNT = 50_000
MOST_TESTED = 2_000
"""Clips to learn from and to test on. More cost memory and time, and change no figure much."""


class SplitBy(str, Enum):
    """What is never parted between learning and testing."""

    RECORDING = "recording"
    CHILD = "child"


def groups_of(clips: ClipSet, by: SplitBy) -> Int64Array:
    """Number of the recording or child of each clip, int64 (n,)."""
    return clips.recording if by is SplitBy.RECORDING else clips.child


def split_clips(clips: ClipSet, by: SplitBy, seed: int) -> SplitSets:
    """About a fifth of the recordings (or children) to test on, a fifth to stop by.

    Drawn by seed. Raises StudyError when there are fewer than three.
    """
    groups = groups_of(clips, by)
    order = _shuffled(groups, by, seed)
    n_test = max(1, round(len(order) * _TEST_SHARE))
    n_validation = max(1, round(len(order) * _VALIDATION_SHARE))
    parts = np.split(order, [n_test, n_test + n_validation])
    test, validation, train = (np.flatnonzero(np.isin(groups, part)) for part in parts)
    return limited(SplitSets(clips.of(train), clips.of(validation), clips.of(test)), seed)


def limited(sets: SplitSets, seed: int) -> SplitSets:
    """The parts of a large study cut down to MOST_LEARNT and MOST_TESTED clips."""
    return SplitSets(
        whole_recordings(sets.train, MOST_LEARNT, seed),
        whole_recordings(sets.validation, MOST_TESTED, seed),
        whole_recordings(sets.test, MOST_TESTED, seed),
    )


def folds(clips: ClipSet, by: SplitBy, seed: int, n_folds: int) -> list[Int64Array]:
    """Recordings (or children) parted into at most `n_folds` folds of about equal number.

    Raises StudyError when there are fewer than three.
    """
    order = _shuffled(groups_of(clips, by), by, seed)
    return [part for part in np.array_split(order, min(n_folds, len(order))) if len(part)]


def _shuffled(groups: Int64Array, by: SplitBy, seed: int) -> Int64Array:
    unique = np.unique(groups)
    if len(unique) < _PARTS:
        raise StudyError(
            f"Clips come from {len(unique)} {'child(ren)' if by is SplitBy.CHILD else by.value}"
            f"{'' if by is SplitBy.CHILD else '(s)'}; at least {_PARTS} are needed.",
            hint="One part is learnt from, one says when to stop, one is tested on."
            + (" Choose --split recording." if by is SplitBy.CHILD else ""),
        )
    return np.random.default_rng([seed, 7]).permutation(unique)


def whole_recordings(clips: ClipSet, n_most: int, seed: int) -> ClipSet:
    """Recordings drawn by seed for as long as their clips are at most `n_most`, at least one."""
    if len(clips) <= n_most:
        return clips
    recordings, counts = np.unique(clips.recording, return_counts=True)
    order = np.random.default_rng([seed, 10]).permutation(len(recordings))
    n_fit = max(1, int((np.cumsum(counts[order]) <= n_most).sum()))
    return clips.of(np.flatnonzero(np.isin(clips.recording, recordings[order[:n_fit]])))
