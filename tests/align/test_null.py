"""Where null windows are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.align.null import (
    draw_runs,
    places_in_others,
    places_in_same,
    utterance_keys,
)
from pipeline.align.null_scores import NullWork, turns
from pipeline.align.windows import FrameRanges, Spans, frame_ranges
from pipeline.compiled import FEW
from pipeline.schema import NULL_MIN_LAG_MS
from tests.align import reference


def windows_of(*n_frames):
    counts = np.array(n_frames, np.int64)
    return FrameRanges(100 - counts // 2, counts)


def nowhere(n):
    """n utterances of a recording that is not in the pool."""
    return np.full(n, -1, np.int64)


def keys_of(n, seed=1):
    return utterance_keys("rec", [f"u{row}" for row in range(n)], seed)


def test_runs_never_cross_the_border_between_recordings():
    lengths = (5, 9, 6, 30, 2)
    starts = np.cumsum((0, *lengths[:-1]))
    windows = windows_of(*[(1, 3, 5), (2, 4, 6), (0, 2, 4)] * 200)
    runs = draw_runs(windows, places_in_others(starts, lengths, nowhere(600)), keys_of(600), 50)
    recording = np.searchsorted(starts, runs.first, "right") - 1
    within = runs.first - starts[recording]
    assert (within >= 0).all()
    assert (within + runs.n_frames[:, None] <= np.array(lengths)[recording]).all()
    assert set(np.unique(recording)) == {0, 1, 2, 3}


@pytest.mark.parametrize("length", [1, 4, 6])
def test_every_place_where_a_run_fits_is_equally_likely(length):
    lengths = (5, 9, 6, 30, 2)
    starts = np.array([0, 8, 24, 32, 64])
    windows = windows_of(*[(length, length, length)] * 500)
    runs = draw_runs(windows, places_in_others(starts, lengths, nowhere(500)), keys_of(500), 100)
    places = [
        start + at for start, n in zip(starts, lengths, strict=True) for at in range(n - length + 1)
    ]
    drawn, counts = np.unique(runs.first, return_counts=True)
    assert drawn.tolist() == places
    expected = runs.first.size / len(places)
    chi2 = ((counts - expected) ** 2 / expected).sum()
    freedom = len(places) - 1
    assert chi2 < freedom + 4 * np.sqrt(2 * freedom)


def test_narrow_windows_lie_in_the_run_as_in_the_real_one():
    windows = FrameRanges(np.array([[12, 11, 9]]), np.array([[2, 4, 7]]))
    runs = draw_runs(windows, places_in_others(np.array([0]), (50,), nowhere(1)), keys_of(1), 10)
    assert runs.n_frames.tolist() == [7]
    assert runs.window_first.tolist() == [[3, 2, 0]]


def test_a_window_that_fits_nowhere_leaves_the_draw_to_the_next_narrower():
    windows = FrameRanges(np.array([[12, 11, 9]] * 3), np.array([[2, 4, 7], [8, 9, 9], [0, 0, 3]]))
    runs = draw_runs(windows, places_in_others(np.array([0]), (5,), nowhere(3)), keys_of(3), 10)
    assert runs.n_frames.tolist() == [4, 0, 3]
    assert runs.window_first.tolist() == [[1, 0, -1], [-1, -1, -1], [-1, -1, 0]]


def test_in_the_same_recording_every_null_frame_is_over_a_minute_away():
    rng = np.random.default_rng(2)
    times_ms = np.sort(rng.choice(400_000, 380, replace=False)).astype(np.int64)
    onset_ms = np.sort(rng.integers(0, 400_000, 60))
    spans = Spans(onset_ms, onset_ms + rng.integers(1, 6_000, 60))
    windows = frame_ranges(spans, times_ms, (0, 1_000, 2_000))
    runs = draw_runs(windows, places_in_same(spans, times_ms), keys_of(60), 40)
    nearest = np.inf
    for row in np.flatnonzero(runs.n_frames):
        for first in runs.first[row]:
            drawn = times_ms[first : first + runs.n_frames[row]]
            assert len(drawn) == runs.n_frames[row]
            lags = [reference.lag(int(t), spans.onset_ms[row], spans.offset_ms[row]) for t in drawn]
            assert len({value > 0 for value in lags}) == 1
            nearest = min(nearest, *(abs(value) for value in lags))
    assert NULL_MIN_LAG_MS < nearest < NULL_MIN_LAG_MS + 5_000


def test_keys_follow_from_seed_recording_and_utterance_alone():
    keys = keys_of(5)
    assert np.array_equal(keys_of(3), keys[:3])
    assert len(np.unique(keys)) == 5
    assert not (keys == keys_of(5, seed=2)).any()
    assert not (keys == utterance_keys("other", [f"u{row}" for row in range(5)], 1)).any()


def test_draws_of_different_utterances_are_unrelated():
    windows = windows_of(*[(1, 1, 1)] * 300)
    runs = draw_runs(
        windows, places_in_others(np.array([0]), (100_000,), nowhere(300)), keys_of(300), 100
    )
    correlation = np.corrcoef(runs.first)
    off_diagonal = correlation[~np.eye(300, dtype=bool)]
    assert abs(off_diagonal.mean()) < 0.005
    assert off_diagonal.std() == pytest.approx(0.1, abs=0.01)


def test_work_in_the_order_of_the_frames_covers_every_run_once():
    lengths = (1_700, 4_000, 900)
    starts = np.cumsum((0, *lengths[:-1]))
    windows = windows_of(*[(1, 3, 5), (0, 0, 0), (2, 2, 4)] * 5)
    runs = draw_runs(windows, places_in_others(starts, lengths, nowhere(15)), keys_of(15), 7)
    for n_sub_crops in (1, 3):
        work = NullWork.of(runs, n_sub_crops)
        for row in range(15):
            own = work.first_frame[work.text_row == row]
            assert sorted(own) == sorted(runs.first[row])
        tile = work.first_frame >> (10 if n_sub_crops == 1 else 8)
        assert len(np.unique(tile)) > 3
        assert (np.diff(tile) >= 0).all()
        assert (np.diff(work.text_row)[np.diff(tile) == 0] >= 0).all()


def test_recordings_of_a_child_are_drawn_from_as_if_each_were_alone():
    lengths = np.array([50, 70, 90, 2])
    starts = np.cumsum([0, *lengths[:-1]])
    windows, keys = windows_of(*[(1, 3, 5), (1, 60, 80)] * 40), keys_of(80)
    together = draw_runs(
        windows, places_in_others(starts, lengths, np.repeat(np.arange(4), 20)), keys, 30
    )
    for own in range(4):
        rows = slice(20 * own, 20 * own + 20)
        others = np.delete(np.arange(4), own)
        places = places_in_others(starts[others], lengths[others], nowhere(20))
        alone = draw_runs(windows.of(rows), places, keys[rows], 30)
        assert np.array_equal(together.first[rows], alone.first)
        assert np.array_equal(together.n_frames[rows], alone.n_frames)
        assert set(alone.n_frames) == ({5, 60} if own == 2 else {5, 80})


def test_draws_are_the_same_in_machine_code_and_follow_their_definition():
    lengths = (5, 9, 6, 30, 2)
    starts = np.cumsum((0, *lengths[:-1]))
    windows = windows_of(*[(1, 3, 5)] * 60)
    runs = draw_runs(windows, places_in_others(starts, lengths, nowhere(60)), keys_of(60), 50)
    few = draw_runs(
        windows.of(slice(20)), places_in_others(starts, lengths, nowhere(20)), keys_of(20), 50
    )
    assert few.first.size <= FEW < runs.first.size
    assert np.array_equal(few.first, runs.first[:20])
    places = [s + at for s, n in zip(starts, lengths, strict=True) for at in range(n - 4)]
    expected = [
        places[int(reference.fraction(1, "rec", f"u{row}", draw) * len(places))]
        for row in range(20)
        for draw in range(50)
    ]
    assert few.first.ravel().tolist() == expected


@pytest.mark.parametrize("n_threads", [1, 3])
def test_turns_cover_all_utterances_and_bound_the_memory(n_threads):
    n_frames = np.array([6] * 9_000 + [9_000] + [0] * 3)
    parts = turns(n_frames, 1_000, n_threads)
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(9_004))
    assert len(parts) % n_threads == 0
    loads = [int((n_frames[part] + 4).sum()) for part in parts]
    assert max(loads) - min(loads) <= 9_004
    at_once = sorted((part.stop - part.start) * 1_000 for part in parts)[-n_threads:]
    assert sum(at_once) < 1.1 * 4_000_000
    assert turns(np.empty(0, np.int64), 100, n_threads) == []
