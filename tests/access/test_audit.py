"""The record of what was opened: it is only added to, and any change shows."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.access import audit
from pipeline.access.audit import Opened, read_lines, verify, write_opened
from pipeline.cli import app
from pipeline.errors import AuditError


def opened(number: int) -> Opened:
    return Opened("ra@example.org", "viewer", "clip", f"rec{number}", f"u{number}")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    for number in range(5):
        write_opened(tmp_path, opened(number))
    return tmp_path


def record(study: Path) -> Path:
    return study / "audit" / "opened-0001.jsonl"


def rewrite(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


def test_each_opening_is_one_line_with_who_what_and_when(study: Path):
    verdict = verify(study)
    assert verdict.holds
    assert (verdict.n_lines, verdict.n_files) == (5, 1)
    lines = list(read_lines(study))
    assert [line.number for line in lines] == [1, 2, 3, 4, 5]
    assert lines[3].opened == opened(3)
    assert lines[0].time.endswith("+00:00")
    assert record(study).stat().st_mode & 0o077 == 0


def test_an_empty_record_holds(tmp_path: Path):
    assert verify(tmp_path).holds
    assert list(read_lines(tmp_path)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda rows: [rows[0], rows[1].replace("viewer", "admin"), *rows[2:]],
            "line 2 was changed",
        ),
        (lambda rows: [*rows[:2], *rows[3:]], "line 3 has number 4 where 3 is due"),
        (lambda rows: [rows[1], rows[0], *rows[2:]], "line 1 has number 2"),
        (lambda rows: rows[:3], "2 line(s) are missing at the end"),
        (lambda rows: [], "5 line(s) are missing at the end"),
        (lambda rows: [*rows[:2], "{}\n", *rows[2:]], "line 3 is damaged"),
        (lambda rows: [*rows[:2], rows[1], *rows[2:]], "line 3 has number 2"),
        (lambda rows: [*rows[:4], rows[4][:-40]], "1 line(s) are missing at the end"),
        (lambda rows: [rows[0], rows[1].replace('"who"', '"whom"'), *rows[2:]], "line 2 is dama"),
    ],
)
def test_every_change_shows(study: Path, change: Callable[[list[str]], list[str]], words: str):
    rewrite(record(study), change)
    verdict = verify(study)
    assert not verdict.holds
    assert words in verdict.problem


def test_a_chain_that_was_cut_still_shows_it_after_more_was_written(study: Path):
    rewrite(record(study), lambda rows: rows[:3])
    write_opened(study, opened(9))
    assert "has number 6 where 4 is due" in verify(study).problem


def test_a_record_that_was_deleted_whole_shows(study: Path):
    record(study).unlink()
    assert "5 line(s) are missing" in verify(study).problem
    write_opened(study, opened(9))
    assert "has number 6 where 1 is due" in verify(study).problem


def test_a_missing_or_damaged_head_shows(study: Path):
    (study / "audit/head.json").unlink()
    assert verify(study).problem == "head.json is missing"
    (study / "audit/head.json").write_text("{")
    assert verify(study).problem == "head.json is damaged"
    with pytest.raises(AuditError):
        write_opened(study, opened(9))


def test_a_line_that_a_dying_process_left_half_is_set_aside_and_said(study: Path):
    with record(study).open("a") as file:
        file.write('{"number": 6, "time": "20')
    assert verify(study).holds
    write_opened(study, opened(9))
    assert verify(study).holds
    whats = [line.opened.what for line in read_lines(study)]
    assert whats == ["clip"] * 5 + ["torn", "clip"]


def test_a_process_that_dies_between_line_and_head_leaves_a_whole_chain(study: Path):
    before = (study / "audit/head.json").read_text()
    write_opened(study, opened(9))
    (study / "audit/head.json").write_text(before)
    assert verify(study).holds
    write_opened(study, opened(10))
    assert verify(study).holds
    assert verify(study).n_lines == 7


def test_a_full_file_is_followed_by_the_next_and_the_chain_goes_on(study: Path, monkeypatch):
    monkeypatch.setattr(audit, "MAX_FILE_BYTES", 1_000)
    for number in range(10):
        write_opened(study, opened(number))
    verdict = verify(study)
    assert verdict.holds
    assert verdict.n_files > 2
    assert verdict.n_lines == 15
    (study / "audit/opened-0002.jsonl").unlink()
    assert "is due" in verify(study).problem


def write_many(folder: str, name: str) -> None:
    for number in range(20):
        write_opened(Path(folder), Opened(name, "viewer", "clip", f"rec{number}"))


def test_processes_and_threads_write_at_once_and_nothing_is_lost(tmp_path: Path):
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=write_many, args=(str(tmp_path), f"p{i}")) for i in range(2)]
    for child in children:
        child.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: write_many(str(tmp_path), f"t{i}"), range(2)))
    for child in children:
        child.join()
        assert child.exitcode == 0
    verdict = verify(tmp_path)
    assert verdict.holds
    assert verdict.n_lines == 80


def test_what_cannot_be_written_is_an_error(tmp_path: Path):
    (tmp_path / "audit").write_text("a file where the folder should be")
    with pytest.raises(AuditError, match="not shown"):
        write_opened(tmp_path, opened(1))


def test_the_command_says_whether_the_chain_holds(study: Path):
    run = CliRunner()
    done = run.invoke(app, ["audit", str(study)])
    assert done.exit_code == 0
    assert "5 lines in 1 files." in done.output
    assert "By: ra@example.org 5" in done.output
    assert f"The chain holds. Last digest: {verify(study).digest}" in done.output
    rewrite(record(study), lambda rows: rows[:-1])
    done = run.invoke(app, ["audit", str(study), "--json"])
    assert done.exit_code == 1
    assert json.loads(done.output)["holds"] is False
