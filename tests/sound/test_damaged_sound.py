"""Features, heads, recall tables and scores of sound whose bytes changed are told, never used."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.errors import StoreError
from pipeline.records import ModelRef
from pipeline.sound.encoder import SoundModelRef
from pipeline.sound.feature_files import FeatureSettings, read_features, write_features
from pipeline.sound.recall_files import kept_rows, write_rows
from pipeline.sound.runs import kept_runs, write_run
from pipeline.sound.study_clips import utterance_clips
from pipeline.sound.systems import find_system
from pipeline.sound.training import train
from pipeline.sound.utterance_scores import ScoringJob, score_utterances
from pipeline.sound_results import RecallRow
from pipeline.store.sound_files import newest_scores
from tests.sound.test_study_sound import ALL_FEATURES, CHILD_OF, INPUTS, SHORT, SPOKEN
from tests.store.test_sealed_files import changed

SETTINGS = FeatureSettings(
    SoundModelRef("clap", "r", 6), ModelRef("s", "n", "w", "r", 6, 96, "p", "fp32"), 1_000.0, False
)
ROW = RecallRow("slava-av3", "V", "A", "within-recording", 0.5, 0.4, 0.6, 0.1, 30, 2, 1)


def files_under(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix != ".sum")


def flip(path: Path) -> bytes:
    """Change one bit in the middle; what was there before."""
    raw = path.read_bytes()
    path.write_bytes(changed(raw, max(1, len(raw) // 2))[1])
    return raw


def test_every_changed_byte_of_features_is_told_with_the_command(tmp_path: Path):
    path = tmp_path / "f.parquet"
    write_features(path, ALL_FEATURES[0], SETTINGS)
    for raw in changed(path.read_bytes(), 97):
        path.write_bytes(raw)
        with pytest.raises(StoreError, match=r"The features f\.parquet are damaged") as told:
            read_features(path)
        assert "sound train or sound score STUDY" in told.value.hint


def test_heads_and_recall_of_changed_bytes_are_not_used(tmp_path: Path):
    clips = utterance_clips(ALL_FEATURES, SPOKEN, CHILD_OF).clips
    trained = train(find_system("audio-visual"), clips, clips, seed=1, settings=SHORT)
    folder = write_run(tmp_path, trained, INPUTS)
    write_rows(folder, [ROW])
    names = {"run.json", "heads.safetensors", "recall.json"}
    for path in files_under(folder):
        names.remove(path.name)
        before = flip(path)
        with pytest.raises(StoreError, match="damaged") as told:
            list(kept_runs(tmp_path)) + list(kept_rows(tmp_path))
        assert "python -m pipeline sound train STUDY" in told.value.hint
        path.write_bytes(before)
    assert not names
    assert kept_rows(tmp_path) == [ROW]


def test_scores_of_changed_bytes_are_not_published_and_a_fold_is_told(tmp_path: Path):
    clips = utterance_clips(ALL_FEATURES, SPOKEN, CHILD_OF)
    job = ScoringJob(find_system("audio-visual"), 1, INPUTS, clips, clips)
    path, _ = score_utterances(job, ALL_FEATURES, tmp_path)
    for name in ("scores.parquet", "scores.json"):
        before = flip(path.with_name(name))
        with pytest.raises(StoreError, match=r"scores of sound in .* are damaged") as told:
            newest_scores(tmp_path)
        assert "python -m pipeline sound score STUDY" in told.value.hint
        path.with_name(name).write_bytes(before)
    assert newest_scores(tmp_path) is not None
    flip(path.with_name("fold-0.parquet"))
    with pytest.raises(StoreError, match=r"fold-0\.parquet are damaged"):
        score_utterances(job, ALL_FEATURES, tmp_path)


def test_what_an_earlier_version_wrote_is_read(tmp_path: Path):
    path = tmp_path / "f.parquet"
    write_features(path, ALL_FEATURES[0], SETTINGS)
    table = pq.read_table(path)
    known = {b"coview": table.schema.metadata[b"coview"]}
    pq.write_table(table.replace_schema_metadata(known), path, compression="zstd")
    assert read_features(path).clips == ALL_FEATURES[0].clips
