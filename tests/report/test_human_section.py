"""The report's section on human validation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipeline.people.store import PeopleStore, people_store
from pipeline.report.collect import Collected, collect
from pipeline.report.document import Block, Bullets, Paragraph, ReportFigure, ReportTable, Section
from pipeline.report.human_queries import read_validation
from pipeline.report.request import ReportRequest, SettingWishes, resolve_setting
from pipeline.report.sections.human import human
from pipeline.store.locate import current_store_path
from tests.factories import write_synthetic_study
from tests.validation.simulated_set import Truth, add_simulated_set

SETTINGS = {"scorer": "synthetic", "image_variant": "full_frame", "foils": "same_child"}


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collected, Path]]:
    """What a report of a small study holds, without its models."""
    root = tmp_path_factory.mktemp("human") / "study"
    write_synthetic_study(root, n_children=2, n_recordings=4, n_utterances=60)
    path = current_store_path(root)
    assert path is not None
    with duckdb.connect(str(path), read_only=True) as con:
        facts, setting = resolve_setting(con, SettingWishes())
        request = ReportRequest(setting, with_models=False, made_on=date(2031, 2, 3))
        yield collect(con, root, facts, request, lambda what, share: None), root


def settle(people: PeopleStore, set_id: int, *, is_real: bool = False, **settings: str) -> None:
    """Say how a set was made, and whether people answered it."""
    with people.writing() as con:
        con.execute(
            "UPDATE trial_sets SET settings = ?, is_simulated = ? WHERE set_id = ?",
            (json.dumps(SETTINGS | settings), not is_real, set_id),
        )
        con.execute("UPDATE raters SET is_simulated = ? WHERE set_id = ?", (not is_real, set_id))


def section_of(
    collected: tuple[Collected, Path], people_root: Path, *, with_models: bool = True
) -> tuple[Section, ...]:
    data, root = collected
    path = current_store_path(root)
    with duckdb.connect(str(path), read_only=True) as con:
        found = read_validation(con, people_root, "synthetic", with_models=with_models)
    return human(replace(data, validation=found))


def words(blocks: tuple[Block, ...]) -> str:
    said = []
    for block in blocks:
        if isinstance(block, Paragraph):
            said.append(block.text)
        elif isinstance(block, Bullets):
            said += [" ".join(item) for item in block.items]
        elif isinstance(block, ReportTable | ReportFigure):
            said.append(block.caption)
    return " ".join(said)


def test_a_study_that_nobody_rated_has_no_such_section(
    collected: tuple[Collected, Path], tmp_path: Path
) -> None:
    assert human(collected[0]) == ()
    assert section_of(collected, tmp_path) == ()


def test_it_tells_accuracy_threshold_model_agreement_and_who_was_left_out(
    collected: tuple[Collected, Path], tmp_path: Path
) -> None:
    people = people_store(tmp_path)
    truth = Truth(slope=60.0, threshold=0.24, lapse=0.03)
    set_id = add_simulated_set(people, name="Adults", n_raters=12, truth=truth, n_careless=2)
    settle(people, set_id, is_real=True)
    (section,) = section_of(collected, tmp_path)
    said = words(section.blocks)
    assert section.title == "Human validation"
    assert said.startswith("People chose rightly in ")
    assert "chance is 25 %" in said
    assert "The model chose rightly in" in said
    implied = float(said.split("Implied threshold: ")[1].split(" ")[0])
    assert abs(implied - 0.24) < 0.03
    assert "Logistic mixed model is_correct ~ score + (1 | rater) + (1 | item): b = " in said
    assert "Krippendorff's alpha" in said
    assert "Left out: 2 of 12 raters with 80 answers" in said
    assert "of the same child" in said
    assert "imulated" not in said
    figure = next(block for block in section.blocks if isinstance(block, ReportFigure))
    assert "Threshold" in figure.svg
    assert figure.frame["people"].iloc[-1] > figure.frame["people"].iloc[0] + 0.4
    table = next(block for block in section.blocks if isinstance(block, ReportTable))
    assert int(table.frame.loc[table.frame["name"] == "All", "n"].iloc[0]) == 400


def test_simulated_answers_are_called_so_everywhere_and_give_way_to_peoples(
    collected: tuple[Collected, Path], tmp_path: Path
) -> None:
    people = people_store(tmp_path)
    made_up = add_simulated_set(people, name="Made up", n_raters=6, n_items=20)
    settle(people, made_up)
    (section,) = section_of(collected, tmp_path, with_models=False)
    said = words(section.blocks)
    assert said.startswith("Simulated answers: made by a program")
    assert "Simulated raters chose rightly" in said
    captions = [b.caption for b in section.blocks if isinstance(b, ReportTable | ReportFigure)]
    assert all(caption.startswith("SIMULATED") for caption in captions)
    assert "left out with the models" in said
    real = add_simulated_set(people, name="People", n_raters=5, n_items=20, seed=2)
    settle(people, real, is_real=True)
    (section,) = section_of(collected, tmp_path, with_models=False)
    said = words(section.blocks)
    assert said.startswith("People chose rightly")
    assert "120 simulated answers beside people's enter nothing here." in said
    assert "Made up" not in said


def test_sets_about_another_models_scores_are_named_only(
    collected: tuple[Collected, Path], tmp_path: Path
) -> None:
    people = people_store(tmp_path)
    other = add_simulated_set(people, name="Of another model", n_raters=3, n_items=8)
    settle(people, other, scorer="elsewhere")
    assert section_of(collected, tmp_path) == ()
    own = add_simulated_set(people, name="Own", n_raters=3, n_items=8)
    settle(people, own)
    (section,) = section_of(collected, tmp_path, with_models=False)
    assert "not about scores of synthetic: Of another model." in words(section.blocks)


def test_a_peoples_store_that_cannot_be_read_is_told(
    collected: tuple[Collected, Path], tmp_path: Path
) -> None:
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "people.sqlite").write_bytes(b"not a database, by any means" * 40)
    (section,) = section_of(collected, tmp_path)
    assert "The answers of raters cannot be read." in words(section.blocks)
