from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import MediaError
from pipeline.speech.audio import SAMPLE_RATE_HZ, audio_blocks, quiet_moment, quiet_pieces
from tests.speech.conftest import tone, write_wav


def _write_movie(
    path: Path, tracks: Sequence[Sequence[tuple[float, np.ndarray]]], seconds: float = 4.0
) -> Path:
    """A film with a black picture and audio tracks; each track is (start in s, samples) pieces."""
    import av

    with av.open(str(path), "w") as film:
        video = film.add_stream("mpeg4", rate=10)
        video.width = video.height = 32
        outputs = [film.add_stream("aac", rate=48_000, layout="mono") for _ in tracks]
        for index in range(round(seconds * 10)):
            picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            picture.pts = index
            film.mux(video.encode(picture))
        film.mux(video.encode(None))
        for output, pieces in zip(outputs, tracks, strict=True):
            for start_s, samples in pieces:
                louder = np.repeat(samples, 3).astype(np.float32)
                for position in range(0, len(louder), 1024):
                    part = np.ascontiguousarray(louder[None, position : position + 1024])
                    frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                    frame.rate = 48_000
                    frame.pts = round(start_s * 48_000) + position
                    film.mux(output.encode(frame))
            film.mux(output.encode(None))
    return path


def _loud_ms(path: Path, audio_track: int = 0) -> tuple[float, float]:
    """Where the sound of a file starts and ends, in ms."""
    samples = np.concatenate([block.samples for block in audio_blocks(path, audio_track)])
    loud = np.flatnonzero(np.abs(samples) > 0.1)
    return loud[0] / 16, loud[-1] / 16


def test_sound_is_16_khz_mono_whatever_the_file(tmp_path: Path) -> None:
    times = np.arange(44_100 * 2) / 44_100
    path = write_wav(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 440 * times), 44_100)
    (block,) = audio_blocks(path)
    assert (block.onset_ms, block.n_bad_packets) == (0, 0)
    assert block.samples.dtype == np.float32
    assert len(block.samples) == pytest.approx(2 * SAMPLE_RATE_HZ, abs=40)
    spectrum = np.abs(np.fft.rfft(block.samples))
    assert np.argmax(spectrum) * SAMPLE_RATE_HZ / len(block.samples) == pytest.approx(440, abs=1)


def test_sound_that_starts_late_stays_in_step_with_the_picture(tmp_path: Path) -> None:
    film = _write_movie(tmp_path / "late.mkv", [[(1.5, tone(1))]])
    start_ms, end_ms = _loud_ms(film)
    assert start_ms == pytest.approx(1_500, abs=60)
    assert end_ms == pytest.approx(2_500, abs=60)


def test_a_gap_in_the_sound_is_silence_of_its_length(tmp_path: Path) -> None:
    film = _write_movie(tmp_path / "gap.mkv", [[(0.0, tone(0.5)), (3.0, tone(0.5))]])
    samples = np.concatenate([block.samples for block in audio_blocks(film)])
    assert _loud_ms(film)[1] == pytest.approx(3_500, abs=60)
    assert np.abs(samples[round(0.7 * 16_000) : round(2.9 * 16_000)]).max() < 0.01


def test_the_audio_track_can_be_chosen(tmp_path: Path) -> None:
    film = _write_movie(tmp_path / "two.mp4", [[(0.0, tone(1))], [(2.0, tone(1))]])
    assert _loud_ms(film, 0)[0] == pytest.approx(0, abs=60)
    assert _loud_ms(film, 1)[0] == pytest.approx(2_000, abs=60)
    with pytest.raises(MediaError, match=r"two\.mp4 has 2 audio track\(s\); .* is 5") as wrong:
        list(audio_blocks(film, 5))
    assert wrong.value.hint == "Choose 0 to 1."


def test_a_film_without_sound_asks_for_a_transcript(tmp_path: Path) -> None:
    film = _write_movie(tmp_path / "mute.mp4", [])
    with pytest.raises(MediaError, match=r"mute\.mp4 has no audio track") as refusal:
        list(audio_blocks(film))
    assert "Import a transcript" in refusal.value.hint


@pytest.mark.parametrize("content", [b"", b"not a film at all", None])
def test_a_file_that_is_no_film_is_a_media_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaError, match=r"bad\.mp4 cannot be opened"):
        list(audio_blocks(path))


def test_damaged_sound_is_read_around_and_counted(tmp_path: Path) -> None:
    film = _write_movie(tmp_path / "whole.mkv", [[(0.0, tone(4))]])
    data = bytearray(film.read_bytes())
    rng = np.random.default_rng(3)
    for position in rng.integers(len(data) // 3, len(data), 60):
        data[position] = int(rng.integers(0, 256))
    damaged = tmp_path / "damaged.mkv"
    damaged.write_bytes(data)
    blocks = list(audio_blocks(damaged))
    assert sum(len(block.samples) for block in blocks) > SAMPLE_RATE_HZ
    assert sum(block.n_bad_packets for block in blocks) > 0


def test_a_truncated_file_gives_what_is_there(tmp_path: Path) -> None:
    film = _write_movie(tmp_path / "whole.mkv", [[(0.0, tone(4))]])
    cut = tmp_path / "cut.mkv"
    data = film.read_bytes()
    cut.write_bytes(data[: len(data) * 2 // 3])
    n_samples = sum(len(block.samples) for block in audio_blocks(cut))
    assert SAMPLE_RATE_HZ < n_samples < 4 * SAMPLE_RATE_HZ


def test_long_sound_comes_in_blocks_that_end_in_silence_and_lose_nothing(tmp_path: Path) -> None:
    speech = tone(3.7)
    samples = np.concatenate([np.concatenate((speech, np.zeros(4_800)))] * 10)
    path = write_wav(tmp_path / "long.wav", samples.astype(np.float32))
    blocks = list(audio_blocks(path, block_s=9))
    assert len(blocks) > 3
    joined = np.concatenate([block.samples for block in blocks])
    assert len(joined) == len(samples)
    assert np.abs(joined - samples).max() < 1e-3
    onset = 0
    for block in blocks:
        assert block.onset_ms == round(onset / 16)
        assert len(block.samples) <= 9 * SAMPLE_RATE_HZ
        onset += len(block.samples)
        assert abs(joined[min(onset, len(joined) - 1)]) < 1e-3


def test_the_quiet_moment_is_found_and_ties_give_the_longest_piece() -> None:
    samples = tone(3)
    samples[20_000:24_000] = 0
    assert 20_000 <= quiet_moment(samples, 3) < 24_000
    assert quiet_moment(samples, 0.5) >= len(samples) - 8_000
    silence = np.zeros(16_000, np.float32)
    assert quiet_moment(silence, 1) == 16_000 - 800
    assert quiet_moment(silence[:100], 1) == 100


def test_pieces_cover_everything_and_none_is_too_long() -> None:
    samples = tone(100)
    pieces = quiet_pieces(samples, 30.0)
    assert pieces[0][0] == 0
    assert pieces[-1][1] == 100
    assert all(0 < end - start <= 30 for start, end in pieces)
    assert all(a[1] == b[0] for a, b in pairwise(pieces))
    assert quiet_pieces(samples[:0], 30.0) == []
