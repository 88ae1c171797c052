"""Clips show and sound exactly the stretch that was asked for, whatever the recording is."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.errors import MediaError
from pipeline.media.clips import MAX_CLIP_MS, ClipSettings, clip_span, cut_clip
from pipeline.records import TimeSpan
from tests.media.recordings import (
    heard_samples,
    pitch_at,
    pitch_hz,
    record,
    shown_pictures,
)

SPAN = TimeSpan(3_000, 4_500)
SETTINGS = ClipSettings(lead_ms=500, lag_ms=250)
EXACT_MS = 50.0


def assert_exact(clip: Path, *, fps: int = 30, onset_ms: int = 2_500, length_ms: int = 2_250):
    """Picture i of the recording is shown at i / fps; check both ends and every one between."""
    shown = shown_pictures(clip)
    assert shown[0].time_ms == 0
    for entry in shown:
        true_ms = entry.number * 1000 / fps - onset_ms
        assert abs(max(0.0, true_ms) - entry.time_ms) <= EXACT_MS, entry
    assert abs(shown[0].number * 1000 / fps - onset_ms) <= EXACT_MS
    last_ms = shown[-1].number * 1000 / fps - onset_ms
    assert length_ms - 1000 / fps - EXACT_MS <= last_ms <= length_ms + EXACT_MS
    with av.open(str(clip)) as container:
        assert abs(container.duration / 1000 - length_ms) <= EXACT_MS


def assert_tones(clip: Path, *, onset_ms: int = 2_500, length_ms: int = 2_250) -> None:
    """The pitch names the second: check just after and just before each change of second."""
    samples = heard_samples(clip)
    seconds = range(onset_ms // 1000, (onset_ms + length_ms) // 1000 + 1)
    for second in seconds:
        for at_ms in (second * 1000 - onset_ms + 50, second * 1000 - onset_ms + 870):
            if 0 <= at_ms <= length_ms - 100:
                assert pitch_at(samples, at_ms) == pytest.approx(pitch_hz(second), abs=12), at_ms


def assert_sound_ends(clip: Path, length_ms: int) -> None:
    """The tone is heard until the clip's end and not after it."""
    loud = np.flatnonzero(np.abs(heard_samples(clip)) > 0.1)
    assert abs(loud[-1] / 48 - length_ms) <= EXACT_MS


