"""What sounds in the toy world: planned apart from speech, in the film, the truth and captions."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from pipeline.demo.film import OBJECT_LEVEL, sound_track
from pipeline.demo.made_up_captions import CAPTION_COLUMNS, caption_rows, heard_ms, seen_ms
from pipeline.demo.sound_plan import around
from pipeline.demo.sound_recipes import OBJECT_SOUNDS, object_sound, room_bed
from pipeline.demo.timeline import plan_world
from pipeline.demo.vocabulary import word_names
from pipeline.demo.voices import SAMPLE_RATE_HZ, load_speech_bank
from pipeline.demo.world import DemoWorld
from pipeline.records import Recording
from pipeline.sound.captions import read_captions
from pipeline.sound.clip_set import Kind


@pytest.fixture(scope="module")
def world() -> DemoWorld:
    return plan_world()


def test_things_sound_between_sentences_one_at_a_time(world: DemoWorld) -> None:
    n_soundings = 0
    for recording in world.recordings:
        ends = 0
        for sounding in recording.soundings:
            assert sounding.span.onset_ms >= ends
            ends = sounding.span.offset_ms
            assert ends <= recording.duration_ms
            assert all(line.span.overlap_ms(sounding.span) == 0 for line in recording.lines)
            assert sounding.word in OBJECT_SOUNDS
        n_soundings += len(recording.soundings)
    assert n_soundings > 200
    assert set(OBJECT_SOUNDS) < set(word_names())


def test_named_things_are_seen_and_heard_in_all_four_ways(world: DemoWorld) -> None:
    counts = np.zeros((2, 2), int)
    for recording in world.recordings:
        for line in recording.lines:
            if line.named_word in OBJECT_SOUNDS:
                span = around(line)
                is_seen = seen_ms(recording, span)[line.named_word] > 0
                counts[int(is_seen), int(heard_ms(recording, span)[line.named_word] > 0)] += 1
    assert counts.min() >= 15, counts
    # Whether a thing is heard does not go with whether it is seen.
    shares = counts[:, 1] / counts.sum(axis=1)
    assert abs(shares[0] - shares[1]) < 0.2


def test_the_same_seed_plans_the_same_sounds(world: DemoWorld) -> None:
    again = plan_world()
    assert [r.soundings for r in again.recordings] == [r.soundings for r in world.recordings]


@pytest.mark.parametrize("word", list(OBJECT_SOUNDS))
def test_each_sound_has_the_usual_level_and_soft_ends(word: str) -> None:
    sound = object_sound(word, SAMPLE_RATE_HZ, np.random.default_rng(5))
    again = object_sound(word, SAMPLE_RATE_HZ, np.random.default_rng(5))
    np.testing.assert_array_equal(sound, again)
    assert sound.dtype == np.float32
    assert 0.4 < np.sqrt(np.mean(sound**2)) < 1.1
    assert sound[0] == sound[-1] == 0.0


def test_the_track_differs_only_where_something_sounds() -> None:
    recording = plan_world(scale="tiny").recordings[0]
    bank = load_speech_bank()
    silent = replace(recording, soundings=())
    added = sound_track(recording, bank, 1) - sound_track(silent, bank, 1)
    inside = np.zeros(len(added), bool)
    for sounding in recording.soundings:
        first, last = (
            edge * SAMPLE_RATE_HZ // 1000
            for edge in (sounding.span.onset_ms, sounding.span.offset_ms)
        )
        inside[first:last] = True
        level = np.sqrt(np.mean(added[first:last] ** 2)) / sounding.loudness
        assert 0.4 * OBJECT_LEVEL < level < 1.2 * OBJECT_LEVEL
    assert recording.soundings
    assert np.abs(added[~inside]).max() == 0.0


@pytest.mark.parametrize("room", ["kitchen", "living_room", "bedroom", "bathroom", "garden"])
def test_a_room_is_heard_softly_below_things(room: str) -> None:
    bed = room_bed(room, 3 * SAMPLE_RATE_HZ, np.random.default_rng(2))
    assert 0 < np.sqrt(np.mean(bed**2)) < OBJECT_LEVEL


def test_captions_of_all_kinds_pass_the_importer(world: DemoWorld, tmp_path: Path) -> None:
    path = tmp_path / "made-up.csv"
    rows = list(caption_rows(world))
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(CAPTION_COLUMNS)
        writer.writerows(rows)
    recordings = [
        Recording(r.recording_id, r.child_id, PurePosixPath(f"{r.recording_id}.mp4"))
        for r in world.recordings
    ]
    found = read_captions(path, recordings)
    assert found.notices == ()
    assert len(found.captions) == len(rows)
    stretches = {kind: {(c.recording_id, c.span) for c in found.captions if c.kind is kind}
                 for kind in Kind}  # fmt: skip
    # A stretch has captions of every kind or of none.
    assert stretches[Kind.VISUAL] == stretches[Kind.AUDIO] == stretches[Kind.AUDIO_VISUAL]
    assert len(stretches[Kind.AUDIO]) > 300
