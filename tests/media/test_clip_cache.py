"""Clips are cut once, found again, and forgotten when there are too many."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from pipeline.errors import MediaError
from pipeline.media.clip_cache import ClipCache, clip_name
from pipeline.media.clips import ClipSettings
from pipeline.records import TimeSpan
from tests.media.recordings import record

SETTINGS = ClipSettings(lead_ms=0, lag_ms=0)
ROOM = 2_000_000_000


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Path:
    return record(tmp_path_factory.mktemp("raw") / "rec.mp4", seconds=4)


def test_the_same_clip_is_cut_once(tmp_path, recording):
    cache = ClipCache(tmp_path, max_bytes=ROOM)
    first = cache.clip(recording, TimeSpan(1_000, 1_500), SETTINGS)
    inode = first.stat().st_ino
    assert cache.clip(recording, TimeSpan(1_000, 1_500), SETTINGS) == first
    assert first.stat().st_ino == inode
    assert first.parent == tmp_path / "derived" / "clips"
    assert "rec" not in first.name


def test_another_stretch_or_another_recording_is_another_clip(tmp_path, recording):
    names = {
        clip_name(recording, TimeSpan(1_000, 1_500), SETTINGS),
        clip_name(recording, TimeSpan(1_000, 1_600), SETTINGS),
        clip_name(recording, TimeSpan(1_000, 1_500), ClipSettings(lead_ms=500, lag_ms=0)),
        clip_name(recording, TimeSpan(1_000, 1_500), ClipSettings(0, 0, max_lines=360)),
    }
    assert len(names) == 4
    copy = tmp_path / "rec.mp4"
    copy.write_bytes(recording.read_bytes())
    before = clip_name(copy, TimeSpan(1_000, 1_500), SETTINGS)
    assert before in names
    copy.write_bytes(recording.read_bytes() + b"changed")
    assert clip_name(copy, TimeSpan(1_000, 1_500), SETTINGS) != before


def test_many_requests_at_once_cut_one_clip(tmp_path, recording):
    caches = [ClipCache(tmp_path, max_bytes=ROOM) for _ in range(8)]
    start = threading.Barrier(len(caches))
    seen: list[tuple[Path, int]] = []

    def ask(cache: ClipCache) -> None:
        start.wait()
        path = cache.clip(recording, TimeSpan(500, 2_000), SETTINGS)
        seen.append((path, path.stat().st_ino))

    threads = [threading.Thread(target=ask, args=(cache,)) for cache in caches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert not list((tmp_path / "derived" / "clips").glob("*.partial"))


def test_the_least_recently_used_clips_go_first(tmp_path, recording):
    cache = ClipCache(tmp_path, max_bytes=ROOM)
    clips = [cache.clip(recording, TimeSpan(at, at + 400), SETTINGS) for at in (0, 1_000, 2_000)]
    for age_s, path in zip((300, 200, 100), clips, strict=True):
        os.utime(path, (time.time() - age_s, time.time() - age_s))
    assert cache.clip(recording, TimeSpan(0, 400), SETTINGS) == clips[0]
    size = cache.size_bytes()
    tight = ClipCache(tmp_path, max_bytes=size - 1)
    assert tight.prune() == 1
    assert [path.exists() for path in clips] == [True, False, True]


def test_a_clip_larger_than_the_cap_is_still_served(tmp_path, recording):
    path = ClipCache(tmp_path, max_bytes=10).clip(recording, TimeSpan(0, 500), SETTINGS)
    assert path.is_file()


def test_leftovers_of_a_killed_process_are_removed(tmp_path):
    cache = ClipCache(tmp_path, max_bytes=ROOM)
    cache.folder.mkdir(parents=True)
    old, new = cache.folder / "old.partial", cache.folder / "new.partial"
    for path in (old, new):
        path.write_bytes(b"half a clip")
    os.utime(old, (1, 1))
    cache.prune()
    assert (old.exists(), new.exists()) == (False, True)


def test_a_missing_recording_is_an_error_and_no_clip(tmp_path):
    cache = ClipCache(tmp_path, max_bytes=ROOM)
    with pytest.raises(MediaError, match=r"gone\.mp4"):
        cache.clip(tmp_path / "gone.mp4", TimeSpan(0, 500), SETTINGS)
    assert cache.size_bytes() == 0


def test_a_link_in_the_place_of_a_clip_is_not_followed(tmp_path, recording):
    clips = ClipCache(tmp_path, max_bytes=ROOM)
    cut = clips.clip(recording, TimeSpan(1_000, 1_500), SETTINGS)
    whole = cut.read_bytes()
    elsewhere = tmp_path / "private.txt"
    elsewhere.write_text("not of this study")
    cut.unlink()
    cut.symlink_to(elsewhere)
    again = clips.clip(recording, TimeSpan(1_000, 1_500), SETTINGS)
    assert again == cut
    assert not cut.is_symlink()
    assert cut.read_bytes() == whole
    assert elsewhere.read_text() == "not of this study"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_in_the_place_of_a_recording_keeps_nobody_waiting(tmp_path):
    pipe = tmp_path / "recording.mp4"
    os.mkfifo(pipe)
    with pytest.raises(MediaError):
        ClipCache(tmp_path, max_bytes=ROOM).clip(pipe, TimeSpan(0, 500), SETTINGS)


def test_files_of_another_name_are_never_deleted(tmp_path, recording):
    """The folder may have become a link to one with the lab's own videos."""
    cache = ClipCache(tmp_path, max_bytes=1)
    cache.folder.mkdir(parents=True)
    theirs = cache.folder / "C01_2023-05-04.mp4"
    theirs.write_bytes(b"a day of a child")
    first = cache.clip(recording, TimeSpan(0, 500), SETTINGS)
    cache.clip(recording, TimeSpan(1_000, 1_500), SETTINGS)
    assert not first.exists()
    assert theirs.exists()
