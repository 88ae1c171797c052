"""Queries against numbers worked out by hand (see small_store)."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import summaries
from dashboard.filters import Filters
from dashboard.queries import comparing, lags, missing, shares
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.options import check_schema, store_options
from dashboard.queries.selection import Measure, Query, resolve_measure, scored, where
from pipeline.errors import StoreError
from tests.dashboard.small_store import small_store

MEASURE = Measure("clip", "center", "strict", "max", "raw", 0.24)
MULTI = MEASURE.under(crop="multi", window="strict", statistic="max")


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return small_store()


@pytest.fixture(autouse=True, scope="module")
def _thresholds_are_exact(con: duckdb.DuckDBPyConnection) -> None:
    # .24 as a 32-bit number is a little below .24; the store keeps 32 bits.
    con.execute("UPDATE scores_wide SET center_strict_max_cosine = 0.2401 WHERE utterance_id='u4'")


def _some(*names: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sets(st.sampled_from(names)).map(lambda chosen: tuple(sorted(chosen)))


def _chosen(con: duckdb.DuckDBPyConnection, filters: Filters) -> list[str]:
    base = scored(filters, MEASURE)
    rows = Query(f"SELECT utterance_id FROM ({base.sql}) ORDER BY 1", base.params).frame(con)
    return list(rows["utterance_id"])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), "u1 u2 u3 u4 u5 u6"),
        (Filters(children=("B",)), "u5 u6"),
        (Filters(speakers=("CHI", "MAL")), "u3 u4"),
        (Filters(min_age_days=300, max_age_days=399), "u1 u2 u3"),
        (Filters(min_age_days=0), "u1 u2 u3 u4"),
        (Filters(min_words=5), "u5 u6"),
        (Filters(without_flags=("low_confidence",)), "u1 u3 u4 u5 u6"),
        (Filters(min_logprob=-1.0), "u1 u3 u4 u5 u6"),
        (Filters(activities=("meal",)), "u1"),
        (Filters(locations=("garden",)), "u2 u3"),
        (Filters(languages=("en",), speakers=("FEM",), children=("A",)), "u1 u2"),
        (Filters(languages=("fr",)), ""),
        (Filters(heard=("heard_only",)), "u2 u5"),
        (Filters(heard=("heard_only", "seen_and_heard"), speakers=("FEM",)), "u1 u2"),
        (Filters(heard=("neither",), children=("B",)), ""),
    ],
)
def test_each_filter_chooses_the_right_utterances(con, filters: Filters, expected: str):
    assert _chosen(con, filters) == expected.split()


@given(
    filters=st.builds(
        Filters,
        children=_some("A", "B", "elsewhere"),
        speakers=_some("FEM", "CHI", "MAL", "OCH", "NA"),
        activities=_some("meal", "play"),
        locations=_some("garden", "kitchen"),
        languages=_some("en", "fr"),
        without_flags=_some("low_confidence", "overlapping"),
        min_age_days=st.none() | st.sampled_from([0, 300, 301, 400]),
        max_age_days=st.none() | st.sampled_from([0, 300, 399, 9_000]),
        min_words=st.integers(0, 6),
        min_logprob=st.none() | st.sampled_from([-2.0, -1.0, -0.2, 0.0]),
    )
)
def test_arrays_in_memory_choose_what_the_database_chooses(con, filters: Filters):
    condition = where(filters)
    sql = f"SELECT utterance_number FROM scores_wide WHERE scorer = 'clip' AND {condition.sql}"
    found = con.execute(sql, dict(condition.params)).fetchall()
    chosen = ScoreArrays(con).chosen(filters, "clip")
    assert chosen.tolist() == sorted(number for (number,) in found)


def test_values_are_bound_and_cannot_change_the_query(con):
    assert _chosen(con, Filters(children=("A') OR TRUE --",))) == []


def test_totals_count_hours_by_recording_and_utterances_by_filter(con):
    found = shares.totals(con, Filters(speakers=("FEM",)))
    assert found == shares.Totals(2, 3, 100_000)
    assert shares.totals(con, Filters(children=("A",))) == shares.Totals(1, 2, 90_000)
    assert shares.totals(con, Filters(min_age_days=350)) == shares.Totals(1, 1, 30_000)


def test_counts_have_scored_utterances_as_their_denominator(con):
    rows = shares.counts_by_recording(ScoreArrays(con), Filters(), MEASURE).set_index(
        "recording_id"
    )
    assert list(rows["n_utterances"]) == [3, 1, 2]
    assert list(rows["n_scored"]) == [2, 1, 1]
    assert list(rows["n_high"]) == [1, 1, 0]
    assert rows.loc["r1", "sum_score"] == pytest.approx(0.50)
    assert rows.loc["r1", "sum_sq"] == pytest.approx(0.13)


def test_counts_can_be_split_and_keep_what_has_no_group(con):
    by_speaker = shares.counts_by_recording(ScoreArrays(con), Filters(), MEASURE, "speaker")
    found = {(r.recording_id, r.grp): r.n_scored for r in by_speaker.itertuples()}
    assert found == {
        ("r1", "FEM"): 2,
        ("r1", "CHI"): 0,
        ("r2", "MAL"): 1,
        ("r3", "NA"): 1,
        ("r3", "FEM"): 0,
    }
    by_place = shares.counts_by_recording(ScoreArrays(con), Filters(), MEASURE, "location")
    assert by_place["grp"].isna().sum() == 2
    by_age = shares.counts_by_recording(ScoreArrays(con), Filters(), MEASURE, "age")
    assert set(by_age["grp"].dropna()) == {"1", "2"}


def test_bins_hold_every_scored_utterance_once(con):
    rows = shares.score_bins(ScoreArrays(con), Filters(), MEASURE, 0.01)
    found = {(r.child_id, round(r.bin_start, 3)): r.n for r in rows.itertuples()}
    assert found == {("A", 0.20): 1, ("A", 0.24): 1, ("A", 0.30): 1, ("B", 0.10): 1}


def test_null_cells_weigh_the_scored_utterances_that_have_a_null(con):
    rows = shares.null_cells(ScoreArrays(con), Filters(), MEASURE)
    assert list(rows["child_id"]) == ["A"]
    assert rows["n"].iloc[0] == 3
    assert rows["null_mean"].iloc[0] == pytest.approx(0.20)
    assert rows["null_sd"].iloc[0] == pytest.approx(0.02)


def test_the_null_of_z_is_standard_and_that_of_the_mean_cosine_is_unknown(con):
    z = Measure("clip", "center", "strict", "max", "z", 2.0)
    rows = shares.null_cells(ScoreArrays(con), Filters(), z)
    assert rows[["n", "null_mean", "null_sd"]].values.tolist() == [[3, 0, 1]]
    mean = MEASURE.under(crop="center", window="strict", statistic="mean")
    assert len(shares.null_cells(ScoreArrays(con), Filters(), mean)) == 0


def test_the_mean_over_frames_is_another_score(con):
    mean = MEASURE.under(crop="center", window="strict", statistic="mean")
    rows = shares.counts_by_recording(ScoreArrays(con), Filters(), mean).set_index("recording_id")
    assert rows.loc["r1", "sum_score"] == pytest.approx(0.45)


def test_every_missing_score_has_its_reason(con):
    rows = shares.counts_by_recording(ScoreArrays(con), Filters(), MEASURE)
    assert summaries.missing_by_reason(rows) == {"no_frame_in_window": 1, "not_scored": 1}
    z = Measure("clip", "center", "strict", "max", "z", 2.0)
    rows = shares.counts_by_recording(ScoreArrays(con), Filters(), z)
    assert summaries.missing_by_reason(rows) == {
        "no_frame_in_window": 1,
        "not_scored": 1,
        "no_null": 1,
    }
    assert (rows["n_utterances"] - rows["n_scored"]).sum() == 3


def test_failures_and_notices_are_listed(con):
    assert missing.failures(con).values.tolist() == [["speech", "r9", "no audio", "import", 1]]
    assert missing.notices(con).values.tolist() == [["r1", "one frame was left out", 1]]


def test_pairs_are_utterances_scored_under_both(con):
    rows = comparing.paired_counts(ScoreArrays(con), Filters(), MEASURE, MULTI).set_index(
        "recording_id"
    )
    assert list(rows["n_both"]) == [2, 1, 1]
    assert list(rows["high_a"]) == [1, 1, 0]
    assert list(rows["high_b"]) == [2, 0, 0]
    assert list(rows["gained"]) == [1, 0, 0]
    assert list(rows["lost"]) == [0, 1, 0]
    assert rows.loc["r1", "sum_difference"] == pytest.approx(0.06, abs=1e-6)
    assert rows.loc["r1", "sum_sq_difference"] == pytest.approx(0.0026, abs=1e-6)


def test_equal_scores_are_told_apart_from_small_differences(con):
    rows = comparing.difference_bins(ScoreArrays(con), Filters(), MEASURE, MULTI, 0.01)
    assert rows["n"].sum() == 4
    assert rows.loc[rows["is_equal"], "n"].tolist() == [1]


def test_changed_moments_name_the_utterance_and_the_direction(con):
    rows = comparing.changed_moments(con, ScoreArrays(con), Filters(), MEASURE, MULTI)
    assert rows[["change", "utterance_id"]].values.tolist() == [["gained", "u2"], ["lost", "u4"]]
    assert rows["difference"].tolist() == pytest.approx([0.05, -0.0201], abs=1e-6)


def test_settings_on_different_scales_are_not_compared(con):
    z = Measure("clip", "multi", "strict", "max", "z", 2.0)
    with pytest.raises(ValueError, match="must share"):
        comparing.paired_counts(ScoreArrays(con), Filters(), MEASURE, z)


def test_the_lag_profile_takes_utterances_of_one_frame_with_their_own_chance(con):
    sums = lags.lag_sums(con, Filters(), MEASURE, "center")
    rows = lags.lag_profile(sums).set_index("lag_s")
    assert list(rows.index) == [-1, 0, 2]
    assert rows["cosine"].tolist() == pytest.approx([0.10, 0.30, 0.18])
    assert rows["baseline"].tolist() == pytest.approx([0.20, 0.20, 0.20])
    assert rows["n_at_lag"].tolist() == [1, 1, 1]
    # u1 and u4; one recording each holds no spread.
    assert (sums.n, sums.n_all, sums.recordings) == (2, 3, ("r1", "r2"))
    assert lags.lag_sums(con, Filters(), MEASURE, "center", "high").n == 2
    none = lags.lag_sums(con, Filters(speakers=("CHI",)), MEASURE, "center")
    assert none.n == 0


def test_two_crops_are_compared_by_lag_on_the_same_utterances(con):
    first, second = (lags.lag_sums(con, Filters(), MEASURE, crop) for crop in ("center", "center"))
    rows = lags.lag_difference(first, second)
    assert rows["difference"].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="same utterances"):
        lags.lag_difference(first, lags.lag_sums(con, Filters(children=("B",)), MEASURE, "center"))


def test_options_are_what_the_store_holds(con):
    options = store_options(con)
    assert options.children == ("A", "B")
    assert options.activities == ("meal", "play")
    assert (options.min_age_days, options.max_age_days) == (300, 400)
    assert options.flags == ("low_confidence",)
    assert options.splits == ("none", "speaker", "age", "activity", "location")
    assert [model.scorer for model in options.models] == ["clip", "other"]


def test_a_model_without_threshold_is_judged_on_the_z_scale(con):
    models = store_options(con).models
    assert resolve_measure(Filters(), models) == Measure(
        "clip", "center", "strict", "max", "raw", 0.24, "model"
    )
    other = resolve_measure(Filters(scorer="other"), models)
    assert (other.scale, other.threshold, other.threshold_origin) == ("z", 2.0, "no_default")
    chosen = resolve_measure(Filters(scorer="other", threshold=0.3), models)
    assert (chosen.scale, chosen.threshold, chosen.threshold_origin) == ("raw", 0.3, "chosen")


def test_a_store_of_another_version_is_refused():
    con = small_store()
    check_schema(con, "store-b.duckdb")
    con.execute("UPDATE store_info SET schema_version = 99")
    with pytest.raises(StoreError, match=r"store-b\.duckdb has tables of version 99"):
        check_schema(con, "store-b.duckdb")
    with pytest.raises(StoreError, match="is not a Coview store"):
        check_schema(duckdb.connect(), "other.duckdb")
