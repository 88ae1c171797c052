"""Files that list their packets are not read through; the list is held against what is read."""

from __future__ import annotations

import json
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.records import Crop, FrameMode
from pipeline.vision import container_index as container_index_module
from pipeline.vision.composition_times import display_offsets
from pipeline.vision.container_index import (
    container_index,
    index_without_reading,
)
from pipeline.vision.decoding import packet_index
from pipeline.vision.prepared_frames import Preparation, prepared_frames
from pipeline.vision.sampled_frame import SampledFrame
from pipeline.vision.video_file import open_video
from pipeline.vision.video_frames import VideoFrames
from tests.vision.numbered_video import Recipe, number_of, write_video

FAST = {"preset": "ultrafast", "g": "15", "bf": "0"}
UNEVEN = np.cumsum(np.random.default_rng(3).integers(24, 60, 100)).tolist()
REORDERED = {"preset": "fast", "g": "15", "bf": "3"}
SIGNED = {"movflags": "negative_cts_offsets"}
EDITED = {"avoid_negative_ts": "disabled"}


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe("plain.mp4", options=FAST),
        Recipe("camera.mov", options=FAST),
        Recipe("uneven.mp4", pts=UNEVEN, ticks_hz=1000, options=FAST),
        Recipe("edited.mp4", pts=range(-20, 80), options=FAST, container_options=EDITED),
        Recipe("late.mp4", pts=range(15, 115), audio_s=4.0, options=FAST),
        Recipe("av1.mp4", "libsvtav1", {"preset": "12", "svtav1-params": "keyint=30:lp=1"}),
        Recipe("b_frames.mp4", options=REORDERED),
        Recipe("b_frames.mov", options=REORDERED, audio_s=3.0),
        Recipe("b_uneven.mp4", pts=UNEVEN, ticks_hz=1000, options=REORDERED),
        Recipe("b_signed.mp4", options=REORDERED, container_options=SIGNED),
        Recipe(
            "open_groups.mp4",
            options={"g": "15", "bf": "3", "x264-params": "open-gop=1:b-adapt=0:scenecut=0"},
        ),
        Recipe(
            "hevc_b.mp4",
            "libx265",
            {"x265-params": "keyint=30:bframes=3:log-level=none", "preset": "ultrafast"},
        ),
    ],
    ids=lambda recipe: recipe.name,
)
def test_the_list_of_a_file_says_what_reading_its_packets_says(
    tmp_path: Path, recipe: Recipe
) -> None:
    path = write_video(tmp_path, recipe)
    with open_video(path) as video:
        listed = container_index(video)
        assert listed is not None
        known = index_without_reading(video, listed)
    with open_video(path) as video:
        read = packet_index(video)
    assert known is not None
    assert read is not None
    assert known.pts.tolist() == read.pts.tolist()
    assert known.is_key.tolist() == read.is_key.tolist()
    assert known.is_shown.tolist() == read.is_shown.tolist()


