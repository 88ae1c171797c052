"""The Quality page's counts are those of plain SQL, on every kind of study."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from dashboard.filters import Filters
from dashboard.queries import quality
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.options import store_options
from dashboard.queries.quality import RecordingsOrder
from dashboard.queries.selection import Measure, resolve_measure, scored
from pipeline.schema import UTTERANCE_FLAGS
from tests.dashboard.conftest import VARIANTS, Page
from tests.dashboard.small_store import small_store

CLIP = Measure("clip", "center", "strict", "max", "raw", 0.24)
CLIP_Z = Measure("clip", "center", "strict", "max", "z", 2.0)
EVERYTHING = Filters()


@pytest.fixture(scope="module")
def small() -> duckdb.DuckDBPyConnection:
    with small_store() as con:
        yield con


def by_child(rows: pd.DataFrame, column: str) -> dict[str, int]:
    return {str(k): int(v) for k, v in zip(rows["child_id"], rows[column], strict=True)}


def test_counts_by_child_can_be_worked_out_by_hand(small):
    rows = quality.counts_by_child(ScoreArrays(small), EVERYTHING, CLIP)
    assert by_child(rows, "n") == {"A": 4, "B": 2}
    assert by_child(rows, "n_scored") == {"A": 3, "B": 1}
    assert by_child(rows, "n_short") == {"A": 1, "B": 0}
    assert by_child(rows, "n_unknown_speaker") == {"A": 0, "B": 1}
    assert by_child(rows, "n_flagged") == {"A": 1, "B": 0}
    assert by_child(rows, "flag_low_confidence") == {"A": 1, "B": 0}
    assert by_child(rows, "missing_no_frame_in_window") == {"A": 1, "B": 0}
    assert by_child(rows, "missing_not_scored") == {"A": 0, "B": 1}
    assert by_child(rows, "missing_no_null") == {"A": 0, "B": 0}
    z = quality.counts_by_child(ScoreArrays(small), EVERYTHING, CLIP_Z)
    assert by_child(z, "missing_no_null") == {"A": 0, "B": 1}


@pytest.mark.parametrize(
    "filters",
    [
        EVERYTHING,
        Filters(children=("C01", "C02"), speakers=("FEM",)),
        Filters(min_words=3, without_flags=("low_confidence",)),
        Filters(window="2s", statistic="mean", scale="z"),
        Filters(window="-3+1"),
    ],
)
def test_counts_agree_with_the_plain_tables_and_with_the_overview(store, filters):
    measure = resolve_measure(filters, store_options(store).models)
    rows = quality.counts_by_child(ScoreArrays(store), filters, measure)
    base = scored(filters, measure)
    missing = dict(
        store.execute(
            f"SELECT missing_reason, count(*) FROM ({base.sql}) WHERE missing_reason IS NOT NULL "
            "GROUP BY 1",
            dict(base.params),
        ).fetchall()
    )
    for reason in quality.REASONS:
        assert int(rows[f"missing_{reason}"].sum()) == missing.get(reason, 0), reason
    assert int(rows["n"].sum() - rows["n_scored"].sum()) == sum(missing.values())


def test_marks_and_short_utterances_agree_with_the_table_of_utterances(store):
    measure = resolve_measure(EVERYTHING, store_options(store).models)
    rows = quality.counts_by_child(ScoreArrays(store), EVERYTHING, measure)
    for flag in UTTERANCE_FLAGS:
        (n,) = store.execute(
            "SELECT count(*) FROM utterances WHERE list_contains(flags, $flag)", {"flag": flag}
        ).fetchone()
        assert int(rows[f"flag_{flag}"].sum()) == n, flag
    (n_short,) = store.execute(
        "SELECT count(*) FROM utterances WHERE offset_ms - onset_ms < 1000"
    ).fetchone()
    assert int(rows["n_short"].sum()) == n_short


def test_bins_of_confidence_hold_every_utterance_that_has_one(store):
    measure = resolve_measure(EVERYTHING, store_options(store).models)
    bins = quality.confidence_bins(ScoreArrays(store), EVERYTHING, measure)
    values = store.execute(
        "SELECT mean_logprob FROM utterances WHERE mean_logprob IS NOT NULL"
    ).fetchall()
    assert int(bins["n"].sum()) == len(values) > 0
    for start, n in zip(bins["bin_start"], bins["n"], strict=True):
        low = -100.0 if start <= quality.LOWEST_LOGPROB else start
        inside = [v for (v,) in values if low <= v + 1e-6 and v + 1e-6 < start + 0.1]
        assert n == len(inside), start


def test_very_low_confidence_counts_in_the_lowest_bin(small):
    small.execute("BEGIN")
    small.execute("UPDATE scores_wide SET mean_logprob = -9 WHERE utterance_id = 'u2'")
    bins = quality.confidence_bins(ScoreArrays(small), EVERYTHING, CLIP)
    small.execute("ROLLBACK")
    assert dict(zip(bins["bin_start"].round(2), bins["n"], strict=True)) == {-2.0: 1, -0.2: 4}


def test_coverage_by_speaker_labels_follows_child_and_speaker(store):
    sql = """SELECT count(*) FROM utterances WHERE speaker_overlap IS NOT NULL
             AND child_id = 'C01' AND speaker = 'FEM'"""
    (n,) = store.execute(sql).fetchone()
    bins = quality.overlap_bins(store, ("C01",), ("FEM",))
    assert int(bins["n"].sum()) == n > 0
    assert bins["bin_start"].between(0, 0.95 + 1e-9).all()


def test_recordings_are_paged_sorted_and_counted(store):
    measure = resolve_measure(EVERYTHING, store_options(store).models)
    found = quality.recordings_page(store, EVERYTHING, measure, RecordingsOrder())
    assert list(found.rows["recording_id"]) == sorted(found.rows["recording_id"])
    assert found.n_recordings == len(found.rows) == 8
    for sort in quality.SORTS:
        rows = quality.recordings_page(
            store, EVERYTHING, measure, RecordingsOrder(sort, is_descending=True)
        ).rows
        values = list(rows[sort].dropna())
        assert values == sorted(values, reverse=True), sort
    empty = quality.recordings_page(store, EVERYTHING, measure, RecordingsOrder(page=9))
    assert empty.rows.empty


def test_a_recording_without_frames_or_speech_is_listed_with_what_it_lacks(small):
    rows = quality.recordings_page(small, EVERYTHING, CLIP, RecordingsOrder()).rows
    rows = rows.set_index("recording_id")
    assert list(rows["n_utterances"]) == [3, 1, 2]
    assert list(rows["n_scored"]) == [2, 1, 1]
    assert rows.loc["r1", "share_unscored"] == pytest.approx(1 / 3)
    assert rows.loc["r1", "language"] == "en"
    assert rows.loc["r1", "first_utterance_id"] == "u1"
    assert list(rows["n_notices"]) == [1, 0, 0]
    only_chi = quality.recordings_page(
        small, Filters(speakers=("CHI",)), CLIP, RecordingsOrder()
    ).rows.set_index("recording_id")
    assert list(only_chi["n_utterances"]) == [1, 0, 0]


def test_processed_recordings_are_counted(small):
    counts = quality.processed_counts(small, EVERYTHING)
    assert (counts.n_recordings, counts.total_ms, counts.n_failed) == (3, 100_000, 1)
    assert quality.processed_counts(small, Filters(children=("B",))).n_recordings == 1


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_page_shows_every_kind_of_study(open_page: Page, variant: str):
    app = open_page("quality", variant)
    for part, n_metrics in (("utterances", 4), ("speech", 0), ("recordings", 4)):
        app.query_params["part"] = part
        app.run()
        assert not app.exception
        assert not app.error
        assert app.title[0].value == "Quality"
        assert len(app.metric) == n_metrics


def test_the_recordings_part_says_what_failed_and_what_to_know(open_page: Page):
    app = open_page("quality", part="recordings")
    frames = [frame.value for frame in app.dataframe]
    assert list(frames[0]["Recording"]) == [f"rec0{n}" for n in range(1, 9)]
    assert set(frames[1]["recording_id"]) == {"rec98", "rec99"}
    assert "2 frames could not be decoded" in frames[2]["notice"].iloc[0]
    app.toggle(key="quality_descending").set_value(True).run()
    assert app.dataframe[0].value["Recording"].iloc[0] == "rec08"


def test_filters_that_leave_nothing_end_kindly(open_page: Page):
    app = open_page("quality", child=["C01"], words="90")
    assert not app.exception
    assert "No utterance matches these filters" in app.info[0].value
