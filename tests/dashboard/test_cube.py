"""What is added up from the cube is what counting the chosen utterances gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from dashboard.filters import Filters
from dashboard.queries import chance, comparing, cube, quality, shares
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.selection import Measure

Query = Callable[[ScoreArrays, Filters, Measure], pd.DataFrame]

RAW = Measure("synthetic", "center", "strict", "max", "raw", 0.24)
MEASURES = (
    RAW,
    Measure("synthetic", "pad", "2s", "mean", "raw", 0.21),
    Measure("synthetic", "center", "1s", "max", "z", 1.645),
    Measure("synthetic", "multi", "-3+1", "max", "raw", 0.3),
)
CHOICES = (
    Filters(),
    Filters(speakers=("FEM",)),
    Filters(speakers=("FEM", "CHI"), children=("C02", "C03")),
    Filters(children=("C01",)),
    Filters(children=("nobody",)),
    Filters(speakers=("OCH",), min_age_days=300),
    Filters(max_age_days=500),
)
QUERIES: dict[str, Query] = {
    "counts": shares.counts_by_recording,
    "counts by speaker": lambda a, f, m: shares.counts_by_recording(a, f, m, "speaker"),
    "chance": chance.chance_by_recording,
    "chance by speaker": lambda a, f, m: chance.chance_by_recording(a, f, m, "speaker"),
    "bins": lambda a, f, m: shares.score_bins(a, f, m, 0.01),
    "null": shares.null_cells,
    "pairs": lambda a, f, m: comparing.paired_counts(a, f, m, of_pad(m)),
    "differences": lambda a, f, m: comparing.difference_bins(a, f, m, of_pad(m), 0.01),
}


def of_pad(measure: Measure) -> Measure:
    return replace(measure, crop="pad", statistic="max")


@pytest.fixture(scope="module")
def arrays(everything: Path):
    with duckdb.connect(str(everything), read_only=True) as con:
        yield ScoreArrays(con)


@pytest.mark.parametrize("name", ["counts_by_child", "languages", "confidence_bins"])
def test_quality_is_counted_once_for_all_choices(
    arrays: ScoreArrays, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = getattr(quality, name)
    added = [query(arrays, filters, RAW) for filters in CHOICES]
    monkeypatch.setattr(quality, "choice_of_children", lambda *_: None)
    for rows, filters in zip(added, CHOICES, strict=True):
        pd.testing.assert_frame_equal(rows, query(arrays, filters, RAW))
    assert len(added[0])
    assert not len(added[4])


def without_cube(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every way through the utterances themselves."""
    for module in (shares, chance, comparing):
        for name in ("choice_of_recordings", "choice_of_children"):
            monkeypatch.setattr(module, name, lambda *_: None, raising=False)


@pytest.mark.parametrize("name", QUERIES)
def test_both_ways_give_the_same_numbers(
    arrays: ScoreArrays, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = QUERIES[name]
    asked = [(filters, measure) for filters in CHOICES for measure in MEASURES]
    added = [query(arrays, *one) for one in asked]
    without_cube(monkeypatch)
    counted = [query(arrays, *one) for one in asked]
    assert any(len(rows) for rows in counted)
    for one, other in zip(added, counted, strict=True):
        whole = [column for column in other if column == "n" or column.startswith("n_")]
        whole = [column for column in whole if column != "n_expected"]
        pd.testing.assert_frame_equal(one[whole], other[whole], check_exact=True)
        pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=1e-12, atol=1e-12)


def test_only_choices_of_recordings_and_speakers_are_added_up(arrays: ScoreArrays) -> None:
    assert cube.choice_of_recordings(arrays, Filters(min_words=3), "none") is None
    assert cube.choice_of_recordings(arrays, Filters(), "age") is None
    assert cube.choice_of_recordings(arrays, Filters(min_age_days=3), "speaker") is not None
    assert cube.choice_of_children(arrays, Filters(min_age_days=3)) is None
    assert cube.choice_of_children(arrays, Filters(languages=("en",))) is None
    assert cube.choice_of_children(arrays, Filters(children=("C01",))) is not None


def test_an_answer_may_not_change_what_is_kept(arrays: ScoreArrays) -> None:
    first = shares.counts_by_recording(arrays, Filters(), RAW)
    first.loc[:, "n_high"] = 0
    assert shares.counts_by_recording(arrays, Filters(), RAW)["n_high"].sum() > 0


def test_what_is_kept_stays_within_its_bounds(store: duckdb.DuckDBPyConnection) -> None:
    arrays = ScoreArrays(store)
    arrays._most_bytes = 1_000
    for measure in MEASURES:
        shares.counts_by_recording(arrays, Filters(), measure)
    n_bytes = sum(array.nbytes for kept in arrays._kept.values() for array in kept)
    assert n_bytes <= 1_000 or len(arrays._kept) == 1
