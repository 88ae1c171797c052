"""A folder of videos becomes a study."""

from pathlib import Path

import pytest

from pipeline.errors import StudyError
from pipeline.study import open_study
from pipeline.study_init import init_study


def videos(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"video")
    return root


def test_sub_folders_name_the_children(tmp_path: Path) -> None:
    source = videos(tmp_path / "v", "S1/a.mp4", "S1/b.MOV", "S2/c.mkv", "S2/notes.txt")
    (source / "S1" / "a.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nhi\n")
    (source / "S1" / "a.rttm").write_text("SPEAKER a 1 0 1 <NA> <NA> FEM <NA> <NA>\n")
    made = init_study(tmp_path / "s", source)
    assert (made.n_recordings, made.children, made.n_transcripts) == (3, ("S1", "S2"), 1)
    study = open_study(tmp_path / "s")
    assert [(r.recording_id, r.child_id) for r in study.recordings] == [
        ("a", "S1"),
        ("b", "S1"),
        ("c", "S2"),
    ]
    assert study.failures == ()
    assert (tmp_path / "s" / "annotations" / "imported" / "raw" / "a.srt").is_file()
    assert (tmp_path / "s" / "annotations" / "speakers" / "raw" / "a.rttm").is_file()


def test_a_pattern_gives_child_date_and_age(tmp_path: Path) -> None:
    source = videos(tmp_path / "v", "S01_2025-03-02_12m.mp4")
    pattern = r"(?P<child>S\d+)_(?P<date>\d{4}-\d\d-\d\d)_(?P<age_months>\d+)m"
    init_study(tmp_path / "s", source, child_pattern=pattern)
    (recording,) = open_study(tmp_path / "s").recordings
    assert recording.child_id == "S01"
    assert str(recording.date) == "2025-03-02"
    assert recording.age_days == 365


def test_copying_leaves_no_link(tmp_path: Path) -> None:
    source = videos(tmp_path / "v", "a.mp4")
    init_study(tmp_path / "s", source, is_copy=True)
    copied = tmp_path / "s" / "recordings" / "raw" / "a.mp4"
    assert copied.is_file()
    assert not copied.is_symlink()


@pytest.mark.parametrize(
    ("names", "pattern", "named"),
    [
        ((), "", "holds no videos"),
        (("a/x.mp4", "b/x.mp4"), "", "both be the recording x"),
        (("x.mp4",), r"(?P<child>S\d+)", "No child id found in x.mp4"),
        (("x.mp4",), r"(S\d+)", "no group named child"),
        (("x.mp4",), r"(?P<child", "not a regular expression"),
        (("S1_2025-99-99.mp4",), r"(?P<child>S\d+)_(?P<date>[\d-]+)", "not YYYY-MM-DD"),
    ],
)
def test_what_cannot_become_a_study_is_refused(
    tmp_path: Path, names: tuple[str, ...], pattern: str, named: str
) -> None:
    source = videos(tmp_path / "v", *names)
    source.mkdir(exist_ok=True)
    with pytest.raises(StudyError, match=named.replace("(", r"\(")):
        init_study(tmp_path / "s", source, child_pattern=pattern)
    assert not (tmp_path / "s").exists()


def test_an_existing_study_is_never_overwritten(tmp_path: Path) -> None:
    source = videos(tmp_path / "v", "a.mp4")
    init_study(tmp_path / "s", source)
    with pytest.raises(StudyError, match="is a study already"):
        init_study(tmp_path / "s", source)
