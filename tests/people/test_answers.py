"""An answer is kept once, in its order; experts label what was labelled least."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import RatingError
from pipeline.people.answers import add_answers, answers_of, next_trial, save_answer
from pipeline.people.expert_labels import (
    add_labels,
    labels_of,
    next_item,
    save_label,
    waiting_items,
)
from pipeline.people.raters import add_rater, invite, raters_of
from pipeline.people.store import PeopleStore, people_store
from pipeline.people.trial_records import Answer, MomentLabel, Rater, Trial
from pipeline.people.trial_sets import close_set, trials_of
from tests.people.rating_sets import four_choices, moments_to_label


@pytest.fixture
def people(tmp_path: Path) -> PeopleStore:
    return people_store(tmp_path)


def next_of(people: PeopleStore, rater: Rater) -> Trial | None:
    with people.reading() as con:
        return next_trial(con, rater)


def invited(people: PeopleStore, set_id: int, label: str = "P01") -> Rater:
    rater_id, _ = invite(people, set_id, label)
    with people.reading() as con:
        return next(r for r in raters_of(con, set_id) if r.rater_id == rater_id)


def answer(people: PeopleStore, rater: Rater, trial: Trial, position: int) -> bool:
    return save_answer(
        people,
        rater.rater_id,
        trial.trial_id,
        selected_position=position,
        rt_ms=812.5,
        app_version="1",
    )


def test_a_list_is_answered_in_its_order_and_then_done(people: PeopleStore):
    set_id = four_choices(people)
    rater = invited(people, set_id)
    places = []
    while (trial := next_of(people, rater)) is not None:
        places.append(trial.position)
        assert trial.list_number == rater.list_number
        assert answer(people, rater, trial, 4)
    assert places == [1, 2, 3, 4]
    with people.reading() as con:
        assert [a.rt_ms for a in answers_of(con, set_id)] == [812.5] * 4


def test_the_first_answer_stays_whoever_answers_again(people: PeopleStore):
    set_id = four_choices(people)
    rater = invited(people, set_id)
    trial = next_of(people, rater)
    assert trial is not None
    with ThreadPoolExecutor(6) as pool:
        was_new = list(pool.map(lambda n: answer(people, rater, trial, n % 4 + 1), range(12)))
    assert was_new.count(True) == 1
    with people.reading() as con:
        (kept,) = answers_of(con, set_id)
    assert kept.selected_position == was_new.index(True) % 4 + 1


def test_answers_of_others_lists_closed_sets_and_wrong_positions_are_refused(people: PeopleStore):
    set_id = four_choices(people)
    rater = invited(people, set_id)
    with people.reading() as con:
        own, foreign = (
            next(t for t in trials_of(con, set_id) if t.list_number == number) for number in (0, 1)
        )
    with pytest.raises(RatingError, match="list"):
        answer(people, rater, foreign, 1)
    for position in (0, 5):
        with pytest.raises(ValueError, match="position"):
            answer(people, rater, own, position)
    assert answer(people, rater, own, 2)
    close_set(people, set_id)
    assert not answer(people, rater, own, 3)
    second = next_of(people, rater)
    assert second is not None
    with pytest.raises(RatingError, match="no more"):
        answer(people, rater, second, 1)


def test_imported_answers_are_added_once(people: PeopleStore):
    set_id = four_choices(people)
    rater_id = add_rater(
        people, set_id, "P9", list_number=0, is_simulated=False, source="answers.csv"
    )
    with people.reading() as con:
        own = [t for t in trials_of(con, set_id) if t.list_number == 0]
    rows = [Answer(rater_id, t.trial_id, 3, None, "2024-01-01T00:00:00+00:00", "") for t in own]
    assert add_answers(people, rows[:2]) == 2
    assert add_answers(people, rows) == 2
    with people.reading() as con:
        assert answers_of(con, set_id) == tuple(rows)


def test_experts_get_the_least_rated_moments_and_not_in_step(people: PeopleStore):
    set_id = moments_to_label(people, n_items=6)
    raters = [invited(people, set_id, f"E{number}") for number in range(4)]
    with people.reading() as con:
        orders = [tuple(item.item_id for item in waiting_items(con, rater)) for rater in raters]
    assert len(set(orders)) == 4
    counts: Counter[str] = Counter()
    for turn in range(24):
        rater, mine = raters[turn % 4], orders[turn % 4]
        with people.reading() as con:
            item = next_item(con, rater)
            given = labels_of(con, set_id)
        assert item is not None
        done = {one.item_id for one in given if one.rater_id == rater.rater_id}
        assert item.item_id not in done
        assert counts[item.item_id] == min(counts[one] for one in mine if one not in done)
        counts[item.item_id] += 1
        if turn == 5:
            assert len(counts) == 6
        assert save_label(
            people,
            rater.rater_id,
            item.item_id,
            label=MomentLabel.PARTLY,
            referent="  the \n red ball ",
            rt_ms=900.0,
            app_version="1",
        )
    with people.reading() as con:
        given = labels_of(con, set_id)
        assert next_item(con, raters[0]) is None
    assert len(given) == 24
    assert {label.referent for label in given} == {"the red ball"}
    assert add_labels(people, set_id, given) == 0


def test_a_label_is_given_once_and_only_in_a_set_of_labels(people: PeopleStore):
    expert = invited(people, moments_to_label(people), "E1")
    rater = invited(people, four_choices(people))

    def label(rater: Rater, item_id: str, value: MomentLabel) -> bool:
        return save_label(
            people,
            rater.rater_id,
            item_id,
            label=value,
            referent="",
            rt_ms=None,
            app_version="1",
        )

    assert label(expert, "m1", MomentLabel.NOT)
    assert not label(expert, "m1", MomentLabel.ALIGNED)
    with pytest.raises(RatingError):
        label(rater, "i1", MomentLabel.NOT)
    with pytest.raises(RatingError):
        label(expert, "m99", MomentLabel.NOT)
    with people.reading() as con:
        (kept,) = labels_of(con, expert.set_id)
    assert kept.label is MomentLabel.NOT
