"""Tables for models, on a store whose numbers can be worked out by hand."""

from __future__ import annotations

import pytest

from pipeline.errors import FitError
from pipeline.predictors.choice import Condition, ScoreChoice
from pipeline.predictors.columns import COLUMNS, UNITS, columns_of, unknown_names
from pipeline.predictors.tables import levels_of, model_table
from tests.dashboard.small_store import small_store

CLIP = ScoreChoice("clip", threshold=0.235)
EVERYTHING = (
    "score ~ max_cosine + mean_cosine + above_chance + z + is_high + duration_s + n_frames + "
    "n_words + age_months + age_own_months + age_mean_months + speaker + voice + activity + "
    "location + language + (1 | child) + (1 | recording)"
)


@pytest.fixture(scope="module")
def con():
    with small_store() as con:
        yield con


def test_one_row_for_each_scored_utterance_with_every_column(con):
    table = model_table(con, CLIP, "utterances", EVERYTHING)
    rows = table.rows.set_index("score")
    assert sorted(rows.index) == pytest.approx([0.10, 0.20, 0.24, 0.30])
    first, last = table.rows.iloc[0], table.rows.iloc[-1]
    assert (first["child"], first["recording"], first["voice"]) == ("A", "r1", "female adult")
    assert first["above_chance"] == pytest.approx(0.10)
    assert first["duration_s"] == 1.0
    assert first["age_months"] == pytest.approx(300 / 30.4375)
    assert first["age_mean_months"] == pytest.approx(350 / 30.4375)
    assert first["age_own_months"] == pytest.approx(-50 / 30.4375)
    assert (first["activity"], first["location"]) == ("meal", "kitchen")
    assert table.rows["is_high"].tolist() == [1, 0, 1, 0]
    assert last["child"] == "B"
    assert last[["above_chance", "z", "age_months", "speaker", "activity"]].isna().all()


def test_what_has_no_score_is_counted(con):
    facts = model_table(con, CLIP, "utterances", "score ~ n_words").facts
    assert (facts.n_chosen, facts.n_scored, facts.n_rows, facts.n_recordings) == (6, 4, 4, 3)
    assert not facts.is_sample
    assert "2 utterances without a score left out" in facts.words


def test_shares_of_groups_and_what_cannot_be_grouped(con):
    table = model_table(con, CLIP, "children", "share ~ speaker")
    assert table.rows[["child", "speaker", "n"]].values.tolist() == [["A", "adult", 3]]
    assert table.rows["share"].tolist() == pytest.approx([2 / 3])
    assert table.facts.n_ungrouped == 1
    assert "1 utterance of unknown group" in table.facts.words


def test_counts_and_means_by_recording(con):
    formula = "cbind(n_high, n_low) ~ max_cosine + n_words + n + (1 | recording)"
    rows = model_table(con, CLIP, "recordings", formula).rows.set_index("recording")
    assert rows.loc["r1", ["n_high", "n_low", "n"]].tolist() == [1, 1, 2]
    assert rows.loc["r1", "max_cosine"] == pytest.approx(0.25)
    assert rows.loc["r1", "n_words"] == 1.5
    assert rows.loc["r2", ["n_high", "n_low"]].tolist() == [1, 0]
    assert rows.loc["r3", ["n_high", "n_low"]].tolist() == [0, 1]


def test_the_reference_of_a_category_comes_first():
    with small_store() as con:
        con.execute("UPDATE scores_wide SET speaker = 'CHI' WHERE utterance_id = 'u5'")
        table = model_table(con, CLIP, "utterances", "score ~ speaker + activity + (1 | child)")
        assert levels_of(table.rows)["speaker"] == ("child", "adult")
        assert levels_of(table.rows)["activity"] == ("meal", "play")


def test_filters_and_other_scores_are_respected(con):
    condition = Condition("n_words >= $least", {"least": 2})
    choice = ScoreChoice("clip", crop="multi", threshold=0.23, condition=condition)
    rows = model_table(con, choice, "utterances", "score ~ is_high + (1 | child)").rows
    assert rows["score"].tolist() == pytest.approx([0.25, 0.22, 0.10])
    assert rows["is_high"].tolist() == [1, 0, 0]
    by_mean = ScoreChoice("clip", statistic="mean")
    rows = model_table(con, by_mean, "utterances", "score ~ 1 + (1 | child)").rows
    assert rows["score"].tolist() == pytest.approx([0.30, 0.15, 0.24, 0.10])


def test_a_wrong_name_is_told_with_the_nearest_right_one(con):
    with pytest.raises(FitError, match="no column duratoin_s") as refused:
        model_table(con, CLIP, "utterances", "score ~ duratoin_s + (1 | child)")
    assert "Did you mean duration_s?" in refused.value.hint
    with pytest.raises(FitError, match="no column share in the table of utterances") as refused:
        model_table(con, CLIP, "utterances", "share ~ n_words + (1 | child)")
    assert "recordings or children" in refused.value.hint
    assert unknown_names("log(score) ~ n_words", "utterances") == {}


def test_a_column_that_is_always_missing_says_why_and_what_helps(con):
    choice = ScoreChoice("clip", condition=Condition("child_id = $child", {"child": "B"}))
    for formula, words in (
        ("above_chance ~ n_words", "No utterance here has a matched null"),
        ("score ~ speaker", "No utterance here has a known speaker"),
        ("score ~ age_months", "No recording here has a known age"),
        ("score ~ activity", "This store holds no activity"),
    ):
        with pytest.raises(FitError, match=words) as refused:
            model_table(con, choice, "utterances", formula)
        assert refused.value.hint


def test_nothing_scored_is_told(con):
    choice = ScoreChoice("clip", condition=Condition("n_words > 5"))
    for unit in UNITS:
        with pytest.raises(FitError, match="None of these utterances has a score"):
            model_table(con, choice, unit, "score ~ n_words + (1 | child)")


def test_too_many_utterances_are_sampled_by_recording_and_said_so(synthetic):
    choice = ScoreChoice("synthetic")
    whole = model_table(synthetic, choice, "utterances", "score ~ n_words")
    some = model_table(synthetic, choice, "utterances", "score ~ n_words", most_rows=120)
    again = model_table(synthetic, choice, "utterances", "score ~ n_words", most_rows=120)
    least = model_table(synthetic, choice, "utterances", "score ~ n_words", most_rows=1)
    assert not whole.facts.is_sample
    assert whole.facts.n_rows == whole.facts.n_scored
    assert some.facts.is_sample
    assert 0 < some.facts.n_rows <= 120
    assert some.rows.equals(again.rows)
    for recording, part in some.rows.groupby("recording"):
        assert len(part) == (whole.rows["recording"] == recording).sum()
    assert f"{some.facts.n_recordings} of {some.facts.n_recordings_scored} recordings" in (
        some.facts.words
    )
    assert "seed 1" in some.facts.words
    assert least.facts.n_recordings == 1


def test_every_column_has_a_meaning_and_belongs_to_a_table():
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
    for column in COLUMNS:
        assert column.meaning
        assert set(column.units) <= set(UNITS)
    assert {c.name for c in columns_of("children", "group")} == {"child"}


def test_a_free_window_has_no_null_and_no_z(con):
    choice = ScoreChoice("clip", window="-3+1", crop="multi")
    with pytest.raises(FitError, match="None of these utterances has a score"):
        model_table(con, choice, "utterances", "above_chance ~ n_words")
    with pytest.raises(ValueError, match="no null"):
        ScoreChoice("clip", window="-3+1", scale="z")
