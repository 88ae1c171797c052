"""The detector sees a head where one was drawn and nothing in a plain picture."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.shaded_heads import HeadPose, ShadedHead
from pipeline.errors import StudyError
from pipeline.faces.blur import FaceBlur, blur_faces
from pipeline.faces.boxes import FaceBox, grouped, overlap, without_doubles
from pipeline.faces.cascade import FRONTAL, PROFILE, Cascade, load_cascade
from pipeline.faces.detector import FaceView, find_faces
from pipeline.faces.scan import windows

WIDTH, HEIGHT, SIDE = 320, 240, 150
HEAD = FaceBox(80 / WIDTH, 50 / HEIGHT, 230 / WIDTH, 200 / HEIGHT)
SEED = 3


def grey_with_head(pose: HeadPose, seed: int = SEED) -> np.ndarray:
    grey = np.full((HEIGHT, WIDTH), 170.0)
    head = ShadedHead(seed).picture(SIDE, pose).astype(float)
    share = head[..., 3] / 255
    patch = grey[50 : 50 + SIDE, 80 : 80 + SIDE]
    patch[...] = patch * (1 - share) + head[..., :3] @ [0.299, 0.587, 0.114] * share
    return grey.astype(np.uint8)


@pytest.mark.parametrize(
    ("pose", "view"),
    [
        (HeadPose(0, 0, 0), FaceView.FRONT),
        (HeadPose(60, 0, 0), FaceView.RIGHT_SIDE),
        (HeadPose(0, 0, 28), FaceView.TILTED_RIGHT),
        (HeadPose(0, 0, -28), FaceView.TILTED_LEFT),
    ],
)
def test_each_view_finds_the_head_it_is_for_where_it_is(pose, view):
    found = find_faces(grey_with_head(pose), [view])
    assert max((overlap(HEAD, box) for box in found), default=0.0) > 0.3


def test_a_mirrored_picture_has_mirrored_faces_seen_from_the_other_side():
    grey = grey_with_head(HeadPose(60, 0, 0))
    (one,) = find_faces(grey, [FaceView.RIGHT_SIDE])
    (other,) = find_faces(np.ascontiguousarray(grey[:, ::-1]), [FaceView.LEFT_SIDE])
    assert (other.left, other.right) == pytest.approx((1 - one.right, 1 - one.left))
    assert (other.top, other.bottom) == (one.top, one.bottom)


def test_nothing_is_found_in_a_plain_picture_nor_in_one_that_is_too_small():
    assert find_faces(np.full((240, 320), 90, np.uint8)) == ()
    assert find_faces(np.full((12, 12), 90, np.uint8)) == ()


def test_a_large_picture_gives_the_same_shares_as_a_small_one():
    small = grey_with_head(HeadPose(0, 0, 0))
    large = np.kron(small, np.ones((4, 4), np.uint8))
    (one,) = find_faces(small, [FaceView.FRONT])
    (other,) = find_faces(large, [FaceView.FRONT])
    assert overlap(one, other) > 0.9


def test_the_shipped_cascades_are_those_of_opencv():
    front, side = load_cascade(FRONTAL), load_cascade(PROFILE)
    assert (front.side_px, len(front.stage_end), len(front.tree_says)) == (20, 20, 1_047)
    assert (side.side_px, len(side.stage_end), len(side.tree_says)) == (20, 26, 2_609)
    folder = Path("pipeline/faces/cascades")
    for name in (FRONTAL, PROFILE):
        digest = hashlib.sha256((folder / f"{name}.xml.gz").read_bytes()).hexdigest()
        assert digest in (folder / "README.md").read_text("utf-8")


def test_a_cascade_that_is_not_there_is_said():
    with pytest.raises(StudyError, match="cannot be read"):
        load_cascade("none")


@pytest.mark.parametrize("name", [FRONTAL, PROFILE])
def test_all_windows_together_pass_as_one_after_the_other_would(name):
    cascade = load_cascade(name)
    pose = HeadPose(0, 0, 0) if name == FRONTAL else HeadPose(-60, 0, 0)
    grey = grey_with_head(pose)[50:200, 60:250]
    n_found = 0
    for width in range(28, 48, 3):
        small = cv2.resize(grey, (width, width * 150 // 190), interpolation=cv2.INTER_AREA)
        small = np.asarray(small, np.uint8)
        # Every other window is looked at, but none right after one that the first stage refused.
        for left, top, _ in windows(small, cascade, min_side_px=20, size_step=9.0).astype(int):
            assert window_passes(small, cascade, left, top)
            n_found += 1
    assert n_found > 0


def window_passes(grey: np.ndarray, cascade: Cascade, left: int, top: int) -> bool:
    """The textbook's way: one window through stage after stage, tree after tree."""
    side = cascade.side_px
    window = grey[top : top + side, left : left + side].astype(np.float64)
    inner = window[1:-1, 1:-1]
    spread = inner.size * (inner**2).sum() - inner.sum() ** 2
    starts = [0, *cascade.stage_end[:-1]]
    stages = zip(starts, cascade.stage_end, cascade.stage_threshold, strict=True)
    for start, end, threshold in stages:
        score = 0.0
        for tree in range(start, end):
            answers = 0
            for bit, node in enumerate(range(cascade.tree_node[tree], cascade.tree_node[tree + 1])):
                feature = cascade.node_feature[node]
                value = sum(
                    weight * window[y:bottom, x:right].sum()
                    for (x, y, right, bottom), weight in zip(
                        cascade.corners[feature], cascade.weights[feature], strict=True
                    )
                )
                answers += (value / np.sqrt(spread) >= cascade.node_threshold[node]) << bit
            score += cascade.tree_says[tree][answers]
        if score < threshold:
            return False
    return True


def test_windows_about_the_same_place_are_one_face():
    near = [[10, 10, 40], [12, 11, 40], [9, 10, 44], [100, 10, 40], [101, 10, 40]]
    found = grouped(np.array(near, np.float64), 3)
    assert found == pytest.approx(np.array([[31 / 3, 31 / 3, 124 / 3]]))
    assert grouped(np.zeros((0, 3)), 2).shape == (0, 3)


def test_a_face_found_twice_counts_once():
    one, other = FaceBox(0.1, 0.1, 0.3, 0.3), FaceBox(0.11, 0.1, 0.31, 0.3)
    far = FaceBox(0.6, 0.6, 0.8, 0.8)
    assert without_doubles([one, other, far]) == (one, far)


@pytest.mark.parametrize("blur", [FaceBlur.SPOTS, FaceBlur.SOLID])
def test_hiding_leaves_few_spots_inside_and_everything_outside(blur):
    noise = np.random.default_rng(1).integers(0, 256, (100, 120, 3), np.uint8)
    hidden = noise.copy()
    blur_faces(hidden, [FaceBox(0.25, -0.2, 0.75, 0.5)], blur)
    inside = np.zeros((100, 120), bool)
    inside[:50, 30:90] = True
    assert np.array_equal(hidden[~inside], noise[~inside])
    assert hidden[inside].std(axis=0).max() < (0.5 if blur is FaceBlur.SOLID else 12)


def test_off_hides_nothing():
    noise = np.random.default_rng(1).integers(0, 256, (20, 20), np.uint8)
    kept = noise.copy()
    blur_faces(kept, [FaceBox(0, 0, 1, 1)], FaceBlur.OFF)
    assert np.array_equal(kept, noise)


def test_a_box_without_size_is_refused():
    with pytest.raises(ValueError, match="width and a height"):
        FaceBox(0.2, 0.2, 0.2, 0.4)
