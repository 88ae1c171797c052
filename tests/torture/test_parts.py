"""Every part of `make torture` at its small size: all was as it should be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture import Count, Plan
from tests.torture.__main__ import Part, load_part, main, part_names, run_part
from tests.torture.report import Row, table, wrong_ones

_SECONDS = 5.0


@pytest.mark.skipif(os.name == "nt", reason="Windows neither forks nor kills as the parts do")
@pytest.mark.parametrize("name", part_names())
def test_a_small_run_of_a_part_finds_nothing_wrong(
    name: str, tiny_demo_study: Path, tmp_path: Path
) -> None:
    rows = list(run_part(load_part(name), Plan(tmp_path, tiny_demo_study, _SECONDS, True, 1)))
    assert sum(row.count.tried for row in rows) > 0
    assert wrong_ones(rows, 1) == ""


def test_what_is_wrong_is_counted_told_and_can_be_tried_again() -> None:
    rows = [
        Row("doors", "Doors", Count("front | back", 3, 3)),
        Row("doors", "Doors", Count("windows", 8, 1, tuple(f"pane {n}" for n in range(7)))),
    ]
    assert table(rows).splitlines()[2:] == [
        r"| Doors | front \| back | 3 | 3 | 0 |",
        "| Doors | windows | 8 | 1 | 7 |",
        "| **all** | | **11** | **4** | **7** |",
    ]
    told = wrong_ones(rows, 4)
    assert "pane 4\n- and 2 more" in told
    assert told.endswith("--only doors --seed 4")


def test_a_part_that_fails_is_wrong_itself(tmp_path: Path) -> None:
    def broken(plan: Plan) -> Iterator[Count]:
        yield Count("before", 1, 1)
        raise RuntimeError("no more")

    rows = list(run_part(Part("x", "X", 1.0, broken), Plan(tmp_path, None, 1.0, True, 1)))
    assert [row.n_wrong for row in rows] == [0, 1]
    assert "no more" in wrong_ones(rows, 1)


def test_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 tried, 1 right, 0 wrong"):
        Count("x", 2, 1)
    assert main(["--only", "nothing"]) == 2
