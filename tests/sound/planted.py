"""Sound of a made-up study: features with a planted share in common, scored by real systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from duckdb import DuckDBPyConnection

from pipeline.records import ModelRef, TimeSpan
from pipeline.sound.encoder import SoundModelRef
from pipeline.sound.evaluate import evaluate
from pipeline.sound.feature_files import FeatureFolder, FeatureSettings, write_features
from pipeline.sound.features import ClipSource, ClipSpan, RecordingFeatures
from pipeline.sound.recall_files import write_rows
from pipeline.sound.runs import RunInputs, write_run
from pipeline.sound.splits import SplitBy
from pipeline.sound.study_clips import SpokenText, TextChoice, fitted_system, utterance_clips
from pipeline.sound.systems import find_system
from pipeline.sound.training import TrainingSettings, train
from pipeline.sound.utterance_scores import ScoringJob, score_utterances
from pipeline.store.fill_sound import insert_sound
from pipeline.study import open_study

EYES = ModelRef("eyes", "n", "w", "r", 12, 96, "p", "fp32")
SETTINGS = FeatureSettings(SoundModelRef("ears", "0123456789abcdef", 12), EYES, 1000.0, False)
QUICK = TrainingSettings(n_epochs=4, patience=4, batch_size=128, learning_rate=5e-3)
_DIM, _N_SHARED = 12, 6


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance of a made-up study."""

    recording_id: str
    child_id: str
    utterance_id: str
    onset_ms: int
    text: str


def write_sound(
    derived: Path, said: Sequence[Said], *, systems: Sequence[str] = ("slava-av3",), seed: int = 1
) -> None:
    """Write features, heads, recall tables and scores of `said` under `derived/sound`.

    What is seen and heard shares its factors with the words in half of the utterances; every
    ninth has too little sound, every eleventh no frame. The first system scores.
    """
    features, spoken = _features(said, seed)
    child_of = {one.recording_id: one.child_id for one in said}
    folder = FeatureFolder(derived, SETTINGS.fingerprint)
    for recording in features:
        write_features(folder.file(recording.recording_id, "x"), recording, SETTINGS)
    clips = utterance_clips(features, spoken, child_of)
    parts = clips.parts(SplitBy.RECORDING, seed)
    for name in systems:
        system, text = fitted_system(find_system(name), clips)
        inputs = RunInputs(
            SETTINGS.fingerprint, "clips", TextChoice.AUTO, text, SplitBy.RECORDING, QUICK
        )
        trained = train(system, parts.train, parts.validation, seed=seed, settings=QUICK)
        rows = evaluate(trained.heads, name, parts.test, seed=seed, text=text)
        write_rows(write_run(derived, trained, inputs), rows)
        if name == systems[0]:
            score_utterances(ScoringJob(system, seed, inputs, clips, clips), features, derived)


def add_sound(con: DuckDBPyConnection, root: Path) -> None:
    """Write sound for all utterances of a store, which must be numbered, and put it in."""
    columns = "recording_id, child_id, utterance_id, onset_ms, text"
    found = con.execute(f"SELECT {columns} FROM utterances ORDER BY utterance_number").fetchall()
    write_sound(root / "derived", [Said(*row) for row in found])
    insert_sound(con, open_study(root))


def _features(
    said: Sequence[Said], seed: int
) -> tuple[list[RecordingFeatures], dict[tuple[str, str], SpokenText]]:
    rng = np.random.default_rng(seed)
    mixing = [rng.normal(size=(_N_SHARED, _DIM)) for _ in range(3)]
    spoken: dict[tuple[str, str], SpokenText] = {}
    features = []
    for name in dict.fromkeys(one.recording_id for one in said):
        mine = [one for one in said if one.recording_id == name]
        n = len(mine)
        shared, seen, heard = (rng.normal(size=(n, _N_SHARED)) for _ in range(3))
        seen[::2], heard[::3] = shared[::2], shared[::3]
        visual, audio, words = (
            (factors @ mix + rng.normal(0, 0.3, (n, _DIM))).astype(np.float32)
            for factors, mix in zip((seen, heard, shared), mixing, strict=True)
        )
        audio[4::9] = np.nan
        visual[5::11] = np.nan
        for one, vector in zip(mine, words, strict=True):
            spoken[name, one.utterance_id] = SpokenText(one.text, vector)
        spans = [TimeSpan(max(0, one.onset_ms - 4_000), one.onset_ms + 6_000) for one in mine]
        features.append(
            RecordingFeatures(
                name,
                tuple(
                    ClipSpan(one.utterance_id, ClipSource.UTTERANCE, span)
                    for one, span in zip(mine, spans, strict=True)
                ),
                visual,
                audio,
                rng.normal(-32, 6, n).astype(np.float32),
                rng.uniform(0.1, 0.8, n).astype(np.float32),
                np.where(np.isnan(audio[:, 0]), 600, rng.integers(2_000, 9_000, n)),
                np.where(np.isnan(visual[:, 0]), 0, 10),
            )
        )
    return features, spoken
