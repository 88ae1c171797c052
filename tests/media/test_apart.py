"""What reads recordings for many people does it in processes that may die."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import MediaError
from pipeline.media.apart import APART, Apart, Job
from pipeline.media.apart_server import answer
from pipeline.media.clip_cache import ClipCache
from pipeline.media.clips import ClipSettings, cut_clip
from pipeline.records import TimeSpan
from pipeline.redactions import Redactions
from tests.torture.hostile.crashing_decoder import python_path
from tests.torture.hostile.recordings import make_recording

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no signals to die of")

SPAN = TimeSpan(1_000, 2_000)


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with one recording under four names; three of them the decoder does not survive."""
    raw = tmp_path / "raw"
    raw.mkdir()
    whole = make_recording("mpeg4.avi", raw / "good.avi")
    for name in ("deadly", "endless", "greedy"):
        (raw / f"{name}.avi").write_bytes(whole.read_bytes() + name.encode())
    APART.close()
    monkeypatch.setenv("PYTHONPATH", python_path(tmp_path / "hook"))
    monkeypatch.setattr(APART, "longest_s", 20.0)
    yield raw
    APART.close()


def test_a_decoder_that_crashes_hangs_or_takes_all_memory_costs_one_clip(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ClipCache(tmp_path / "study", max_bytes=1_000_000_000)
    settings = ClipSettings(0, 0)
    assert cache.clip(recordings / "good.avi", SPAN, settings).is_file()
    with pytest.raises(MediaError, match=r"deadly\.avi cannot be shown: the decoder crashed"):
        cache.clip(recordings / "deadly.avi", SPAN, settings)
    with pytest.raises(MediaError, match="takes too much memory"):
        cache.clip(recordings / "greedy.avi", SPAN, settings)
    monkeypatch.setattr(APART, "longest_s", 2.0)
    with pytest.raises(MediaError, match=r"endless\.avi cannot be shown"):
        cache.clip(recordings / "endless.avi", SPAN, settings)
    monkeypatch.setattr(APART, "longest_s", 20.0)
    assert cache.clip(recordings / "good.avi", TimeSpan(0, 900), settings).is_file()
    assert not list(cache.folder.glob("*.partial"))


def test_a_clip_cut_apart_is_the_same_to_the_byte(tmp_path: Path) -> None:
    source = make_recording("mpeg4.avi", tmp_path / "rec.avi")
    hidden = Redactions((TimeSpan(1_000, 1_300),), (TimeSpan(1_500, 1_800),))
    settings = ClipSettings(300, 200, max_lines=96, redactions=hidden)
    apart = ClipCache(tmp_path / "study", max_bytes=1_000_000_000).clip(source, SPAN, settings)
    here = tmp_path / "here.mp4"
    cut_clip(source, SPAN, here, settings)
    assert apart.read_bytes() == here.read_bytes()


def test_a_refusal_keeps_its_words_its_kind_and_its_process(tmp_path: Path) -> None:
    apart = Apart()
    missing = Job(
        "pipeline.media.clip_job:cut",
        tmp_path / "gone.mp4",
        {
            **dict.fromkeys(("onset_ms", "lead_ms", "lag_ms", "audio_track"), 0),
            **{"source": str(tmp_path / "gone.mp4"), "out": str(tmp_path / "out.mp4")},
            **{"offset_ms": 500, "max_lines": 96, "face_blur": "off"},
            **{"blackout": [], "mute": []},
        },
    )
    for _ in range(2):
        with pytest.raises(MediaError, match=r"gone\.mp4 is not where") as caught:
            apart.do(missing)
        assert "recordings/raw" in caught.value.hint
    assert len(apart.processes()) == 1
    apart.close()
    assert apart.processes() == ()


def test_only_functions_of_coview_are_called() -> None:
    assert "no part of Coview" in answer('{"function": "os:abort", "values": {}}')["error"]
