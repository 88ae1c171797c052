"""The page Sound, the sounds of a moment and the filter, against stores of known content."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.charts.look import LIGHT
from dashboard.charts.sound import recall_dots, seen_by_heard
from dashboard.components.sound_headline import found_share
from dashboard.components.sound_recall import recall_layout
from dashboard.filters import Filters
from dashboard.queries import sound
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.sound_moment import moment_sound
from pipeline.sound.pair_scores import SURE_Z
from pipeline.sound.systems import SYSTEMS
from pipeline.sound_results import RecallRow
from tests.dashboard.conftest import APP, Page, assert_plotly_accepts
from tests.dashboard.small_store import small_store
from tests.factories import write_synthetic_study

ALL = Filters()
BY_CHANCE_OF_20 = 0.0624542
"""t with 19 degrees of freedom above 1.645 / sqrt(1 + 1 / 20)."""


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return small_store()


@pytest.fixture(scope="module")
def arrays(con: duckdb.DuckDBPyConnection) -> ScoreArrays:
    return ScoreArrays(con)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("with-sound")
    write_synthetic_study(root, n_utterances=150, n_recordings=6, n_children=2, with_sound=True)
    return root


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, study: Path, open_page: Page) -> AppTest:
    """The app on the study with sound; `open_page` is asked for what it clears afterwards."""
    monkeypatch.setenv("COVIEW_STUDY", str(study))
    return AppTest.from_file(str(APP), default_timeout=120).run()


def _words(app: AppTest) -> str:
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.info, app.warning)
    return "\n".join(str(e.value) for kind in kinds for e in kind)


def test_quadrants_are_counted_by_recording_with_what_chance_would_give(arrays):
    rows = sound.quadrant_counts(arrays, ALL, "clip").set_index("recording_id")
    assert rows["n_utterances"].to_dict() == {"r1": 3, "r2": 1, "r3": 2}
    assert rows["n_scored"].to_dict() == {"r1": 2, "r2": 1, "r3": 1}
    assert rows.loc["r1", ["seen_and_heard", "heard_only", "neither"]].tolist() == [1, 1, 0]
    assert rows["neither"].to_dict() == {"r1": 0, "r2": 1, "r3": 0}
    np.testing.assert_allclose(rows["expected_heard"], BY_CHANCE_OF_20 * rows["n_scored"], 1e-4)
    heard = found_share(rows.reset_index(), "heard")
    assert heard.share.estimate == pytest.approx(3 / 4)
    assert heard.expected == pytest.approx(BY_CHANCE_OF_20, rel=1e-4)


def test_counts_follow_the_filters_and_the_groups(arrays):
    rows = sound.quadrant_counts(arrays, Filters(speakers=("FEM",)), "clip", "activity")
    assert rows["grp"].fillna("unknown").tolist() == ["meal", "play", "unknown"]
    assert rows["n_scored"].tolist() == [1, 1, 0]
    both = sound.quadrant_counts(arrays, Filters(heard=("heard_only",)), "clip")
    assert both[["recording_id", "heard_only"]].values.tolist() == [["r1", 1], ["r3", 1]]


def test_what_is_missing_is_told_with_its_reason(arrays):
    found = sound.missing_counts(arrays, ALL, "clip")
    assert found == {"too_little_sound": 1, "not_looked_at": 1}


def test_distributions_hold_every_score_once_and_chance_adds_up_to_one(arrays):
    for null, heard in (("", [3.0, 2.5, -0.5, 1.7]), ("others_", [1.0, 2.0, 0.0, 2.0])):
        bins = sound.z_bins(arrays, ALL, "clip", null)
        rows = bins[bins["pair"] == "hear_say"]
        counts, _ = np.histogram(heard, [*rows["bin_start"], 9.0])
        assert rows["n"].tolist() == counts.tolist()
        assert rows["expected"].sum() == pytest.approx(1)
        sure = rows[rows["bin_start"] > SURE_Z - 0.01]
        assert sure["expected"].sum() == pytest.approx(BY_CHANCE_OF_20, rel=1e-4)


def test_the_map_puts_every_utterance_into_the_square_of_its_quadrant(arrays):
    squares = sound.joint_bins(arrays, ALL, "clip")
    assert squares.groupby("quadrant")["n"].sum().to_dict() == {
        "seen_and_heard": 1,
        "heard_only": 2,
        "neither": 1,
    }
    chart = seen_by_heard(squares, width=0.5, threshold=SURE_Z, look=LIGHT)
    assert_plotly_accepts(chart.to_dict())
    full = pd.MultiIndex.from_product([range(33), range(33)], names=["see", "hear"]).to_frame()
    full = full.assign(quadrant="neither", n=1_000_000)
    assert len(json.dumps(seen_by_heard(full, width=0.5, threshold=0, look=LIGHT).to_dict())) < 6e4


def test_the_best_moments_of_a_quadrant_come_first(con, arrays):
    rows = sound.best_moments(con, arrays, ALL, "clip", "heard_only")
    assert rows[["utterance_id", "text"]].values.tolist() == [
        ["u2", "the ball"],
        ["u5", "what is that over there"],
    ]
    assert rows["hear_say_z"].tolist() == pytest.approx([2.5, 1.7])
    assert sound.best_moments(con, arrays, ALL, "clip", "seen_only").empty


def test_speech_and_level_around_the_utterances(arrays):
    found = sound.surroundings(arrays, ALL, "clip")
    assert found.speech["n_scored"].tolist() == [0, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    assert found.speech["n_missing"].tolist() == [0] * 9 + [1]
    assert found.level.values.tolist() == [[-40, 1], [-35, 1], [-30, 2], [-20, 1]]
    assert found.median_level == pytest.approx(-30, abs=0.5)
    assert found.median_speech == pytest.approx(0.3, abs=0.01)


def test_a_moment_has_its_scores_or_the_reason(con):
    found = moment_sound(con, "r1", "u2")
    assert (found.quadrant, found.missing_reason, found.heard_ms) == ("heard_only", None, 8_000)
    assert [(pair.pair, pair.z, pair.n_nulls) for pair in found.pairs] == [
        ("see_say", 0.0, 20),
        ("hear_say", 2.5, 20),
        ("see_hear", 0.5, 20),
    ]
    assert moment_sound(con, "r1", "u3").missing_reason == "too_little_sound"
    assert moment_sound(con, "r3", "u6") is None


def test_recall_rows_and_what_made_the_scores_are_read(con):
    recalls = sound.recalls(con)
    assert {(row.scope, row.recall_at_10) for row in recalls.rows} == {
        ("within-recording", 0.3),
        ("pooled", 0.5),
    }
    assert recalls.corpus == ""
    assert sound.sound_system(con).text == "utterances instead of captions"
    rows = pd.DataFrame(
        [
            {"label": label, "system": one.title, "recall": 0.5, "low": 0.4, "high": 0.6}
            for one in SYSTEMS
            for label in ("a", "b")
        ]
    ).assign(chance=0.1, n=200)
    titles = [one.title for one in SYSTEMS]
    assert_plotly_accepts(recall_dots(rows, titles, look=LIGHT).to_dict())


def test_the_table_has_the_published_layout_and_its_values_for_avcaps_only():
    rows = [
        RecallRow(one.name, "visual", query, "pooled", 0.5, 0.4, 0.6, 0.05, 200, 0, 1)
        for one in SYSTEMS
        for query in ("audio", "visual captions")
    ]
    own = recall_layout(rows, "")
    assert own["Retrieve"].tolist() == ["Picture, by visual captions", "Picture, by sound"]
    assert own.columns.tolist() == [
        "Retrieve",
        "By guessing",
        "Clips",
        *(one.title for one in SYSTEMS),
    ]
    assert own["SLAVA A&V"].tolist() == ["50 % (40–60)"] * 2
    beside = recall_layout(rows, "AVCaps")
    assert beside["SLAVA A&V"].tolist() == ["50 % (40–60)", "81 %", "50 % (40–60)", "52 %"]
    assert beside["Audio-visual reference"].tolist()[1] == ""


def test_the_page_tells_what_was_found_and_draws_it(app: AppTest, study: Path):
    app.switch_page("app_pages/sound.py").run()
    assert not app.exception
    with duckdb.connect(
        str(study / "derived/stores/store-synthetic.duckdb"), read_only=True
    ) as con:
        n, n_heard = con.execute(
            "SELECT count(*), count(*) FILTER (quadrant IN ('heard_only', 'seen_and_heard')) "
            "FROM scores_wide WHERE quadrant IS NOT NULL"
        ).fetchone()
    assert 0 < n_heard < n
    words = _words(app)
    assert f"{100 * n_heard / n:.1f} % of utterances" in words
    assert "The sound encoder hears sounds, not words" in words
    assert "Too little" not in words.replace("too little else", "")


@pytest.mark.parametrize(
    ("part", "n_charts"),
    [("both", 1), ("groups", 1), ("scores", 3), ("list", 0), ("recall", 1), ("around", 2)],
)
def test_every_part_is_drawn(app: AppTest, part: str, n_charts: int):
    app.query_params["part"] = part
    app.switch_page("app_pages/sound.py").run()
    assert not app.exception
    charts = app.get("plotly_chart")
    assert len(charts) == n_charts
    for chart in charts:
        assert_plotly_accepts(json.loads(chart.proto.spec))
    assert len(app.dataframe) >= (part in ("both", "list"))
    if part == "recall":
        assert "utterances instead of captions" in _words(app)


@pytest.mark.parametrize("split", ["speaker", "age", "activity", "location"])
def test_shares_are_split_by_what_the_store_knows(app: AppTest, split: str):
    app.query_params["by"] = split
    app.query_params["part"] = "groups"
    app.switch_page("app_pages/sound.py").run()
    assert not app.exception


def test_the_filter_is_offered_and_narrows_every_page(app: AppTest, study: Path):
    app.query_params["heard"] = ["heard_only", "neither"]
    app.run()
    labels = [chip.label for chip in app.button if chip.label.startswith("Sound: ")]
    assert labels == ["Sound: Heard only", "Sound: Neither"]
    with duckdb.connect(
        str(study / "derived/stores/store-synthetic.duckdb"), read_only=True
    ) as con:
        (n,) = con.execute(
            "SELECT count(*) FROM scores_wide WHERE quadrant IN ('heard_only', 'neither')"
        ).fetchone()
    assert any(metric.value == str(n) for metric in app.metric)
    app.switch_page("app_pages/sound.py").run()
    assert "the shares below say nothing" in _words(app)


def test_a_moment_shows_three_scores_and_its_quadrant_in_words(app: AppTest):
    app.query_params["heard"] = ["seen_and_heard"]
    app.switch_page("app_pages/moments.py").run()
    assert not app.exception
    assert {"See–say", "Hear–say", "See–hear"} <= {metric.label for metric in app.metric}
    assert "**Seen and heard**: the words go with what was in view" in _words(app)


def test_without_sound_the_page_says_how_to_get_it_and_nothing_else_shows_it(open_page: Page):
    app = open_page("sound")
    assert not app.exception
    assert "This study has no scores of sound yet" in _words(app)
    assert any('pip install "coview[sound]"' in code.value for code in app.code)
    assert "Nothing is downloaded" in _words(app)
    app.switch_page("app_pages/moments.py").run()
    assert "What was heard around it" not in _words(app)
    assert not any("Seen and heard" in (one.label or "") for one in app.multiselect)
