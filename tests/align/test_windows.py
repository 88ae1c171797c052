"""Window membership, for any times."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.align.windows import Spans, frame_ranges, grid_step_ms, lags_ms, with_nearest
from pipeline.schema import MAX_LAG_MS, WINDOWS
from tests.align import reference

WIDTHS_MS = (*WINDOWS.values(), MAX_LAG_MS)

frame_times = st.lists(st.integers(0, 40_000), min_size=1, max_size=40, unique=True).map(
    lambda times: np.array(sorted(times), np.int64)
)
spans = st.lists(
    st.tuples(st.integers(0, 45_000), st.integers(1, 9_000)), min_size=1, max_size=8
).map(
    lambda pairs: Spans(
        np.array([onset for onset, _ in pairs], np.int64),
        np.array([onset + length for onset, length in pairs], np.int64),
    )
)


@given(frame_times, spans)
@settings(max_examples=150, deadline=None)
def test_a_window_holds_exactly_the_frames_within_its_lag(times_ms, spans):
    ranges = frame_ranges(spans, times_ms, WIDTHS_MS)
    for window, width in enumerate(WIDTHS_MS):
        utterance_row, frame_row = ranges.rows(window)
        expected = [
            (row, frame)
            for row in range(len(spans))
            for frame, time in enumerate(times_ms)
            if abs(reference.lag(int(time), spans.onset_ms[row], spans.offset_ms[row])) <= width
        ]
        assert list(zip(utterance_row, frame_row, strict=True)) == expected


@given(frame_times, spans)
@settings(max_examples=100, deadline=None)
def test_each_window_lies_in_the_next(times_ms, spans):
    ranges = with_nearest(frame_ranges(spans, times_ms, WIDTHS_MS), spans, times_ms, 1_000)
    assert (np.diff(ranges.n_frames, axis=1) >= 0).all()
    end = ranges.first + ranges.n_frames
    held = ranges.n_frames[:, :-1] > 0
    assert (ranges.first[:, 1:] <= ranges.first[:, :-1])[held].all()
    assert (end[:, 1:] >= end[:, :-1])[held].all()


@given(frame_times, spans, st.integers(0, 12_000))
@settings(max_examples=150, deadline=None)
def test_an_empty_window_takes_the_nearest_frame_within_reach(times_ms, spans, within_ms):
    plain = frame_ranges(spans, times_ms, (0,))
    filled = with_nearest(plain, spans, times_ms, within_ms)
    for row in range(len(spans)):
        if plain.n_frames[row, 0]:
            assert filled.first[row, 0] == plain.first[row, 0]
            assert filled.n_frames[row, 0] == plain.n_frames[row, 0]
            continue
        distances = [
            abs(reference.lag(int(time), spans.onset_ms[row], spans.offset_ms[row]))
            for time in times_ms
        ]
        if min(distances) <= within_ms:
            assert filled.n_frames[row, 0] == 1
            assert filled.first[row, 0] == distances.index(min(distances))
        else:
            assert filled.n_frames[row, 0] == 0


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 5_000))
@settings(deadline=None)
def test_the_lag_is_zero_inside_and_signed_outside(time_ms, onset_ms, length_ms):
    offset_ms = onset_ms + length_ms
    value = int(lags_ms(np.array(time_ms), np.array(onset_ms), np.array(offset_ms)))
    assert value == reference.lag(time_ms, onset_ms, offset_ms)
    assert (value == 0) == (onset_ms <= time_ms < offset_ms)


def test_the_grid_step_comes_from_the_frames():
    assert grid_step_ms(np.array([40, 540, 2_040]), np.array([0, 1, 4])) == 500
    assert grid_step_ms(np.array([40]), np.array([0])) == 1_000
