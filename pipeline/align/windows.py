"""Which frames belong to an utterance: arithmetic on times, no embeddings.

The lag of a frame is 0 inside the utterance [onset, offset), time - onset (< 0) before it and
time - (offset - 1) (> 0) after it. A window of w ms holds the frames with |lag| <= w.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config import FrameSettings
from pipeline.records import Int64Array, Utterance
from pipeline.results import RecordingAlignment


@dataclass(frozen=True, slots=True)
class Spans:
    """Utterance times: onset_ms, offset_ms int64 (n,), half-open."""

    onset_ms: Int64Array
    offset_ms: Int64Array

    @classmethod
    def of(cls, utterances: Sequence[Utterance]) -> Spans:
        spans = [utterance.span for utterance in utterances]
        return cls(
            np.array([span.onset_ms for span in spans], np.int64),
            np.array([span.offset_ms for span in spans], np.int64),
        )

    def __len__(self) -> int:
        return len(self.onset_ms)


@dataclass(frozen=True, slots=True)
class FrameRanges:
    """Runs of consecutive frames: first row and n_frames, int64 (n_utterances, n_windows)."""

    first: Int64Array
    n_frames: Int64Array

    def of(self, rows: slice | Int64Array) -> FrameRanges:
        """The ranges of some of the utterances."""
        return FrameRanges(self.first[rows], self.n_frames[rows])

    def rows(self, window: int) -> tuple[Int64Array, Int64Array]:
        """All (utterance_row, frame_row) pairs of one window, int64 (m,), by utterance, time."""
        n_frames = self.n_frames[:, window]
        utterance_row = np.repeat(np.arange(len(n_frames)), n_frames)
        starts = np.cumsum(n_frames) - n_frames
        frame_row = np.arange(len(utterance_row)) + np.repeat(
            self.first[:, window] - starts, n_frames
        )
        return utterance_row, frame_row


def frame_ranges(spans: Spans, times_ms: Int64Array, windows_ms: Sequence[int]) -> FrameRanges:
    """Frames with |lag| <= w for each utterance and each w of windows_ms.

    times_ms: int64 (n_frames,), increasing.
    """
    width_ms = np.asarray(windows_ms, np.int64)
    first = np.searchsorted(times_ms, spans.onset_ms[:, None] - width_ms, "left")
    end = np.searchsorted(times_ms, spans.offset_ms[:, None] - 1 + width_ms, "right")
    return FrameRanges(first.astype(np.int64), (end - first).astype(np.int64))


def lags_ms(time_ms: Int64Array, onset_ms: Int64Array, offset_ms: Int64Array) -> Int64Array:
    """Signed distance of frames from utterances, elementwise."""
    before: Int64Array = np.minimum(time_ms - onset_ms, 0)
    after: Int64Array = np.maximum(time_ms - (offset_ms - 1), 0)
    return before + after


def with_nearest(
    ranges: FrameRanges, spans: Spans, times_ms: Int64Array, within_ms: float
) -> FrameRanges:
    """Give empty windows the nearest frame if its |lag| <= within_ms; the earlier of two as near.

    Wider windows that are empty too get the same frame, so a wider window never knows less than
    a narrower one. Needs at least one frame.
    """
    after = np.searchsorted(times_ms, spans.offset_ms, "left")
    before = np.searchsorted(times_ms, spans.onset_ms, "left") - 1
    far = np.iinfo(np.int64).max
    last = len(times_ms) - 1
    lag_before = np.where(before >= 0, spans.onset_ms - times_ms[np.maximum(before, 0)], far)
    lag_after = np.where(
        after <= last, times_ms[np.minimum(after, last)] - (spans.offset_ms - 1), far
    )
    nearest = np.where(lag_before <= lag_after, before, after)
    is_near = np.minimum(lag_before, lag_after) <= within_ms
    fill = (ranges.n_frames == 0) & is_near[:, None]
    return FrameRanges(
        np.where(fill, nearest[:, None], ranges.first), np.where(fill, 1, ranges.n_frames)
    )


def grid_step_ms(times_ms: Int64Array, grid_index: Int64Array) -> float:
    """Step of the sampling grid, from the times of n frames and their places on it, int64 (n,).

    A single frame does not tell; then the default rate is taken.
    """
    if len(times_ms) < 2:
        return FrameSettings().step_ms
    return float(times_ms[-1] - times_ms[0]) / int(grid_index[-1] - grid_index[0])


def used_nearest(alignment: RecordingAlignment) -> NDArray[np.bool_]:
    """Utterances (n,) whose strict window held no frame and took the nearest one instead.

    They have a strict score but no row of lag 0 in the lag table.
    """
    has_inside = np.zeros(len(alignment.utterance_ids), np.bool_)
    has_inside[alignment.lags.utterance_row[alignment.lags.lag_ms == 0]] = True
    return (alignment.n_frames[:, 0] > 0) & ~has_inside