CONTAINERS = {
    "h264.mp4": {},
    "h264-b-frames.mp4": {"options": {"bf": "2"}},
    "hevc.mkv": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "hevc-open-gop.mov": {
        "codec": "libx265",
        "options": {
            "bf": "4",
            "x265-params": "log-level=none:open-gop=1:bframes=4:keyint=60:min-keyint=60",
        },
    },
    "ten-bit.mp4": {
        "codec": "libx265",
        "pixel_format": "yuv420p10le",
        "options": {"x265-params": "log-level=none"},
    },
    "av1.webm": {
        "codec": "libsvtav1",
        "audio_codec": "libopus",
        "options": {"preset": "12", "svtav1-params": "keyint=60:lp=1"},
    },
    "av1.mp4": {
        "codec": "libsvtav1",
        "options": {"preset": "12", "svtav1-params": "keyint=60:lp=1"},
    },
    "vp9.webm": {
        "codec": "libvpx-vp9",
        "audio_codec": "libopus",
        "options": {"cpu-used": "8", "deadline": "realtime"},
    },
    "camcorder.mts": {},
    "mpeg2.mpg": {"codec": "mpeg2video", "audio_codec": "mp2"},
    "xvid.avi": {"codec": "mpeg4", "audio_codec": "mp2"},
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_clip_is_exact_in_picture_and_sound_for_every_kind_of_file(tmp_path, name):
    source = record(tmp_path / name, **CONTAINERS[name])
    info = cut_clip(source, SPAN, tmp_path / "clip.mp4", SETTINGS)
    assert info.span == TimeSpan(2_500, 4_750)
    assert info.has_audio
    assert_exact(info.path)
    assert_tones(info.path)
    assert_sound_ends(info.path, 2_250)


PHONES = {
    "hevc.mov": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "av1.mp4": {
        "codec": "libsvtav1",
        "options": {"preset": "8", "crf": "20", "svtav1-params": "lp=1"},
    },
}


@pytest.mark.parametrize("rotation", [90, 270])
@pytest.mark.parametrize("name", PHONES)
def test_a_turned_video_of_variable_rate_is_exact_at_both_ends(tmp_path, name, rotation):
    """What phones record: turned, HEVC or AV1, with uneven steps between pictures."""
    steps = [17, 33, 50, 33, 17, 67, 33, 33, 100, 17]
    times = [0]
    while times[-1] < 7_900:
        times.append(times[-1] + steps[len(times) % len(steps)])
    source = record(tmp_path / name, times_ms=times, rotation=rotation, **PHONES[name])
    info = cut_clip(source, SPAN, tmp_path / "c.mp4", SETTINGS)
    assert (info.width_px, info.height_px) == (160, 96)
    assert info.span == TimeSpan(2_500, 4_750)
    shown = shown_pictures(info.path)
    assert times[shown[0].number] <= 2_500 < times[shown[0].number + 1]
    assert times[shown[-1].number] < 4_750 <= times[shown[-1].number + 1] + EXACT_MS
    for entry in shown:
        assert abs(max(0, times[entry.number] - 2_500) - entry.time_ms) <= EXACT_MS
    with av.open(str(info.path)) as clip:
        assert abs(clip.duration / 1000 - 2_250) <= EXACT_MS
    assert_tones(info.path)
    assert_sound_ends(info.path, 2_250)


@pytest.mark.parametrize("onset_ms", [2_000, 2_017, 3_999, 5_983])
def test_the_first_picture_is_the_one_on_screen_when_the_clip_begins(tmp_path, onset_ms):
    source = record(tmp_path / "rec.mp4")
    settings = ClipSettings(lead_ms=0, lag_ms=0)
    info = cut_clip(source, TimeSpan(onset_ms, onset_ms + 700), tmp_path / "c.mp4", settings)
    assert shown_pictures(info.path)[0].number == onset_ms * 30 // 1000
    assert_exact(info.path, onset_ms=onset_ms, length_ms=700)


def test_an_utterance_at_the_very_start_has_no_lead_in_before_zero(tmp_path):
    source = record(tmp_path / "rec.mp4")
    info = cut_clip(source, TimeSpan(200, 900), tmp_path / "c.mp4", ClipSettings(lead_ms=2_000))
    assert info.span.onset_ms == 0
    assert_exact(info.path, onset_ms=0, length_ms=1_900)


def test_an_utterance_at_the_very_end_stops_with_the_recording(tmp_path):
    source = record(tmp_path / "rec.mp4")
    info = cut_clip(source, TimeSpan(7_000, 7_900), tmp_path / "c.mp4", ClipSettings(lag_ms=5_000))
    assert info.span.onset_ms == 6_000
    assert abs(info.span.offset_ms - 8_000) <= EXACT_MS


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_is_applied_to_the_pixels(tmp_path, rotation):
    source = record(tmp_path / "rec.mp4", rotation=rotation)
    info = cut_clip(source, SPAN, tmp_path / "c.mp4", SETTINGS)
    assert (info.width_px, info.height_px) == (160, 96)
    with av.open(str(info.path)) as clip:
        frame = next(clip.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (160, 96, 0)
    assert_exact(info.path)


def test_frames_of_variable_rate_are_shown_as_long_as_in_the_recording(tmp_path):
    times = [0, 40, 500, 540, 2_400, 2_440, 3_100, 3_116, 4_600, 6_000, 7_960]
    source = record(tmp_path / "rec.mkv", times_ms=times)
    info = cut_clip(source, SPAN, tmp_path / "c.mp4", SETTINGS)
    shown = [(entry.number, round(entry.time_ms)) for entry in shown_pictures(info.path)]
    assert shown == [(5, 0), (6, 600), (8, 2_100)]
    assert info.span == TimeSpan(2_500, 4_750)
    assert_tones(info.path)


def test_sound_that_starts_late_stays_late(tmp_path):
    source = record(tmp_path / "rec.mp4", audio_offset_ms=1_300)
    info = cut_clip(source, TimeSpan(1_000, 3_000), tmp_path / "c.mp4", ClipSettings(0, 0))
    samples = heard_samples(info.path)
    assert pitch_at(samples, 100) == 0.0
    assert pitch_at(samples, 200, 60) == 0.0
    assert pitch_at(samples, 350) == pytest.approx(pitch_hz(0), abs=12)
    assert pitch_at(samples, 1_350) == pytest.approx(pitch_hz(1), abs=12)


def test_a_recording_without_sound_gives_a_silent_clip(tmp_path):
    source = record(tmp_path / "rec.mp4", audio_codec=None)
    info = cut_clip(source, SPAN, tmp_path / "c.mp4", SETTINGS)
    assert not info.has_audio
    with av.open(str(info.path)) as clip:
        assert not clip.streams.audio
    assert_exact(info.path)


def test_an_edit_list_that_hides_the_beginning_shifts_nothing(tmp_path):
    """A trimmed phone video: the first 1.5 s lie in the file but are never shown."""
    source = record(tmp_path / "whole.mp4")
    trimmed = tmp_path / "trimmed.mp4"
    with av.open(str(source)) as old, av.open(str(trimmed), "w") as new:
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if packet.dts is None:
                continue
            stream = old.streams[packet.stream_index]
            shift = round(1.5 / stream.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = streams[packet.stream_index]
            new.mux(packet)
    with av.open(str(trimmed)) as container:
        start_ms = (container.start_time or 0) / 1000
    info = cut_clip(trimmed, TimeSpan(2_000, 3_000), tmp_path / "c.mp4", ClipSettings(0, 0))
    shown = shown_pictures(info.path)
    assert abs(shown[0].number * 1000 / 30 - (3_500 + start_ms)) <= EXACT_MS
    samples = heard_samples(info.path)
    assert pitch_at(samples, 400, 60) == pytest.approx(pitch_hz(3), abs=12)
    assert pitch_at(samples, 600, 60) == pytest.approx(pitch_hz(4), abs=12)


def test_tall_pictures_are_made_smaller_and_never_larger(tmp_path):
    source = record(tmp_path / "rec.mp4", seconds=4)
    small = cut_clip(source, TimeSpan(1_000, 1_500), tmp_path / "s.mp4", ClipSettings(max_lines=65))
    assert (small.width_px, small.height_px) == (108, 64)
    assert small.width_px % 2 == small.height_px % 2 == 0
    turned = record(tmp_path / "turned.mp4", seconds=4, rotation=90)
    tall = cut_clip(turned, TimeSpan(1_000, 1_500), tmp_path / "t.mp4", ClipSettings(max_lines=65))
    assert (tall.width_px, tall.height_px) == (108, 64)
    large = cut_clip(source, TimeSpan(1_000, 1_500), tmp_path / "l.mp4", ClipSettings())
    assert (large.width_px, large.height_px) == (160, 96)


def test_playback_can_start_before_the_clip_is_loaded(tmp_path):
    source = record(tmp_path / "rec.mp4", seconds=4)
    info = cut_clip(source, TimeSpan(1_000, 2_000), tmp_path / "c.mp4", SETTINGS)
    boxes, data, at = [], info.path.read_bytes(), 0
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        boxes.append(name)
        at += size
    assert boxes.index(b"moov") < boxes.index(b"mdat")
    with av.open(str(info.path)) as clip:
        assert clip.streams.video[0].codec_context.name == "h264"
        assert clip.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert clip.streams.audio[0].codec_context.name == "aac"


def test_a_chosen_audio_track_is_heard(tmp_path):
    source = tmp_path / "two.mkv"
    plain = record(tmp_path / "a.mp4", seconds=4)
    late = record(tmp_path / "b.mp4", seconds=4, audio_offset_ms=1_000)
    with av.open(str(plain)) as a, av.open(str(late)) as b, av.open(str(source), "w") as out:
        pairs = [
            (stream, out.add_stream_from_template(stream))
            for stream in (a.streams.video[0], a.streams.audio[0], b.streams.audio[0])
        ]
        for stream, copy in pairs:
            stream.container.seek(0)
            for packet in stream.container.demux(stream):
                if packet.dts is not None:
                    packet.stream = copy
                    out.mux(packet)
    span = TimeSpan(2_000, 3_000)
    for track, second in ((0, 2), (1, 1)):
        settings = ClipSettings(0, 0, audio_track=track)
        info = cut_clip(source, span, tmp_path / f"c{track}.mp4", settings)
        pitch = pitch_at(heard_samples(info.path), 400)
        assert pitch == pytest.approx(pitch_hz(second), abs=12)


def test_a_truncated_recording_plays_as_far_as_it_goes(tmp_path):
    whole = record(tmp_path / "whole.mkv", options={"g": "15"}).read_bytes()
    source = tmp_path / "cut.mkv"
    source.write_bytes(whole[: len(whole) // 2])
    info = cut_clip(source, TimeSpan(1_500, 2_500), tmp_path / "c.mp4", ClipSettings(0, 0))
    assert_exact(info.path, onset_ms=1_500, length_ms=1_000)


@pytest.mark.parametrize("name", ["rec.mp4", "rec.mts", "rec.mkv"])
def test_a_time_after_the_end_is_refused_with_the_name_of_the_file(tmp_path, name):
    source = record(tmp_path / name, seconds=3)
    with pytest.raises(MediaError, match=r"rec\.\w+ ends before 59\.0 s"):
        cut_clip(source, TimeSpan(60_000, 61_000), tmp_path / "c.mp4", ClipSettings())
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_file_that_is_no_video_is_refused_and_leaves_nothing(tmp_path):
    source = tmp_path / "rec.mp4"
    source.write_bytes(b"not a video" * 100)
    with pytest.raises(MediaError, match=r"rec\.mp4 cannot be read"):
        cut_clip(source, SPAN, tmp_path / "c.mp4", SETTINGS)
    with pytest.raises(MediaError, match=r"gone\.mp4 is not where"):
        cut_clip(tmp_path / "gone.mp4", SPAN, tmp_path / "c.mp4", SETTINGS)
    assert [p.name for p in tmp_path.iterdir()] == ["rec.mp4"]


def test_a_recording_with_sound_only_is_refused(tmp_path):
    source = tmp_path / "rec.mp4"
    with av.open(str(source), "w") as target:
        track = target.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 48_000), np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate, frame.pts = 48_000, 0
        target.mux(track.encode(frame))
        target.mux(track.encode(None))
    with pytest.raises(MediaError, match=r"rec\.mp4 has no video track"):
        cut_clip(source, TimeSpan(100, 500), tmp_path / "c.mp4", SETTINGS)


def test_an_endless_utterance_is_shown_up_to_two_minutes():
    shown = clip_span(TimeSpan(5_000, 3_600_000), ClipSettings(1_000, 1_000))
    assert shown == TimeSpan(4_000, 4_000 + MAX_CLIP_MS)


@pytest.mark.parametrize("bad", [{"lead_ms": -1}, {"lag_ms": 99_999}, {"max_lines": 1}])
def test_impossible_settings_are_refused_by_name(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        ClipSettings(**bad)
