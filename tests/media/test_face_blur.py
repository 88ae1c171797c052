"""Faces in clips are hidden in every picture where the study hides them, and nowhere else."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import SettingsError
from pipeline.faces.blur import FaceBlur
from pipeline.faces.choice import ShownIn, face_blur
from pipeline.media.clip_cache import clip_name
from pipeline.media.clips import ClipSettings, cut_clip
from pipeline.media.face_hiding import jpeg_without_faces
from pipeline.records import TimeSpan
from pipeline.redactions import Redactions
from tests.media.face_film import FPS, detail_of_face, pictures, scene, write_film

SPAN = TimeSpan(0, 2_000)
PLAIN = ClipSettings(lead_ms=0, lag_ms=0)


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
