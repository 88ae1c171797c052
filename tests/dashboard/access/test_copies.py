"""Whoever waits for a copy is told so; it is made once, and tried again when it failed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from dashboard.access.copies import BeingMadeError, Copies
from pipeline.errors import StoreError

BUILD, ROOT, KIDS = Path("store.duckdb"), Path("study"), frozenset({"C01"})


class Maker:
    """Makes a copy when it is told that it may go on."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.n_made = 0
        self.problem: Exception | None = None

    def __call__(self, build: Path, root: Path, children: frozenset[str]) -> Path:
        self.n_made += 1
        self.goes_on.wait(10)
        if self.problem is not None:
            raise self.problem
        return root / "copy.duckdb"


def test_who_waits_too_long_is_told_and_finds_it_later() -> None:
    maker = Maker()
    copies = Copies(maker, wait_s=0.02)
    for _ in range(3):
        with pytest.raises(BeingMadeError):
            copies.copy(BUILD, ROOT, KIDS)
        assert copies.is_making(BUILD, KIDS)
    maker.goes_on.set()
    assert Copies(maker).copy(BUILD, ROOT, KIDS) == ROOT / "copy.duckdb"
    patient = copies
    for _ in range(100):
        try:
            assert patient.copy(BUILD, ROOT, KIDS) == ROOT / "copy.duckdb"
            break
        except BeingMadeError:
            continue
    assert maker.n_made <= 3
    assert not copies.is_making(BUILD, KIDS)


@pytest.mark.parametrize("problem", [StoreError("full", hint="make room")])
def test_a_copy_that_fails_is_an_error_and_tried_again(problem: Exception) -> None:
    maker = Maker()
    maker.problem = problem
    maker.goes_on.set()
    copies = Copies(maker)
    with pytest.raises(StoreError, match="full"):
        copies.copy(BUILD, ROOT, KIDS)
    maker.problem = None
    assert copies.copy(BUILD, ROOT, KIDS) == ROOT / "copy.duckdb"
