"""A threshold that people gave holds everywhere at once, and is taken back as easily."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.people.store import people_store
from pipeline.people.thresholds import ChosenThreshold, choose_threshold, forget_threshold
from pipeline.report.folder import report_study
from pipeline.report.request import SettingWishes
from tests.factories import write_synthetic_study

OVERVIEW = Path(__file__).parents[2] / "dashboard" / "app_pages" / "overview.py"

CHOSEN = ChosenThreshold(0.31, 0.29, 0.335, "50 % point of the 4AFC curve, 12 raters")
SOURCE = (
    "from people: 50 % point of the 4AFC curve, 12 raters, 95 % interval 0.29 to 0.335; the "
    "model's own is 0.24"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("threshold") / "study"
    write_synthetic_study(
        root,
        n_children=2,
        n_recordings=4,
        n_utterances=60,
        scorers=("synthetic", "synthetic-b"),
    )
    return root


@pytest.fixture
def study(built: Path, tmp_path: Path) -> Path:
    root = tmp_path / "study"
    shutil.copytree(built, root)
    return root


def opened(study: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("COVIEW_STUDY", str(study))
    return AppTest.from_file(str(OVERVIEW), default_timeout=120)


def threshold_of(page: AppTest) -> float:
    assert not page.exception, page.exception
    value = page.number_input(key="filter_threshold").value
    assert value is not None
    return float(value)


def test_pages_take_it_up_at_their_next_run_and_give_it_back(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(study, monkeypatch).run()
    assert threshold_of(page) == 0.24
    choose_threshold(people_store(study), "synthetic", CHOSEN)
    page.run()
    assert threshold_of(page) == 0.31
    captions = " ".join(caption.value for caption in page.caption)
    assert f"Threshold {SOURCE}" in captions
    assert "from people: the raters of this study" in captions
    page.selectbox(key="filter_scorer").set_value("synthetic-b").run()
    assert threshold_of(page) == 0.24, "a threshold never carries over to another model"
    page.selectbox(key="filter_scorer").set_value("synthetic").run()
    forget_threshold(people_store(study), "synthetic")
    page.run()
    assert threshold_of(page) == 0.24


def test_a_damaged_file_of_people_is_told_and_the_models_own_holds(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_threshold(people_store(study), "synthetic", CHOSEN)
    for path in (study / "people").iterdir():
        path.unlink()
    (study / "people" / "people.sqlite").write_bytes(b"not a database, by any means" * 40)
    page = opened(study, monkeypatch).run()
    assert threshold_of(page) == 0.24
    assert any("Thresholds that people gave cannot be read" in w.value for w in page.warning)


def test_report_and_methods_name_it_with_its_interval(study: Path, tmp_path: Path) -> None:
    choose_threshold(people_store(study), "synthetic", CHOSEN)
    written = report_study(study, SettingWishes(), tmp_path / "report", with_models=False)
    text = re.sub(r"\s+", " ", written.page.read_text("utf-8").replace("&#x27;", "'"))
    assert "score of 0.31 or more count as highly aligned (threshold from people: 50 %" in text
    assert "95 % interval 0.29 to 0.335; the model's own is 0.24" in text
    assert "A threshold from people." in text
    forget_threshold(people_store(study), "synthetic")
    again = report_study(study, SettingWishes(), tmp_path / "again", with_models=False)
    assert "from people" not in again.page.read_text("utf-8")


def test_exports_carry_it(study: Path, tmp_path: Path) -> None:
    choose_threshold(people_store(study), "synthetic", CHOSEN)
    out = tmp_path / "out"
    command = ["export", str(study), "--quiet", "--to", "psychds", "--out", str(out)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    texts = [path.read_text("utf-8") for path in out.rglob("*") if path.suffix in (".json", ".md")]
    assert any("50 % point of the 4AFC curve, 12 raters" in text for text in texts)
