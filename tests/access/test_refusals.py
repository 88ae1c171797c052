"""Refusals are written down, and nobody can fill the disk with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.access.audit import read_lines, verify
from pipeline.access.refusals import MAX_KINDS, WINDOW_S, RefusalLog, Refused

ONE = Refused("clip", "made for somebody else", "ra@example.org", "viewer", "rec01")


class Clock:
    now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> RefusalLog:
    return RefusalLog(lambda: tmp_path, clock)


def details(root: Path) -> Iterator[str]:
    return (line.opened.detail for line in read_lines(root))


def test_the_first_refusal_is_a_line_with_whom_what_and_why(log: RefusalLog, tmp_path: Path):
    log.note(ONE)
    (line,) = read_lines(tmp_path)
    one = line.opened
    assert (one.who, one.role, one.what) == ("ra@example.org", "viewer", "refused")
    assert (one.recording_id, one.detail) == ("rec01", "clip: made for somebody else")


def test_a_thousand_alike_are_four_lines_that_say_how_many(log: RefusalLog, tmp_path: Path):
    for _ in range(1_234):
        log.note(ONE)
    told = [detail.partition("(")[2].partition(" since")[0] for detail in details(tmp_path)]
    assert told == ["", "10 times", "100 times", "1000 times"]
    log.close()
    assert list(details(tmp_path))[-1].endswith("(1234 times since 08:00 UTC)")
    log.close()
    assert len(list(details(tmp_path))) == 5


def test_after_an_hour_the_count_is_told_and_begins_anew(
    log: RefusalLog, tmp_path: Path, clock: Clock
):
    for _ in range(3):
        log.note(ONE)
    clock.now_s += WINDOW_S + 1
    log.note(ONE)
    assert ["3 times" in detail for detail in details(tmp_path)] == [False, True, False]


def test_many_kinds_are_counted_as_one(log: RefusalLog, tmp_path: Path, clock: Clock):
    for hour in range(3):
        for number in range(1_000):
            log.note(Refused("clip", "not among their children", recording_id=f"r{number}"))
        clock.now_s += WINDOW_S + 1
        assert len(list(details(tmp_path))) <= (hour + 1) * (MAX_KINDS + 5)
    assert verify(tmp_path).holds


def test_a_refusal_that_cannot_be_written_down_is_still_one(log: RefusalLog, tmp_path: Path):
    (tmp_path / "audit").write_text("no folder")
    log.note(ONE)
