"""From captions and features on disk to a score for every utterance."""

from __future__ import annotations

import json
import sys
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import ModelError, StoreError, StudyError
from pipeline.records import ModelRef, Recording, TimeSpan
from pipeline.sound.captions import Caption, read_captions, study_captions, write_captions
from pipeline.sound.clip_set import Kind
from pipeline.sound.encoder import ClapEncoder, SoundModelRef
from pipeline.sound.feature_files import FeatureSettings, read_features, write_features
from pipeline.sound.features import ClipSource, ClipSpan, RecordingFeatures, clip_spans
from pipeline.sound.log_mel import log_mel
from pipeline.sound.recall_files import kept_rows, write_rows
from pipeline.sound.runs import RunInputs, kept_runs, write_run
from pipeline.sound.splits import SplitBy
from pipeline.sound.study_clips import (
    SpokenText,
    TextChoice,
    captioned_clips,
    fitted_system,
    utterance_clips,
)
from pipeline.sound.systems import Modality, find_system
from pipeline.sound.training import TrainingSettings, train
from pipeline.sound.utterance_scores import ScoringJob, score_utterances
from pipeline.sound_results import RecallRow

RECORDINGS = [Recording(f"R{n}", f"C{n // 2}", PurePosixPath(f"R{n}.mp4")) for n in range(6)]
CHILD_OF = {recording.recording_id: recording.child_id for recording in RECORDINGS}
SHORT = TrainingSettings(n_epochs=2, patience=2, batch_size=64)


def _features(name: str, n: int = 14, *, source: ClipSource = ClipSource.UTTERANCE):
    rng = np.random.default_rng([len(name), *name.encode()])
    clips = tuple(
        ClipSpan(
            f"u{k}" if source is ClipSource.UTTERANCE else f"{k * 10_000}-{k * 10_000 + 10_000}",
            source,
            TimeSpan(k * 10_000, k * 10_000 + 10_000),
        )
        for k in range(n)
    )
    visual, audio = (rng.normal(size=(n, 6)).astype(np.float32) for _ in range(2))
    audio[3] = np.nan
    return RecordingFeatures(
        name,
        clips,
        visual,
        audio,
        np.full(n, -30, np.float32),
        np.full(n, 0.25, np.float32),
        np.full(n, 7_500, np.int64),
        np.full(n, 10, np.int64),
    )


ALL_FEATURES = [_features(recording.recording_id) for recording in RECORDINGS]
SPOKEN = {
    (one.recording_id, clip.clip_id): SpokenText(
        "Look!" if number == 5 else f"words {one.recording_id} {number}",
        np.random.default_rng(number).normal(size=5).astype(np.float32),
    )
    for one in ALL_FEATURES
    for number, clip in enumerate(one.clips)
}
INPUTS = RunInputs("f", "c", TextChoice.AUTO, "", SplitBy.RECORDING, SHORT)


def test_avcaps_captions_are_read_joined_and_counted(tmp_path):
    path = tmp_path / "val_captions.json"
    path.write_text(
        json.dumps(
            {
                "R0": {
                    "audio_captions": ["A dog\nbarks.", "A dog barks.", " "],
                    "visual_captions": ["A dog."],
                    "audio_visual_captions": ["A dog barks at a cat."],
                    "GPT_AV_captions": ["not a person's"],
                },
                "elsewhere": {"audio_captions": ["Rain."], "visual_captions": []},
            }
        ),
        encoding="utf-8",
    )
    found = read_captions(path, RECORDINGS)
    assert [(c.kind, c.text, c.span, c.split) for c in found.captions] == [
        (Kind.AUDIO, "A dog barks.", None, "validation"),
        (Kind.VISUAL, "A dog.", None, "validation"),
        (Kind.AUDIO_VISUAL, "A dog barks at a cat.", None, "validation"),
    ]
    assert [(notice.code, notice.count) for notice in found.notices] == [
        ("no_recording", 1),
        ("repeated_caption", 1),
    ]


