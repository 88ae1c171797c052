"""The demo's norms have the shapes of the published files and say that they are made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.demo.made_up_norms import MADE_UP, norm_texts
from pipeline.demo.timeline import plan_world
from pipeline.demo.vocabulary import word_names
from pipeline.norm_mapping import read_norm_mapping
from pipeline.norms import NormFile, read_norms


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo")
    for name, text in norm_texts(plan_world(scale="tiny")):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return root / "metadata" / "norms"


def read(folder: Path, name: str, *, is_mapped: bool) -> NormFile:
    mapping = read_norm_mapping(folder / "mapping.csv") if is_mapped else ()
    return read_norms(folder / name, [row for row in mapping if row.file == name])


@pytest.mark.parametrize(
    ("name", "published", "here"),
    [
        ("made-up-concreteness.txt", "concreteness", "concreteness"),
        ("made-up-counts.csv", "CHILDES frequency", "frequency"),
        ("made-up-ages.csv", "age of acquisition", "age of acquisition"),
        ("made-up-babiness.csv", "babiness", "babiness"),
    ],
)
def test_a_file_is_known_by_its_columns_and_named_as_made_up(folder, name, published, here):
    (as_published,) = read(folder, name, is_mapped=False).norms
    (as_mapped,) = read(folder, name, is_mapped=True).norms
    assert (as_published.name, as_mapped.name) == (published, here)
    assert as_published.values == as_mapped.values
    assert as_published.is_count == as_mapped.is_count == (here == "frequency")
    assert MADE_UP in as_mapped.unit
    assert MADE_UP not in as_published.unit


def test_things_are_concrete_nouns_and_nothing_else_is(folder):
    found = read(folder, "made-up-concreteness.txt", is_mapped=True)
    values = found.norms[0].values
    things = {values[word] for word in word_names()}
    assert min(things) > 3.5 > max(set(values.values()) - things)
    assert all(found.parts_of_speech[word] == "noun" for word in word_names())
    assert found.n_passed_over == 1


def test_the_same_world_has_the_same_norms():
    world = plan_world(scale="tiny")
    assert list(norm_texts(world)) == list(norm_texts(world))
