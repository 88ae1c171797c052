"""The page Human agreement: from no answer at all to a threshold that becomes the study's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pipeline.people.store import PeopleStore, people_store
from pipeline.people.thresholds import chosen_thresholds
from pipeline.people.trial_records import Item, MomentLabel, Part, SetKind, TrialMode
from pipeline.people.trial_sets import add_set
from tests.dashboard.conftest import APP, assert_plotly_accepts
from tests.factories import write_synthetic_study
from tests.validation.simulated_set import add_simulated_set, made_item

Open = Callable[..., AppTest]


def _tell_scores(store: PeopleStore, set_id: int, *, is_simulated: bool) -> None:
    settings = {"scorer": "synthetic", "crop": "center", "window": "strict", "statistic": "max"}
    with store.writing() as con:
        con.execute(
            "UPDATE trial_sets SET settings = ?, is_simulated = ? WHERE set_id = ?",
            (json.dumps(settings), is_simulated, set_id),
        )
        con.execute("UPDATE raters SET is_simulated = ? WHERE set_id = ?", (is_simulated, set_id))


def _add_labels(store: PeopleStore) -> None:
    rng = np.random.default_rng(3)
    items = []
    for number in range(30):
        made = made_item(number, rng, mode=TrialMode.IMAGES)
        items.append(
            Item(
                made.item_id, TrialMode.MOMENT, Part.MAIN, "", made.options[:1], made.score, made.z
            )
        )
    set_id = add_set(store, name="Labels", kind=SetKind.LABELS, settings="{}", items=items)
    with store.writing() as con:
        for rater in range(3):
            added = con.execute(
                "INSERT INTO raters (set_id, label, is_simulated, source, created_at) "
                "VALUES (?, ?, 0, 'here', '2026-01-01')",
                (set_id, f"expert {rater}"),
            )
            for item in items:
                assert item.score is not None
                seen = item.score + rng.normal(0, 0.03)
                label = MomentLabel.ALIGNED if seen > 0.26 else MomentLabel.PARTLY
                label = MomentLabel.NOT if seen < 0.2 else label
                con.execute(
                    "INSERT INTO expert_labels VALUES (?, ?, ?, ?, '', NULL, '2026', '1')",
                    (added.lastrowid, set_id, item.item_id, label.value),
                )


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rated")
    write_synthetic_study(root, n_utterances=60)
    store = people_store(root)
    first = add_simulated_set(store, name="Lab raters", n_raters=8, n_items=24, n_careless=1)
    second = add_simulated_set(store, name="Made up", n_raters=5, n_items=16, seed=2)
    _tell_scores(store, first, is_simulated=False)
    _tell_scores(store, second, is_simulated=True)
    _add_labels(store)
    return root


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, study: Path) -> Iterator[Open]:
    def open_(root: Path = study, **params: str) -> AppTest:
        monkeypatch.setenv("COVIEW_STUDY", str(root))
        monkeypatch.setattr("dashboard.components.human_fits._PATIENCE_S", 20.0)
        app = AppTest.from_file(str(APP), default_timeout=120)
        app.run()
        app.switch_page("app_pages/agreement.py")
        for name, value in params.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        assert not app.error
        for drawn in app.get("plotly_chart"):
            assert_plotly_accepts(json.loads(drawn.proto.spec))
        return app

    yield open_
    st.cache_data.clear()
    st.cache_resource.clear()


def _words(app: AppTest) -> str:
    parts = [e.value for kind in (app.markdown, app.caption, app.info, app.warning) for e in kind]
    return "\n".join([*map(str, parts), *(f"{m.label} {m.value} {m.delta}" for m in app.metric)])


def test_without_answers_the_page_says_how_to_get_some(
    open_page: Open, studies: Callable[[str], Path]
) -> None:
    app = open_page(studies("one recording"))
    assert "Nobody has answered a trial yet" in app.info[0].value
    assert "python -m pipeline trials" in app.code[0].value
    assert not app.get("plotly_chart")


def test_people_are_shown_first_and_simulated_sets_only_under_their_name(open_page: Open) -> None:
    app = open_page()
    said = _words(app)
    assert "People choose rightly in" in said
    assert "against 25 % by chance" in said
    assert not app.warning
    assert len(app.get("plotly_chart")) == 2
    assert "glmer(is_correct ~ score + (1 | rater) + (1 | item)" in app.code[0].value
    options = app.multiselect[0].options
    assert any(one.startswith("SIMULATED: Made up") for one in options)
    app.multiselect[0].set_value(["2"]).run()
    assert "Simulated answers" in app.warning[0].value
    assert "Simulated raters choose rightly" in _words(app)
    assert app.query_params["sets"] == "2"


def test_the_rule_for_leaving_out_changes_the_numbers_and_tells_both(open_page: Open) -> None:
    app = open_page(part="left_out", catch="0")
    assert "left out." not in _words(app).split("Intervals:")[0]
    app.slider(key="human_catch").set_value(50).run()
    assert "1 rater left out" in _words(app)
    before_after = next(f.value for f in app.dataframe if "Everybody" in f.value.columns)
    assert before_after.iloc[2].tolist() == ["Answers", "192", "168"]
    assert "Implied threshold" in before_after["Number"].tolist()
    app.slider(key="human_catch").set_value(100).run()
    app.slider(key="human_fast").set_value(3000).run()
    assert "No answer is left" in _words(app)


def test_every_part_is_drawn(open_page: Open) -> None:
    app = open_page(part="raters")
    assert "Where both are wrong" in _words(app)
    for part, expected in (
        ("time", "clustered by rater and item; grey"),
        ("kinds", "Chance is 25 % in both"),
    ):
        app.query_params["part"] = part
        app.run()
        assert not app.exception
        assert expected in _words(app)
        for drawn in app.get("plotly_chart"):
            assert_plotly_accepts(json.loads(drawn.proto.spec))


def test_the_threshold_becomes_the_studys_and_is_taken_back(open_page: Open, study: Path) -> None:
    app = open_page()
    app.button(key="human_take").click().run()
    with people_store(study).reading() as con:
        chosen = chosen_thresholds(con)["synthetic"]
    assert chosen.lower is not None
    assert chosen.upper is not None
    assert chosen.lower < chosen.threshold < chosen.upper
    assert "halfway point of the 4AFC curve, 7 raters" in chosen.source
    assert "SIMULATED" not in chosen.source
    assert "In force for synthetic" in _words(app)
    app.button(key="human_forget").click().run()
    with people_store(study).reading() as con:
        assert not chosen_thresholds(con)
    app.query_params["by"] = "z"
    app.run()
    assert app.button(key="human_take").disabled
    assert "A study's threshold is a cosine" in _words(app)
    assert "is_correct ~ z" in app.code[0].value


def test_experts_labels_are_a_view_of_their_own(open_page: Open) -> None:
    app = open_page(kind="labels")
    said = _words(app)
    assert "Moments called aligned score" in said
    assert "n = 90 labels of 3 raters for 30 moments" in said
    assert "Krippendorff's alpha (ordinal" in said
    assert len(app.get("plotly_chart")) == 2