def test_captions_of_a_table_are_kept_and_read_back(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "recording_id,onset_ms,offset_ms,kind,text\n"
        'R1.mp4,0,9000,audio,"rain, far"\nR1,0,9000,visual,a window\n',
        encoding="utf-8",
    )
    found = read_captions(path, RECORDINGS)
    write_captions(tmp_path, "mine", found.captions)
    assert study_captions(tmp_path, RECORDINGS).captions == found.captions
    assert found.captions[0] == Caption("R1", Kind.AUDIO, "rain, far", TimeSpan(0, 9_000))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("R1,0,9000,smell,x", "kind of caption is 'smell'"),
        ("R1,9000,0,audio,x", "of 9000 to 0 ms"),
        ("nobody,0,9000,audio,x", "none of its 1 caption"),
    ],
)
def test_impossible_captions_are_refused_in_words(tmp_path, row, message):
    path = tmp_path / "bad.csv"
    path.write_text(f"recording_id,onset_ms,offset_ms,kind,text\n{row}\n", encoding="utf-8")
    with pytest.raises(StudyError, match=message):
        read_captions(path, RECORDINGS)


def test_features_come_back_as_written_and_missing_ones_are_null(tmp_path):
    ref = ModelRef("s", "n", "w", "r", 6, 96, "p", "fp32")
    settings = FeatureSettings(SoundModelRef("clap", "r", 6), ref, 1000.0, False)
    path = tmp_path / "R0~x.parquet"
    write_features(path, ALL_FEATURES[0], settings)
    again = read_features(path)
    assert again.clips == ALL_FEATURES[0].clips
    np.testing.assert_array_equal(again.audio, ALL_FEATURES[0].audio)
    np.testing.assert_array_equal(again.visual, ALL_FEATURES[0].visual)
    assert pq.read_table(path)["audio"].null_count == 1
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(StoreError, match="damaged"):
        read_features(path)


def test_a_recording_gets_clips_around_utterances_of_captions_and_tiles():
    spans = [TimeSpan(2_000, 3_000), TimeSpan(99_000, 99_500)]
    clips = clip_spans(list(zip(("a", "b"), spans, strict=True)), [TimeSpan(0, 9_000)] * 2, 20_000)
    assert [(clip.clip_id, clip.source.value, clip.span) for clip in clips] == [
        ("a", "utterance", TimeSpan(0, 7_500)),
        ("0-9000", "caption", TimeSpan(0, 9_000)),
        ("tile-0", "tile", TimeSpan(0, 10_000)),
        ("tile-10000", "tile", TimeSpan(10_000, 20_000)),
    ]


def test_clips_without_sound_are_left_out_and_counted_and_equal_words_are_one_group():
    study = utterance_clips(ALL_FEATURES, SPOKEN, CHILD_OF)
    assert len(study.clips) == 6 * 13
    assert study.left_out == ("6 clip(s) with less than a second of sound besides speech",)
    group = study.clips.texts[Kind.UTTERANCE].group
    assert np.bincount(group).max() == 6


def test_systems_say_when_utterances_stand_in_and_when_captions_are_missing():
    study = utterance_clips(ALL_FEATURES, SPOKEN, CHILD_OF)
    fitted, said = fitted_system(find_system("slava-av3"), study)
    assert (fitted.kinds, said) == ((Kind.UTTERANCE,), "utterances instead of captions")
    assert fitted_system(find_system("audio-visual"), study)[1] == ""
    features = [_features(r.recording_id, source=ClipSource.CAPTION) for r in RECORDINGS]
    captions = [
        Caption(one.recording_id, Kind.AUDIO, f"{one.recording_id} {k}", clip.span)
        for one in features
        for k, clip in enumerate(one.clips)
    ]
    captioned = captioned_clips(
        features,
        captions,
        {r.recording_id: 200_000 for r in RECORDINGS},
        CHILD_OF,
        lambda texts: np.ones((len(texts), 5), np.float32),
    )
    with pytest.raises(StudyError, match=r"kind audio_visual; this study has: audio\."):
        fitted_system(find_system("slava-av3"), captioned)
    assert fitted_system(find_system("audioclip"), captioned)[1] == ""


def test_every_utterance_is_scored_by_heads_that_never_saw_its_recording(tmp_path):
    study = utterance_clips(ALL_FEATURES, SPOKEN, CHILD_OF)
    system, _ = fitted_system(find_system("slava-av3"), study)
    job = ScoringJob(system, 1, INPUTS, study, study)
    path, counts = score_utterances(job, ALL_FEATURES, tmp_path)
    table = pq.read_table(path).to_pandas()
    assert (counts.n_utterances, counts.n_scored) == (6 * 14, 6 * 13)
    assert table.loc[table.fold.isna(), "missing_reason"].tolist() == ["too_little_sound"] * 6
    assert table.see_hear_z.notna().sum() == 6 * 13
    assert (table.groupby("recording_id").fold.nunique() == 1).all()
    assert sum(counts.quadrants.values()) == table.quadrant.notna().sum() == 6 * 13
    folds = {one: one.stat().st_mtime_ns for one in path.parent.glob("fold-*.parquet")}
    path.unlink()
    again, _ = score_utterances(job, ALL_FEATURES, tmp_path)
    assert again.is_file()
    assert folds == {one: one.stat().st_mtime_ns for one in path.parent.glob("fold-*.parquet")}
    assert pq.read_table(again).to_pandas().equals(table)


