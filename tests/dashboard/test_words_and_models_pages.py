"""The pages Words and Models on stores of every kind, and the search of the Moments page."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import APP, VARIANTS, Page
from tests.factories import write_synthetic_study


def _words(app: AppTest) -> str:
    parts = [e.value for kind in (app.title, app.markdown, app.caption, app.info) for e in kind]
    parts += [f"{m.label} {m.value} {m.delta}" for m in app.metric]
    parts += [e.value for e in app.subheader]
    return "\n".join(str(part) for part in parts)


def _table(app: AppTest):
    return next(frame.value for frame in app.dataframe if "Word" in frame.value.columns)


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_the_words_page_shows_every_kind_of_store(open_page: Page, variant: str):
    app = open_page("words", variant, lemma="ball", find="bal", min="1")
    assert not app.exception
    assert not app.error
    assert "ball" in _table(app)["Word"].tolist()
    assert "“ball”" in _words(app)
    assert len(app.get("plotly_chart")) >= 2


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_the_models_page_shows_every_kind_of_store(open_page: Page, variant: str):
    app = open_page("models", variant)
    assert not app.exception
    assert not app.error
    if variant == "two models":
        assert len(app.get("plotly_chart")) == 2
        assert "Rank correlation" in _words(app)
        app = open_page("models", variant, part="shares")
        assert len(app.get("plotly_chart")) == 3
    else:
        assert "This store has one scorer" in _words(app)
        assert any("import-scores" in code.value for code in app.code)


def test_rare_words_are_hidden_and_counted(open_page: Page):
    app = open_page("words", min="100")
    assert (_table(app)["n"] >= 100).all()
    assert "heard in fewer than 100 scored utterances hidden" in _words(app)
    app = open_page("words", min="1")
    assert "hidden" not in _words(app)


def test_the_word_list_follows_its_widgets_and_keeps_them_in_the_address(open_page: Page):
    app = open_page("words", min="1")
    app.selectbox(key="word_sort").set_value("word").run()
    names = _table(app)["Word"].tolist()
    assert names == sorted(names)
    assert app.query_params["sort"] == "word"
    app.text_input(key="word_search").set_value("bal").run()
    assert _table(app)["Word"].tolist() == ["ball"]
    assert app.query_params["find"] == "bal"
    app.text_input(key="word_search").set_value("qqq").run()
    assert not app.exception
    assert "No word matches" in app.info[0].value


def test_the_words_have_pages(open_page: Page):
    app = open_page("words", min="1")
    first = _table(app)["Word"].tolist()
    app.button(key="words_later").click().run()
    assert not set(first) & set(_table(app)["Word"])
    assert app.query_params["p"] == "1"


def test_a_word_that_nobody_says_is_told(open_page: Page):
    app = open_page("words", lemma="zebra")
    assert not app.exception
    assert "“zebra” is not heard in this store" in app.warning[0].value


def test_filters_that_leave_nothing_end_the_new_pages_kindly(open_page: Page):
    for page, variant in (("words", "everything"), ("models", "two models")):
        app = open_page(page, variant, child=["C01"], words="90")
        assert not app.exception
        assert "No utterance matches these filters" in app.info[0].value


def test_without_norms_the_page_says_how_to_add_them(open_page: Page):
    app = open_page("words", tab="norms")
    assert not app.exception
    assert "metadata/norms" in _words(app)
    assert "frequency in this study" in _words(app).lower()


@pytest.fixture(scope="module")
def norms_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("norms")
    path = write_synthetic_study(root, n_utterances=300)
    with duckdb.connect(str(path)) as con:
        con.execute(
            "INSERT INTO word_norms SELECT DISTINCT lemma, 'concreteness', length(lemma), 'x.csv' "
            "FROM word_index UNION ALL "
            "SELECT DISTINCT lemma, 'length', length(lemma) * 2, 'x.csv' FROM word_index"
        )
        con.execute("INSERT INTO norms VALUES ('concreteness', 'x.csv', 'en', '1 to 5', 9, 9, 0)")
        con.execute(
            "INSERT INTO parts_of_speech SELECT lemma, 'noun', 'x.csv' FROM word_norms "
            "WHERE norm = 'length' AND value > 8"
        )
    return root


@pytest.fixture
def study_with_norms(monkeypatch, norms_root: Path):
    monkeypatch.setenv("COVIEW_STUDY", str(norms_root))
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


def _open_words(**params: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    app.switch_page("app_pages/words.py")
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


@pytest.mark.usefixtures("study_with_norms")
def test_with_norms_words_are_drawn_against_them():
    assert "concreteness" in _table(_open_words()).columns
    app = _open_words(
        tab="norms", min="1", norms="concreteness|frequency in this study", lemma="ball"
    )
    assert not app.exception
    assert not app.error
    charts = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    titles = [chart["layout"]["xaxis"]["title"]["text"] for chart in charts]
    assert titles[:3] == ["Score change for<br>one SD (cosine)", *["Concreteness (1 to 5)"] * 2]
    assert [chart["layout"]["annotations"][0]["text"] for chart in charts[1:3]] == ["ball"] * 2
    words = _words(app)
    assert "the other norms held equal" in words
    assert "Rank correlation" in words
    assert "Condition number" in words
    table = next(frame.value for frame in app.dataframe if "VIF" in frame.value.columns)
    assert table["Norm"].tolist() == ["Concreteness", "Frequency in this study"]


@pytest.mark.usefixtures("study_with_norms")
def test_norms_that_say_the_same_are_told_and_stay_alone():
    app = _open_words(tab="norms", min="1", norms="concreteness|length")
    assert not app.exception
    assert any("worked out from each other" in info.value for info in app.info)
    assert len(app.warning) == 2
    assert "is given by them exactly" in app.warning[0].value
    assert len(app.get("plotly_chart")) == 2


@pytest.mark.usefixtures("study_with_norms")
def test_what_cannot_be_regressed_is_said():
    app = _open_words(tab="norms", min="290")
    assert not app.exception
    assert "a regression needs" in app.error[0].value


@pytest.mark.usefixtures("study_with_norms")
def test_parts_of_speech_narrow_the_table_and_the_regression():
    app = _open_words(min="1", pos="noun")
    assert set(_table(app)["Part"]) == {"noun"}
    app.selectbox(key="word_part").set_value("").run()
    assert "pos" not in app.query_params
    assert "" in set(_table(app)["Part"])
    app = _open_words(tab="norms", min="1", pos="noun")
    assert "nouns heard in at least 1" in _words(app)


def test_rare_words_can_be_shrunk(open_page: Page):
    app = open_page("words", min="1")
    app.toggle(key="word_shrink").set_value(True).run()
    assert app.query_params["shrink"] == "1"
    assert {"Shrunken", "Own (%)"} <= set(_table(app).columns)
    assert "Shrunken towards" in _words(app)


def test_words_without_a_language_are_told(monkeypatch, tmp_path: Path):
    path = write_synthetic_study(tmp_path, n_utterances=60)
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE utterances SET language = NULL WHERE utterance_number < 12")
    monkeypatch.setenv("COVIEW_STUDY", str(tmp_path))
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    app.switch_page("app_pages/words.py").run()
    assert "The language of 12 utterances is unknown" in _words(app)
    st.cache_data.clear()
    st.cache_resource.clear()


def test_imported_scores_are_compared_with_the_models_own(monkeypatch, tmp_path: Path):
    path = write_synthetic_study(
        tmp_path, n_utterances=200, scorers=("synthetic", "rater"), with_null=True
    )
    with duckdb.connect(str(path)) as con:
        con.execute(
            "UPDATE models SET weights = 'imported', name = 'rater.csv', default_threshold = 3.5, "
            "threshold_source = 'metadata/scores/rater.csv' WHERE scorer = 'rater'"
        )
        columns = [
            row[0]
            for row in con.execute("DESCRIBE scores_wide").fetchall()
            if row[0].startswith(("center_", "pad_", "squash_", "multi_"))
            and row[0] != "center_strict_max_cosine"
        ]
        empty = ", ".join(f"{name} = NULL" for name in columns)
        con.execute(
            f"UPDATE scores_wide SET {empty}, center_strict_max_cosine = "
            "1 + round(10 * center_strict_max_cosine) WHERE scorer = 'rater'"
        )
    monkeypatch.setenv("COVIEW_STUDY", str(tmp_path))
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    app.switch_page("app_pages/models.py").run()
    assert not app.exception
    words = _words(app)
    assert "Scores imported from rater.csv" in words
    assert "Highly aligned from 3.5 (metadata/scores/rater.csv)" in words
    for page in ("overview", "words", "moments"):
        app.switch_page(f"app_pages/{page}.py")
        app.query_params["scorer"] = "rater"
        app.run()
        assert not app.exception, page
        assert not app.error, page
    st.cache_data.clear()
    st.cache_resource.clear()


def test_names_of_scorers_are_shown_as_they_are_written(monkeypatch, tmp_path: Path):
    write_synthetic_study(tmp_path, n_utterances=200, scorers=("a", "b *of* :red[ours]"))
    monkeypatch.setenv("COVIEW_STUDY", str(tmp_path))
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    app.switch_page("app_pages/models.py").run()
    assert not app.exception
    (headline,) = (m.value for m in app.markdown if "put the utterances" in m.value)
    assert headline.startswith(r"### a and b \*of\* \:red\[ours\] put")
    st.cache_data.clear()
    st.cache_resource.clear()


def test_b_is_kept_in_the_address(open_page: Page):
    app = open_page("models", "two models", scorer="synthetic-b")
    assert "**A**, the model of the sidebar: synthetic-b" in _words(app)
    assert "synthetic and synthetic-b" not in _words(app)
    assert "synthetic-b and synthetic put the utterances" in _words(app)


def test_a_sentence_needs_the_model_and_the_list_stays(open_page: Page):
    app = open_page("moments", look="a red ball")
    assert not app.exception
    assert app.error
    assert "as without the sentence" in _words(app)
    assert app.text_input(key="moment_look").value == "a red ball"
    app.text_input(key="moment_look").set_value("").run()
    assert not app.error
    assert "look" not in app.query_params


def test_any_form_is_offered_with_a_word_and_kept_in_the_address(open_page: Page):
    app = open_page("moments")
    assert "moment_any_form" not in {toggle.key for toggle in app.toggle}
    app.text_input(key="moment_words").set_value("see").run()
    app.toggle(key="moment_any_form").set_value(True).run()
    assert app.query_params["form"] == "any"
    assert not app.exception
