"""A probe on disk: whole or resumed, the same; one moment; refusals in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.planted_probe import Planted, world
from pipeline.cli import app
from pipeline.errors import ModelError, ProbeError, StoreError
from pipeline.probes.attribution import word_shares
from pipeline.probes.blocks import measure, sampled_utterances
from pipeline.probes.changes import Change
from pipeline.probes.encodings import TextEncodings
from pipeline.probes.indices import indices
from pipeline.probes.material import SampleCounts
from pipeline.probes.read_material import read_material, read_moment
from pipeline.probes.read_words import read_knowledge
from pipeline.probes.results import ProbeFacts, ProbeFolder, ProbeIdentity, read_probe, read_probes
from pipeline.probes.run import checked_model, probed_scorer, run_probe
from pipeline.probes.score_files import scored_variants
from pipeline.probes.score_summary import score_summary
from pipeline.probes.settings import ProbeSettings
from pipeline.records import Float32Array
from pipeline.store.opening import open_current_store
from pipeline.store.sealed_files import write_summed_text
from pipeline.study import open_study
from pipeline.vision.image_text_model import ImageTextModel
from pipeline.vision.open_clip_model import OpenClipModel

_SETTINGS = ProbeSettings(n_utterances=108, n_draws=1)


def _no_model() -> ImageTextModel:
    raise AssertionError("the model was loaded although nothing is to be encoded")


def test_a_stopped_probe_goes_on_with_the_blocks_that_are_missing(tmp_path: Path) -> None:
    planted = Planted()
    material = world(planted, 3, n_children=2, n_each=18)
    folder = ProbeFolder(tmp_path, ProbeIdentity("a/b", "r1", "inputs", _SETTINGS))
    folder.begin(sampled_utterances(material), ProbeFacts(material.counts, "planted"))
    whole = measure(material, TextEncodings(planted.encode), _SETTINGS, folder.keep())
    assert folder.finished() is None
    blocks = sorted(folder.path.glob("block-*.parquet"))
    assert len(blocks) == 3
    blocks[1].unlink()
    blocks[2].write_bytes(b"cut off")
    encoded: list[str] = []

    def encode(texts: Sequence[str]) -> Float32Array:
        encoded.extend(texts)
        return planted.encode(texts)

    told: list[tuple[int, int]] = []
    again = measure(
        material,
        TextEncodings(encode),
        _SETTINGS,
        folder.keep(),
        lambda done, total: told.append((done, total)),
    )
    assert told == [(0, 108), (50, 108), (100, 108), (108, 108)]
    assert material.utterances[0].text not in encoded
    assert material.utterances[107].text in encoded
    assert again.rows.text == whole.rows.text
    assert np.allclose(again.rows.null_best, whole.rows.null_best, atol=1e-6, equal_nan=True)
    encodings = TextEncodings(planted.encode)
    folder.finish(scored_variants(material, encodings), indices(again, _SETTINGS))
    folder.make_current()
    found = read_probe(tmp_path, "a/b")
    assert found is not None
    assert found.identity == folder.identity
    assert found.measured().utterances.texts == whole.utterances.texts
    summary = score_summary(again, found.scored(), _SETTINGS)
    assert [one.n for one in summary] == [108] * 6
    assert all(one.lower is not None and one.lower > 0 for one in summary)
    assert [probe.identity.scorer for probe in read_probes(tmp_path)] == ["a/b"]
    (found.folder / "indices.json").write_text("[{]", encoding="utf-8")
    with pytest.raises(StoreError, match="damaged"):
        read_probe(tmp_path, "a/b")


def test_what_another_version_wrote_is_not_read(tmp_path: Path) -> None:
    folder = ProbeFolder(tmp_path, ProbeIdentity("s", "r", "i", _SETTINGS))
    utterances = sampled_utterances(world(Planted(), 1, n_each=1))
    folder.begin(utterances, ProbeFacts(SampleCounts(1, 1, 1), ""))
    folder.finish((), ())
    folder.make_current()
    settings = folder.path / "settings.json"
    content = json.loads(settings.read_text(encoding="utf-8"))
    write_summed_text(settings, json.dumps({**content, "version": -1}))
    assert read_probe(tmp_path, "s") is None
    assert read_probe(tmp_path, "other") is None


def test_the_command_probes_a_study_and_reads_it_back(tiny_demo_copy: Path) -> None:
    command = ["probe", str(tiny_demo_copy), "--sample", "12", "--json", "--quiet", "--search", "1"]
    first = CliRunner().invoke(app, command)
    assert first.exit_code == 0, first.output
    content = json.loads(first.stdout)
    names = {row["name"] for row in content["indices"] if row["scope"] == "corpus"}
    assert {"ORI", "GSI", "OSI", "TCI", "VWS", "surplus", "hits beyond chance"} <= names
    for row in content["indices"]:
        assert {"name", "value", "lower", "upper", "n", "supports"} <= set(row)
        assert row["note"]
    assert len(content["favourites"]) <= 1
    assert content["counts"]["n_sampled"] <= 15
    study = open_study(tiny_demo_copy)
    settings = ProbeSettings(n_utterances=12)
    found = run_probe(study, settings, _no_model)
    assert [index.value for index in found.indices] == [r["value"] for r in content["indices"]]

    # One moment, asked for alone, is what it is in the sample.
    measured = found.measured()
    place = next(i for i, text in enumerate(measured.utterances.texts) if len(text.split()) > 2)
    ids = measured.utterances.recording_ids[place], measured.utterances.utterance_ids[place]
    model = OpenClipModel(study.settings.model, study.root, "cpu")
    with open_current_store(study.root) as con:
        material = read_moment(con, "demo-clip", settings, *ids, read_knowledge(con, "en"))
    alone = measure(material, TextEncodings(model.embed_texts), settings)
    for change in (Change.RAW, Change.WORDS_SHUFFLED, Change.CARRIER_ABSENT):
        one, all_of_them = alone.cosines(change), measured.cosines(change)
        assert np.allclose(one.best[0], all_of_them.best[place], atol=1e-4, equal_nan=True)
    shares = word_shares(alone, 0, found.s0)
    assert [share.word for share in shares] == [w.token for w in material.utterances[0].words]


def test_scorers_without_a_model_are_refused_in_words(tiny_demo_study: Path) -> None:
    study = open_study(tiny_demo_study)
    with open_current_store(study.root) as con:
        name, revision = probed_scorer(con)
        others = con.execute("SELECT scorer FROM models WHERE dim = 0").fetchall()
        for (imported,) in others:
            with pytest.raises(ProbeError, match="imported"):
                probed_scorer(con, imported)
        with pytest.raises(ProbeError, match="no scorer 'nobody'"):
            probed_scorer(con, "nobody")
    model = OpenClipModel(study.settings.model, study.root, "cpu")
    assert checked_model(lambda: model, name, revision) is model
    with pytest.raises(ModelError, match="other weights"):
        checked_model(lambda: model, name, "another")
    with pytest.raises(ModelError, match="embedded by elsewhere"):
        checked_model(lambda: model, "elsewhere", revision)


def test_the_frames_of_the_sample_give_the_scores_of_the_store(tiny_demo_study: Path) -> None:
    with open_current_store(tiny_demo_study) as con:
        material = read_material(con, "demo-clip", ProbeSettings(n_utterances=20), "en")
        vectors = {
            (recording, utterance): np.array(vector, np.float32)
            for recording, utterance, vector in con.execute(
                "SELECT recording_id, utterance_id, embedding FROM utterance_embeddings"
            ).fetchall()
        }
    assert {utterance.child_id for utterance in material.utterances} == set(material.hubs)
    for utterance, frames in zip(material.utterances, material.frames, strict=True):
        vector = vectors[utterance.recording_id, utterance.utterance_id]
        score = float((frames.window @ vector).max())
        # Scores are counted in 16-bit whole numbers: 1e-4 of cosine, some thousandths of z.
        assert (score - utterance.null_mean) / utterance.null_sd == pytest.approx(
            utterance.z, abs=1e-2
        )
        assert frames.null.shape[:2] == (16, len(frames.window))
        assert utterance.onset_ms - 1_000 < frames.times_ms[frames.middle] < utterance.offset_ms
