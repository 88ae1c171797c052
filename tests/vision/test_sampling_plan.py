from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.vision.sampling_plan import (
    SKIP,
    WANTED,
    PacketIndex,
    decode_plan,
    grid_frames,
    nearest_in_stream,
    unbroken_plan,
)


def _brute_force(times: list[float], step: float, end: float) -> dict[int, int]:
    """{frame row: grid index} by looking at every pair."""
    chosen: dict[int, tuple[float, int]] = {}
    k = 0
    while k * step < end - 0.01:
        row = min(range(len(times)), key=lambda i: (round(abs(times[i] - k * step), 3), i))
        distance = round(abs(times[row] - k * step), 3)
        if row not in chosen or distance < chosen[row][0]:
            chosen[row] = (distance, k)
        k += 1
    return {row: k for row, (_, k) in chosen.items()}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 4000), min_size=1, max_size=60, unique=True),
    st.sampled_from([1000.0, 500.0, 333.0, 100.0]),
)
def test_grid_frames_are_those_a_search_through_all_pairs_finds(
    times: list[int], step: float
) -> None:
    times = sorted(times)
    end = float(times[-1] + 33)
    grid = grid_frames(np.array(times, float), step, end)
    expected = _brute_force([float(t) for t in times], step, end)
    assert dict(zip(grid.frame_rows.tolist(), grid.grid_index.tolist(), strict=True)) == expected
    assert grid.n_repeated + len(grid.frame_rows) == len(np.arange(0, end - 0.01, step))


def test_of_two_equally_near_frames_the_earlier_one_is_taken() -> None:
    grid = grid_frames(np.array([0.0, 480.0, 520.0]), 500.0, 560.0)
    assert grid.frame_rows.tolist() == [0, 1]


def test_a_frame_nearest_to_several_grid_times_stands_for_the_nearest_of_them_once() -> None:
    grid = grid_frames(np.array([2100.0, 2133.0]), 1000.0, 2166.0)
    assert grid.frame_rows.tolist() == [0]
    assert grid.grid_index.tolist() == [2]
    assert grid.n_repeated == 2


def test_no_frames_give_no_grid_frames() -> None:
    grid = grid_frames(np.zeros(0), 1000.0, 3000.0)
    assert len(grid.frame_rows) == 0
    assert grid.n_repeated == 3


def test_frames_that_arrive_one_by_one_are_chosen_as_from_the_whole_list() -> None:
    times = np.arange(100) * 40.0
    grid = grid_frames(times, 330.0, 4000.0)
    streamed = [(k, t) for k, t, _ in nearest_in_stream(((t, t) for t in times.tolist()), 330.0)]
    assert streamed == list(
        zip(grid.grid_index.tolist(), times[grid.frame_rows].tolist(), strict=True)
    )


def _index(pts: list[int], keys: list[int]) -> PacketIndex:
    is_key = np.zeros(len(pts), bool)
    is_key[keys] = True
    return PacketIndex(np.array(pts, np.int64), is_key, np.ones(len(pts), bool))


def _wanted(index: PacketIndex, *pts: int) -> np.ndarray:
    return np.isin(index.pts, pts)


def test_each_group_is_decoded_up_to_its_last_wanted_packet() -> None:
    index = _index([0, 1, 2, 3, 4, 5, 6, 7], [0, 4])
    plan = decode_plan(index, _wanted(index, 1, 4))
    assert (plan.action != SKIP).tolist() == [True, True, False, False, True, False, False, False]
    assert np.flatnonzero(plan.is_start).tolist() == [0, 4]


def test_a_group_without_wanted_packets_is_not_decoded() -> None:
    index = _index([0, 1, 2, 3, 4, 5], [0, 2, 4])
    plan = decode_plan(index, _wanted(index, 1, 5))
    assert (plan.action != SKIP).tolist() == [True, True, False, False, True, True]


def test_a_wanted_leading_picture_has_the_group_before_it_decoded() -> None:
    # In decode order, the key at 5 comes before the pictures 3 and 4 that are shown before it.
    index = _index([0, 2, 1, 5, 3, 4, 6], [0, 3])
    plan = decode_plan(index, _wanted(index, 4))
    assert (plan.action != SKIP).tolist() == [True] * 6 + [False]
    assert np.flatnonzero(plan.is_start).tolist() == [0]
    assert plan.action[5] == WANTED


def test_an_unbroken_plan_reads_on_from_two_groups_before() -> None:
    index = _index(list(range(8)), [0, 2, 4, 6])
    plan = unbroken_plan(index, _wanted(index, 7), 7)
    assert (plan.action != SKIP).tolist() == [False] * 2 + [True] * 6
    assert np.flatnonzero(plan.is_start).tolist() == [2]
