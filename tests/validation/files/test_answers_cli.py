"""The commands `answers export` and `answers import`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from tests.validation.files.made_sets import answered_set

runner = CliRunner()


def test_answers_go_out_and_into_another_study(tmp_path: Path) -> None:
    answered_set(tmp_path / "here")
    (tmp_path / "there").mkdir()
    out = str(tmp_path / "out")
    exported = runner.invoke(app, ["answers", "export", str(tmp_path / "here"), "Pilot", out])
    assert exported.exit_code == 0, exported.output
    assert "Pilot: 28 answer(s) of 4 rater(s), 16 trial(s)" in exported.output
    taken = runner.invoke(app, ["answers", "import", str(tmp_path / "there"), out])
    assert taken.exit_code == 0, taken.output
    assert "answers.csv: 28 new answer(s), 4 new rater(s)" in taken.output
    again = runner.invoke(app, ["answers", "import", str(tmp_path / "there"), out])
    assert "0 new answer(s), 0 new rater(s), 0 new trial(s) in the set 'Pilot'" in again.output
    assert "28 answer(s) were there already." in again.output


def test_rows_that_were_left_out_are_listed_and_the_command_says_so(tmp_path: Path) -> None:
    answered_set(tmp_path / "here")
    (tmp_path / "there").mkdir()
    out = tmp_path / "out"
    runner.invoke(app, ["answers", "export", str(tmp_path / "here"), "Pilot", str(out)])
    file = out / "answers.csv"
    lines = file.read_text("utf-8").splitlines()
    cells = lines[3].split(",")
    cells[4] = "5"
    file.write_text("\n".join([*lines[:3], ",".join(cells), *lines[4:]]), "utf-8")
    command = ["answers", "import", str(tmp_path / "there"), str(file)]
    refused = runner.invoke(app, command)
    assert refused.exit_code == 2
    assert "answers.csv, line 4: selected_position is 5." in refused.output
    assert "--skip-bad-rows" in refused.output
    looked = runner.invoke(app, [*command, "--dry-run"])
    assert looked.exit_code == 1
    assert "Left out: answers.csv, line 4" in looked.output
    assert "Nothing was kept" in looked.output
    taken = runner.invoke(app, [*command, "--skip-bad-rows"])
    assert taken.exit_code == 1
    assert "27 new answer(s)" in taken.output
    assert "1 row(s) cannot be taken." in taken.output


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["export", "here", "Polit", "out"], "no set of trials named 'Polit'"),
        (["import", "here", "gone.csv"], "There is no file of trials or answers at gone.csv"),
        (["import", "nowhere", "gone.csv"], "There is no study at"),
    ],
)
def test_what_is_not_there_is_told(tmp_path: Path, command: list[str], sentence: str) -> None:
    answered_set(tmp_path / "here")
    verb, study, *rest = command
    result = runner.invoke(app, ["answers", verb, str(tmp_path / study), *rest])
    assert result.exit_code == 2
    assert sentence in result.output
