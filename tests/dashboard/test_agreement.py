"""Two scorers compared, against pandas and scipy on the plain rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from dashboard.filters import Filters
from dashboard.queries import agreement as module
from dashboard.queries.agreement import agreement, joint_counts
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.selection import Measure
from pipeline.store.first_pairs import N_BINS, few_values
from tests.factories import write_synthetic_study

A = Measure("synthetic", "center", "strict", "max", "raw", 0.24)
B = Measure("synthetic-b", "center", "strict", "max", "raw", 0.22)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A store of two scorers; B has no score for some utterances of FEM."""
    path = write_synthetic_study(
        tmp_path_factory.mktemp("two"), n_utterances=300, scorers=("synthetic", "synthetic-b")
    )
    with duckdb.connect(str(path)) as con:
        con.execute(
            "UPDATE scores_wide SET center_strict_max_cosine = NULL "
            "WHERE scorer = 'synthetic-b' AND utterance_number % 5 = 0"
        )
        con.execute(
            "UPDATE scores_wide SET center_strict_max_cosine = NULL "
            "WHERE scorer = 'synthetic' AND utterance_number % 7 = 0"
        )
        yield con


def plain(con: duckdb.DuckDBPyConnection, filters: Filters) -> pd.DataFrame:
    rows = con.execute(
        """SELECT u.utterance_number, u.child_id, u.recording_id, u.utterance_id, u.speaker,
               a.center_strict_max_cosine AS a, b.center_strict_max_cosine AS b
           FROM utterances u
           JOIN scores_wide a ON a.utterance_number = u.utterance_number AND a.scorer = 'synthetic'
           JOIN scores_wide b ON b.utterance_number = u.utterance_number
               AND b.scorer = 'synthetic-b'"""
    ).df()
    return rows[rows["speaker"].isin(filters.speakers)] if filters.speakers else rows


@pytest.mark.parametrize("many", [200_000, 10])
@pytest.mark.parametrize("filters", [Filters(), Filters(speakers=("FEM",))])
def test_all_numbers_are_those_of_the_plain_rows(two, filters, many, monkeypatch):
    monkeypatch.setattr(module, "MANY_PAIRS", many)
    rows = plain(two, filters)
    both = rows.dropna(subset=["a", "b"])
    found = agreement(two, ScoreArrays(two), filters, A, B)
    assert found.n_both == len(both) > 50
    assert found.n_only_a == rows["a"].notna().sum() - len(both) > 0
    assert found.n_only_b == rows["b"].notna().sum() - len(both) > 0
    close = pytest.approx(spearmanr(both["a"], both["b"]).statistic, abs=1e-3)
    assert found.rho.estimate == close
    assert found.joint.counts.sum() == found.joint.table()["n"].sum() == len(both)
    for child, part in both.groupby("child_id"):
        row = found.children.set_index("child_id").loc[child]
        assert row["n"] == len(part)
        assert row["rho"] == pytest.approx(spearmanr(part["a"], part["b"]).statistic, abs=5e-3)


def test_shares_use_each_scorers_own_threshold(two):
    both = plain(two, Filters()).dropna(subset=["a", "b"])
    found = agreement(two, ScoreArrays(two), Filters(), A, B).paired.set_index("recording_id")
    for recording, part in both.groupby("recording_id"):
        row = found.loc[recording]
        high_a, high_b = part["a"] >= 0.24, part["b"] >= 0.22
        assert row["child_id"] == part["child_id"].iloc[0]
        assert row[["n_both", "high_a", "high_b", "gained", "lost"]].tolist() == [
            len(part),
            high_a.sum(),
            high_b.sum(),
            (high_b & ~high_a).sum(),
            (high_a & ~high_b).sum(),
        ]


def test_the_most_different_moments_come_first(two, monkeypatch):
    monkeypatch.setattr(module, "most_listed", lambda arrays: 5)
    both = plain(two, Filters()).dropna(subset=["a", "b"])
    change = both["b"].rank() - both["a"].rank()
    found = agreement(two, ScoreArrays(two), Filters(), A, B).differing
    for name, sign in (("up", 1), ("down", -1)):
        rows = found[found["change"] == name]
        expected = (sign * change).nlargest(5)
        shift = sign * (rows["rank_b"] - rows["rank_a"]) * len(both) / 100
        assert shift.tolist() == pytest.approx(expected.tolist())
        assert rows["utterance_id"].tolist()[0] == both.loc[expected.index[0], "utterance_id"]


