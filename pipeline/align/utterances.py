"""The utterances of several recordings of one child: their frames, windows and null places.

Frames are counted over all recordings of the child, as `ChildFrames` lays them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.align.child_frames import ChildFrames, FrameTimes
from pipeline.align.kernels import UInt64Array
from pipeline.align.null import Places, places_in_others, places_in_same, utterance_keys
from pipeline.align.windows import (
    FrameRanges,
    Spans,
    frame_ranges,
    grid_step_ms,
    lags_ms,
    with_nearest,
)
from pipeline.config import AlignSettings
from pipeline.records import Int64Array
from pipeline.results import LagTable, Transcript
from pipeline.schema import MAX_LAG_MS, WINDOWS


@dataclass(frozen=True, slots=True)
class Utterances:
    """n utterances before any text is looked at.

    windows: (n, n_windows) as in schema.WINDOWS; reach: (n, 1) all frames that lags are kept of.
    keys: uint64 (n,) from which their draws follow.
    """

    spans: Spans
    windows: FrameRanges
    reach: FrameRanges
    places: Places
    keys: UInt64Array

    def __len__(self) -> int:
        return len(self.spans)

    def of(self, rows: slice | Int64Array) -> Utterances:
        """Some of the utterances."""
        return Utterances(
            Spans(self.spans.onset_ms[rows], self.spans.offset_ms[rows]),
            self.windows.of(rows),
            self.reach.of(rows),
            self.places.of(rows),
            self.keys[rows],
        )


def utterances_of(
    frames: ChildFrames, transcripts: Sequence[Transcript], settings: AlignSettings
) -> Utterances:
    """The utterances of these recordings, one recording behind the other.

    Null windows of a recording lie in the child's others; where no other has frames, in itself.
    """
    place_of = frames.places()
    own = [place_of[transcript.recording_id] for transcript in transcripts]
    parts = [
        _in_recording(frames.recordings[place], start, transcript, settings)
        for place, start, transcript in zip(
            own, frames.starts[own].tolist(), transcripts, strict=True
        )
    ]
    spans = Spans(
        _joined([part.spans.onset_ms for part in parts]),
        _joined([part.spans.offset_ms for part in parts]),
    )
    n_frames = frames.n_frames
    if int((n_frames > 0).sum()) > 1:
        n_each = [len(part.spans) for part in parts]
        places = places_in_others(
            frames.starts, n_frames, np.repeat(np.array(own, np.int64), n_each)
        )
    else:
        # Only one recording has frames, and its frames are the first of all.
        times_ms = [one.times_ms for one in frames.recordings if len(one)]
        places = places_in_same(spans, _joined(times_ms))
    return Utterances(
        spans,
        FrameRanges(
            _joined([part.windows.first for part in parts], len(WINDOWS)),
            _joined([part.windows.n_frames for part in parts], len(WINDOWS)),
        ),
        FrameRanges(
            _joined([part.reach.first for part in parts], 1),
            _joined([part.reach.n_frames for part in parts], 1),
        ),
        places,
        np.concatenate([np.zeros(0, np.uint64), *(part.keys for part in parts)]),
    )


def lag_table(utterances: Utterances, times_ms: Int64Array, cosines: np.ndarray) -> LagTable:
    """Lags of the frames in reach; times_ms: of all frames of the child; cosines (m, n_crops)."""
    utterance_row, frame_row = utterances.reach.rows(0)
    time_ms = times_ms[frame_row]
    spans = utterances.spans
    lag_ms = lags_ms(time_ms, spans.onset_ms[utterance_row], spans.offset_ms[utterance_row])
    return LagTable(utterance_row, time_ms, lag_ms, cosines)


@dataclass(frozen=True, slots=True)
class _Part:
    """The utterances of one recording, as in Utterances."""

    spans: Spans
    windows: FrameRanges
    reach: FrameRanges
    keys: UInt64Array


def _in_recording(
    own: FrameTimes, start: int, transcript: Transcript, settings: AlignSettings
) -> _Part:
    """One recording's utterances; start: where its frames begin among all of the child's."""
    spans = Spans.of(transcript.utterances)
    windows = frame_ranges(spans, own.times_ms, tuple(WINDOWS.values()))
    if settings.sub_second == "nearest":
        windows = with_nearest(
            windows, spans, own.times_ms, grid_step_ms(own.times_ms, own.grid_index)
        )
    reach = frame_ranges(spans, own.times_ms, (MAX_LAG_MS,))
    ids = [utterance.utterance_id for utterance in transcript.utterances]
    return _Part(
        spans,
        replace(windows, first=windows.first + start),
        replace(reach, first=reach.first + start),
        utterance_keys(transcript.recording_id, ids, settings.seed),
    )


def _joined(parts: Sequence[Int64Array], width: int = 0) -> Int64Array:
    """The arrays one behind the other; (0, width), or (0,) for a width of 0, without any."""
    empty = np.zeros((0, width) if width else 0, np.int64)
    return np.concatenate([empty, *parts])
