"""Every page on stores of every kind, without a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.filters import Filters
from dashboard.queries import shares
from dashboard.warming import warm_up
from tests.dashboard.conftest import APP, VARIANTS, Page
from tests.factories import write_synthetic_study

GROUP_NAMES = {
    "speaker": "Female adult",
    "age": "12–18 months",
    "activity": "meal",
    "location": "kitchen",
}
PAGES = ("overview", "children", "compare_windows")


def _words(app: AppTest) -> str:
    """Everything written on the page."""
    parts = [e.value for kind in (app.title, app.markdown, app.caption, app.info) for e in kind]
    parts += [f"{m.label} {m.value} {m.delta}" for m in app.metric]
    return "\n".join(str(part) for part in parts)


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_every_page_shows_every_kind_of_store(open_page: Page, variant: str):
    app = open_page("", variant)
    for page in PAGES:
        app.switch_page(f"app_pages/{page}.py").run()
        assert not app.exception, page
        assert not app.error, page
        assert len(app.get("plotly_chart")) >= 1, page


def test_the_first_thing_on_the_overview_is_the_answer(open_page: Page, store):
    n, n_high = store.execute(
        "SELECT count(center_strict_max_cosine), "
        "count(*) FILTER (WHERE center_strict_max_cosine >= 0.24) FROM scores_wide"
    ).fetchone()
    app = open_page()
    assert app.title[0].value == "Overview"
    share = f"{100 * n_high / n:.1f} %"
    assert any(f"{share} of utterances are highly aligned" in m.value for m in app.markdown)
    assert app.metric[0].value == share
    assert " to " in app.metric[0].delta
    assert f"{n} scored" in _words(app)


def test_the_published_value_is_not_shown_beside_another_model(open_page: Page):
    words = _words(open_page())
    assert "Tan et al. 2025 report 12.64 %" in words
    assert "cannot be compared" in words


def test_what_is_missing_is_counted_and_explained(open_page: Page):
    app = open_page()
    words = _words(app)
    assert "No sampled frame falls inside the utterance" in words
    assert "2 recordings could not be finished" in words
    assert "rec99.mp4 has no audio track." in app.dataframe[0].value["message"].tolist()


def test_there_is_no_interval_with_one_recording_and_the_page_says_why(open_page: Page):
    app = open_page("", "one recording")
    assert app.metric[0].delta == "no interval"
    assert "no child has two" in _words(app)


def test_there_is_no_chance_level_without_a_null_and_the_page_says_so(open_page: Page):
    app = open_page("", "no null")
    assert app.metric[1].value == "–"
    assert "holds no matched null" in _words(app)
    assert not [c for c in app.get("button_group") if c.label == "Scale"]


def test_a_model_without_threshold_uses_z_and_says_so(open_page: Page):
    app = open_page("", "no threshold")
    assert "z = 2 or more" in _words(app)
    assert "those of other scores do not" in _words(app)


def test_an_address_restores_the_view(open_page: Page):
    app = open_page("", child=["C01"], speaker=["FEM"], window="2s", threshold="0.2")
    words = _words(app)
    assert "from 2 s before to 2 s after" in words
    assert "0.2 or more (chosen)" in words
    assert app.multiselect(key="filter_children").value == ["C01"]
    assert {b.label for b in app.button} >= {"Child: C01", "Speaker: Female adult", "Clear filters"}


def test_a_chip_takes_its_restriction_off_and_out_of_the_address(open_page: Page):
    app = open_page("", child=["C01"], speaker=["FEM"])
    app.button(key="chip_children_C01").click().run()
    assert app.session_state["filters"] == Filters(speakers=("FEM",))
    assert "child" not in app.query_params
    app.button(key="chip_speakers_FEM").click().run()
    assert app.session_state["filters"] == Filters()
    assert not app.query_params


def test_a_choice_in_the_sidebar_goes_to_the_address(open_page: Page):
    app = open_page()
    app.multiselect(key="filter_speakers").select("FEM").run()
    assert app.query_params["speaker"] == "FEM"
    app.number_input(key="filter_threshold").set_value(0.2).run()
    assert app.query_params["threshold"] == "0.2"
    assert app.session_state["filters"] == Filters(speakers=("FEM",), threshold=0.2)
    app.number_input(key="filter_threshold").set_value(0.24).run()
    assert "threshold" not in app.query_params


def test_filters_stay_when_the_page_changes(open_page: Page):
    app = open_page()
    app.multiselect(key="filter_children").select("C02").run()
    app.switch_page("app_pages/children.py").run()
    assert app.multiselect(key="filter_children").value == ["C02"]
    assert app.query_params["child"] == "C02"


def test_junk_in_the_address_shows_everything(open_page: Page):
    app = open_page("", child=["nobody"], crop="round", threshold="NaN", age_from="-1")
    assert not app.exception
    assert app.metric[2].value == "400"


def test_filters_that_leave_nothing_end_kindly(open_page: Page):
    app = open_page("", child=["C01"], words="90")
    for page in PAGES:
        app.switch_page(f"app_pages/{page}.py").run()
        assert not app.exception
        assert "No utterance matches these filters" in app.info[0].value


def test_the_comparison_says_what_changes(open_page: Page):
    app = open_page("compare_windows", b_crop="center", b_window="2s", b_statistic="max")
    words = _words(app)
    assert "± 2 s window instead of strict window" in words
    assert "Gained / lost" in words
    app = open_page("compare_windows", b_crop="center", b_window="strict", b_statistic="max")
    assert "are the same setting" in app.info[0].value


def test_a_comparison_keeps_its_second_setting_in_the_address(open_page: Page):
    app = open_page("compare_windows", b_crop="multi", b_window="1s", b_statistic="mean")
    assert app.query_params["b_crop"] == "multi"
    assert not app.exception


def test_children_can_be_split(open_page: Page):
    app = open_page("children")
    for split in ("speaker", "age", "activity", "location"):
        app.query_params["split"] = split
        app.run()
        assert not app.exception, split
        chart = json.loads(app.get("plotly_chart")[0].proto.spec)
        assert GROUP_NAMES[split] in {trace.get("name") for trace in chart["data"]}


def test_two_children_are_compared_until_that_is_switched_off_and_the_link_says_so(
    open_page: Page,
):
    app = open_page("children")
    assert {"First child", "Second child"} <= {box.label for box in app.selectbox}
    app.toggle(key="choice_pair").set_value(False).run()
    assert not {"First child", "Second child"} & {box.label for box in app.selectbox}
    assert app.query_params["pair"] == "no"
    app.toggle(key="choice_pair").set_value(True).run()
    assert "pair" not in app.query_params


def test_the_opening_page_is_counted_before_anyone_comes(monkeypatch, tmp_path: Path):
    write_synthetic_study(tmp_path, n_utterances=24, n_recordings=2, n_children=1)
    asked: list[str] = []
    count = shares.counts_by_recording

    def counted(*arguments: object, **named: object) -> object:
        asked.append("counts")
        return count(*arguments, **named)

    counted.__module__, counted.__qualname__ = count.__module__, count.__qualname__
    monkeypatch.setattr(shares, "counts_by_recording", counted)
    monkeypatch.setenv("COVIEW_STUDY", str(tmp_path))
    warm_up(lambda: tmp_path).join()
    assert asked == ["counts"]
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    assert app.metric[2].value == "24"
    assert asked == ["counts"]


def test_without_a_study_the_page_tells_the_commands(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("COVIEW_STUDY", str(tmp_path / "nothing"))
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    assert not app.exception
    assert app.title[0].value == "Coview"
    commands = "\n".join(code.value for code in app.code)
    assert "python -m pipeline demo" in commands
    assert "python -m pipeline run my-study" in commands


def test_a_store_of_another_version_is_refused_in_words(monkeypatch, tmp_path: Path):
    path = write_synthetic_study(tmp_path, n_utterances=24, n_recordings=2, n_children=1)
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE store_info SET schema_version = 99")
    monkeypatch.setenv("COVIEW_STUDY", str(tmp_path))
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    assert not app.exception
    assert "has tables of version 99" in app.error[0].value
    assert any("--stage publish" in m.value for m in app.markdown)


def test_a_newer_store_is_offered_and_opened_by_a_click(monkeypatch, tmp_path: Path):
    small = {"n_utterances": 24, "n_recordings": 2, "n_children": 1}
    write_synthetic_study(tmp_path, build="one", **small)
    monkeypatch.setenv("COVIEW_STUDY", str(tmp_path))
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    assert app.metric[2].value == "24"
    write_synthetic_study(tmp_path, build="two", **{**small, "n_utterances": 30})
    app.run()
    assert app.metric[2].value == "24"
    app.button(key="switch_store").click().run()
    assert app.metric[2].value == "30"
    assert "switch_store" not in {button.key for button in app.button}


def test_opening_the_overview_loads_nothing_heavy(tmp_path: Path):
    write_synthetic_study(tmp_path, n_utterances=24, n_recordings=2, n_children=1)
    program = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({str(APP)!r}, default_timeout=120).run()\n"
        "assert not app.exception and app.title[0].value == 'Overview', app\n"
        "heavy = {'torch', 'av', 'cv2', 'open_clip', 'faster_whisper', 'numba', 'ray'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "COVIEW_STUDY": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "loaded: []" in done.stdout, done.stdout + done.stderr
