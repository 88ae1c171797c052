"""A study folder is checked whole before any work starts."""

from pathlib import Path

import pytest

from pipeline.errors import StudyError
from pipeline.records import Permission
from pipeline.study import media_digest, open_study

CHILDREN = "experiment,child_id,child_dob\nx,C1,2024-01-15\nx,C2,NA\n"
RECORDINGS = (
    "experiment,child_id,date_iso,start_time,recording_device_type,recording_filename\n"
    "x,C1,2025-01-15,NA,unknown,a.mp4\n"
    "x,C2,2025-02-01,NA,unknown,sub/b.mp4\n"
)


def make(
    root: Path,
    children: str = CHILDREN,
    recordings: str = RECORDINGS,
    videos: tuple[str, ...] = ("a.mp4", "sub/b.mp4"),
) -> Path:
    (root / "metadata").mkdir(parents=True)
    (root / "metadata" / "children.csv").write_text(children, encoding="utf-8")
    (root / "metadata" / "recordings.csv").write_text(recordings, encoding="utf-8")
    for video in videos:
        path = root / "recordings" / "raw" / video
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"video")
    return root


def test_a_childproject_dataset_opens_as_it_is(tmp_path: Path) -> None:
    study = open_study(make(tmp_path / "s"))
    assert [r.recording_id for r in study.recordings] == ["a", "b"]
    assert [r.age_days for r in study.recordings] == [366, None]
    assert study.recordings[1].media_path is not None
    assert study.recordings[1].media_path.as_posix() == "sub/b.mp4"
    assert study.failures == ()
    assert study.notices == ()


def test_permission_is_the_strictest_unless_said_otherwise(tmp_path: Path) -> None:
    root = make(
        tmp_path / "s",
        recordings="child_id,recording_filename,permission\nC1,a.mp4,\nC2,sub/b.mp4,media\n",
    )
    assert [r.permission for r in open_study(root).recordings] == [
        Permission.SCORES_ONLY,
        Permission.MEDIA,
    ]


def test_a_private_override_wins_over_a_public_one(tmp_path: Path) -> None:
    root = make(tmp_path / "s")
    folder = root / "metadata" / "children"
    folder.mkdir()
    (folder / "0_private.csv").write_text("child_id,child_dob\nC1,2024-07-15\n", encoding="utf-8")
    (folder / "1_public.csv").write_text(
        "child_id,child_dob,child_sex\nC1,2024-01-01,f\nC2,2024-01-01,m\n", encoding="utf-8"
    )
    study = open_study(root)
    assert [r.age_days for r in study.recordings] == [184, 397]
    assert [child.sex for child in study.children] == ["f", "m"]


def test_ages_may_be_given_in_months(tmp_path: Path) -> None:
    root = make(
        tmp_path / "s",
        recordings="child_id,recording_filename,age_months\nC1,a.mp4,12\nC2,sub/b.mp4,6.5\n",
    )
    assert [r.age_days for r in open_study(root).recordings] == [365, 198]


def test_a_row_without_a_file_fails_alone(tmp_path: Path) -> None:
    study = open_study(make(tmp_path / "s", videos=("a.mp4",)))
    assert [r.recording_id for r in study.recordings] == ["a"]
    (failure,) = study.failures
    assert failure.recording_id == "b"
    assert failure.code == "missing_media"
    assert "recordings/raw/sub/b.mp4" in failure.message
    assert "line 3" in failure.message


def test_frames_extracted_before_stand_in_for_a_video(tmp_path: Path) -> None:
    root = make(tmp_path / "s", videos=("a.mp4",))
    (root / "recordings" / "extracted_frames_1fps" / "b").mkdir(parents=True)
    study = open_study(root)
    assert study.failures == ()
    assert study.media_file(study.recordings[1]) is None
    assert study.frames_folder(study.recordings[1]) is not None


def test_a_file_without_a_row_is_counted(tmp_path: Path) -> None:
    study = open_study(make(tmp_path / "s", videos=("a.mp4", "sub/b.mp4", "c.MOV")))
    (notice,) = study.notices
    assert notice.code == "unlisted_media"
    assert "c.MOV" in notice.message


