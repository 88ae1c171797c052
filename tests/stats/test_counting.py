"""Counting loops: compiled as plain, and as counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.compiled import FEW, compiled, compiled_for
from pipeline.stats import counting

NAN = float("nan")
SCORE = np.array([0.25, 0.24, NAN, NAN, 0.1, 0.5], np.float32)
OTHER = np.array([0.20, 0.30, 0.5, NAN, 0.1, NAN], np.float32)
RECORDING = np.array([0, 0, 0, 1, 1, 2], np.int32)
GROUP = np.array([0, 1, 0, 0, 1, 0], np.int16)
CHOSEN = np.array([0, 1, 2, 3, 4], np.int32)


@pytest.fixture(params=["plain", "compiled"])
def as_(request: pytest.FixtureRequest):
    return (lambda kernel: kernel) if request.param == "plain" else compiled


def test_scores_are_counted_by_recording_and_group(as_):
    counts, sums = np.zeros((3, 2, 5), np.int64), np.zeros((3, 2, 2))
    n_frames = np.array([1, 1, 0, 2, 1, 1], np.float32)
    as_(counting.count_scores)(
        CHOSEN, RECORDING, GROUP, SCORE, n_frames, OTHER, float(np.float32(0.24)), counts, sums
    )
    assert counts[0, 0].tolist() == [2, 1, 1, 1, 1]
    assert counts[0, 1].tolist() == [1, 1, 1, 0, 0]
    assert counts[1, 0].tolist() == [1, 0, 0, 0, 0]
    assert counts[1, 1].tolist() == [1, 1, 0, 0, 0]
    assert not counts[2].any()
    np.testing.assert_allclose(sums[0, 0], [0.25, 0.0625], rtol=1e-6)


def test_bins_start_at_the_origin(as_):
    counts = np.zeros((3, 6), np.int64)
    as_(counting.count_bins)(CHOSEN, RECORDING, SCORE, 0.2, 0.04, -3, counts)
    assert np.argwhere(counts).tolist() == [[0, 3], [0, 4], [1, 0]]


def test_null_cells_leave_out_what_has_no_score_or_no_null(as_):
    counts, sums = np.zeros((3, 2, 1), np.int64), np.zeros((3, 2, 1, 2))
    mean = np.array([0.11, 0.21, 0.1, 0.1, NAN, 0.1], np.float32)
    sd = np.full(6, 0.02, np.float32)
    as_(counting.count_null_cells)(CHOSEN, RECORDING, SCORE, mean, sd, 0.1, (1, 0), counts, sums)
    assert counts[:, :, 0].tolist() == [[1, 1], [0, 0], [0, 0]]
    np.testing.assert_allclose(sums[0, :, 0], [[0.11, 0.02], [0.21, 0.02]], rtol=1e-6)


def test_pairs_need_both_scores(as_):
    counts, sums = np.zeros((3, 4), np.int64), np.zeros((3, 2))
    as_(counting.count_pairs)(CHOSEN, RECORDING, SCORE, OTHER, (0.23, 0.25), counts, sums)
    assert counts.tolist() == [[0, 0, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(sums[0], [0.01, 0.0061], atol=1e-6)
    bins = np.zeros((3, 2, 3), np.int64)
    as_(counting.count_differences)(CHOSEN, RECORDING, SCORE, OTHER, 0.1, -1, bins)
    assert bins.sum(axis=0).tolist() == [[1, 1, 0], [0, 1, 0]]
    assert bins.sum(axis=(1, 2)).tolist() == counts.sum(axis=1).tolist()


def test_a_score_of_the_threshold_reaches_it(as_):
    score = np.array([0.24, 0.2399], np.float32)
    number, zero = np.arange(2, dtype=np.int32), np.zeros(2, np.int32)
    counts, sums = np.zeros((1, 1, 5), np.int64), np.zeros((1, 1, 2))
    group, known = np.zeros(2, np.int16), np.ones(2, np.float32)
    as_(counting.count_scores)(number, zero, group, score, known, known, 0.24, counts, sums)
    assert counts[0, 0, 2] == 1
    bins = np.zeros((1, 2), np.int64)
    as_(counting.count_bins)(number, zero, score, 0.24, 0.01, -1, bins)
    assert bins.tolist() == [[1, 1]]


def test_pairs_are_found_and_the_others_counted(as_):
    pairs, n_found = np.zeros(6, np.int32), np.zeros(3, np.int64)
    as_(counting.find_pairs)(np.arange(6, dtype=np.int32), SCORE, OTHER, pairs, n_found)
    assert n_found.tolist() == [3, 1, 1]
    assert pairs[:3].tolist() == [0, 1, 4]


def test_changed_sides_of_the_threshold_are_found(as_):
    gained, lost, n_found = np.zeros(6, np.int32), np.zeros(6, np.int32), np.zeros(2, np.int64)
    number = np.arange(6, dtype=np.int32)
    as_(counting.find_changed)(number, SCORE, OTHER, 0.25, gained, lost, n_found)
    assert n_found.tolist() == [1, 1]
    assert (gained[0], lost[0]) == (1, 0)


def test_few_items_need_no_compiler():
    assert compiled_for(counting.count_bins, FEW) is counting.count_bins
    assert compiled_for(counting.count_bins, FEW + 1) is not counting.count_bins
    counting.prepare()
