"""Numbers of children from kept co-moments are those of a row for each recording."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from dashboard import by_child, contrasts, summaries
from dashboard.filters import Filters
from dashboard.queries import chance, child_moments, comparing, shares
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.selection import Measure
from pipeline.store.fill_columns import write_columns
from pipeline.store.frame_vectors import keep_vectors
from pipeline.store.store_columns import open_columns
from tests.factories import write_synthetic_study

RAW = Measure("synthetic", "center", "strict", "max", "raw", 0.24)
PAD = RAW.under(crop="pad", window="strict", statistic="max")
MEASURES = (
    RAW,
    Measure("synthetic", "center", "1s", "max", "z", 1.645),
    Measure("synthetic", "multi", "-3+1", "max", "raw", 0.3),
)
CHOICES = (
    Filters(),
    Filters(speakers=("FEM",)),
    Filters(speakers=("FEM", "CHI"), children=("C02", "C03")),
    Filters(children=("nobody",)),
    Filters(speakers=("NA",)),
    Filters(speakers=("OCH",), min_age_days=300),
    Filters(max_age_days=500, children=("C01", "C04")),
    Filters(min_words=3, languages=("en",)),
)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with 55 recordings of each child: limits are worked out rather than drawn."""
    return write_synthetic_study(
        tmp_path_factory.mktemp("many"), n_recordings=220, n_utterances=880
    )


@pytest.fixture(scope="module", params=["few", "columns"])
def arrays(
    request: pytest.FixtureRequest,
    everything: Path,
    many: Path,
    tmp_path_factory: pytest.TempPathFactory,
):
    """Few recordings of a child, of which limits are drawn, and many, with a file of columns beside
    the store. One child has no score at all."""
    whole = everything if request.param == "few" else many
    store = Path(shutil.copy(whole, tmp_path_factory.mktemp(request.param)))
    with duckdb.connect(str(store)) as con:
        con.execute(
            """UPDATE scores_wide SET center_strict_max_cosine = NULL, center_1s_z = NULL
               WHERE child_id = 'C04' OR utterance_number % 7 = 0"""
        )
        con.execute("UPDATE scores_wide SET speaker = NULL WHERE utterance_number % 11 = 0")
        con.execute("CHECKPOINT")
    columns = None
    if request.param == "columns":
        keep_vectors(write_columns(store, store))
        columns = open_columns(store)
        assert columns is not None
    with duckdb.connect(str(store), read_only=True) as con:
        yield ScoreArrays(con, columns)


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert list(found) == list(expected)
    assert len(found) == len(expected)
    if not len(found):
        return
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("filters", CHOICES)
@pytest.mark.parametrize("measure", MEASURES)
def test_shares_of_children_are_those_of_their_recordings(arrays, filters, measure):
    counts = shares.counts_by_recording(arrays, filters, measure)
    found = by_child.shares_of_children(arrays, filters, measure)
    same(found, summaries.shares_by(counts, ["child_id"]))
    of_all = by_child.share_of_all(arrays, filters, measure)
    assert_same_interval(of_all, summaries.overall_share(counts))


@pytest.mark.parametrize("filters", CHOICES)
@pytest.mark.parametrize("split", ["speaker", "age", "activity"])
def test_shares_of_groups_are_those_of_their_recordings(arrays, filters, split):
    counts = shares.counts_by_recording(arrays, filters, RAW, split)
    found = by_child.shares_of_children(arrays, filters, RAW, split)
    same(found, summaries.shares_by(counts, ["child_id", "grp"]))


@pytest.mark.parametrize("filters", CHOICES)
@pytest.mark.parametrize("measure", MEASURES)
def test_excess_over_chance_is_that_of_recordings(arrays, filters, measure):
    rows = chance.chance_by_recording(arrays, filters, measure)
    found = by_child.excess_of_children(arrays, filters, measure)
    same(found, contrasts.excess_by_child(rows))
    one, other = by_child.excess_of_all(arrays, filters, measure), contrasts.excess_share(rows)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert_same_interval(one.interval, other.interval)
        assert one.p == pytest.approx(other.p, nan_ok=True)


@pytest.mark.parametrize("filters", CHOICES)
def test_pairs_are_those_of_recordings(arrays, filters):
    paired = comparing.paired_counts(arrays, filters, RAW, PAD)
    same(by_child.paired_shares(arrays, filters, RAW, PAD), summaries.paired_shares(paired))
    for name in ("share_change", "mean_difference"):
        found = getattr(by_child, name)(arrays, filters, RAW, PAD)
        assert_same_interval(found, getattr(summaries, name)(paired))
    width = by_child.difference_width(arrays, filters, RAW, PAD)
    assert width == summaries.difference_width(paired)


def assert_same_interval(one, other) -> None:
    for name in ("estimate", "low", "high", "n", "n_clusters", "n_fixed"):
        value = pytest.approx(getattr(other, name), rel=1e-9, abs=1e-12, nan_ok=True)
        assert getattr(one, name) == value, name


class _NoCursor:
    """A store that may not be asked."""

    def cursor(self) -> duckdb.DuckDBPyConnection:
        raise AssertionError("the store was asked")


def test_what_is_published_is_what_is_counted(arrays):
    """The first answers of a store with columns come from the file, without a look at a
    recording."""
    if arrays._columns is None:
        return
    asked = child_moments.Asked(arrays, Filters(), RAW, other=PAD)
    published = (
        *child_moments.score_moments(asked),
        *child_moments.chance_moments(asked),
        *child_moments.pair_moments(asked),
    )
    for part in published:
        assert not part.flags.owndata
    unasked = ScoreArrays(_NoCursor(), arrays._columns)
    width = by_child.difference_width(unasked, Filters(), RAW, PAD)
    assert len(comparing.difference_bins(unasked, Filters(), RAW, PAD, width))
    assert not unasked._kept
    plain = child_moments.Asked(ScoreArrays(arrays._connection), Filters(), RAW, other=PAD)
    counted = (
        *child_moments.score_moments(plain),
        *child_moments.chance_moments(plain),
        *child_moments.pair_moments(plain),
    )
    for one, other in zip(published, counted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-6)


def test_what_never_varies_has_no_interval_of_its_excess(many: Path, tmp_path: Path) -> None:
    with duckdb.connect(shutil.copy(many, tmp_path)) as con:
        con.execute("UPDATE scores_wide SET center_strict_z = 0.1")
        measure = Measure("synthetic", "center", "strict", "max", "z", 2.0)
        found = by_child.excess_of_children(ScoreArrays(con), Filters(), measure)
    assert found["excess"].tolist() == pytest.approx([-0.02275] * len(found), abs=1e-5)
    assert found[["excess_low", "excess_high", "p_holm"]].isna().all(axis=None)
