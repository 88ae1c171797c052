"""The utterances of several recordings of one child: their frames, windows and null places.

Frames are counted over all recordings of the child, as `ChildFrames` lays them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.align.child_frames import ChildFrames
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
    parts = [_in_recording(frames, transcript, settings) for transcript in transcripts]
    if int((frames.n_frames > 0).sum()) > 1:
        own = np.array([frames.place(one.recording_id) for one in transcripts], np.int64)
        places = places_in_others(
            frames.starts, frames.n_frames, np.repeat(own, [len(part) for part in parts])
        )
    else:
        n_places = np.cumsum([0, *(len(part) for part in parts)])
        places = Places(
            _joined([part.places.first for part in parts], 2),
            _joined([part.places.n_frames for part in parts], 2),
            _joined([part.places.row + n for part, n in zip(parts, n_places, strict=False)]),
            _joined([part.places.left_out for part in parts]),
        )
    return Utterances(
        Spans(
            _joined([part.spans.onset_ms for part in parts]),
            _joined([part.spans.offset_ms for part in parts]),
        ),
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


def _in_recording(
    frames: ChildFrames, transcript: Transcript, settings: AlignSettings
) -> Utterances:
    """One recording's utterances; null places within it."""
    place = frames.place(transcript.recording_id)
    own, start = frames.recordings[place], int(frames.starts[place])
    spans = Spans.of(transcript.utterances)
    windows = frame_ranges(spans, own.times_ms, tuple(WINDOWS.values()))
    if settings.sub_second == "nearest":
        windows = with_nearest(
            windows, spans, own.times_ms, grid_step_ms(own.times_ms, own.grid_index)
        )
    reach = frame_ranges(spans, own.times_ms, (MAX_LAG_MS,))
    places = places_in_same(spans, own.times_ms)
    ids = [utterance.utterance_id for utterance in transcript.utterances]
    return Utterances(
        spans,
        replace(windows, first=windows.first + start),
        replace(reach, first=reach.first + start),
        replace(places, first=places.first + start),
        utterance_keys(transcript.recording_id, ids, settings.seed),
    )


def _joined(parts: Sequence[Int64Array], width: int = 0) -> Int64Array:
    """The arrays one behind the other; (0, width), or (0,) for a width of 0, without any."""
    empty = np.zeros((0, width) if width else 0, np.int64)
    return np.concatenate([empty, *parts])
