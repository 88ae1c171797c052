"""Which frames stand for which grid times, and which packets must be decoded for them.

Only arithmetic on timestamps: no file is opened here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Int64Array

Float64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
FrameT = TypeVar("FrameT")

_TIE_MS = 0.01
"""Two distances closer than this are equal: the earlier frame, already on display, wins.

Containers give their start to a microsecond only.
"""


@dataclass(frozen=True, slots=True)
class GridFrames:
    """Frames chosen for a grid: rows into the frame times and their grid indices, both rising.

    `n_repeated` grid times had no frame of their own: the nearest one already stands for a
    nearer grid time.
    """

    frame_rows: Int64Array
    grid_index: Int64Array
    n_repeated: int


def grid_frames(times_ms: Float64Array, step_ms: float, end_ms: float) -> GridFrames:
    """For each grid time k * step_ms before `end_ms`, the frame nearest to it, each frame once.

    times_ms: rising frame times (n,). A frame nearest to several grid times stands for the
    nearest of them.
    """
    n_grid = max(0, int(np.ceil((end_ms - _TIE_MS) / step_ms)))
    if n_grid == 0 or len(times_ms) == 0:
        return GridFrames(np.zeros(0, np.int64), np.zeros(0, np.int64), n_grid)
    grid = np.arange(n_grid) * step_ms
    later = np.clip(np.searchsorted(times_ms, grid), 0, len(times_ms) - 1)
    earlier = np.maximum(later - 1, 0)
    is_later = np.abs(times_ms[later] - grid) < np.abs(grid - times_ms[earlier]) - _TIE_MS
    rows = np.where(is_later, later, earlier)
    distance = np.abs(times_ms[rows] - grid)
    order = np.lexsort((grid, np.round(distance / _TIE_MS), rows))
    is_first = np.r_[True, np.diff(rows[order]) > 0]
    chosen = order[is_first]
    return GridFrames(
        rows[chosen].astype(np.int64), chosen.astype(np.int64), n_grid - int(is_first.sum())
    )


@dataclass(frozen=True, slots=True)
class PacketIndex:
    """The video packets of a file, in decode order (n,).

    pts: timestamps in ticks, of the pictures they hold; is_key: decoding can start here;
    is_shown: the picture is part of the recording (not cut away by an edit list, and after the
    first key).
    """

    pts: Int64Array
    is_key: BoolArray
    is_shown: BoolArray

    def part(self, first: int, end: int) -> PacketIndex:
        """The packets [first, end)."""
        return PacketIndex(self.pts[first:end], self.is_key[first:end], self.is_shown[first:end])


SKIP, REFERENCE, WANTED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class DecodePlan:
    """What to do with each packet, in decode order (n,).

    action: SKIP it, decode it as a possible REFERENCE, or WANTED. is_start: the decoder is
    emptied before this packet, because the packets before it were skipped.
    """

    action: NDArray[np.uint8]
    is_start: BoolArray


def groups_of_pictures(index: PacketIndex) -> Int64Array:
    """Group number of each packet (n,): a group starts at each key; -1 before the first."""
    return np.cumsum(index.is_key).astype(np.int64) - 1


def leading_pictures(index: PacketIndex) -> BoolArray:
    """Which packets (n,) follow their key in decode order but come before it on display.

    They refer to pictures of the group before, so they need that group decoded too.
    """
    group = groups_of_pictures(index)
    key_pts = index.pts[index.is_key]
    if not len(key_pts):
        return np.zeros(len(group), bool)
    return (group >= 0) & (index.pts < key_pts[np.maximum(group, 0)])


def without_orphans(index: PacketIndex) -> PacketIndex:
    """The index with the first key's leading pictures, and what precedes that key, not shown.

    What these pictures refer to is not in the file.
    """
    group = groups_of_pictures(index)
    is_decodable = (group > 0) | ((group == 0) & ~leading_pictures(index))
    return PacketIndex(index.pts, index.is_key, index.is_shown & is_decodable)


def decode_plan(index: PacketIndex, is_wanted: BoolArray) -> DecodePlan:
    """The least decoding that yields every wanted packet's picture.

    Each group of pictures is decoded from its key to its last wanted packet. A group with a
    wanted leading picture has the whole group before it decoded first.
    """
    n = len(index.pts)
    group = groups_of_pictures(index)
    n_groups = int(group[-1]) + 1 if n else 0
    if n_groups == 0:
        return DecodePlan(np.zeros(n, np.uint8), np.zeros(n, bool))
    position = np.arange(n)
    wanted = position[is_wanted & (group >= 0)]
    last_needed = np.full(n_groups, -1, np.int64)
    np.maximum.at(last_needed, group[wanted], wanted)
    ends = np.r_[np.flatnonzero(index.is_key)[1:], n] - 1
    needs_previous = np.unique(group[wanted[leading_pictures(index)[wanted]]])
    continued = np.zeros(n_groups, bool)
    continued[needs_previous] = True
    continued[0] = False
    before = np.flatnonzero(continued) - 1
    last_needed[before] = ends[before]
    action = np.where((group >= 0) & (position <= last_needed[group]), REFERENCE, SKIP)
    action[wanted] = WANTED
    is_start = index.is_key & (action != SKIP)
    is_start[np.flatnonzero(index.is_key)[continued]] = False
    return DecodePlan(action.astype(np.uint8), is_start)


@dataclass(frozen=True, slots=True)
class IndependentRun:
    """Packets [first, end) that are decoded without others, for the wanted rows [start, stop)."""

    first: int
    end: int
    start: int
    stop: int


def independent_runs(
    index: PacketIndex, wanted: Int64Array, least_wanted: int
) -> list[IndependentRun]:
    """Divide the wanted packets (m,), in order of display, where the decoder is emptied anyway.

    Each run has at least `least_wanted` of them, but for the last. One run, when the order of
    decoding is not that of the runs.
    """
    is_wanted = np.zeros(len(index.pts), bool)
    is_wanted[wanted] = True
    starts = np.flatnonzero(decode_plan(index, is_wanted).is_start)
    if not len(starts):
        return []
    part = np.searchsorted(starts, wanted, side="right") - 1
    if part.min() < 0 or np.any(np.diff(part) < 0):
        return [IndependentRun(0, len(index.pts), 0, len(wanted))]
    runs: list[IndependentRun] = []
    is_first = np.diff(part, prepend=-1) > 0
    start = 0
    for stop in [*np.flatnonzero(is_first)[1:].tolist(), len(wanted)]:
        if stop - start >= least_wanted or stop == len(wanted):
            rows = wanted[start:stop]
            runs.append(
                IndependentRun(int(starts[part[start]]), int(rows.max()) + 1, start, int(stop))
            )
            start = stop
    return runs


def unbroken_plan(index: PacketIndex, is_wanted: BoolArray, packet: int) -> DecodePlan:
    """Everything from two groups before `packet` on, without ever emptying the decoder.

    For streams whose keys only begin a gradual refresh, so that a group cannot be decoded alone.
    """
    group = groups_of_pictures(index)
    position = np.arange(len(group))
    is_read = (group >= 0) & (group >= group[packet] - 2)
    action = np.where(is_read, REFERENCE, SKIP)
    action[is_read & is_wanted] = WANTED
    is_start = np.zeros(len(group), bool)
    is_start[position[is_read][:1]] = True
    return DecodePlan(action.astype(np.uint8), is_start)


def nearest_in_stream(
    frames: Iterable[tuple[float, FrameT]], step_ms: float
) -> Iterator[tuple[int, float, FrameT]]:
    """(grid index, time in ms, frame) for frames that arrive one by one, (time in ms, frame).

    The same choice as `grid_frames`, for files whose packets carry no usable timestamps.
    """
    best: tuple[int, float, FrameT] | None = None
    last_ms, frame_ms = -1.0, 1.0
    for time_ms, frame in frames:
        if time_ms <= last_ms:
            continue
        frame_ms, last_ms = (time_ms - last_ms if last_ms >= 0 else frame_ms), time_ms
        nearest = max(0, int(np.ceil(time_ms / step_ms - 0.5 - _TIE_MS / step_ms)))
        distance_ms = abs(time_ms - nearest * step_ms)
        if best is not None and nearest != best[0]:
            yield best
            best = None
        if best is None or distance_ms < abs(best[1] - nearest * step_ms) - _TIE_MS:
            best = (nearest, time_ms, frame)
    if best is not None and best[0] * step_ms < last_ms + frame_ms - _TIE_MS:
        yield best