def test_a_scorer_agrees_with_itself(two):
    found = agreement(two, ScoreArrays(two), Filters(), A, A)
    assert found.rho.estimate == pytest.approx(1)
    assert found.differing.empty
    assert found.paired["gained"].sum() == found.paired["lost"].sum() == 0


def test_nothing_in_common_gives_empty_tables(two):
    missing = Measure("nobody", "center", "strict", "max", "raw", 0.2)
    found = agreement(two, ScoreArrays(two), Filters(), A, missing)
    assert found.n_both == 0
    assert np.isnan(found.rho.estimate)
    assert found.joint.table().empty
    assert found.children.empty
    assert found.paired.empty
    assert found.differing.empty


def test_one_recording_has_no_interval(studies: Callable[[str], Path]):
    path = studies("one recording") / "derived" / "stores" / "store-synthetic.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        found = agreement(
            con,
            ScoreArrays(con),
            Filters(),
            A,
            Measure("synthetic", "pad", "1s", "max", "raw", 0.2),
        )
    assert found.n_both > 0
    assert not found.rho.is_known


def test_scores_fall_into_the_bin_around_them(two):
    both = plain(two, Filters()).dropna(subset=["a", "b"])
    joint = agreement(two, ScoreArrays(two), Filters(), A, B).joint
    width = joint.a[1] - joint.a[0]
    for column, middle in enumerate(joint.a):
        near = both["a"].between(middle - width / 2 - 1e-6, middle + width / 2 + 1e-6)
        assert joint.counts[:, column].sum() == pytest.approx(near.sum(), abs=1)
    assert len(joint.a) == len(joint.b) == N_BINS


def test_ratings_have_a_bin_for_each_value():
    values = np.array([1, 5, 3, np.nan, 3, 1], np.float32)
    assert few_values(values, 3).tolist() == [1, 3, 5]
    assert few_values(values, 2).tolist() == []
    assert few_values(values[3:4], 2).tolist() == []


def test_ratings_beside_cosines_are_counted_in_the_same_squares(tmp_path: Path) -> None:
    store = write_synthetic_study(tmp_path, n_utterances=200, scorers=("synthetic", "synthetic-b"))
    with duckdb.connect(str(store)) as con:
        con.execute(
            "UPDATE scores_wide SET center_strict_max_cosine = "
            "round(center_strict_max_cosine, 1) WHERE scorer = 'synthetic-b'"
        )
        both = plain(con, Filters()).dropna(subset=["a", "b"])
        values = np.unique(both["b"].to_numpy(np.float32))
        joint = joint_counts(ScoreArrays(con), Filters(), A, B)
    assert len(joint.a) == N_BINS
    assert list(joint.b) == values.tolist()
    assert joint.counts.sum(axis=1).tolist() == both["b"].value_counts().sort_index().tolist()


CHOICES = (
    Filters(),
    Filters(speakers=("FEM",)),
    Filters(children=("C01", "C02"), speakers=("FEM", "CHI")),
    Filters(children=("nobody",)),
)


@pytest.mark.parametrize("filters", CHOICES)
def test_joint_counts_are_those_of_the_plain_rows(two, filters, monkeypatch):
    both = plain(two, filters).dropna(subset=["a", "b"])
    if filters.children:
        both = both[both["child_id"].isin(filters.children)]
    arrays = ScoreArrays(two)
    found = joint_counts(arrays, filters, A, B)
    assert found.counts.sum() == len(both)
    if len(both):
        places = [
            np.minimum((both[name] - (middles[0] - width / 2)) / width, N_BINS - 1).astype(int)
            for name, middles in (("b", found.b), ("a", found.a))
            for width in [middles[1] - middles[0]]
        ]
        expected = np.zeros_like(found.counts)
        np.add.at(expected, tuple(places), 1)
        assert np.abs(found.counts - expected).sum() <= 4  # a score at the edge of its bin
    monkeypatch.setattr(module, "choice_of_children", lambda *_: None)
    counted = joint_counts(arrays, filters, A, B)
    assert (counted.a, counted.b) == (found.a, found.b)
    assert (counted.counts == found.counts).all()
