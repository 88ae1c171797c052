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

from pipeline.align import kernels
from pipeline.align.kernels import Int32Array, UInt64Array
from pipeline.align.windows import FrameRanges, Spans
from pipeline.compiled import compiled_for
from pipeline.records import Int64Array
from pipeline.schema import NULL_MIN_LAG_MS


@dataclass(frozen=True, slots=True)
class Places:
    """Stretches of the pool in which null windows may lie.

    first, n_frames: int64 (n_places, n_stretches); `first` is a frame of the pool, whose
    recordings are laid one behind the other. A null window never leaves a stretch. row: int64
    (n,) which of the places each of n utterances has; left_out: int64 (n,) a stretch of them that
    is not the utterance's, or -1.
    """

    first: Int64Array
    n_frames: Int64Array
    row: Int64Array
    left_out: Int64Array

    def of(self, rows: slice | Int64Array) -> Places:
        """The places of some of the utterances."""
        return replace(self, row=self.row[rows], left_out=self.left_out[rows])

    def longest(self) -> Int64Array:
        """Frames (n,) of the longest stretch that each utterance has."""
        ordered = np.sort(self.n_frames, axis=1)
        ordered = np.concatenate([np.zeros((len(ordered), 2), np.int64), ordered], axis=1)
        longest, next_longest = ordered[self.row, -1], ordered[self.row, -2]
        is_out = self.left_out >= 0
        is_out[is_out] = self.n_frames[self.row[is_out], self.left_out[is_out]] == longest[is_out]
        found: Int64Array = np.where(is_out, next_longest, longest)
        return found


@dataclass(frozen=True, slots=True)
class NullRuns:
    """Null runs of n utterances.

    first: int32 (n, K) first frame in the pool. n_frames: int64 (n,), 0 = nothing could be drawn.
    window_first: int64 (n, n_windows) start of each window within its run, -1 = no null.
    """

    first: Int32Array
    n_frames: Int64Array
    window_first: Int64Array


def places_in_others(
    starts: Int64Array, recording_frames: Int64Array | Sequence[int], own: Int64Array
) -> Places:
    """One stretch for each recording of the pool: where it starts and its number of frames.

    own: int64 (n,) the recording in the pool that each of n utterances comes from, whose frames
    are not its; -1 if it is not in the pool.
    """
    lengths = np.asarray(recording_frames, np.int64)[None, :]
    return Places(starts[None, :], lengths, np.zeros_like(own), own)


def places_in_same(spans: Spans, times_ms: Int64Array) -> Places:
    """Frames with |lag| > NULL_MIN_LAG_MS: a stretch before and one after each utterance."""
    n_before = np.searchsorted(times_ms, spans.onset_ms - NULL_MIN_LAG_MS, "left")
    after = np.searchsorted(times_ms, spans.offset_ms - 1 + NULL_MIN_LAG_MS, "right")
    first = np.stack([np.zeros_like(after), after], axis=1)
    n_frames = np.stack([n_before, len(times_ms) - after], axis=1)
    n = len(spans)
    return Places(
        first.astype(np.int64), n_frames.astype(np.int64), np.arange(n), np.full(n, -1, np.int64)
    )


def utterance_keys(recording_id: str, utterance_ids: Sequence[str], seed: int) -> UInt64Array:
    """One number (n,) for each utterance, from which its draws follow.

    The recording's id takes part because utterance ids need only be unique within a recording;
    without it, utterances of equal id would share the errors of their draws.
    """
    start = f"{seed}\n{recording_id}\n".encode()
    keys = [
        hashlib.blake2b(start + utterance_id.encode(), digest_size=8).digest()
        for utterance_id in utterance_ids
    ]
    return np.frombuffer(b"".join(keys), "<u8").astype(np.uint64)


def draw_runs(windows: FrameRanges, places: Places, keys: UInt64Array, n_draws: int) -> NullRuns:
    """Draw the null runs of n utterances.

    windows: n_frames (n, n_windows) must not decrease from one window to the next, as each
    window lies in the next.
    """
    n, n_windows = windows.n_frames.shape
    rows = np.arange(n)
    fits = (windows.n_frames > 0) & (windows.n_frames <= places.longest()[:, None])
    widest = np.where(fits, np.arange(n_windows), -1).max(axis=1)
    run_frames = np.where(widest >= 0, windows.n_frames[rows, widest], 0)
    window_first = np.where(fits, windows.first - windows.first[rows, widest][:, None], -1)

    # Utterances with the same places and run length choose among the same positions.
    n_lengths = int(run_frames.max(initial=0)) + 1
    alike, group = np.unique(places.row * n_lengths + run_frames, return_inverse=True)
    place, length = alike // n_lengths, alike % n_lengths
    positions = np.maximum(places.n_frames[place] - length[:, None] + 1, 0)
    end = np.cumsum(positions, axis=1)
    # Steps of a power of 2, some ten for each stretch: nearly every draw finds its own at once.
    most = int(end.max(initial=0))
    shift = max((most // max(end.shape[1], 1)).bit_length() - 4, 0)
    guide = np.empty((len(end), (most >> shift) + 1), np.int32)
    compiled_for(kernels.guide_positions, guide.size)(end, shift, guide)
    first = np.empty((n, n_draws), np.int32)
    with np.errstate(over="ignore"):  # whole numbers of 64 bits start again at 0
        compiled_for(kernels.draw_frames, first.size)(
            keys, group, places.left_out, end, places.first[place] + positions, guide, shift, first
        )
    return NullRuns(first, run_frames, window_first)