def test_heads_and_recall_tables_come_back_from_disk(tmp_path):
    study = utterance_clips(ALL_FEATURES, SPOKEN, CHILD_OF)
    system = find_system("audio-visual")
    trained = train(system, study.clips, study.clips, settings=SHORT)
    folder = write_run(tmp_path, trained, INPUTS)
    (run,) = kept_runs(tmp_path)
    assert (run.system, run.seed, run.inputs) == ("audio-visual", 1, INPUTS)
    for modality in (Modality.VISUAL, Modality.AUDIO):
        np.testing.assert_array_equal(run.heads.weights[modality], trained.heads.weights[modality])
    row = RecallRow("audio-visual", "visual", "audio", "pooled", 0.5, 0.4, 0.6, 0.05, 200, 0, 1)
    write_rows(folder, [row])
    assert kept_rows(tmp_path) == [row]
    (folder / "heads.safetensors").write_bytes(b"no")
    with pytest.raises(StoreError, match="damaged"):
        list(kept_runs(tmp_path))


def test_without_transformers_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError, match=r"package transformers, .*coview\[sound\]"):
        ClapEncoder("models/clap", tmp_path)


def test_a_clap_folder_is_loaded_and_gives_the_same_features_each_time(tmp_path):
    transformers = pytest.importorskip("transformers", reason="the extra [sound] is not installed")
    folder = _tiny_clap(transformers, tmp_path)
    encoder = ClapEncoder("clap", tmp_path)
    sounds = [
        np.random.default_rng(n).normal(0, 0.1, 48_000 * n).astype(np.float32) for n in (1, 10)
    ]
    one, two = encoder.encode(sounds), ClapEncoder("clap", tmp_path).encode(sounds)
    assert one.shape == (2, 64) == (2, encoder.ref.dim)
    np.testing.assert_array_equal(one, two)
    assert not np.allclose(np.linalg.norm(one, axis=1), 1.0)
    with pytest.raises(ValueError, match="longer"):
        encoder.encode([np.zeros(48_000 * 11, np.float32)])
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="not on this machine or cannot be read"):
        ClapEncoder("clap", tmp_path)


@pytest.mark.parametrize("truncation", ["rand_trunc", "fusion"])
@pytest.mark.parametrize("padding", ["repeatpad", "repeat", "pad"])
def test_the_spectrogram_is_that_of_claps_own_extractor(truncation, padding):
    transformers = pytest.importorskip("transformers", reason="the extra [sound] is not installed")
    extract = transformers.ClapFeatureExtractor(truncation=truncation, padding=padding)
    rng = np.random.default_rng(3)
    sounds = [rng.normal(0, 0.1, round(48_000 * s)).astype(np.float32) for s in (1.3, 4.1, 10)]
    expected = extract(sounds, sampling_rate=48_000, return_tensors="np")["input_features"]
    found = log_mel(sounds, extract).numpy()
    assert found.shape == expected.shape
    # Where zeros were filled in, both are at the floor of -100 dB.
    np.testing.assert_allclose(found, expected, atol=0.02)


def _tiny_clap(transformers, root: Path) -> Path:
    config = transformers.ClapConfig(
        text_config={
            "vocab_size": 64,
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 32,
        },
        audio_config={
            "patch_embeds_hidden_size": 8,
            "hidden_size": 64,
            "depths": [1, 1, 1, 1],
            "num_attention_heads": [1, 2, 4, 8],
        },
        projection_dim=32,
    )
    folder = root / "clap"
    transformers.ClapModel(config).save_pretrained(folder)
    transformers.ClapFeatureExtractor(truncation="rand_trunc").save_pretrained(folder)
    return folder


def test_the_command_asks_for_a_study_and_refuses_an_unknown_system(tmp_path):
    runner = CliRunner()
    nothing = runner.invoke(app, ["sound", "evaluate"])
    assert nothing.exit_code == 2
    assert "No study is named" in nothing.output
    unknown = runner.invoke(app, ["sound", "train", str(tmp_path), "--system", "slava"])
    assert unknown.exit_code == 2
    assert "There is no system 'slava'" in unknown.output
