from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.errors import MediaError
from pipeline.vision.probe import probe_media
from pipeline.vision.sampling import sampled_frames
from pipeline.vision.video_frames import VideoFrames
from tests.vision.numbered_video import Recipe, number_of, true_times_ms, write_video

FAST = {"preset": "ultrafast"}
# A camera or telephone that drops and delays frames: 24 to 60 ms apart, in ticks of 1 ms.
UNEVEN = np.cumsum(np.random.default_rng(3).integers(24, 60, 100)).tolist()

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("no_b_gop15.mp4", options={"g": "15", "bf": "0"}),
        Recipe("b_gop15.mp4", options={"g": "15", "bf": "3"}),
        Recipe("b_gop250.mp4", options={"g": "250", "bf": "3", "x264-params": "b-pyramid=normal"}),
        Recipe(
            "open_groups.mp4",
            options={"g": "15", "bf": "3", "x264-params": "open-gop=1:b-adapt=0:scenecut=0"},
        ),
        Recipe(
            "gradual_refresh.mp4",
            options={"g": "30", "bf": "0", "x264-params": "intra-refresh=1"},
        ),
        Recipe(
            "hevc.mp4", "libx265", {"x265-params": "keyint=30:bframes=3:log-level=none", **FAST}
        ),
        Recipe(
            "hevc_open_groups.mkv",
            "libx265",
            {"x265-params": "keyint=15:bframes=3:open-gop=1:log-level=none"},
        ),
        Recipe(
            "ten_bit.mp4",
            "libx265",
            {"x265-params": "keyint=30:log-level=none", **FAST},
            pixels="yuv420p10le",
        ),
        Recipe("vp9.webm", "libvpx-vp9", {"g": "30", "cpu-used": "8", "deadline": "realtime"}),
        Recipe(
            "vp8_hidden_frames.webm",
            "libvpx",
            {"g": "60", "auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8", "b": "1M"},
        ),
        Recipe("av1.mp4", "libsvtav1", {"preset": "12", "svtav1-params": "keyint=30:lp=1"}),
        Recipe("mpeg2.mpg", "mpeg2video", {"g": "12", "bf": "2"}, container="vob"),
        Recipe("stream.ts", options={"g": "15", "bf": "2"}),
        Recipe("windows.wmv", "wmv2", {"g": "12"}, container="asf"),
        Recipe("uneven.mkv", pts=UNEVEN, ticks_hz=1000, options={"g": "20", "bf": "2"}),
        Recipe("uneven.mp4", pts=UNEVEN, ticks_hz=1000, options={"g": "20", "bf": "2"}),
        Recipe("square_pixels_not.mp4", aspect=Fraction(4, 3), options=FAST),
        Recipe("turned_90.mp4", rotation=90, size=(160, 160)),
        Recipe("turned_180.mp4", rotation=180),
        Recipe("turned_270.mp4", rotation=-90, size=(160, 160)),
        Recipe("mirrored.mp4", rotation=0, is_mirrored=True),
        Recipe("turned_90_mirrored.mp4", rotation=90, is_mirrored=True, size=(160, 160)),
    )
}


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Videos written so far, by name; `_video` adds to them."""
    return {"": tmp_path_factory.mktemp("videos")}


def _video(videos: dict[str, Path], recipe: Recipe) -> Path:
    if recipe.name not in videos:
        videos[recipe.name] = write_video(videos[""], recipe)
    return videos[recipe.name]


def _nearest_frames(times: list[float], step_ms: float) -> dict[int, int]:
    """{grid index: number of the frame nearest to it}, earlier ones first among equals."""
    frame_ms = float(np.median(np.diff(times)))
    chosen: dict[int, int] = {}
    for k in range(int(np.ceil((times[-1] + frame_ms - 0.01) / step_ms))):
        number = min(range(len(times)), key=lambda i: (round(abs(times[i] - k * step_ms), 1), i))
        if number not in chosen.values():
            chosen[k] = number
    return chosen


@pytest.mark.parametrize("step_ms", [1000.0, 130.0])
@pytest.mark.parametrize("name", RECIPES)
def test_sampled_frames_have_the_exact_number_and_time(
    videos: dict[str, Path], name: str, step_ms: float
) -> None:
    recipe = RECIPES[name]
    times = true_times_ms(recipe)
    # The recording's clock starts with its first frame.
    times = [time - times[0] for time in times]
    frames = list(sampled_frames(_video(videos, recipe), step_ms))
    shown = {frame.grid_index: number_of(frame.image) for frame in frames}
    if step_ms >= 100:
        assert shown == _nearest_frames(times, step_ms)
    assert len(set(shown.values())) == len(frames)
    for frame in frames:
        number = shown[frame.grid_index]
        # Matroska, ASF and others keep times to a millisecond.
        assert abs(frame.time_ms - times[number]) <= 1.0
        distance = abs(times[number] - frame.grid_index * step_ms)
        assert distance <= min(abs(t - frame.grid_index * step_ms) for t in times) + 1.0


@pytest.mark.parametrize("name", ["b_gop15.mp4", "open_groups.mp4", "hevc.mp4", "vp9.webm"])
def test_frames_are_as_exact_where_many_cores_decode_at_once(
    videos: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _video(videos, RECIPES[name])
    few = [(f.grid_index, f.time_ms, number_of(f.image)) for f in sampled_frames(path, 170.0)]
    monkeypatch.setattr("pipeline.vision.decoding._MANY_CORES", 1)
    many = [(f.grid_index, f.time_ms, number_of(f.image)) for f in sampled_frames(path, 170.0)]
    assert many == few
    assert len(many) == 20


def test_every_frame_comes_once_when_the_step_is_shorter_than_a_frame(
    videos: dict[str, Path],
) -> None:
    source = VideoFrames(_video(videos, RECIPES["b_gop15.mp4"]), 10.0)
    assert [number_of(frame.image) for frame in source.frames()] == list(range(100))
    (notice,) = source.notices
    assert notice.code == "grid_times_without_frame"
    assert notice.count == 334 - 100


def test_a_slow_video_gives_each_frame_once_and_counts_the_gaps(tmp_path: Path) -> None:
    recipe = Recipe("slow.mp4", pts=list(range(0, 20, 2)), ticks_hz=1, options=FAST)
    source = VideoFrames(write_video(tmp_path, recipe), 1000.0)
    frames = list(source.frames())
    assert [frame.grid_index for frame in frames] == list(range(0, 20, 2))
    assert [number_of(frame.image) for frame in frames] == list(range(10))
    assert source.notices[0].count == 10


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_times_count_from_the_start_of_the_sound_when_the_picture_comes_later(
    tmp_path: Path, suffix: str
) -> None:
    recipe = Recipe(f"late{suffix}", pts=list(range(15, 115)), audio_s=4.0, options=FAST)
    path = write_video(tmp_path, recipe)
    frames = list(sampled_frames(path, 1000.0))
    assert [(f.grid_index, f.time_ms, number_of(f.image)) for f in frames] == [
        (0, 500, 0),
        (1, 1000, 15),
        (2, 2000, 45),
        (3, 3000, 75),
    ]


@pytest.mark.parametrize("b_frames", ["0", "3"])
def test_frames_cut_away_by_an_edit_list_are_decoded_but_not_sampled(
    tmp_path: Path, b_frames: str
) -> None:
    recipe = Recipe(
        "edited.mp4",
        pts=list(range(-20, 80)),
        options={"g": "15", "bf": b_frames},
        container_options={"avoid_negative_ts": "disabled"},
    )
    frames = list(sampled_frames(write_video(tmp_path, recipe), 500.0))
    assert [(f.time_ms, number_of(f.image)) for f in frames] == [
        (500 * k, 20 + 15 * k) for k in range(6)
    ]


@pytest.mark.parametrize("b_frames", ["0", "3"])
def test_a_truncated_video_yields_what_is_left_and_says_what_is_missing(
    tmp_path: Path, b_frames: str
) -> None:
    recipe = Recipe(
        "whole.mp4",
        n_frames=300,
        options={"g": "15", "bf": b_frames},
        container_options={"movflags": "faststart"},
        size=(384, 256),
    )
    whole = write_video(tmp_path, recipe)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    source = VideoFrames(cut, 1000.0)
    frames = list(source.frames())
    assert 2 <= len(frames) < 9
    for frame in frames[:-1]:
        assert number_of(frame.image) == 30 * frame.grid_index
        assert frame.time_ms == 1000 * frame.grid_index
    assert [notice.code for notice in source.notices][:1] == ["video_ends_early"]
    info = probe_media(cut)
    assert abs(info.duration_ms - 1000 * len(frames)) <= 1000
    assert "10.0 s" in info.notes[0]


def test_damage_in_the_middle_costs_its_own_frames_only(tmp_path: Path) -> None:
    recipe = Recipe("damaged.mp4", n_frames=300, options={"g": "15", "bf": "0"}, size=(384, 256))
    path = write_video(tmp_path, recipe)
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    size = content.index(b"moov") - start
    content[start + size // 3 : start + size // 3 + 400] = bytes(400)
    path.write_bytes(content)
    source = VideoFrames(path, 200.0)
    frames = {frame.grid_index: frame for frame in source.frames()}
    right = [k for k, frame in frames.items() if number_of(frame.image) == 6 * k]
    assert len(right) >= 44
    assert all(frame.time_ms == 200 * k for k, frame in frames.items())
    assert (
        len(frames) + sum(n.count for n in source.notices if n.code == "frames_not_decoded") == 50
    )


def test_packets_without_times_are_decoded_whole_and_said_so(tmp_path: Path) -> None:
    # A bare H.264 stream: no container, no times.
    recipe = Recipe("bare.h264", container="h264", options={"g": "15", "bf": "0"})
    source = VideoFrames(write_video(tmp_path, recipe), 1000.0)
    frames = list(source.frames())
    numbers = [number_of(frame.image) for frame in frames]
    assert numbers == sorted(numbers)
    assert len(frames) >= 3
    assert [notice.code for notice in source.notices] == ["no_packet_times"]


def test_a_video_joined_from_several_files_without_one_clock_is_refused(tmp_path: Path) -> None:
    part = write_video(tmp_path, Recipe("part.ts", n_frames=90, options={"g": "15"})).read_bytes()
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part + part)
    with pytest.raises(MediaError, match=r"The times of joined\.ts jump back"):
        list(sampled_frames(joined, 1000.0))


def test_frames_can_be_read_twice_from_one_source(videos: dict[str, Path]) -> None:
    source = VideoFrames(_video(videos, RECIPES["b_gop250.mp4"]), 1000.0)
    first = [frame.time_ms for frame in source.frames()]
    assert first == [frame.time_ms for frame in source.frames()]
    assert source.notices == ()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_of_several_video_tracks_the_largest_is_taken(
    videos: dict[str, Path], tmp_path: Path, suffix: str
) -> None:
    small = write_video(
        tmp_path, Recipe("preview.mp4", n_frames=60, size=(96, 64), options={**FAST, "bf": "0"})
    )
    path = tmp_path / f"two{suffix}"
    with av.open(str(path), "w") as output:
        sources = [av.open(str(part)) for part in (small, _video(videos, RECIPES["b_gop15.mp4"]))]
        copies = [output.add_stream_from_template(s.streams.video[0]) for s in sources]
        for source, copy in zip(sources, copies, strict=True):
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = copy
                    output.mux(packet)
            source.close()
    frames = list(sampled_frames(path, 1000.0))
    assert [(f.image.shape, number_of(f.image)) for f in frames] == [
        ((128, 192, 3), 30 * k) for k in range(4)
    ]
    info = probe_media(path)
    assert (info.width_px, info.height_px) == (192, 128)


def test_pixels_that_are_not_square_are_made_square(videos: dict[str, Path]) -> None:
    frame = next(sampled_frames(_video(videos, RECIPES["square_pixels_not.mp4"]), 1000.0))
    assert frame.image.shape == (128, 256, 3)
    assert frame.image.dtype == np.uint8
    assert frame.image.flags["C_CONTIGUOUS"]


def test_an_empty_a_missing_and_a_wrong_file_are_named_with_a_fix(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.mp4", tmp_path / "text.mp4"
    empty.touch()
    text.write_text("not a video " * 100)
    for path, words in (
        (empty, "empty.mp4 is empty"),
        (text, "text.mp4 cannot be read as video"),
        (tmp_path / "gone.mp4", "gone.mp4 does not exist"),
    ):
        with pytest.raises(MediaError, match=words) as caught:
            list(sampled_frames(path, 1000.0))
        assert caught.value.hint
        assert str(tmp_path) not in str(caught.value)


def test_colours_survive_the_way_through_the_decoder(tmp_path: Path) -> None:
    recipe = replace(RECIPES["no_b_gop15.mp4"], name="colour.mp4")
    frame = next(sampled_frames(write_video(tmp_path, recipe), 1000.0))
    grey = frame.image[70:90, 100:180].reshape(-1, 3).mean(axis=0)
    assert np.all(np.abs(grey - 128) < 4)
