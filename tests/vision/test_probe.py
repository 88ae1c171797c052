from __future__ import annotations

import wave
from pathlib import Path

import pytest

from pipeline.errors import MediaError
from pipeline.vision.probe import frame_folder_info, probe_media
from tests.vision.numbered_video import Recipe, write_video

FAST = {"preset": "ultrafast"}


def test_a_video_is_described_upright(tmp_path: Path) -> None:
    recipe = Recipe("phone.mp4", rotation=90, size=(160, 160), audio_s=3.0, options=FAST)
    info = probe_media(write_video(tmp_path, recipe))
    assert (info.width_px, info.height_px) == (160, 160)
    assert info.video_codec == "h264"
    assert info.audio_codec == "aac"
    assert info.frame_rate_hz == pytest.approx(30, abs=0.1)
    assert info.duration_ms == pytest.approx(3333, abs=40)
    assert info.notes == ()


def test_a_turned_landscape_video_is_portrait(tmp_path: Path) -> None:
    # The stored picture is wide; only its display matrix makes it tall.
    recipe = Recipe("turned.mp4", options=FAST, n_frames=10)
    import av

    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = recipe.size[0], recipe.size[1], "yuv420p"
        stream.set_display_rotation(-90)
        for number in range(10):
            frame = av.VideoFrame(recipe.size[0], recipe.size[1], "yuv420p")
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    info = probe_media(path)
    assert (info.width_px, info.height_px) == (recipe.size[1], recipe.size[0])


def test_an_audio_track_that_does_not_exist_is_noted(tmp_path: Path) -> None:
    path = write_video(tmp_path, Recipe("one_track.mkv", audio_s=1.0, options=FAST, n_frames=30))
    info = probe_media(path, audio_track=2)
    assert info.audio_codec is None
    assert "track 2 does not exist" in info.notes[0]


def test_a_video_without_sound_says_so(tmp_path: Path) -> None:
    info = probe_media(write_video(tmp_path, Recipe("silent.mp4", options=FAST, n_frames=30)))
    assert not info.has_audio


def test_the_sound_counts_when_it_lasts_longer_than_the_picture(tmp_path: Path) -> None:
    path = write_video(tmp_path, Recipe("long.mkv", audio_s=6.0, options=FAST, n_frames=30))
    assert probe_media(path).duration_ms == pytest.approx(6000, abs=100)


def test_a_sound_file_has_no_video_track(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    with pytest.raises(MediaError, match=r"speech\.wav has no video track"):
        probe_media(path)


def test_a_header_without_pictures_is_refused(tmp_path: Path) -> None:
    recipe = Recipe(
        "whole.mp4", options=FAST, container_options={"movflags": "faststart"}, n_frames=60
    )
    content = write_video(tmp_path, recipe).read_bytes()
    path = tmp_path / "header.mp4"
    path.write_bytes(content[: content.index(b"mdat") + 8])
    with pytest.raises(MediaError, match=r"No picture of header\.mp4 can be decoded"):
        probe_media(path)


def test_a_video_whose_end_was_never_written_is_refused(tmp_path: Path) -> None:
    content = write_video(tmp_path, Recipe("whole.mp4", options=FAST, n_frames=60)).read_bytes()
    path = tmp_path / "lost_power.mp4"
    path.write_bytes(content[: content.index(b"moov") - 4])
    with pytest.raises(MediaError, match=r"lost_power\.mp4 cannot be read as video"):
        probe_media(path)


def test_a_folder_of_frames_lasts_a_second_for_each_number(tmp_path: Path) -> None:
    from PIL import Image

    for number in (0, 1, 7):
        Image.new("RGB", (90, 160), (number, 0, 0)).save(tmp_path / f"{number:05d}.jpg")
    info = frame_folder_info(tmp_path)
    assert (info.duration_ms, info.width_px, info.height_px) == (8000, 90, 160)
    assert not info.has_audio
    assert info.frame_rate_hz == 1.0
