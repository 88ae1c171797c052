"""The visible half of the toy world: sprites, rooms and frames."""

from __future__ import annotations

import time

import numpy as np
import pytest

from pipeline.demo.scenes import (
    HELD_OUT_DESIGN,
    ROOMS,
    TRAINING_DESIGNS,
    Backdrop,
    Placement,
    load_sprites,
    render,
)
from pipeline.demo.vocabulary import OBJECT_WORDS, word_names
from pipeline.errors import SettingsError

WIDTH_PX, HEIGHT_PX = 270, 480


def test_words_are_single_lower_case_and_listed_once() -> None:
    names = word_names()
    assert len(names) >= 55
    assert len(set(names)) == len(names)
    assert len({entry.emoji for entry in OBJECT_WORDS}) == len(names)
    assert all(name.isalpha() and name.islower() and name.isascii() for name in names)


def test_every_word_has_a_drawing_in_every_design() -> None:
    sheet = load_sprites()
    assert sheet.designs == (*TRAINING_DESIGNS, HELD_OUT_DESIGN)
    assert HELD_OUT_DESIGN not in TRAINING_DESIGNS
    for design in sheet.designs:
        for word in word_names():
            sprite = sheet.sprite(word, design)
            assert sprite.shape == (128, 128, 4)
            assert sprite.dtype == np.uint8
            is_drawn = sprite[..., 3] > 128
            assert is_drawn.mean() > 0.08, (word, design)
            assert not is_drawn.all(), (word, design)


def test_drawings_of_two_words_or_two_designs_differ() -> None:
    sheet = load_sprites()
    cells = np.stack(
        [sheet.sprite(word, design)[::8, ::8] for design in sheet.designs for word in word_names()]
    ).reshape(-1, 16 * 16 * 4)
    gaps = np.abs(cells[:, None].astype(np.int16) - cells[None]).mean(axis=2)
    np.fill_diagonal(gaps, 255)
    assert gaps.min() > 3


def test_an_unknown_word_design_or_room_is_refused() -> None:
    sheet = load_sprites()
    with pytest.raises(SettingsError, match="unicorn"):
        sheet.sprite("unicorn", "noto")
    with pytest.raises(SettingsError, match="crayon"):
        sheet.sprite("ball", "crayon")
    with pytest.raises(SettingsError, match="attic"):
        Backdrop(1, "attic")


@pytest.mark.parametrize("room", list(ROOMS))
def test_the_same_seed_and_time_give_the_same_frame(room: str) -> None:
    placements = [Placement("ball", "noto", 0.5, 0.5, 0.4, 20.0)]
    first = render(Backdrop(7, room), 12.25, placements, WIDTH_PX, HEIGHT_PX, blur_px=0.8)
    again = render(Backdrop(7, room), 12.25, placements, WIDTH_PX, HEIGHT_PX, blur_px=0.8)
    assert first.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)


def test_other_seeds_rooms_and_times_give_other_frames() -> None:
    seen = Backdrop(7, "kitchen").view(3.0, WIDTH_PX, HEIGHT_PX).astype(np.int16)
    for other in (
        Backdrop(8, "kitchen").view(3.0, WIDTH_PX, HEIGHT_PX),
        Backdrop(7, "garden").view(3.0, WIDTH_PX, HEIGHT_PX),
        Backdrop(7, "kitchen").view(9.0, WIDTH_PX, HEIGHT_PX),
    ):
        assert np.abs(seen - other).mean() > 8


def test_the_camera_moves_smoothly_and_stays_in_the_room() -> None:
    for seed in range(20):
        backdrop = Backdrop(seed, "bedroom")
        poses = [backdrop.pose(step / 30) for step in range(30 * 60)]
        x = np.array([pose.center_x for pose in poses])
        y = np.array([pose.center_y for pose in poses])
        assert np.hypot(np.diff(x), np.diff(y)).max() < 25
        assert np.ptp(x) > 60
        assert x.min() > 100
        assert x.max() < 560
        assert y.min() > 150
        assert y.max() < 810


def test_a_sprite_lands_where_its_placement_says() -> None:
    backdrop = Backdrop(3, "street")
    empty = render(backdrop, 1.0, [], WIDTH_PX, HEIGHT_PX).astype(np.int16)
    for center_x, center_y, width in ((0.5, 0.5, 0.4), (0.3, 0.85, 0.5), (0.72, 0.15, 0.25)):
        placement = Placement("cookie", "noto", center_x, center_y, width)
        frame = render(backdrop, 1.0, [placement], WIDTH_PX, HEIGHT_PX)
        rows, columns = np.nonzero(np.abs(frame - empty).max(axis=2) > 12)
        left, right = columns.min(), columns.max() + 1
        top, bottom = rows.min(), rows.max() + 1
        assert (left + right) / 2 / WIDTH_PX == pytest.approx(center_x, abs=0.02)
        assert (top + bottom) / 2 / HEIGHT_PX == pytest.approx(center_y, abs=0.01)
        assert (right - left) / WIDTH_PX == pytest.approx(width, rel=0.08)


def test_a_sprite_outside_the_frame_changes_nothing() -> None:
    backdrop = Backdrop(3, "street")
    empty = render(backdrop, 1.0, [], WIDTH_PX, HEIGHT_PX)
    outside = render(backdrop, 1.0, [Placement("dog", "noto", 1.5, 0.5, 0.4)], WIDTH_PX, HEIGHT_PX)
    np.testing.assert_array_equal(empty, outside)


def test_later_placements_cover_earlier_ones() -> None:
    backdrop = Backdrop(3, "street")
    below = Placement("moon", "noto", 0.5, 0.5, 0.4)
    above = Placement("box", "noto", 0.5, 0.5, 0.6)
    both = render(backdrop, 1.0, [below, above], WIDTH_PX, HEIGHT_PX)
    alone = render(backdrop, 1.0, [above], WIDTH_PX, HEIGHT_PX)
    middle = (slice(220, 260), slice(115, 155))
    np.testing.assert_array_equal(both[middle], alone[middle])


def test_blur_removes_fine_detail() -> None:
    backdrop = Backdrop(3, "street")
    sharp = render(backdrop, 1.0, [], WIDTH_PX, HEIGHT_PX).astype(np.float32)
    soft = render(backdrop, 1.0, [], WIDTH_PX, HEIGHT_PX, blur_px=1.5).astype(np.float32)
    assert np.abs(np.diff(soft, axis=1)).mean() < 0.6 * np.abs(np.diff(sharp, axis=1)).mean()


@pytest.mark.parametrize("width", [0.0, -0.1, 2.5, float("nan")])
def test_an_impossible_width_is_refused(width: float) -> None:
    with pytest.raises(ValueError, match="width"):
        Placement("ball", "noto", 0.5, 0.5, width)


def test_a_frame_is_drawn_fast_enough_for_an_hour_of_video() -> None:
    backdrop = Backdrop(5, "kitchen")
    placements = [
        Placement("dog", "noto", 0.5, 0.5, 0.45),
        Placement("cup", "fluent", 0.4, 0.1, 0.4),
    ]
    render(backdrop, 0.0, placements, WIDTH_PX, HEIGHT_PX, blur_px=0.8)
    spent: list[float] = []
    for step in range(40):
        start = time.thread_time()
        render(backdrop, step / 15, placements, WIDTH_PX, HEIGHT_PX, blur_px=0.8)
        spent.append(time.thread_time() - start)
    assert np.median(spent) < 0.02
