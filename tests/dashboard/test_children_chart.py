"""Ridges and shares of children: what is drawn is what the frames say."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.children import Group, children_rows
from dashboard.charts.distribution import outline
from dashboard.charts.look import LIGHT
from dashboard.charts.ridges import outlines
from tests.dashboard.conftest import assert_plotly_accepts

WIDTH = 0.01
CHILDREN = pd.DataFrame(
    {
        "child_id": ["B", "A"],
        "label": ["child B", "child A"],
        "chance": [math.nan, 0.1],
        "share": [0.2, 0.4],
        "low": [0.1, math.nan],
        "high": [0.35, math.nan],
        "n_scored": [2_000, 4],
    }
)
BINS = pd.DataFrame(
    {"child_id": ["A", "A", "B"], "bin_start": [0.2, 0.23, 0.21], "n": [1, 3, 2_000]}
)
ALL = (Group("", "All speech", "#336699"),)
SPEAKERS = (Group("FEM", "Female adult", "#336699"), Group("CHI", "Key child", "#993366"))


def drawn(children: pd.DataFrame, bins: pd.DataFrame, shares: pd.DataFrame, groups=ALL) -> dict:
    chart = children_rows(
        children,
        bins,
        shares,
        groups=groups,
        width=WIDTH,
        threshold=0.24,
        axis_title="Cosine",
        look=LIGHT,
    )
    assert_plotly_accepts(json.loads(json.dumps(chart.to_dict())))
    return {"layout": chart.layout, "data": chart.data}


@given(
    st.lists(st.sets(st.integers(-40, 40), min_size=1, max_size=9), min_size=1, max_size=5).flatmap(
        lambda bins: st.tuples(st.just(bins), st.randoms(use_true_random=False))
    )
)
def test_outlines_of_many_are_those_of_each(asked) -> None:
    bins, random = asked
    rows = [(code, place) for code, places in enumerate(bins) for place in places]
    random.shuffle(rows)
    child, place = np.array(rows, np.int64).T
    starts, shares = 0.3 + WIDTH * place, 1.0 / (1 + np.arange(len(rows)))
    x, heights, ends = outlines(child, starts, shares, WIDTH)
    for code in range(len(bins)):
        first, last, gap = ends[3 * code : 3 * code + 3]
        own_x, own_heights = outline(starts[child == code], shares[child == code], WIDTH)
        np.testing.assert_allclose(x[first : last + 1], own_x, atol=1e-12)
        np.testing.assert_allclose(heights[first : last + 1], own_heights)
        assert gap == last + 1
        assert np.isnan([x[gap], heights[gap]]).all()
    assert len(x) == ends[-1] + 1


def test_a_ridge_stands_on_its_child_and_the_highest_is_four_fifths_high() -> None:
    base, line = drawn(CHILDREN, BINS, CHILDREN)["data"][:2]
    # A first, as among the bins: at place 1, with an empty bin at each end and a hole.
    assert line["x"] == pytest.approx(
        [*(0.195, 0.205, 0.215, 0.225, 0.235, 0.245), math.nan, 0.205, 0.215, 0.225, math.nan],
        nan_ok=True,
    )
    assert line["hovertext"] == pytest.approx(
        [0, 25, 0, 0, 75, 0, math.nan, 0, 100, 0, math.nan], nan_ok=True
    )
    assert line["y"] == pytest.approx(
        [1, 1.2, 1, 1, 1.6, 1, math.nan, 0, 0.8, 0, math.nan], nan_ok=True
    )
    assert base["x"] == pytest.approx([0.195, 0.245, math.nan, 0.205, 0.225, math.nan], nan_ok=True)
    assert base["y"] == pytest.approx([1, 1, math.nan, 0, 0, math.nan], nan_ok=True)


def test_dots_stand_beside_the_ridges_with_interval_and_number() -> None:
    chance, dots = drawn(CHILDREN, BINS, CHILDREN)["data"][2:]
    assert (chance["x"], chance["y"]) == (pytest.approx([10]), [1.2])
    assert (dots["x"], dots["y"]) == (pytest.approx([20, 40]), pytest.approx([0.2, 1.2]))
    assert dots["error_x"]["arrayminus"] == pytest.approx([10, 0])
    assert dots["error_x"]["array"] == pytest.approx([15, 0])
    assert dots["customdata"] == [["B", 2_000], ["A", 4]]
    assert dots["hovertext"] == ["95 %: 10.0 to 35.0 %", "no interval"]


def test_the_dots_of_a_split_are_apart_and_groups_without_any_are_left_out() -> None:
    shares = CHILDREN.assign(grp=["CHI", "FEM"], child_id="A")
    female, child = drawn(CHILDREN, BINS, shares, SPEAKERS)["data"][3:]
    assert (female["name"], child["name"]) == ("Female adult", "Key child")
    assert (female["y"], child["y"]) == (pytest.approx([1.48]), pytest.approx([0.92]))
    assert (female["x"], child["x"]) == (pytest.approx([40]), pytest.approx([20]))
    only = drawn(CHILDREN, BINS, shares[:1], SPEAKERS)["data"][3:]
    assert [trace["name"] for trace in only] == ["Key child"]


def test_children_without_a_score_have_no_ridge() -> None:
    children = CHILDREN.assign(chance=math.nan, share=math.nan, n_scored=0)
    chart = drawn(children, BINS[:0], children)
    assert [len(trace["x"]) for trace in chart["data"]] == [0, 0, 2]
    assert chart["layout"]["showlegend"] is False
