"""The page Predictors on stores of every kind, its three ways of asking, and its links."""

from __future__ import annotations

import json
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components.predictor_menus import formula_of
from dashboard.export_desk import DESK as EXPORTS
from dashboard.fit_desk import DESK
from tests.dashboard.conftest import Page


def _words(app: AppTest) -> str:
    parts = [e.value for kind in (app.markdown, app.caption, app.info, app.warning) for e in kind]
    return "\n".join(str(part) for part in (*parts, *(e.value for e in app.code)))


def _open(open_page: Page, variant: str = "everything", **params: str | list[str]) -> AppTest:
    """The page when its models are fitted: a busy machine may need more than one look."""
    app = open_page("predictors", variant, **params)
    for _ in range(30):
        if not any("models fitted" in str(e.proto.text) for e in app.get("progress")):
            break
        DESK.wait(list(DESK._jobs.values()), 5.0)
        app.run()
    assert not app.exception
    return app


def _coefficients(app: AppTest):
    return next(frame.value for frame in app.dataframe if "Term" in frame.value.columns)


def test_a_prepared_question_is_answered_in_words_pictures_and_tables(open_page: Page):
    app = _open(open_page)
    assert not app.error
    answer = next(m.value for m in app.markdown if m.value.startswith("### "))
    assert "4 children" in answer
    assert len(app.get("plotly_chart")) >= 5
    assert {"Term", "SE", "p"} <= set(_coefficients(app).columns)
    app.button(key="export_model").click().run()
    assert not app.exception
    export = list(EXPORTS._ready.values())[-1]
    with zipfile.ZipFile(export.path) as packed:
        table = packed.read("speaker-children.csv").decode().splitlines()
        script = packed.read("model.R").decode()
        names = {*packed.namelist()}
    assert names >= {"coefficients.csv", "random-effects.csv", "model.json"}
    assert table[0] == "child,speaker,n,share"
    assert len(table) - 1 == export.n_rows
    assert 'read.csv("speaker-children.csv"' in script
    assert "lmer(share ~ speaker + (1 | child), data = d)" in script


@pytest.mark.parametrize(
    ("variant", "question", "words"),
    [
        ("no speakers", "speaker", "No utterance here has a known speaker"),
        ("no null", "duration", "**Against chance**: no result. No utterance here has a matched"),
    ],
)
def test_a_store_that_cannot_answer_says_why_and_what_would_help(
    open_page: Page, variant: str, question: str, words: str
):
    app = _open(open_page, variant, question=question)
    assert not app.error
    assert words in _words(app)
    if question != "duration":
        assert "What would help" in _words(app)


def test_the_four_versions_of_duration_stand_side_by_side_with_their_warning(open_page: Page):
    app = _open(open_page, question="duration")
    words = _words(app)
    assert "### The score above chance" in words or "### Whether the score above chance" in words
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)
    named = " ".join(drawn["layout"]["yaxis"]["ticktext"])
    for version in ("Raw maximum", "With frames", "Against chance", "Mean over frames", "Tan et"):
        assert version in named
    assert "The raw maximum grows with the number of frames even where nothing is aligned" in words
    assert "Tan et al. 2025" in words
    assert "compare directions, not sizes" in words
    assert "taken to be a second" in words


def test_a_version_is_opened_and_kept_in_the_address(open_page: Page):
    app = _open(open_page, version="speaker-binomial")
    assert "glmer(cbind(n_high, n_low) ~ speaker" in _words(app)
    assert "Estimate (log-odds)" in _coefficients(app).columns
    app.selectbox(key="choice_version").set_value("speaker").run()
    assert "version" not in app.query_params
    assert "lmer(share ~ speaker + (1 | child)" in _words(app)


def test_menus_write_the_formula_and_the_link_restores_them(open_page: Page):
    app = _open(open_page, ask="menus", x="speaker,age_months", random="child", interact="1")
    assert "share ~ speaker * age_months + (1 | child)" in [code.value for code in app.code]
    assert "speakeradult:age_months" in _coefficients(app)["Term"].tolist()
    app.multiselect(key="choice_x").set_value(["n_words"]).run()
    assert app.query_params["x"] == "n_words"
    assert "share ~ n_words + (1 | child)" in [code.value for code in app.code]


def test_menus_make_formulas_of_every_kind():
    assert (
        formula_of(
            "share",
            "recordings",
            "binomial",
            ["speaker"],
            ["child", "recording"],
            has_interaction=False,
        )
        == "cbind(n_high, n_low) ~ speaker + (1 | child) + (1 | recording)"
    )
    assert (
        formula_of("is_high", "utterances", "binomial", [], ["child"], has_interaction=False)
        == "is_high ~ 1 + (1 | child)"
    )
    assert (
        formula_of(
            "z", "utterances", "gaussian", ["n_words", "voice"], ["slope"], has_interaction=True
        )
        == "z ~ n_words * voice + (1 + n_words | child)"
    )


def test_a_formula_can_be_typed(open_page: Page):
    formula = "above_chance ~ log(duration_s) + voice + (1 | child)"
    app = _open(open_page, ask="formula", formula=formula, rows="utterances")
    terms = _coefficients(app)["Term"].tolist()
    assert "log(duration_s)" in terms
    assert "voicefemale adult" in terms
    app.text_input(key="own_formula").set_value("score ~ n_words + (1 | child)").run()
    assert app.query_params["formula"] == "score ~ n_words + (1 | child)"
    assert "n_words" in _coefficients(app)["Term"].tolist()


def test_a_formula_that_cannot_be_fitted_is_told_and_not_run(open_page: Page):
    app = _open(open_page, ask="formula", formula="share ~ speeker + (1 | child)")
    for formula, words in (
        ("", "Did you mean speaker?"),
        ("share ~ speaker", "no random effect"),
        ("share ~ __import__('os') + (1|child)", "formula"),
        ("cbind(n_high, n_low) ~ speaker + (1 | child)", "binomial"),
    ):
        if formula:
            app.text_input(key="own_formula").set_value(formula).run()
        assert not app.exception
        assert not app.error
        assert not app.get("plotly_chart")
        assert app.info
        assert words in _words(app)


def test_filters_hold_here_too(open_page: Page):
    app = _open(open_page, child=["C01", "C02"], question="age")
    assert "2 children" in _words(app)
    known = {key: id(job) for key, job in DESK._jobs.items()}
    app.run()
    assert {key: id(job) for key, job in DESK._jobs.items()} == known
    app = _open(open_page, child=["C01"], words="90")
    assert "No utterance matches these filters" in app.info[0].value
