"""A probe whose files changed on the disk is told, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.planted_probe import Planted, world
from pipeline.errors import StoreError
from pipeline.probes.blocks import measure, sampled_utterances
from pipeline.probes.encodings import TextEncodings
from pipeline.probes.indices import indices
from pipeline.probes.results import ProbeFacts, ProbeFolder, ProbeIdentity, read_probe
from pipeline.probes.score_files import scored_variants
from pipeline.probes.search_sample import read_searched, write_searched
from pipeline.probes.settings import ProbeSettings
from tests.store.test_sealed_files import changed

SETTINGS = ProbeSettings(n_utterances=36, n_draws=1)


@pytest.fixture
def folder(tmp_path: Path) -> ProbeFolder:
    """A finished probe."""
    planted = Planted()
    material = world(planted, 3, n_children=2, n_each=6)
    made = ProbeFolder(tmp_path, ProbeIdentity("a/b", "r1", "inputs", SETTINGS))
    made.begin(sampled_utterances(material), ProbeFacts(material.counts, "planted"))
    encodings = TextEncodings(planted.encode)
    measured = measure(material, encodings, SETTINGS, made.keep())
    made.finish(scored_variants(material, encodings), indices(measured, SETTINGS))
    made.make_current()
    write_searched(made.path / "search.json", ())
    return made


def read_all(derived: Path) -> None:
    found = read_probe(derived, "a/b")
    assert found is not None
    assert found.measured().utterances.texts
    assert found.scored()
    assert found.searched() == ()


def test_every_file_of_a_probe_is_told_when_it_changed(folder: ProbeFolder, tmp_path: Path):
    read_all(tmp_path)
    paths = sorted(path for path in folder.path.iterdir() if path.suffix != ".sum")
    assert {path.suffix for path in paths} == {".json", ".parquet"}
    for path in paths:
        raw = path.read_bytes()
        for bad in changed(raw, max(1, len(raw) // 20)):
            path.write_bytes(bad)
            with pytest.raises(StoreError, match=f"{path.name}.* is missing or damaged") as told:
                read_all(tmp_path)
            assert "python -m pipeline probe STUDY" in told.value.hint
        path.write_bytes(raw)
    read_all(tmp_path)


def test_files_without_digests_are_read_and_remembered_texts_must_be_whole(
    folder: ProbeFolder, tmp_path: Path
):
    for path in folder.path.glob("*.sum"):
        path.unlink()
    read_all(tmp_path)
    assert read_searched(tmp_path / "nothing.json") == ()
    planted = Planted()
    encodings = TextEncodings(planted.encode)
    encodings.of(["a dog", "a ball"])
    kept = tmp_path / "texts.parquet"
    encodings.save(kept)
    again = TextEncodings(planted.encode)
    again.load(kept)
    again.of(["a dog"])
    assert again.n_encoded == 0
    kept.write_bytes(changed(kept.read_bytes(), 40)[5])
    anew = TextEncodings(planted.encode)
    anew.load(kept)
    anew.of(["a dog"])
    assert anew.n_encoded == 1
