"""Faces in clips are hidden in every picture where the study hides them, and nowhere else."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import SettingsError
from pipeline.faces.blur import FaceBlur
from pipeline.faces.boxes import FaceBox
from pipeline.faces.choice import ShownIn, face_blur
from pipeline.media import face_search
from pipeline.media.clip_cache import clip_name
from pipeline.media.clips import ClipSettings, cut_clip
from pipeline.media.face_hiding import jpeg_without_faces
from pipeline.records import TimeSpan
from pipeline.redactions import Redactions
from tests.media.face_film import FPS, detail_of_face, pictures, scene, write_film

SPAN = TimeSpan(0, 2_000)
PLAIN = ClipSettings(lead_ms=0, lag_ms=0)
SPOTS = FaceBlur.SPOTS


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.mark.parametrize("blur", [FaceBlur.SPOTS, FaceBlur.SOLID])
def test_a_face_is_hidden_in_every_picture_also_while_the_detector_misses_it(film, tmp_path, blur):
    plain = cut_clip(film, SPAN, tmp_path / "plain.mp4", PLAIN)
    hidden = cut_clip(film, SPAN, tmp_path / "hidden.mp4", ClipSettings(0, 0, face_blur=blur))
    before, after = pictures(plain.path), pictures(hidden.path)
    assert len(before) == len(after) == 2 * FPS
    assert plain.span == hidden.span
    for (time_s, seen), (other_s, left) in zip(before, after, strict=True):
        assert time_s == other_s
        assert detail_of_face(seen, time_s) > 5.0, time_s
        assert detail_of_face(left, time_s) < 2.5, time_s
        corner = (slice(180, 240), slice(0, 40))
        assert np.abs(seen[corner] - left[corner]).mean() < 3.0


@pytest.mark.parametrize(
    ("n_seen", "is_hidden_at"),
    [(2, lambda ms: ms < 1_001), (8, lambda ms: ms > 999), (99, lambda ms: False)],
)
def test_a_face_seen_only_shortly_before_or_after_a_clip_is_hidden_in_it(
    film, tmp_path, monkeypatch, n_seen, is_hidden_at
):
    """Searched are the pictures at 200, 400 ... 1800 ms; the hold is 600 ms."""
    n_asked = 0

    def seen_once(grey: np.ndarray, views: object) -> tuple[FaceBox, ...]:
        nonlocal n_asked
        n_asked += 1
        return (FaceBox(0.2, 0.1, 0.8, 0.9),) if n_asked == n_seen else ()

    monkeypatch.setattr(face_search, "_MAX_THREADS", 1)
    monkeypatch.setattr(face_search, "find_faces", seen_once)
    span = TimeSpan(850, 1_250)
    hidden = cut_clip(film, span, tmp_path / "hidden.mp4", ClipSettings(0, 0, face_blur=SPOTS))
    shown = pictures(hidden.path)
    assert n_asked == 9
    assert len(shown) == 7
    for time_s, grey in shown:
        frame_ms = max(850, 1_000 * round((0.85 + time_s) * FPS) / FPS)
        is_hidden = detail_of_face(grey, frame_ms / 1_000) < 2.5
        assert is_hidden == is_hidden_at(850 + 1_000 * time_s), time_s


def test_pictures_that_are_black_stay_so_and_the_others_lose_their_face(film, tmp_path):
    black = Redactions(blackout=(TimeSpan(500, 1_000),))
    info = cut_clip(film, SPAN, tmp_path / "c.mp4", ClipSettings(0, 0, 720, 0, black, SPOTS))
    shown = pictures(info.path)
    assert [grey.max() < 20 for time_s, grey in shown] == [
        500 - 1000 / FPS < time_s * 1000 < 1_000 for time_s, _ in shown
    ]
    assert all(detail_of_face(grey, time_s) < 2.5 for time_s, grey in shown)


def test_without_the_setting_a_clip_is_the_same_to_the_last_bit(film, tmp_path):
    one = cut_clip(film, SPAN, tmp_path / "one.mp4", PLAIN)
    other = cut_clip(film, SPAN, tmp_path / "two.mp4", ClipSettings(0, 0, face_blur=FaceBlur.OFF))
    assert one.path.read_bytes() == other.path.read_bytes()


def test_hidden_and_clear_clips_never_share_a_file(film):
    muted = Redactions(mute=(TimeSpan(0, 500),))
    names = {
        clip_name(film, SPAN, ClipSettings(0, 0, redactions=redactions, face_blur=blur))
        for blur in FaceBlur
        for redactions in (Redactions(), muted)
    }
    assert len(names) == 6
    assert clip_name(film, SPAN, PLAIN) in names


def test_a_small_picture_loses_its_face_and_keeps_the_rest(film):
    written = io.BytesIO()
    Image.fromarray(scene(0.0)).save(written, format="JPEG", quality=95)
    jpeg = written.getvalue()
    assert jpeg_without_faces(jpeg, FaceBlur.OFF) is jpeg
    with Image.open(io.BytesIO(jpeg_without_faces(jpeg, FaceBlur.SPOTS))) as opened:
        left = np.asarray(opened.convert("L"), float)
    assert detail_of_face(left, 0.0) < 2.5
    plain = io.BytesIO()
    Image.new("RGB", (200, 100), (90, 120, 90)).save(plain, format="JPEG")
    assert jpeg_without_faces(plain.getvalue(), FaceBlur.SPOTS) == plain.getvalue()


def test_a_study_says_where_faces_are_hidden_and_who_sees_them_all_the_same(tmp_path):
    assert face_blur(tmp_path, ShownIn.EXPORTS) is FaceBlur.SPOTS
    assert face_blur(tmp_path, ShownIn.VIEWING) is FaceBlur.OFF
    (tmp_path / "study.toml").write_text(
        '[privacy]\nblur_faces = ["viewing", "rating", "exports"]\nface_blur = "solid"\n'
        'clear_for = ["admin"]\n'
    )
    for place in ShownIn:
        assert face_blur(tmp_path, place) is FaceBlur.SOLID
        assert face_blur(tmp_path, place, "viewer") is FaceBlur.SOLID
    assert face_blur(tmp_path, ShownIn.VIEWING, "admin") is FaceBlur.OFF
    assert face_blur(tmp_path, ShownIn.EXPORTS, "admin") is FaceBlur.SOLID


@pytest.mark.parametrize(
    "line",
    ['blur_faces = ["everywhere"]', 'face_blur = "a little"', 'clear_for = ["rater"]'],
)
def test_a_setting_that_is_not_known_is_refused(tmp_path, line):
    (tmp_path / "study.toml").write_text(f"[privacy]\n{line}\n")
    with pytest.raises(SettingsError, match=line.split(" ")[0]):
        face_blur(tmp_path, ShownIn.VIEWING)