@pytest.mark.parametrize(
    ("recipe", "is_listed"),
    [
        # An edit leaves packets out of the list, but not out of the table of display times.
        (
            Recipe(
                "b_edited.mp4",
                pts=range(-20, 100),
                n_frames=120,
                options=REORDERED,
                container_options=EDITED,
            ),
            True,
        ),
        (Recipe("matroska.mkv", options=FAST), False),
        (
            Recipe(
                "fragments.mp4",
                options=FAST,
                container_options={"movflags": "frag_keyframe+empty_moov"},
            ),
            False,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Recipe) else str(value),
)
def test_files_that_do_not_list_all_there_is_to_know_are_read_through(
    tmp_path: Path, recipe: Recipe, is_listed: bool
) -> None:
    path = write_video(tmp_path, recipe)
    with open_video(path) as video:
        listed = container_index(video)
        assert (listed is not None) == is_listed
        assert listed is None or index_without_reading(video, listed) is None
    frames = list(VideoFrames(path, 1000.0).frames())
    first = 20 if recipe.pts else 0
    assert [number_of(frame.image) for frame in frames][:3] == [first, first + 30, first + 60]


@pytest.mark.skipif(not Path("/proc/self/io").is_file(), reason="bytes are counted on Linux only")
@pytest.mark.parametrize(("mode", "fewest"), [(FrameMode.EXACT, 0.4), (FrameMode.KEYFRAMES, 0.2)])
def test_packets_between_the_wanted_ones_are_not_read(
    tmp_path: Path, mode: FrameMode, fewest: float
) -> None:
    path = _noise(tmp_path / "noise.mp4", 240)
    before = _n_bytes_read()
    frames = list(VideoFrames(path, 1100.0, mode).frames())
    assert len(frames) == 8
    assert _n_bytes_read() - before < fewest * path.stat().st_size


def test_a_table_of_display_times_tells_delays_that_are_not_the_same_throughout(
    tmp_path: Path,
) -> None:
    path, times = _delayed_film(tmp_path)
    source = VideoFrames(path, 500.0)
    _assert_nearest(list(source.frames()), times)
    assert source.notices == ()


def test_times_that_the_list_does_not_tell_are_noticed_and_the_file_is_read_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, times = _delayed_film(tmp_path)
    # As where FFmpeg reads a header otherwise than we do: none is known to that both believe.
    monkeypatch.setattr(container_index_module, "display_offsets", lambda *_: None)
    source = VideoFrames(path, 500.0)
    _assert_nearest(list(source.frames()), times)
    assert [notice.code for notice in source.notices] == ["index_disagrees"]
    beside = VideoFrames(path, 500.0)
    prepared = prepared_frames(beside, Preparation((Crop.CENTER,), 32, 48), 2)
    assert [frame.time_ms for frame in prepared] == [
        frame.time_ms for frame in VideoFrames(path, 500.0).frames()
    ]
    assert [notice.code for notice in beside.notices] == ["index_disagrees"]


def _delayed_film(folder: Path) -> tuple[Path, list[float]]:
    """From frame 70 on each is shown later than it is decoded, though none is reordered."""
    plain = write_video(folder, Recipe("plain.mp4", n_frames=150, options=FAST))
    _with_delay(plain, folder / "delayed.mp4", first=70, ticks_per_frame=0.4)
    times = [1000.0 * (n + (0.4 if n >= 70 else 0)) / 30 for n in range(150)]
    return folder / "delayed.mp4", times


def _assert_nearest(frames: list[SampledFrame], times: list[float]) -> None:
    nearest = [int(np.argmin(np.abs(np.array(times) - 500 * k))) for k in range(11)]
    assert [number_of(frame.image) for frame in frames] == nearest
    assert [frame.time_ms for frame in frames] == [round(times[n]) for n in nearest]


@pytest.mark.parametrize("name", ["keys.mp4", "keys.mkv", "keys.h264"])
def test_key_frames_keep_their_own_times(tmp_path: Path, name: str) -> None:
    recipe = Recipe(
        name,
        n_frames=120,
        options={**FAST, "g": "20"},
        container="h264" if name.endswith("h264") else None,
    )
    source = VideoFrames(write_video(tmp_path, recipe), 1000.0, FrameMode.KEYFRAMES)
    frames = [(f.grid_index, f.time_ms, number_of(f.image)) for f in source.frames()]
    if name.endswith("h264"):
        assert frames
        assert all(number % 20 == 0 for _, _, number in frames)
    else:
        assert frames == [(0, 0, 0), (1, 667, 20), (2, 2000, 60), (3, 2667, 80)]
        assert source.notices == ()


def test_grid_times_that_share_a_key_frame_are_counted(tmp_path: Path) -> None:
    path = write_video(tmp_path, Recipe("long.mp4", n_frames=120, options={**FAST, "g": "60"}))
    source = VideoFrames(path, 500.0, FrameMode.KEYFRAMES)
    assert [(f.grid_index, f.time_ms) for f in source.frames()] == [(0, 0), (4, 2000)]
    (notice,) = source.notices
    assert (notice.code, notice.count) == ("grid_times_without_frame", 6)
    assert "key frames lie further apart" in notice.message
    result = CliRunner().invoke(app, ["frames", str(path), "--keyframes", "--json"])
    assert [row["time_ms"] for row in json.loads(result.stdout)["frames"]] == [0, 2000]


def _n_bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def _noise(path: Path, n_frames: int, n_b_frames: int = 0) -> Path:
    """Pictures that cannot be compressed, so that reading fewer bytes shows."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as output:
        stream = output.add_stream(
            "libx264", rate=30, options={**FAST, "qp": "8", "bf": f"{n_b_frames}"}
        )
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(n_frames):
            image = rng.integers(0, 255, (240, 320, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def _with_delay(source: Path, target: Path, first: int, ticks_per_frame: float) -> None:
    with av.open(str(source)) as container, av.open(str(target), "w") as output:
        stream = container.streams.video[0]
        copy = output.add_stream_from_template(stream)
        for n, packet in enumerate(container.demux(stream)):
            if packet.pts is None:
                continue
            if n >= first:
                packet.pts += round((packet.duration or 0) * ticks_per_frame)
            packet.stream = copy
            output.mux(packet)


@pytest.mark.skipif(not Path("/proc/self/io").is_file(), reason="bytes are counted on Linux only")
def test_b_frames_do_not_have_the_file_read_twice(tmp_path: Path) -> None:
    path = _noise(tmp_path / "noise.mp4", 240, n_b_frames=2)
    with open_video(path) as video:
        assert video.stream.codec_context.has_b_frames
    before = _n_bytes_read()
    assert len(list(VideoFrames(path, 1100.0).frames())) == 8
    assert _n_bytes_read() - before < 0.7 * path.stat().st_size


@pytest.mark.parametrize("damage", ["cut", "miscounted", "other track"])
def test_a_table_of_display_times_that_does_not_fit_is_not_used(
    tmp_path: Path, damage: str
) -> None:
    path = write_video(tmp_path, Recipe("b.mp4", options=REORDERED))
    with open_video(path) as video:
        track_id, n = video.stream.id, video.stream.frames
    assert display_offsets(path, track_id, n) is not None
    content = path.read_bytes()
    place = content.index(b"ctts") + 4
    (n_pairs,) = struct.unpack(">I", content[place + 4 : place + 8])
    if damage == "cut":
        path.write_bytes(content[: place + 20])
    elif damage == "miscounted":
        more = struct.pack(">I", n_pairs + 1)
        path.write_bytes(content[: place + 4] + more + content[place + 8 :])
    assert display_offsets(path, track_id + (damage == "other track"), n) is None
    assert display_offsets(tmp_path / "none.mp4", track_id, n) is None
