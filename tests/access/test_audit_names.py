"""Lines of the audit hold digests; a withdrawal takes the names away and the chain still holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.access.audit import Opened, audit_folder, read_lines, verify, write_all_opened
from pipeline.access.audit_names import FORGOTTEN, digests, name_files
from pipeline.withdrawal.given_files import doomed_given
from pipeline.withdrawal.target import KnownRecording, Target


def opened(recording_id: str, utterance_id: str = "") -> Opened:
    return Opened("ra@example.org", "viewer", "clip", recording_id, utterance_id)


LINES = [
    *(opened("zebra_01", "zebra_01-u1"), opened("zebra_01"), opened("zebra_01", "zebra_01-u2")),
    *(opened("panda_01", "u1"), opened("zebra_01", "zebra_01-u1"), Opened("", "", "export")),
]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_all_opened(tmp_path, LINES)
    return tmp_path


def bytes_of(folder: Path) -> Iterator[bytes]:
    for path in folder.rglob("*"):
        yield path.name.encode()
        if path.is_file():
            yield path.read_bytes()


def withdrawn(study: Path) -> None:
    """What the command withdraw does with the audit."""
    target = Target("", (KnownRecording("zebra_01", "Z", "zebra_01.mp4"),), ())
    for file in doomed_given(study, target).files:
        file.path.unlink()


def test_lines_are_read_with_their_names_and_written_without(study: Path):
    assert [line.opened for line in read_lines(study)] == LINES
    lines = (study / "audit/opened-0001.jsonl").read_text()
    assert "zebra" not in lines
    assert "panda" not in lines
    rows = [json.loads(line) for line in lines.splitlines()]
    assert rows[0]["utterance_id"] == rows[4]["utterance_id"] != rows[2]["utterance_id"]
    assert (rows[5]["recording_id"], rows[5]["utterance_id"]) == ("", "")


def test_after_a_withdrawal_no_byte_names_it_and_the_chain_holds(study: Path):
    assert any(b"zebra" in raw for raw in bytes_of(study))
    withdrawn(study)
    assert not any(b"zebra" in raw for raw in bytes_of(study))
    verdict = verify(study)
    assert verdict.holds
    assert verdict.n_lines == 6
    names = [(line.opened.recording_id, line.opened.utterance_id) for line in read_lines(study)]
    assert names[0] == (FORGOTTEN, FORGOTTEN)
    assert names[1] == (FORGOTTEN, "")
    assert names[3] == ("panda_01", "u1")


def test_a_withdrawn_name_gets_another_digest_when_it_comes_again(study: Path):
    before = digests(audit_folder(study), "zebra_01", "zebra_01-u1")
    assert digests(audit_folder(study), "zebra_01", "zebra_01-u1") == before
    withdrawn(study)
    after = digests(audit_folder(study), "zebra_01", "zebra_01-u1")
    assert set(before).isdisjoint(after)


def test_a_name_that_was_changed_shows(study: Path):
    (path,) = name_files(study / "audit", {"panda_01"})
    path.write_text(path.read_text().replace("panda_01", "zebra_01"))
    verdict = verify(study)
    assert not verdict.holds
    assert "was changed" in verdict.problem


def test_a_name_that_was_half_written_by_a_dying_process_does_no_harm(study: Path):
    (path,) = name_files(study / "audit", {"panda_01"})
    with path.open("a") as file:
        file.write('["panda_01", "u2", "ab')
    write_all_opened(study, [opened("panda_01", "u2")])
    assert verify(study).holds
    assert [line.opened for line in read_lines(study)][-1] == opened("panda_01", "u2")
