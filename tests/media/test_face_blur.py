"""Faces in clips are hidden in every picture where the study hides them, and nowhere else."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from benchmarks.shaded_heads import HeadPose, ShadedHead
from pipeline.errors import SettingsError
from pipeline.faces.blur import FaceBlur
from pipeline.faces.choice import ShownIn, face_blur
from pipeline.media.clip_cache import clip_name
from pipeline.media.clips import ClipSettings, cut_clip
from pipeline.media.face_hiding import jpeg_without_faces
from pipeline.records import TimeSpan
from pipeline.redactions import Redactions

WIDTH, HEIGHT, SIDE, FPS = 320, 240, 130, 15
SPAN = TimeSpan(0, 2_000)
PLAIN = ClipSettings(lead_ms=0, lag_ms=0)


def center(time_s: float) -> tuple[float, float]:
    return 110 + 45 * time_s, 120


def scene(time_s: float) -> np.ndarray:
    """A head that moves to the right; from .8 to 1.2 s it is turned away, as no detector sees."""
    rng = np.random.default_rng(4)
    coarse = Image.fromarray(rng.integers(140, 200, (12, 16, 3), np.uint8))
    image = np.array(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
    pose = HeadPose(0, 0, 180) if 0.8 <= time_s < 1.2 else HeadPose(0, 0, 0)
    ShadedHead(3).draw(image, center(time_s), SIDE, pose)
    return image


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=FPS, options={"crf": "16", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(2 * FPS):
            frame = av.VideoFrame.from_ndarray(scene(number / FPS), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


def pictures(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as container:
        return [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="gray").astype(float))
            for frame in container.decode(video=0)
        ]


def detail_of_face(grey: np.ndarray, time_s: float) -> float:
    """Differences between neighbours, which eyes, brows and mouth make and a blur does not."""
    x, y = center(time_s)
    half = SIDE // 4
    face = grey[int(y) - half : int(y) + half, int(x) - half : int(x) + half]
    return float(np.abs(np.diff(face, axis=1)).mean())


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
