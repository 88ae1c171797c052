"""Every chart has the table behind it and can be saved; the table holds what is drawn."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboard.charts.look import DARK, LIGHT, Chart, figure
from dashboard.charts.printed import drawn_values, print_colours
from dashboard.charts.readable import readable
from dashboard.components.chips import filters_in_words
from dashboard.figure_scripts import SCRIPTS_PATH, figure_routes
from dashboard.filters import Filters
from tests.dashboard.conftest import Page

PAGES = ("", "children", "compare_windows", "quality", "moments")


def chart() -> Chart:
    return figure(LIGHT, height_px=100, x_title="Age (months)", y_title="Share (%)")


def test_the_table_names_axes_and_series_and_the_ends_of_error_bars():
    drawn = chart()
    drawn.add_scatter(
        x=[1, 2],
        y=[10.0, 20.0],
        name="A",
        error_y={"type": "data", "array": [1.0, 2.0], "arrayminus": [0.5, 4.0]},
    )
    drawn.add_bar(x=[3], y=[30.0], name="B")
    table = drawn_values(drawn)
    assert list(table["Series"]) == ["A", "A", "B"]
    assert list(table["Age (months)"]) == [1, 2, 3]
    assert list(table["Share (%)"]) == [10, 20, 30]
    assert list(table["Share (%): lower limit"][:2]) == [9.5, 16.0]
    assert list(table["Share (%): upper limit"][:2]) == [11.0, 22.0]
    assert pd.isna(table["Share (%): upper limit"].iloc[2])


def test_the_table_of_a_map_of_values_has_a_row_for_each_cell():
    drawn = chart()
    drawn.add_heatmap(
        x=[0.1, 0.2, 0.3], y=[1, 2], z=[[1, 2, 3], [4, np.nan, 6]], colorbar={"title": "n"}
    )
    table = drawn_values(drawn)
    cells = {(row["Age (months)"], row["Share (%)"]): row["n"] for _, row in table.iterrows()}
    assert cells == {(0.1, 1): 1, (0.2, 1): 2, (0.3, 1): 3, (0.1, 2): 4, (0.3, 2): 6}


def test_lines_that_only_decorate_and_series_without_names_take_no_room():
    drawn = chart()
    drawn.add_scatter(x=[0, 1], y=[0, 0], hoverinfo="skip")
    drawn.add_scatter(x=[1], y=[2])
    assert list(drawn_values(drawn).columns) == ["Age (months)", "Share (%)"]
    assert len(drawn_values(drawn)) == 1
    assert drawn_values(chart()).empty


def test_every_colour_of_the_dark_page_has_one_on_paper():
    colours = print_colours(DARK)
    assert print_colours(LIGHT) == {}
    assert colours["230,231,233"] == "38,41,46"
    assert colours["20,23,27"] == "255,255,255"
    dark = {part.strip() for part in DARK.categories}
    for colour in dark:
        triple = ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
        assert triple in colours


def test_readable_columns_keep_their_order_and_leave_out_what_is_not_there():
    rows = pd.DataFrame({"n": [1], "child_id": ["A"], "other": [2]})
    assert list(readable(rows, "child_id", "chance", "n").columns) == ["Child", "Utterances"]
    assert list(readable(rows, "n", n="Number").columns) == ["Number"]


def test_filters_are_said_in_words():
    assert filters_in_words(Filters()) == "all of the study"
    words = filters_in_words(Filters(children=("C01",), min_words=2))
    assert words == "Child: C01; At least 2 words"


@pytest.mark.parametrize("page", PAGES)
def test_every_chart_of_a_page_has_its_tools_and_sends_no_table_before_it_is_asked(
    open_page: Page, page: str
):
    app = open_page(page, child=["C01", "C02"])
    assert not app.exception
    charts = app.get("plotly_chart")
    tools = tools_of(app)
    assert len(charts) == len(tools) > 0
    for tool in tools:
        assert tool["table"] is None
        assert any("Utterances: Child: C01; Child: C02." in line for line in tool["text"])
        assert any("store build synthetic" in line for line in tool["text"])
        assert re.fullmatch(r"[a-z0-9-]+", tool["name"])


def test_the_saved_caption_states_n_model_threshold_and_filters(open_page: Page):
    app = open_page("", speaker=["FEM"], threshold="0.3")
    tool = next(tool for tool in tools_of(app) if tool["chart"] == "distribution")
    caption = " ".join(tool["text"])
    assert tool["title"] == "Scores against chance"
    for part in ("scored utterances", "model synthetic", "0.3 or more (chosen)", "Female adult"):
        assert part in caption
    assert "click" not in caption.lower()


def test_the_library_is_served_from_here_and_may_be_kept():
    client = TestClient(Starlette(routes=figure_routes("base")))
    library = client.get(f"/base{SCRIPTS_PATH}/plotly.min.js")
    assert library.status_code == 200
    assert library.headers["content-type"].startswith("text/javascript")
    assert "immutable" in library.headers["cache-control"]
    assert b"plotly.js v" in library.content[:200]
    picture = client.get(f"/base{SCRIPTS_PATH}/figure_picture.js")
    assert picture.headers["cache-control"] == "no-cache"
    assert "export async function makePicture" in picture.text


def test_pages_load_nothing_of_the_library_by_themselves():
    web = Path(__file__).parents[2] / "dashboard" / "components" / "web"
    assert "plotly" not in (web / "figure_tools.js").read_text().replace(".js-plotly-plot", "")


def tools_of(app) -> list[dict]:
    found = []
    for element in app.get("bidi_component"):
        proto = element.proto
        if proto.component_name == "coview_figure_tools":
            found.append(json.loads(proto.json))
    return found
