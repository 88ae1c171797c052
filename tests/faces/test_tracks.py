"""A face that was seen stays hidden while it is missed for a moment, and wherever it moves."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.faces.boxes import FaceBox, overlap
from pipeline.faces.tracks import FacesOverTime, FollowSettings, Sighting

SETTINGS = FollowSettings(hold_ms=500, gap_ms=1_000, margin=0.0, margin_per_s=0.0)


def at(x: float, y: float = 0.5, side: float = 0.2) -> FaceBox:
    return FaceBox(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def followed(*seen: tuple[float, tuple[FaceBox, ...]], **changes: float) -> FacesOverTime:
    settings = FollowSettings(hold_ms=500, gap_ms=1_000, margin=0.0, margin_per_s=0.0)
    if changes:
        settings = FollowSettings(**{**{"margin": 0.0, "margin_per_s": 0.0}, **changes})
    return FacesOverTime([Sighting(time, boxes) for time, boxes in seen], settings)


def centers(faces: FacesOverTime, time_ms: float) -> list[float]:
    return sorted(round(box.center[0], 6) for box in faces.at(time_ms))


def test_a_face_is_hidden_for_the_hold_before_and_after_it_is_seen_and_no_longer():
    faces = followed((1_000, (at(0.3),)))
    assert centers(faces, 499) == []
    assert centers(faces, 500) == centers(faces, 1_000) == centers(faces, 1_500) == [0.3]
    assert centers(faces, 1_501) == []


def test_a_face_missed_between_two_sightings_is_hidden_on_its_way():
    faces = followed((1_000, (at(0.3),)), (1_200, ()), (1_400, ()), (1_600, (at(0.4),)))
    assert faces.n_tracks == 1
    assert centers(faces, 1_150) == [0.325]
    assert centers(faces, 1_300) == [0.35]


def test_a_gap_that_is_too_long_leaves_the_middle_free():
    faces = followed((1_000, (at(0.3),)), (3_000, (at(0.3),)))
    assert faces.n_tracks == 2
    assert centers(faces, 1_500) == [0.3]
    assert centers(faces, 2_000) == []
    assert centers(faces, 2_500) == [0.3]


def test_two_faces_that_cross_are_both_hidden_all_the_time():
    times = range(0, 2_001, 200)
    right = [at(0.2 + 0.6 * t / 2_000) for t in times]
    left = [at(0.8 - 0.6 * t / 2_000) for t in times]
    seen = []
    for number, time in enumerate(times):
        is_hidden_behind = abs(right[number].center[0] - left[number].center[0]) < 0.1
        boxes = (right[number],) if is_hidden_behind else (left[number], right[number])
        seen.append((float(time), boxes))
    faces = followed(*seen)
    assert faces.n_tracks == 2
    for time_ms in range(0, 2_001, 50):
        share = time_ms / 2_000
        hidden = faces.at(time_ms)
        for truth in (at(0.2 + 0.6 * share), at(0.8 - 0.6 * share)):
            assert max(overlap(truth, box) for box in hidden) > 0.6, time_ms


def test_a_face_far_from_the_last_one_is_another_face():
    faces = followed((0, (at(0.2),)), (200, (at(0.8),)))
    assert faces.n_tracks == 2
    assert centers(faces, 100) == [0.2, 0.8]


def test_more_is_hidden_around_a_face_the_longer_ago_it_was_seen():
    faces = followed((1_000, (at(0.5),)), hold_ms=1_000, margin=0.25, margin_per_s=0.5)
    assert faces.at(1_000)[0].size == pytest.approx((0.3, 0.3))
    assert faces.at(2_000)[0].size == pytest.approx((0.5, 0.5))


def test_what_is_hidden_does_not_change_by_what_is_seen_later_than_the_reach():
    rng = np.random.default_rng(8)
    settings = FollowSettings(hold_ms=500, gap_ms=1_000)
    seen = [
        Sighting(200.0 * n, tuple(at(*rng.uniform(0.2, 0.8, 2)) for _ in range(rng.integers(0, 3))))
        for n in range(40)
    ]
    whole, growing, left = FacesOverTime(seen, settings), FacesOverTime([], settings), seen[:]
    n_boxes = 0
    for time_ms in range(0, 8_000, 70):
        while left and left[0].time_ms <= time_ms + settings.reach_ms:
            growing.add(left.pop(0))
        assert growing.at(time_ms) == whole.at(time_ms)
        n_boxes += len(whole.at(time_ms))
    assert n_boxes > 100
    assert not left


def test_without_sightings_nothing_is_hidden():
    assert FacesOverTime([], SETTINGS).at(0) == ()


def test_sightings_out_of_order_are_refused():
    with pytest.raises(ValueError, match="in order of time"):
        followed((200, ()), (100, ()))


@pytest.mark.parametrize("changes", [{"hold_ms": -1.0}, {"min_overlap": 0.0}, {"margin": -0.1}])
def test_settings_that_make_no_sense_are_refused(changes):
    with pytest.raises(ValueError, match="must be"):
        FollowSettings(**changes)
