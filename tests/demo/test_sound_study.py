"""The demo's sound model, and the demo's step that trains and scores by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.demo.sound_recipes import object_sound
from pipeline.demo.sound_study import add_sound
from pipeline.demo.voices import SAMPLE_RATE_HZ
from pipeline.engine.progress import last_shards
from pipeline.sound.encoder import DEMO_ENCODER, ClapEncoder, usual_encoder
from pipeline.sound.prepared import StudyShards
from pipeline.sound.systems import find_system
from pipeline.store.layout import Stage
from pipeline.store.sound_files import recall_rows
from pipeline.study import open_study

pytest.importorskip("transformers", reason="the extra [sound] is not installed")


def test_the_demo_model_tells_sounds_of_one_thing_from_those_of_another() -> None:
    assert usual_encoder("demo-clip") == DEMO_ENCODER
    encoder = ClapEncoder(DEMO_ENCODER, Path())
    words = ("cow", "key", "drum", "phone", "airplane", "frog")
    rng = np.random.default_rng(11)
    sounds = [
        np.repeat(0.01 * object_sound(word, 2 * SAMPLE_RATE_HZ, rng), 3)
        for word in words
        for _ in range(4)
    ]
    features = encoder.encode(sounds).reshape(len(words), 4, -1)
    known, asked = features[:, :2].mean(axis=1), features[:, 2:].mean(axis=1)
    nearest = np.linalg.norm(asked[:, None] - known[None], axis=2).argmin(axis=1)
    assert (nearest == np.arange(len(words))).mean() >= 5 / 6


def test_the_demo_is_trained_on_and_scored_once(tiny_demo_copy: Path) -> None:
    study = open_study(tiny_demo_copy)
    shards = StudyShards(last_shards(study, Stage.SPEECH), last_shards(study, Stage.TEXT))
    told: list[float] = []
    systems = (find_system("audio-visual"),)

    def on_step(what: str, share: float | None) -> None:
        told.append(share or 0.0)

    assert add_sound(study, shards, on_step, systems)
    assert told == sorted(told)
    assert told[-1] == 1.0
    (path,) = (study.derived / "sound" / "scores").glob("slava-av3-*/scores.parquet")
    table = pq.read_table(path)
    assert table.num_rows > 20
    assert {row.system for row in recall_rows(study.derived)} <= {"audio-visual"}
    assert not add_sound(study, shards, on_step, systems)
