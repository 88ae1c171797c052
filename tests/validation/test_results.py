"""What a 4AFC study says, counted and fitted from the answer table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.people.store import PeopleStore
from pipeline.people.trial_records import TrialMode
from pipeline.validation.answer_table import answer_table
from pipeline.validation.exclusions import FEW_CATCH, NOBODY, TOO_FAST, ExclusionRule
from pipeline.validation.results import (
    HumanFits,
    ResultChoice,
    Scale,
    human_fits,
    human_results,
)
from tests.validation.simulated_set import Truth, add_simulated_set

TRUTH = Truth()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    store = PeopleStore(tmp_path_factory.mktemp("people") / "people.sqlite")
    set_id = add_simulated_set(store, n_raters=24, n_items=48, n_careless=3, truth=TRUTH, seed=4)
    with store.reading() as con:
        return answer_table(con, [set_id], {f"rec{i}": f"child {i % 2}" for i in range(6)})


@pytest.fixture(scope="module")
def fits(table: pd.DataFrame) -> HumanFits:
    return human_fits(table, ResultChoice())


def test_careless_raters_are_left_out_and_counted_before_and_after(table: pd.DataFrame) -> None:
    found = human_results(table, ResultChoice())
    reasons = [one.reason for one in found.exclusions.raters]
    assert reasons.count(FEW_CATCH) == found.exclusions.n_excluded >= 2
    assert found.before.people.n == 24 * 48
    assert found.after.people.n == found.before.people.n - found.exclusions.n_answers_excluded
    assert found.after.people.estimate > found.before.people.estimate
    assert found.exclusions.n_without_catch == 0
    nobody = human_results(table, ResultChoice(rule=NOBODY))
    assert nobody.exclusions.n_excluded == 0
    assert nobody.after.people == nobody.before.people == found.before.people


def test_a_rater_who_is_too_fast_is_left_out_and_one_without_times_is_not(
    table: pd.DataFrame,
) -> None:
    rushed = table.copy()
    first, second = sorted(rushed["rater_id"].unique())[-2:]
    rushed.loc[rushed["rater_id"] == first, "rt_ms"] = 150.0
    rushed.loc[rushed["rater_id"] == second, "rt_ms"] = np.nan
    found = human_results(rushed, ResultChoice(rule=ExclusionRule(0.0, 300.0)))
    by_id = {one.rater_id: one.reason for one in found.exclusions.raters}
    assert by_id[first] == TOO_FAST
    assert by_id[second] == ""


def test_accuracy_by_bin_is_that_of_its_answers_for_people_and_model(table: pd.DataFrame) -> None:
    found = human_results(table, ResultChoice(rule=NOBODY))
    main = table[table["part"] == "main"]
    assert sum(one.people.n for one in found.bins) == len(main)
    for number, row in zip(sorted(main["bin"].unique()), found.bins, strict=True):
        own = main[main["bin"] == number]
        assert row.people.estimate == pytest.approx(own["is_correct"].mean())
        assert row.model.estimate == pytest.approx(float(own["is_model_correct"].mean()))
        assert (row.low, row.high) == (own["score"].min(), own["score"].max())
        assert row.people.n_items == own["item"].nunique()


def test_z_gets_bins_of_equally_many_items(table: pd.DataFrame) -> None:
    found = human_results(table, ResultChoice(scale=Scale.Z))
    assert [one.people.n_items for one in found.bins] == [6] * 8
    assert all(a.high < b.low for a, b in zip(found.bins, found.bins[1:], strict=False))


def test_choices_of_people_and_model_are_compared_answer_by_answer(table: pd.DataFrame) -> None:
    found = human_results(table, ResultChoice(rule=NOBODY)).with_model
    main = table[table["part"] == "main"]
    same = main["selected_position"] == main["model_position"]
    assert found.same.estimate == pytest.approx(float(same.mean()))
    assert found.both_right + found.only_people + found.only_model + found.neither == len(main)
    assert found.both_right + found.only_people == main["is_correct"].sum()
    blind = table.copy()
    blind["model_position"], blind["is_model_correct"] = pd.NA, pd.NA
    nothing = human_results(blind, ResultChoice())
    assert nothing.with_model.n_no_choice == nothing.after.people.n
    assert nothing.after.model.n == 0


def test_kinds_of_trial_can_be_taken_alone(table: pd.DataFrame) -> None:
    found = human_results(table, ResultChoice(mode=TrialMode.IMAGES))
    assert [one.name for one in found.modes] == ["images", "utterances"]
    assert found.after.people == found.modes[0].people
    assert found.after.people.n_items == 24


def test_every_place_was_chosen_about_equally_often(table: pd.DataFrame) -> None:
    places = human_results(table, ResultChoice()).positions
    assert sum(one.chosen.estimate for one in places) == pytest.approx(1)
    assert all(one.chosen.low < 0.25 < one.chosen.high for one in places)


def test_times_are_given_for_right_and_wrong_answers(table: pd.DataFrame) -> None:
    found = {one.name: one for one in human_results(table, ResultChoice()).times}
    assert found["All"].median.n == found["Right"].median.n + found["Wrong"].median.n
    assert found["All"].median.low < found["All"].median.estimate < found["All"].median.high
    untimed = table.assign(rt_ms=np.nan)
    assert human_results(untimed, ResultChoice()).times[0].median.n == 0


def test_the_curve_gives_the_threshold_back_that_raters_answered_by(fits: HumanFits) -> None:
    assert fits.curve is not None
    assert fits.curve_before is not None
    assert fits.curve.threshold.low <= TRUTH.threshold <= fits.curve.threshold.high
    assert fits.curve.n < fits.curve_before.n
    assert fits.mixed is not None
    slope = fits.mixed.effect("score")
    assert slope is not None
    assert 10 < slope.estimate < TRUTH.slope


def test_answers_without_a_score_are_counted_and_enter_no_bin(table: pd.DataFrame) -> None:
    partly = table.copy()
    lost = partly["item"].isin(["i000", "i001"])
    partly.loc[lost, ["score", "z"]] = np.nan
    partly.loc[lost, "bin"] = pd.NA
    found = human_results(partly, ResultChoice(rule=NOBODY))
    assert found.n_without_value == 48
    assert sum(one.people.n for one in found.bins) == 24 * 46


def test_one_rater_gives_counts_and_a_sentence_in_place_of_fits(table: pd.DataFrame) -> None:
    alone = table[table["rater_id"] == table["rater_id"].max()]
    found = human_results(alone, ResultChoice())
    assert not found.after.people.is_known
    assert found.between_raters is not None
    assert found.between_raters.alpha.n_units == 0
    nothing = human_fits(alone, ResultChoice())
    assert nothing.curve is None
    assert nothing.curve_problem is not None
    assert "1 rater" in nothing.curve_problem.message
    assert nothing.mixed is None
    assert nothing.mixed_problem is not None


def test_no_answers_give_empty_results(table: pd.DataFrame) -> None:
    found = human_results(table[:0], ResultChoice())
    assert found.after.people.n == 0
    assert found.bins == ()
    assert found.between_raters is None


def test_the_answers_of_an_empty_store_can_be_asked_for(tmp_path: Path) -> None:
    with PeopleStore(tmp_path / "none.sqlite").reading() as con:
        assert human_results(answer_table(con, [1]), ResultChoice()).after.people.n == 0
