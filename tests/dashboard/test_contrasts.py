"""Differences on screen, against numbers worked out by hand (see small_store)."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pandas as pd
import pytest

from dashboard import contrasts
from dashboard.filters import Filters
from dashboard.queries import chance, matched, shares
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.selection import Measure
from pipeline.stats import tallies
from pipeline.stats.chance import expected_above
from tests.dashboard.small_store import small_store

MEASURE = Measure("clip", "center", "strict", "max", "raw", 0.23)
Z = Measure("clip", "center", "strict", "max", "z", 2.0)


@pytest.fixture(scope="module")
def small() -> ScoreArrays:
    return ScoreArrays(small_store())


@pytest.fixture
def larger(store: duckdb.DuckDBPyConnection) -> ScoreArrays:
    return ScoreArrays(store)


def test_chance_is_counted_over_utterances_that_have_a_null(small: ScoreArrays):
    rows = chance.chance_by_recording(small, Filters(), MEASURE).set_index("recording_id")
    assert rows["n_null"].to_dict() == {"r1": 2, "r2": 1}
    assert rows["n_high"].to_dict() == {"r1": 1, "r2": 1}
    assert rows.loc["r1", "n_expected"] == pytest.approx(2 * 0.0668072, abs=1e-6)
    assert rows.loc["r1", "sum_null"] == pytest.approx(0.4)
    assert contrasts.expected_share(rows) == pytest.approx(0.0668072, abs=1e-6)


def test_on_the_z_scale_chance_is_the_normal_tail(small: ScoreArrays):
    rows = chance.chance_by_recording(small, Filters(), Z)
    assert contrasts.expected_share(rows) == pytest.approx(0.0227501, abs=1e-6)
    assert rows["sum_null"].sum() == 0


def test_without_a_null_there_is_no_excess(small: ScoreArrays):
    free = Measure("clip", "center", "-3+1", "max", "raw", 0.23)
    rows = chance.chance_by_recording(small, Filters(), free)
    assert contrasts.excess_share(rows) is None
    assert math.isnan(contrasts.expected_share(rows))
    assert contrasts.excess_by_child(rows).empty


def test_the_table_of_the_normal_distribution_is_exact_enough():
    rng = np.random.default_rng(1)
    n = 3_000
    mean = rng.normal(0.2, 0.02, n).astype(np.float32)
    sd = rng.uniform(0.005, 0.03, n).astype(np.float32)
    counts, sums = np.zeros((n, 1, 2), np.int64), np.zeros((n, 1, 3))
    number = np.arange(n, dtype=np.int32)
    tallies.count_chance(
        *(number, number, np.zeros(n, np.int16), mean, mean, sd, 0.24, tallies.normal_table()),
        counts,
        sums,
    )
    exact = expected_above(mean.astype(np.float64), sd.astype(np.float64), 0.24)
    assert np.abs(sums[:, 0, 2] - exact).max() < 1e-6


def test_each_child_is_held_against_its_own_chance(larger: ScoreArrays):
    rows = chance.chance_by_recording(larger, Filters(), Measure(*_SYNTHETIC, 0.2))
    by_child = contrasts.excess_by_child(rows).set_index("child_id")
    first = rows[rows["child_id"] == by_child.index[0]]
    observed = first["n_high"].sum() / first["n_null"].sum()
    assert by_child["excess"].iloc[0] == pytest.approx(observed - by_child["chance"].iloc[0])
    overall = contrasts.excess_share(rows)
    assert overall is not None
    assert overall.interval.low < overall.estimate < overall.interval.high
    assert by_child["p_holm"].between(0, 1).all()


def test_speakers_are_compared_as_they_are_and_at_equal_frames(larger: ScoreArrays):
    measure = Measure(*_SYNTHETIC, 0.2)
    found = matched.speaker_differences(larger, Filters(), measure)
    assert found is not None
    counts = shares.counts_by_recording(larger, Filters(), measure, "speaker")
    adults = counts[counts["grp"].isin(["FEM", "MAL"])][["n_high", "n_scored"]].sum()
    assert found.share.plain_first == pytest.approx(adults["n_high"] / adults["n_scored"])
    assert found.share.n_first + found.share.n_first_left_out == adults["n_scored"]
    assert found.share.plain.estimate == pytest.approx(
        found.share.plain_first - found.share.plain_second
    )
    assert found.mean.levels == found.share.levels
    by_child = contrasts.speakers_by_child(counts)
    assert by_child["n_adults"].sum() <= adults["n_scored"]


def test_without_one_of_the_sides_there_is_no_comparison(small: ScoreArrays):
    assert matched.speaker_differences(small, Filters(), MEASURE) is None


def test_groups_are_held_against_all_others(larger: ScoreArrays):
    measure = Measure(*_SYNTHETIC, 0.2)
    counts = shares.counts_by_recording(larger, Filters(), measure, "location")
    found = contrasts.group_differences(counts)
    known = counts[counts["grp"].notna()]
    assert [one.code for one in found] == sorted(known["grp"].unique())
    for one in found:
        assert one.n + one.n_others == known["n_scored"].sum()
        assert one.difference.estimate == pytest.approx(one.share - one.others)
        assert not one.p_holm < one.difference.p


def test_one_group_is_not_compared():
    counts = _counts([("A", "r1", "FEM", 10, 2), ("A", "r2", "FEM", 10, 3)])
    assert contrasts.group_differences(counts) == []


def test_two_children_differ_by_their_shares():
    counts = _counts(
        [
            ("A", "r1", "", 50, 5),
            ("A", "r2", "", 50, 7),
            ("B", "r3", "", 40, 12),
            ("B", "r4", "", 40, 16),
        ]
    )
    found = contrasts.children_difference(counts, "B", "A")
    assert found.estimate == pytest.approx(28 / 80 - 12 / 100)
    assert found.interval.low < found.estimate < found.interval.high


def test_the_share_by_age_pools_children_and_knows_its_chance():
    counts = _counts([("A", "r1", "", 50, 5), ("A", "r2", "", 50, 7), ("B", "r3", "", 40, 12)])
    by_chance = counts.assign(n_null=counts["n_scored"], n_expected=0.1 * counts["n_scored"])
    rows = contrasts.share_by_age(counts, by_chance)
    assert rows["n"].sum() == 140
    assert rows["chance"].tolist() == pytest.approx([0.1] * len(rows))
    assert contrasts.share_by_age(counts.assign(age_days=np.nan), by_chance).empty


def test_the_sweep_is_the_share_at_or_above_each_threshold(larger: ScoreArrays):
    measure = Measure(*_SYNTHETIC, 0.2)
    found = matched.sweep_band(larger, Filters(), measure, 0.01)
    assert found is not None
    place = int(np.argmin(np.abs(found.thresholds - 0.2)))
    counts = shares.counts_by_recording(larger, Filters(), measure)
    share = counts["n_high"].sum() / counts["n_scored"].sum()
    assert found.thresholds[place] == pytest.approx(0.2)
    assert found.band.estimate[place] == pytest.approx(share)
    assert (np.diff(found.band.estimate) <= 0).all()


def _counts(rows: list[tuple[str, str, str, int, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["child_id", "recording_id", "grp", "n_scored", "n_high"])
    return frame.assign(age_days=[300.0 + 10 * place for place in range(len(frame))])


_SYNTHETIC = ("synthetic", "center", "strict", "max", "raw")
