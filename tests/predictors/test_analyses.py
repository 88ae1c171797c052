"""The prepared analyses on synthetic stores: what they find, and what they say
where they find nothing."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipeline.predictors.analysis import Analysis
from pipeline.predictors.choice import Condition, ScoreChoice
from pipeline.predictors.contrasts import effects_of, joint_tests
from pipeline.predictors.diagnosing import diagnose
from pipeline.predictors.modes import conditional_fit
from pipeline.predictors.predicting import curves_of
from pipeline.predictors.prepared import prepared_analyses
from pipeline.predictors.r_script import r_script
from pipeline.predictors.running import predictors_of, run
from pipeline.predictors.tables import check_names
from pipeline.predictors.words import amount, number, outcome_of, p_words
from pipeline.spreadsheet import guarded
from pipeline.stats.mixed.fit import fit_mixed
from pipeline.stats.mixed.formula import parse_formula
from pipeline.stats.mixed.frame import model_frame
from tests.dashboard.small_store import small_store

CHOICE = ScoreChoice("synthetic")
ONE_CHILD = Condition("child_id = 'C01'")
ONE_RECORDING = Condition("recording_id = 'rec01'")
ONE_EACH = Condition(
    "CAST(recording_id AS VARCHAR) IN (SELECT min(recording_id) FROM recordings GROUP BY child_id)"
)
NO_SPEAKER = Condition("speaker = 'NA'")


def results(con: duckdb.DuckDBPyConnection, choice: ScoreChoice, *keys: str):
    """The named analyses, run on the store."""
    return {one.key: run(con.cursor(), one) for one in chosen(con, choice, *keys)}


def chosen(con: duckdb.DuckDBPyConnection, choice: ScoreChoice, *keys: str) -> list[Analysis]:
    return [one for one in prepared_analyses(con, choice) if one.key in keys]


def crossed(n_children: int = 8, n_each: int = 40, *, seed: int = 3) -> pd.DataFrame:
    """Rows with a known slope .5, a known difference 1 and children that differ with SD 1."""
    rng = np.random.default_rng(seed)
    child = np.repeat(np.arange(n_children), n_each)
    n = len(child)
    x = rng.normal(2, 1, n)
    speaker = pd.Categorical(
        np.where(rng.random(n) < 0.6, "adult", "child"), categories=["child", "adult"]
    )
    own = rng.normal(0, 1, n_children)
    y = 0.5 * x + (speaker == "adult") + own[child] + rng.normal(0, 0.5, n)
    return pd.DataFrame(
        {"child": [f"C{c}" for c in child], "duration_s": x, "speaker": speaker, "score": y}
    )


def test_every_question_is_answered_on_a_whole_store(synthetic):
    keys = ("speaker", "speaker-binomial", "duration-chance", "age-within", "activity")
    found = results(synthetic, CHOICE, *keys, "speaker-age")
    assert len(found) == 6
    for key, result in found.items():
        assert result.fit is not None, (key, result.problem)
        assert "4 children" in result.sentence, key
        assert result.effects, key
        assert all(e.lower < e.estimate < e.upper for e in result.effects), key
        assert all(e.p <= e.p_holm <= 1 for e in result.effects), key
        assert result.curves, key
        assert result.diagnostics is not None, key
    assert found["speaker"].analysis.formula == "share ~ speaker + (1 | child)"
    assert {e.words for e in found["speaker"].effects} == {"adult against child"}
    assert found["activity"].joint_tests[0].predictor == "activity"
    assert len(found["activity"].effects) > 1


def test_every_prepared_formula_can_be_read(synthetic):
    analyses = prepared_analyses(synthetic, CHOICE)
    assert len({one.key for one in analyses}) == len(analyses) >= 20
    for one in analyses:
        assert set(one.focus) <= {*predictors_of(one.formula)}, one.key
        check_names(one.formula, one.unit)
        assert one.asks.endswith("?")


def test_one_child_cannot_speak_of_children(synthetic):
    found = results(synthetic, replace(CHOICE, condition=ONE_CHILD), "speaker", "duration")
    assert found["speaker"].fit is None
    assert "There is one child here" in found["speaker"].problem
    assert found["speaker"].hint
    duration = found["duration"].analysis
    assert duration.formula == "max_cosine ~ duration_s + (1 | recording)"
    assert "One child" in duration.note


def test_one_recording_is_a_sentence(synthetic):
    choice = replace(CHOICE, condition=ONE_RECORDING)
    for result in results(synthetic, choice, "speaker", "duration", "age", "activity").values():
        assert result.fit is None
        assert result.problem.endswith(".")
        assert result.hint
        assert result.sentence == result.problem


def test_with_one_recording_each_children_and_recordings_are_one_group(synthetic):
    (one,) = chosen(synthetic, replace(CHOICE, condition=ONE_EACH), "duration")
    assert one.formula == "max_cosine ~ duration_s + (1 | child)"
    assert "same groups" in one.note


def test_what_is_unknown_everywhere_says_so(synthetic):
    found = results(synthetic, replace(CHOICE, condition=NO_SPEAKER), "speaker")
    assert "No utterance here has a known speaker" in found["speaker"].problem
    assert "speaker files" in found["speaker"].hint
    found = results(synthetic, replace(CHOICE, window="-1+2"), "duration-chance")
    assert "matched null" in found["duration-chance"].problem
    assert "stored window" in found["duration-chance"].hint


def test_filters_that_leave_nothing_are_told_with_their_count(synthetic):
    nothing = replace(CHOICE, condition=Condition("n_words > 999"))
    result = results(synthetic, nothing, "speaker")["speaker"]
    assert result.fit is None
    assert result.facts is not None
    assert result.facts.n_chosen == 0


def test_the_published_values_belong_to_their_own_model_only(synthetic):
    analyses = {one.key: one for one in prepared_analyses(synthetic, CHOICE)}
    speaker, duration = analyses["speaker"].published, analyses["duration"].published
    assert speaker is not None
    assert duration is not None
    assert (speaker.estimate, speaker.lower, speaker.upper) == (0.039, 0.018, 0.060)
    assert (duration.estimate, duration.lower, duration.upper) == (9.46e-4, 7.92e-4, 1.10e-3)
    assert not speaker.is_same_measure
    assert analyses["age"].published is None


def test_the_published_measure_is_recognised():
    def same(choice: ScoreChoice) -> tuple[bool, bool]:
        with small_store() as con:
            found = {one.key: one.published for one in prepared_analyses(con, choice)}
        share, slope = found["speaker"], found["duration"]
        assert share is not None
        assert slope is not None
        return share.is_same_measure, slope.is_same_measure

    assert same(ScoreChoice("clip")) == (True, True)
    assert same(ScoreChoice("clip", threshold=0.25)) == (False, True)
    assert same(ScoreChoice("clip", crop="pad")) == (False, False)


def test_imported_scores_are_asked_about_without_frames_and_chance():
    with small_store() as con:
        con.execute("UPDATE models SET dim = 0, weights = 'imported' WHERE scorer = 'clip'")
        analyses = prepared_analyses(con, ScoreChoice("clip"))
    assert {one.question for one in analyses} >= {"speaker", "duration", "age", "activity"}
    assert not any("chance" in one.formula or "cosine" in one.formula for one in analyses)
    assert not any(one.published for one in analyses)
    assert sum(one.question == "duration" for one in analyses) == 1


def test_effects_of_a_linear_model_are_its_coefficients():
    rows = crossed()
    fit = fit_mixed(rows, "score ~ speaker + duration_s + (1 | child)")
    adult, slope = effects_of(fit, rows, ("speaker", "duration_s"))
    for effect, term in ((adult, "speakeradult"), (slope, "duration_s")):
        wanted = fit.effect(term)
        assert wanted is not None
        assert effect.estimate == pytest.approx(wanted.estimate)
        assert effect.p == pytest.approx(wanted.p, rel=1e-6, abs=1e-12)
        assert (effect.lower, effect.upper) == pytest.approx((wanted.lower, wanted.upper))
    assert adult.lower < 1 < adult.upper
    assert slope.lower < 0.5 < slope.upper
    assert slope.words == "for each second"


def test_with_an_interaction_an_effect_is_that_at_the_mean_of_the_rows():
    rows = crossed()
    fit = fit_mixed(rows, "score ~ speaker * duration_s + (1 | child)")
    adult, both = effects_of(fit, rows, ("speaker", "speaker:duration_s"))
    main, slope = fit.effect("speakeradult"), fit.effect("speakeradult:duration_s")
    assert main is not None
    assert slope is not None
    expected = main.estimate + slope.estimate * rows["duration_s"].mean()
    assert adult.estimate == pytest.approx(expected)
    assert both.estimate == pytest.approx(slope.estimate)
    assert both.words == "adult against child, for each second"


def test_a_binomial_effect_is_the_difference_of_predicted_shares():
    rng = np.random.default_rng(5)
    rows = crossed(12, 30)
    log_odds = -1 + 0.8 * (rows["speaker"] == "adult") + rng.normal(0, 0.5, 12).repeat(30)
    rows["is_high"] = (rng.random(len(rows)) < 1 / (1 + np.exp(-log_odds))).astype(int)
    fit = fit_mixed(rows, "is_high ~ speaker + (1 | child)", family="binomial")
    (effect,) = effects_of(fit, rows, ("speaker",))
    low, term = fit.effect("(Intercept)"), fit.effect("speakeradult")
    assert low is not None
    assert term is not None
    shares = [1 / (1 + math.exp(-x)) for x in (low.estimate, low.estimate + term.estimate)]
    assert effect.estimate == pytest.approx(shares[1] - shares[0])
    assert effect.p == pytest.approx(term.p)
    assert effect.lower < effect.estimate < effect.upper
    assert (effect.lower > 0) == (term.lower > 0)
    found = conditional_fit(fit, model_frame(rows, parse_formula(fit.formula), is_binomial=True))
    assert np.abs(found.residuals.mean()) < 0.1
    # At the modes the derivative of the penalised likelihood is zero.
    sd = fit.random[0].sd
    gaps = rows["is_high"].to_numpy() - found.fitted
    by_child = pd.Series(gaps).groupby(rows["child"]).sum()
    modes = dict(zip(found.effects[0].levels, found.effects[0].values, strict=True))
    for child, gap in by_child.items():
        assert gap == pytest.approx(modes[child] / sd**2, abs=1e-3)


def test_the_modes_of_a_balanced_design_are_shrunken_means():
    rows = crossed(6, 20)
    fit = fit_mixed(rows, "score ~ 1 + (1 | child)")
    frame = model_frame(rows, parse_formula(fit.formula), is_binomial=False)
    found = conditional_fit(fit, frame)
    between, within = fit.random[0].sd ** 2, fit.residual_sd**2
    factor = 20 * between / (20 * between + within)
    means = rows.groupby("child")["score"].mean() - rows["score"].mean()
    modes = dict(zip(found.effects[0].levels, found.effects[0].values, strict=True))
    assert modes == pytest.approx((factor * means).to_dict(), abs=1e-6)
    assert found.fitted + found.residuals == pytest.approx(rows["score"].to_numpy())


def test_curves_pass_through_the_means_and_diagnostics_see_every_row():
    rows = crossed()
    fit = fit_mixed(rows, "score ~ speaker * duration_s + (1 + duration_s | child)")
    curves = curves_of(fit, rows, ("speaker", "duration_s", "speaker:duration_s"))
    assert [(c.predictor, c.by) for c in curves] == [("duration_s", "speaker"), ("speaker", "")]
    line = curves[0].predicted
    assert (line["lower"] < line["estimate"]).all()
    assert curves[0].observed["n"].sum() == len(rows)
    assert set(curves[1].groups["group"]) == set(rows["child"])
    found = diagnose(fit, rows)
    assert found is not None
    assert found.by_fitted["n"].sum() == len(rows)
    assert abs(float(found.residuals["observed"].mean())) < 0.1
    assert set(found.levels["term"]) <= {"(Intercept)", "duration_s"}


def test_a_category_with_several_levels_is_tested_as_a_whole():
    rows = crossed()
    rng = np.random.default_rng(1)
    rows["activity"] = pd.Categorical(rng.choice(["a", "b", "c"], len(rows)))
    rows["score"] += 2.0 * (rows["activity"] == "c")
    fit = fit_mixed(rows, "score ~ activity + duration_s + (1 | child)")
    (test,) = joint_tests(fit, ("activity", "duration_s"))
    assert (test.predictor, test.df) == ("activity", 2)
    assert test.p < 1e-6
    noise = fit_mixed(rows.assign(score=rng.normal(size=len(rows))), fit.formula)
    assert joint_tests(noise, ("activity",))[0].p > 0.001


def test_predictors_of_a_formula_with_functions_and_interactions():
    formula = "score ~ log(duration_s) * speaker + n_words + (1 | child)"
    assert predictors_of(formula) == (
        "duration_s",
        "speaker",
        "n_words",
        "duration_s:speaker",
    )


def test_numbers_are_written_for_people():
    share, score = outcome_of("share ~ x", "gaussian"), outcome_of("max_cosine ~ x", "gaussian")
    assert amount(share, 0.039, 0.018, 0.060) == "+3.9 points [1.8, 6.0]"
    assert amount(score, 9.46e-4, 7.92e-4, 1.1e-3) == "+0.00095 cosine [0.00079, 0.00110]"
    assert number(-0.5, 1, is_signed=True) == "−0.5"
    assert [p_words(p) for p in (0.0321, 1e-9, math.nan)] == ["p = .032", "p < .001", "p unknown"]


def test_the_r_script_names_levels_and_family():
    analysis = Analysis(
        "own",
        "own",
        "",
        "",
        "cbind(n_high, n_low) ~ speaker + (1 | child)",
        "children",
        "binomial",
        (),
        "",
        CHOICE,
    )
    script = r_script(analysis, 't".csv', {"speaker": ("child", 'a"b')})
    assert 'factor(d$speaker, levels = c("child", "a\\"b"))' in script
    # What it takes off is what the table has before text, and no more.
    (pattern,) = re.findall(r'pattern = "(.+?)", replacement = ""', script)
    taken_off = re.compile(pattern.encode().decode("unicode_escape"))
    for text in ("-play", "'=x", "''", "'tis", "=1", "＋a", "\tb", "plain", "a-b", "@home"):
        assert taken_off.sub("", guarded(text), count=1) == text
        assert guarded(text) == text or script.index("sub, pattern") < script.index("factor(")
    assert "glmer(cbind(n_high, n_low) ~ speaker + (1 | child), data = d, family = binomial)" in (
        script
    )
