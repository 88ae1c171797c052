"""The matched null: where each utterance's chance windows lie.

The maximum over frames grows with their number even if nothing is aligned. So every utterance is
also compared with K windows of as many consecutive frames from other recordings of the child.

- Positions are uniform over all places of the pool where such a window fits inside a recording,
  drawn with replacement.
- One draw serves all windows of an utterance: it is made for the widest window that fits
  somewhere, and the narrower ones lie in it as they do in the real one. A wider window that fits
  nowhere gets no null.
- If the child has no other recording with frames, the windows come from the same recording, and
  every frame of them is more than 60 s away from the utterance.
- The random numbers depend on the seed and the ids of recording and utterance alone, so results
  do not change with the order of work or the number of workers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.align import kernels
from pipeline.align.windows import FrameRanges, Spans
from pipeline.compiled import compiled_for
from pipeline.records import Int64Array
from pipeline.schema import NULL_MIN_LAG_MS

UInt64Array = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, slots=True)
class Places:
    """Stretches of the pool in which null windows may lie.

    first, n_frames: int64 (n_places, n_stretches); `first` is a frame of the pool, whose
    recordings are laid one behind the other. A null window never leaves a stretch. row: int64
    (n,) which of the places each of n utterances has.
    """

    first: Int64Array
    n_frames: Int64Array
    row: Int64Array

    def of(self, rows: slice | Int64Array) -> Places:
        """The places of some of the utterances."""
        return replace(self, row=self.row[rows])


@dataclass(frozen=True, slots=True)
class NullRuns:
    """Null runs of n utterances.

    first: int64 (n, K) first frame in the pool. n_frames: int64 (n,), 0 = nothing could be drawn.
    window_first: int64 (n, n_windows) start of each window within its run, -1 = no null.
    """

    first: Int64Array
    n_frames: Int64Array
    window_first: Int64Array


def places_in_others(starts: Int64Array, recording_frames: Sequence[int], n: int) -> Places:
    """For n utterances one stretch for each recording of the pool: where it starts and its number
    of frames."""
    lengths = np.asarray(recording_frames, np.int64)[None, :]
    return Places(starts[None, :], lengths, np.zeros(n, np.int64))


def places_in_same(spans: Spans, times_ms: Int64Array) -> Places:
    """Frames with |lag| > NULL_MIN_LAG_MS: a stretch before and one after each utterance."""
    n_before = np.searchsorted(times_ms, spans.onset_ms - NULL_MIN_LAG_MS, "left")
    after = np.searchsorted(times_ms, spans.offset_ms - 1 + NULL_MIN_LAG_MS, "right")
    first = np.stack([np.zeros_like(after), after], axis=1)
    n_frames = np.stack([n_before, len(times_ms) - after], axis=1)
    return Places(first.astype(np.int64), n_frames.astype(np.int64), np.arange(len(spans)))


def utterance_keys(recording_id: str, utterance_ids: Sequence[str], seed: int) -> UInt64Array:
    """One number (n,) for each utterance, from which its draws follow.

    The recording's id takes part because utterance ids need only be unique within a recording;
    without it, utterances of equal id would share the errors of their draws.
    """
    start = hashlib.blake2b(f"{seed}\n{recording_id}\n".encode(), digest_size=8)
    keys = bytearray()
    for utterance_id in utterance_ids:
        digest = start.copy()
        digest.update(utterance_id.encode())
        keys += digest.digest()
    return np.frombuffer(bytes(keys), "<u8").astype(np.uint64)


def draw_runs(windows: FrameRanges, places: Places, keys: UInt64Array, n_draws: int) -> NullRuns:
    """Draw the null runs of n utterances.

    windows: n_frames (n, n_windows) must not decrease from one window to the next, as each
    window lies in the next.
    """
    n, n_windows = windows.n_frames.shape
    rows = np.arange(n)
    longest_place = places.n_frames.max(axis=1, initial=0)[places.row]
    fits = (windows.n_frames > 0) & (windows.n_frames <= longest_place[:, None])
    widest = np.where(fits, np.arange(n_windows), -1).max(axis=1)
    run_frames = np.where(widest >= 0, windows.n_frames[rows, widest], 0)
    window_first = np.where(fits, windows.first - windows.first[rows, widest][:, None], -1)

    # Utterances with the same places and run length choose among the same positions.
    n_lengths = int(run_frames.max(initial=0)) + 1
    alike, group = np.unique(places.row * n_lengths + run_frames, return_inverse=True)
    place, length = alike // n_lengths, alike % n_lengths
    positions = np.maximum(places.n_frames[place] - length[:, None] + 1, 0)
    first = np.empty((n, n_draws), np.int64)
    compiled_for(kernels.drawn_frames, n * n_draws)(
        _fractions(keys, n_draws),
        group,
        np.cumsum(positions, axis=1),
        places.first[place] + positions,
        first,
    )
    return NullRuns(first, run_frames, window_first)


def _fractions(keys: UInt64Array, n_draws: int) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1), shape (n, n_draws): SplitMix64 (Steele et al. 2014) by key."""
    state = keys[:, None] + np.arange(1, n_draws + 1, dtype=np.uint64) * _GOLDEN
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    state ^= state >> np.uint64(31)
    return np.asarray((state >> np.uint64(11)) * 2.0**-53, np.float64)
