"""From counts to the numbers on screen."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from dashboard import labels, summaries
from pipeline.stats import histogram


def _counts(rows: list[tuple[str, str, str, int, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["child_id", "recording_id", "grp", "n_scored", "n_high"])
    return frame.assign(
        n_utterances=frame["n_scored"] + 1,
        sum_score=0.2 * frame["n_scored"],
        sum_sq=0.05 * frame["n_scored"],
        age_days=[300 + 10 * i for i in range(len(frame))],
    )


COUNTS = _counts(
    [
        ("A", "r1", "FEM", 10, 2),
        ("A", "r1", "MAL", 10, 4),
        ("A", "r2", "FEM", 20, 2),
        ("B", "r3", "FEM", 50, 25),
    ]
)


def test_the_overall_share_pools_utterances_and_clusters_by_recording():
    share = summaries.overall_share(COUNTS)
    assert share.estimate == pytest.approx(33 / 90)
    assert (share.n, share.n_clusters, share.n_fixed) == (90, 3, 1)


def test_shares_by_child_sum_groups_before_drawing_recordings():
    rows = summaries.shares_by(COUNTS, ["child_id"]).set_index("child_id")
    assert rows.loc["A", "share"] == pytest.approx(8 / 40)
    assert rows.loc["A", "n_recordings"] == 2
    assert rows.loc["A", "low"] < 0.2 < rows.loc["A", "high"]
    assert math.isnan(rows.loc["B", "low"])
    assert rows.loc["A", "n_utterances"] == 43


def test_shares_by_group_leave_out_what_has_no_group():
    counts = pd.concat([COUNTS, _counts([("A", "r1", None, 5, 5)])])
    rows = summaries.shares_by(counts, ["child_id", "grp"])
    assert rows[["child_id", "grp", "n_scored"]].values.tolist() == [
        ["A", "FEM", 30],
        ["A", "MAL", 10],
        ["B", "FEM", 50],
    ]


def test_the_expected_distribution_holds_all_utterances():
    cells = pd.DataFrame({"child_id": ["A"], "n": [50], "null_mean": [0.2], "null_sd": [0.02]})
    bins = pd.DataFrame({"bin_start": [0.15, 0.25], "n": [20, 30]})
    expected = histogram.expected_bins(cells, bins, 0.01)
    assert expected["n"].sum() == pytest.approx(50, rel=0.01)
    assert expected["share"].sum() == pytest.approx(1, rel=0.01)
    assert histogram.expected_bins(cells.iloc[:0], bins, 0.01).empty
    assert summaries.chance_share(cells, 0.2) == pytest.approx(0.5)
    assert math.isnan(summaries.chance_share(cells.iloc[:0], 0.2))


@pytest.mark.parametrize(
    ("spread", "n", "width"),
    [(0.03, 10_000, 0.005), (0.2, 500, 0.05), (1.0, 500, 0.25), (0.0, 500, 0.005)],
)
def test_bins_suit_the_spread_of_the_scores(spread: float, n: int, width: float):
    assert histogram.nice_width(spread, n) == pytest.approx(width)


def test_the_sweep_falls_from_all_to_none():
    cells = pd.DataFrame({"child_id": ["A"], "n": [4], "null_mean": [0.2], "null_sd": [0.02]})
    bins = pd.DataFrame(
        {"child_id": ["A", "A", "B"], "bin_start": [0.20, 0.24, 0.24], "n": [2, 1, 1]}
    )
    sweep = histogram.threshold_sweep(bins, cells, 0.02)
    assert sweep["threshold"].tolist() == pytest.approx([0.20, 0.22, 0.24, 0.26])
    assert sweep["share"].tolist() == pytest.approx([1, 0.5, 0.5, 0])
    assert sweep["chance"].iloc[0] == pytest.approx(0.5)
    assert histogram.threshold_sweep(bins.iloc[:0], cells, 0.02).empty


def test_a_change_of_share_is_paired():
    paired = pd.DataFrame(
        {
            "child_id": ["A", "A"],
            "recording_id": ["r1", "r2"],
            "n_both": [10, 10],
            "high_a": [2, 4],
            "high_b": [4, 6],
            "gained": [3, 2],
            "lost": [1, 0],
            "sum_difference": [0.5, 0.1],
            "sum_sq_difference": [0.05, 0.05],
        }
    )
    change = summaries.share_change(paired)
    assert change.estimate == pytest.approx(0.2)
    assert (change.low, change.high) == pytest.approx((0.2, 0.2))
    assert summaries.mean_difference(paired).estimate == pytest.approx(0.03)
    assert summaries.difference_width(paired) == pytest.approx(0.02)
    row = summaries.paired_shares(paired).iloc[0]
    assert (row["share_a"], row["share_b"]) == pytest.approx((0.3, 0.5))
    assert (row["gained"], row["lost"]) == (5, 1)


def test_children_are_ordered_by_share_and_the_marked_one_is_underlined():
    rows = summaries.shares_by(COUNTS, ["child_id"])
    chance = pd.DataFrame({"child_id": ["A"], "chance": [0.1]})
    ordered = summaries.children_in_order(rows, chance, marked="B")
    assert ordered["child_id"].tolist() == ["A", "B"]
    assert "<u>B</u>" in ordered["label"].iloc[1]
    assert "<u>" not in ordered["label"].iloc[0]
    assert math.isnan(ordered["chance"].iloc[1])


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (labels.percent(0.1264), "12.6 %"),
        (labels.percent(math.nan), "–"),
        (labels.percent_range(math.nan, 1.0), "–"),
        (labels.hours(1_800_000), "30 min"),
        (labels.hours(5_400_000), "1.5 h"),
        (labels.clock(754_500), "12:34.5"),
        (labels.clock(3_754_500), "1:02:34.5"),
        (labels.plural(1, "child"), "1 child"),
        (labels.plural(1200, "child"), "1,200 children"),
        (labels.age_range(200, 280), "6.6–9.2 months"),
        (labels.age_range(None, None), "age unknown"),
    ],
)
def test_numbers_are_written_as_in_a_paper(shown: str, expected: str):
    assert shown == expected
