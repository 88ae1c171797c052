"""Where a study hides faces, for whom, and that hidden and clear pictures never mix."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.faces.choice import ShownIn
from pipeline.media.shown_thumbnails import shown_thumbnails
from pipeline.media.study_clips import StudyClips
from pipeline.people.store import MomentRef
from pipeline.people.trial_records import ImageVariant
from pipeline.records import TimeSpan
from pipeline.validation.pictures import picture_file
from tests.media.face_film import detail_of_face, pictures, scene, write_film

SPAN = TimeSpan(200, 700)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    raw = tmp_path / "recordings" / "raw"
    raw.mkdir(parents=True)
    write_film(raw / "film.mp4")
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "recordings.csv").write_text(
        "child_id,recording_id,recording_filename,permission\nC,film,film.mp4,media\n"
    )
    return tmp_path


def hide(root: Path, places: str, more: str = "") -> None:
    (root / "study.toml").write_text(f"[privacy]\nblur_faces = [{places}]\n{more}\n")


def clip_of(root: Path, role: str = "", shown_in: ShownIn = ShownIn.VIEWING) -> Path:
    clips = StudyClips(root, shown_in=shown_in)
    return clips.clip("film.mp4", SPAN, lead_ms=0, lag_ms=0, role=role)


def is_hidden(clip: Path) -> bool:
    details = [detail_of_face(grey, 0.2 + time_s) for time_s, grey in pictures(clip)]
    assert max(details) < 2.5 or min(details) > 5.0
    return max(details) < 2.5


def test_the_study_says_how_many_lines_a_clip_has_and_older_clips_are_not_shown_instead(root):
    assert pictures(clip_of(root))[0][1].shape == (240, 320)
    (root / "study.toml").write_text("[clips]\nlines = 120\n")
    assert pictures(clip_of(root))[0][1].shape == (120, 160)
    (root / "study.toml").unlink()
    assert pictures(clip_of(root))[0][1].shape == (240, 320)


def test_a_role_that_sees_faces_gets_another_file_than_the_others(root):
    hide(root, '"viewing", "exports"', 'clear_for = ["admin"]')
    hidden, clear = clip_of(root, "viewer"), clip_of(root, "admin")
    assert is_hidden(hidden)
    assert not is_hidden(clear)
    assert clip_of(root) == hidden
    assert clip_of(root, "admin", ShownIn.EXPORTS) == hidden


def test_by_default_only_what_leaves_is_hidden_and_a_change_holds_from_the_next_clip_on(root):
    clear, leaving = clip_of(root), clip_of(root, shown_in=ShownIn.EXPORTS)
    assert not is_hidden(clear)
    assert is_hidden(leaving)
    hide(root, '"viewing"')
    assert clip_of(root) == leaving
    assert clip_of(root, shown_in=ShownIn.EXPORTS) == clear


def test_raters_see_no_face_where_the_study_hides_them(root):
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE recordings AS SELECT 'film' AS recording_id, 'film.mp4' AS media_path, "
        "NULL::VARCHAR AS frames_path, 'media' AS permission"
    )
    con.execute("CREATE TABLE frames AS SELECT 'film' AS recording_id, 400 AS time_ms")
    moment = MomentRef("film", "u1", SPAN)
    found = {}
    for places in ("", '"rating"'):
        hide(root, places)
        path = picture_file(root, con, moment, 400, ImageVariant.FULL_FRAME)
        with Image.open(path) as shown:
            grey = np.asarray(shown.convert("L"), float)
        found[path] = detail_of_face(grey, 0.4)
    clear, hidden = found.values()
    assert len(found) == 2
    assert hidden < 2.5
    assert clear > 5.0


def test_small_pictures_are_hidden_for_those_who_may_not_see_faces(root):
    written = io.BytesIO()
    Image.fromarray(scene(0.0)).save(written, format="JPEG", quality=90)
    kept = {0: written.getvalue()}
    shard = root / "derived" / "vision" / "made" / "film~1.parquet"
    shard.parent.mkdir(parents=True)
    pq.write_table(pa.table({"time_ms": list(kept), "thumbnail": list(kept.values())}), shard)
    hide(root, '"viewing"', 'clear_for = ["admin"]')
    assert shown_thumbnails(root, "film", [0], "admin") == kept
    (hidden,) = shown_thumbnails(root, "film", [0], "viewer").values()
    with Image.open(io.BytesIO(hidden)) as shown:
        assert detail_of_face(np.asarray(shown.convert("L"), float), 0.0) < 2.5
