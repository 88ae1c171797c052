"""Charts are plain dictionaries: they must be what Plotly's own Figure would send."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io
import pytest

from dashboard.charts.chart import Chart
from dashboard.charts.look import LIGHT, figure, wrapped
from tests.dashboard.conftest import assert_plotly_accepts


def sent(chart: Chart) -> dict:
    return json.loads(plotly.io.to_json(chart.to_dict(), validate=False))


def test_arrays_are_sent_as_plotly_sends_them():
    rows = pd.DataFrame({"x": [1.5, math.nan, 3.0], "n": [1, 200, 70_000], "who": ["a", None, "c"]})
    trace = {
        "x": rows["x"],
        "y": rows["n"],
        "text": rows["who"],
        "customdata": rows[["x", "n"]],
        "hovertext": ["a", "b", math.nan],
        "marker": {"size": np.array([1, 2, 3], np.float32)},
    }
    chart = Chart({})
    chart.add_scatter(**trace)
    ours = sent(chart)["data"][0]
    theirs = json.loads(go.Figure(go.Scatter(**trace)).to_json())["data"][0]
    assert ours["x"] == theirs["x"]
    assert ours["marker"] == theirs["marker"]
    assert ours["customdata"] == theirs["customdata"]
    assert ours["text"] == ["a", None, "c"]
    assert ours["hovertext"] == ["a", "b", None]
    # Plotly takes the narrowest integers; four bytes hold them all.
    assert ours["y"]["dtype"] == "i4"
    assert_plotly_accepts(sent(chart))


def test_empty_and_large_numbers_are_sent_as_lists():
    chart = Chart({})
    chart.add_bar(x=np.zeros(0), y=np.array([2**40]))
    assert sent(chart)["data"] == [{"type": "bar", "x": [], "y": [2**40]}]


def test_layout_keeps_what_an_update_does_not_name():
    chart = figure(LIGHT, height_px=100, x_title="Age (months)")
    chart.update_layout(xaxis={"range": [0, 1]}, xaxis2={"title": {"text": "Share"}})
    chart.update_xaxes(dtick=2)
    assert chart.axis_title("xaxis") == "Age (months)"
    assert chart.axis_title("xaxis2") == "Share"
    assert chart.axis_title("yaxis3") == ""
    chart.update_xaxes(title={"text": "Age<br>(months)"})
    assert chart.axis_title("xaxis") == "Age (months)"
    layout = sent(chart)["layout"]
    assert layout["xaxis"]["range"] == [0, 1]
    assert [layout[name]["dtick"] for name in ("xaxis", "xaxis2")] == [2, 2]
    assert "dtick" not in layout["yaxis"]
    assert "dtick" not in sent(figure(LIGHT, height_px=100, x_title=""))["layout"]["xaxis"]


def test_a_property_that_plotly_does_not_know_fails_the_tests():
    chart = figure(LIGHT, height_px=100, x_title="")
    chart.add_scatter(x=[1], y=[1], colour="red")
    with pytest.raises(ValueError, match="colour"):
        assert_plotly_accepts(sent(chart))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Change of the match", "Change of the match"),
        ("Maximum cosine of words and frames", "Maximum cosine of<br>words and frames"),
        ("Supercalifragilisticexpialidocious", "Supercalifragilisticexpialidocious"),
        ("As it was<br>wrapped already by hand", "As it was<br>wrapped already by hand"),
    ],
)
def test_long_texts_are_broken_near_their_middle(text: str, lines: str):
    assert wrapped(text, 20) == lines
