from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from pipeline.errors import MediaError
from pipeline.vision.frame_folder import FolderFrames
from pipeline.vision.sampling import open_frames
from pipeline.vision.write_frames import write_frames
from tests.vision.numbered_video import Recipe, number_of, numbered_image, write_video


def _write(folder: Path, names: dict[int, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in names.items():
        Image.fromarray(numbered_image(number)).save(folder / name)
    return folder


@pytest.mark.parametrize("pattern", ["{:05d}.jpg", "frame_{:04d}.jpg", "rec2_{}.png", "{}.JPEG"])
def test_the_number_in_the_name_is_the_second(tmp_path: Path, pattern: str) -> None:
    folder = _write(tmp_path / "f", {n: pattern.format(n) for n in (0, 1, 2, 10)})
    frames = list(FolderFrames(folder, 1000.0).frames())
    assert [(f.grid_index, f.time_ms, number_of(f.image)) for f in frames] == [
        (n, 1000 * n, n) for n in (0, 1, 2, 10)
    ]


def test_missing_seconds_are_counted(tmp_path: Path) -> None:
    source = FolderFrames(_write(tmp_path, {n: f"{n:05d}.jpg" for n in (3, 4, 9)}), 1000.0)
    assert [frame.grid_index for frame in source.frames()] == [3, 4, 9]
    assert [(n.code, n.count) for n in source.notices] == [("missing_pictures", 4)]


def test_a_coarser_grid_takes_every_second_picture_and_a_finer_one_all(tmp_path: Path) -> None:
    folder = _write(tmp_path, {n: f"{n:05d}.jpg" for n in range(6)})
    coarse = [(f.grid_index, f.time_ms) for f in FolderFrames(folder, 2000.0).frames()]
    fine = [(f.grid_index, f.time_ms) for f in FolderFrames(folder, 500.0).frames()]
    assert coarse == [(0, 0), (1, 2000), (2, 4000)]
    assert fine == [(2 * n, 1000 * n) for n in range(6)]


def test_a_damaged_picture_is_counted_and_the_rest_goes_on(tmp_path: Path) -> None:
    folder = _write(tmp_path, {n: f"{n:05d}.jpg" for n in range(4)})
    (folder / "00001.jpg").write_bytes(b"not a picture")
    whole = (folder / "00002.jpg").read_bytes()
    (folder / "00002.jpg").write_bytes(whole[: len(whole) // 3])
    source = FolderFrames(folder, 1000.0)
    assert [frame.grid_index for frame in source.frames()] == [0, 3]
    (notice,) = source.notices
    assert (notice.code, notice.count) == ("unreadable_pictures", 2)
    assert "00001.jpg" in notice.message


def test_pictures_without_a_number_are_counted(tmp_path: Path) -> None:
    folder = _write(tmp_path, {0: "00000.jpg", 1: "cover.jpg"})
    source = FolderFrames(folder, 1000.0)
    assert len(list(source.frames())) == 1
    assert source.notices[0].code == "unnumbered_pictures"


def test_two_pictures_of_one_number_are_refused(tmp_path: Path) -> None:
    folder = _write(tmp_path, {0: "a_0001.jpg", 1: "b_0001.jpg"})
    with pytest.raises(MediaError, match="two pictures with the number 1"):
        FolderFrames(folder, 1000.0)


def test_an_empty_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="holds no numbered pictures"):
        FolderFrames(tmp_path, 1000.0)
    with pytest.raises(MediaError, match="There is no folder of frames gone"):
        FolderFrames(tmp_path / "gone", 1000.0)
    with pytest.raises(MediaError, match="neither a video nor a folder"):
        open_frames(None, None, 1000.0)


def test_a_picture_with_a_rotation_mark_is_turned_upright(tmp_path: Path) -> None:
    mark = Image.Exif()
    mark[274] = 6  # to be turned by 90 degrees clockwise
    turned = Image.fromarray(numbered_image(5, 160, 160)).transpose(Image.Transpose.ROTATE_90)
    turned.save(tmp_path / "00000.jpg", exif=mark)
    (frame,) = FolderFrames(tmp_path, 1000.0).frames()
    assert number_of(frame.image) == 5


def test_frames_written_from_a_video_read_back_as_the_same_frames(tmp_path: Path) -> None:
    video = write_video(tmp_path, Recipe("v.mp4", options={"preset": "ultrafast"}))
    written = list(write_frames(open_frames(video, None, 1000.0), tmp_path / "out"))
    assert [frame.path.name for frame in written if frame.path] == [
        f"{n:05d}.jpg" for n in range(4)
    ]
    frames = list(open_frames(None, tmp_path / "out", 1000.0).frames())
    assert [number_of(frame.image) for frame in frames] == [0, 30, 60, 90]
    assert [frame.time_ms for frame in written] == [frame.time_ms for frame in frames]


def test_without_a_folder_frames_are_only_listed(tmp_path: Path) -> None:
    video = write_video(tmp_path, Recipe("v.mp4", options={"preset": "ultrafast"}))
    assert [f.path for f in write_frames(open_frames(video, None, 1000.0), None)] == [None] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]
