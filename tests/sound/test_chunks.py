"""Stretches of sound: where they lie, what is heard in them, and what is cut out."""

from __future__ import annotations

import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.records import TimeSpan
from pipeline.sound.chunks import (
    LONGEST_MS,
    RATE_HZ,
    centred,
    heard_chunks,
    tiles,
    without_speech,
)
from pipeline.speech.coverage import Coverage

NOBODY = Coverage.of_spans([])


@pytest.fixture(scope="module")
def ticking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 s at 48 kHz whose samples say which second they are of: second k has level k / 40."""
    path = tmp_path_factory.mktemp("sound") / "ticking.wav"
    seconds = np.repeat(np.arange(32), RATE_HZ)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((seconds / 40 * 32767).astype("<i2").tobytes())
    return path


def _seconds(samples: np.ndarray) -> list[int]:
    return sorted(set(np.round(samples * 40).astype(int).tolist()))


def test_each_chunk_holds_exactly_its_own_samples_however_they_overlap(ticking):
    spans = [TimeSpan(0, 10_000), TimeSpan(4_000, 6_000), TimeSpan(5_000, 7_000)]
    spans += [TimeSpan(25_000, 28_000)]
    heard = list(heard_chunks(ticking, 0, spans, NOBODY, keep_speech=False))
    assert [place for place, _ in heard] == [0, 1, 2, 3]
    assert [len(chunk.samples) for _, chunk in heard] == [
        10 * RATE_HZ,
        2 * RATE_HZ,
        2 * RATE_HZ,
        3 * RATE_HZ,
    ]
    assert [_seconds(chunk.samples) for _, chunk in heard[1:]] == [[4, 5], [5, 6], [25, 26, 27]]


def test_a_chunk_beyond_the_end_is_cut_and_one_behind_it_left_out(ticking):
    spans = [TimeSpan(30_000, 40_000), TimeSpan(33_000, 35_000)]
    heard = list(heard_chunks(ticking, 0, spans, NOBODY, keep_speech=False))
    assert [(place, chunk.span) for place, chunk in heard] == [(0, TimeSpan(30_000, 32_000))]


def test_speech_is_cut_out_and_its_share_and_the_level_of_all_are_told(ticking):
    speech = Coverage.of_spans([TimeSpan(11_000, 13_000), TimeSpan(12_000, 14_000)])
    span = [TimeSpan(10_000, 20_000)]
    ((_, cut),) = heard_chunks(ticking, 0, span, speech, keep_speech=False)
    ((_, kept),) = heard_chunks(ticking, 0, span, speech, keep_speech=True)
    assert (cut.heard_ms, kept.heard_ms) == (7_000, 10_000)
    assert cut.speech_share == kept.speech_share == pytest.approx(0.3)
    # What is left of each second, apart from the ramps of the fades.
    n_of_second = np.bincount(np.round(cut.samples * 40).astype(int), minlength=20)
    assert (n_of_second[11:14] < 100).all()
    assert (n_of_second[[10, *range(14, 20)]] > 47_000).all()
    power = np.square(np.arange(10, 20) / 40).mean()
    assert cut.level_db == pytest.approx(10 * np.log10(power), abs=0.01)


def test_pieces_between_speech_fade_so_that_seams_do_not_click():
    samples = np.ones(RATE_HZ, np.float32)
    cut = without_speech(samples, 0, Coverage.of_spans([TimeSpan(400, 600)]))
    assert len(cut) == RATE_HZ * 8 // 10
    assert np.abs(np.diff(cut)).max() < 0.01


def test_tiles_cover_a_span_without_gap_and_none_is_longer_than_ten_seconds():
    parts = tiles(TimeSpan(500, 33_333))
    assert (parts[0].onset_ms, parts[-1].offset_ms) == (500, 33_333)
    assert all(a.offset_ms == b.onset_ms for a, b in pairwise(parts))
    assert max(part.duration_ms for part in parts) <= LONGEST_MS


def test_a_chunk_lies_around_its_utterance_and_within_the_recording():
    assert centred(TimeSpan(20_000, 21_000), 60_000) == TimeSpan(15_500, 25_500)
    assert centred(TimeSpan(1_000, 2_000), 60_000) == TimeSpan(0, 6_500)
    assert centred(TimeSpan(58_000, 59_000), 60_000) == TimeSpan(53_500, 60_000)
    assert centred(TimeSpan(90_000, 91_000), 60_000) is None