def test_a_birth_after_the_recording_fails_that_recording_only(tmp_path: Path) -> None:
    study = open_study(
        make(tmp_path / "s", children="child_id,child_dob\nC1,2026-01-01\nC2,2024-01-01\n")
    )
    assert [r.recording_id for r in study.recordings] == ["b"]
    assert study.failures[0].code == "age"
    assert "2026-01-01" in study.failures[0].message


@pytest.mark.parametrize(
    ("children", "recordings", "named"),
    [
        (CHILDREN + "x,C1,2024-01-15\n", RECORDINGS, "C1 is listed twice"),
        (CHILDREN, RECORDINGS + "x,C2,2025-02-01,NA,unknown,other/a.mp4\n", "already used"),
        (CHILDREN, "child_id,recording_filename\n", "lists no recordings"),
        (CHILDREN, "child_id\nC1\n", "lacks the column recording_filename"),
        (CHILDREN.replace("2024-01-15", "15/01/2024"), RECORDINGS, "15/01/2024"),
        (CHILDREN, RECORDINGS.replace("sub/b.mp4", "../b.mp4"), "leaves the study"),
        (CHILDREN, "child_id,recording_filename,permission\nC1,a.mp4,all\n", "permission is"),
    ],
)
def test_metadata_that_cannot_be_trusted_stops_before_any_work(
    tmp_path: Path, children: str, recordings: str, named: str
) -> None:
    with pytest.raises(StudyError) as caught:
        open_study(make(tmp_path / "s", children, recordings))
    assert named in caught.value.message
    assert caught.value.hint


def test_an_unknown_child_fails_that_recording_only(tmp_path: Path) -> None:
    study = open_study(make(tmp_path / "s", recordings=RECORDINGS.replace("x,C2", "x,C9")))
    assert [r.recording_id for r in study.recordings] == ["a"]
    assert study.failures[0].code == "unknown_child"


def test_a_folder_that_is_no_study_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        open_study(tmp_path)
    assert "pipeline init" in caught.value.hint


def test_bad_context_rows_are_counted_and_left_out(tmp_path: Path) -> None:
    root = make(tmp_path / "s")
    (root / "metadata" / "contexts.csv").write_text(
        "recording_id,onset_ms,offset_ms,location,activity\n"
        "a,0,1000,kitchen,meal\nzzz,0,1,x,y\na,5,5,x,y\n",
        encoding="utf-8",
    )
    study = open_study(root)
    assert [c.location for c in study.contexts] == ["kitchen"]
    assert study.notices[0].count == 2


def test_the_media_digest_sees_a_change_anywhere_it_looks(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(bytes(5 << 20))
    before = media_digest(path)
    assert media_digest(path) == before
    for position in (0, 5 << 19, (5 << 20) - 1):
        content = bytearray(5 << 20)
        content[position] = 1
        path.write_bytes(content)
        assert media_digest(path) != before


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"frames_folder": "/etc"}, "leaves the study"),
        ({"frames_folder": "../other"}, "leaves the study"),
        ({"recording_filename": "C:\\private\\film.mp4"}, "leaves the study"),
        ({"recording_id": "a" * 200}, "too long"),
        ({"recording_id": "a\u202eb"}, "cannot be seen"),
        ({"recording_filename": f"{'a' * 300}.mp4", "recording_id": "x"}, "too long"),
    ],
)
def test_metadata_cannot_name_what_is_elsewhere_or_no_name(
    tmp_path: Path, cells: dict[str, str], told: str
) -> None:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "children.csv").write_text("child_id,child_dob\nc1,2020-01-01\n")
    row = {"child_id": "c1", "recording_filename": "rec.mp4", **cells}
    text = f"{','.join(row)}\n{','.join(row.values())}\n"
    (tmp_path / "metadata" / "recordings.csv").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=told) as caught:
        open_study(tmp_path)
    assert "recordings.csv, line 2" in caught.value.message
    assert caught.value.hint
