"""Digests of videos are kept between runs and follow the files."""

import os
from pathlib import Path

from pipeline.engine.media_digests import MediaDigests
from pipeline.study import media_digest


def test_a_kept_digest_is_used_until_the_file_changes(tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"first")
    digests = MediaDigests(tmp_path)
    first = digests.of(video)
    assert first == media_digest(video)
    digests.keep()
    before = video.stat()
    # Same size, same time: the file is taken for the same, and is not read.
    video.write_bytes(b"other")
    os.utime(video, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert MediaDigests(tmp_path).of(video) == first
    os.utime(video, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert MediaDigests(tmp_path).of(video) == media_digest(video) != first


def test_a_folder_of_frames_is_looked_at_each_time(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    (frames / "1.jpg").write_bytes(b"one")
    digests = MediaDigests(tmp_path)
    first = digests.of(frames)
    (frames / "1.jpg").write_bytes(b"longer")
    assert digests.of(frames) != first


def test_a_damaged_file_of_digests_is_made_anew(tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"first")
    for content in ("", "[1]", '{"x": 3}', "{"):
        (tmp_path / "media-digests.json").write_text(content)
        digests = MediaDigests(tmp_path)
        assert digests.of(video) == media_digest(video)
        digests.keep()
    assert MediaDigests(tmp_path).of(video) == media_digest(video)
