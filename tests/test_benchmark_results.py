"""The results table: what replaces what, and which side of a limit is missed."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.results import Result, page, read_results, record

LESS = Result("Store", "time", 361.0, "s", 600.0, False, "", "1.8 M utterances", "publish_speed")
MORE = replace(LESS, measure="ratio", value=7.0, limit=14.0, more_is_better=True, against="OpenCV")
FREE = replace(LESS, measure="size", limit=float("nan"))


@pytest.mark.parametrize(("result", "headroom"), [(LESS, 600 / 361), (MORE, 0.5)])
def test_headroom_is_how_many_times_better_than_wanted(result: Result, headroom: float) -> None:
    assert result.headroom == pytest.approx(headroom)


def test_a_newer_measurement_replaces_the_older_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    record([LESS, MORE], path)
    record([replace(LESS, value=100.0)], path)
    found = {result.measure: result for result in read_results(path)}
    assert {name: result.value for name, result in found.items()} == {"time": 100.0, "ratio": 7.0}
    assert found["time"].machine
    assert found["ratio"].more_is_better


def test_the_page_counts_what_was_missed_and_sets_it_in_bold() -> None:
    text = page([LESS, MORE, FREE])
    assert "1 of 2 limits are met" in text
    assert "| **7 s** | ≥ 14 s |" in text
    assert "| size | 361 s |  |" in text
