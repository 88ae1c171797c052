"""Raters come in by a code or an open link, on the emptiest list, and may go again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import RatingError
from pipeline.people.answers import answers_of, next_trial, save_answer
from pipeline.people.raters import (
    add_rater,
    close_links,
    consent,
    invite,
    join,
    new_code,
    open_link,
    open_links_of,
    progress_of,
    rater_by_code,
    raters_of,
    withdraw_rater,
)
from pipeline.people.store import PeopleStore, people_store
from pipeline.people.trial_sets import close_set
from tests.people.rating_sets import four_choices, moments_to_label


@pytest.fixture
def people(tmp_path: Path) -> PeopleStore:
    return people_store(tmp_path)


def test_a_code_lets_in_however_it_is_typed_and_is_kept_nowhere(people: PeopleStore):
    rater_id, code = invite(people, four_choices(people), "P01")
    with people.reading() as con:
        for typed in (code, code.lower(), code.replace("-", ""), f"  {code.replace('-', ' ')} "):
            found = rater_by_code(con, typed)
            assert found is not None
            assert found.rater_id == rater_id
        assert rater_by_code(con, code[:-1]) is None
        assert rater_by_code(con, "") is None
        kept = "\n".join(con.iterdump())
    assert code not in kept
    assert code.replace("-", "") not in kept


def test_a_new_code_shuts_out_the_old_one(people: PeopleStore):
    rater_id, old = invite(people, four_choices(people), "P01")
    new = new_code(people, rater_id)
    with people.reading() as con:
        assert rater_by_code(con, old) is None
        found = rater_by_code(con, new)
    assert found is not None
    assert found.label == "P01"
    with pytest.raises(RatingError):
        new_code(people, 99)


def test_raters_fill_the_lists_evenly_and_simulated_ones_do_not_count(people: PeopleStore):
    set_id = four_choices(people, n_lists=3)
    for number in range(4):
        add_rater(
            people, set_id, f"S{number}", list_number=0, is_simulated=True, source="simulated"
        )
    for number in range(7):
        invite(people, set_id, f"P{number}")
    with people.reading() as con:
        lists = [r.list_number for r in raters_of(con, set_id) if not r.is_simulated]
    assert lists == [0, 1, 2, 0, 1, 2, 0]


def test_a_label_is_one_person_of_a_set(people: PeopleStore):
    set_id = four_choices(people)
    invite(people, set_id, "P01")
    invite(people, four_choices(people, name="B"), "P01")
    for bad in (" P01 ", "", "x" * 81, "a\x00b"):
        with pytest.raises(ValueError, match="rater"):
            invite(people, set_id, bad)
    with pytest.raises(RatingError, match="deleted"):
        invite(people, 99, "P02")


def test_an_open_link_lets_in_so_many_and_the_same_label_again(people: PeopleStore):
    set_id = four_choices(people)
    code = open_link(people, set_id, 2)
    first = join(people, code, "5f1")
    assert join(people, code, " 5f1 ") == first
    second = join(people, code, "5f2")
    assert {first.list_number, second.list_number} == {0, 1}
    with pytest.raises(RatingError, match="Enough"):
        join(people, code, "5f3")
    with pytest.raises(RatingError, match="not known"):
        join(people, "AAAA-AAAA-AA", "5f1")
    with people.reading() as con:
        assert rater_by_code(con, code) is None
        (link,) = open_links_of(con, set_id)
    assert (link.max_raters, link.n_joined) == (2, 2)


def test_a_closed_link_keeps_those_who_joined(people: PeopleStore):
    set_id = four_choices(people)
    code = open_link(people, set_id, 5)
    first = join(people, code, "5f1")
    close_links(people, set_id)
    assert join(people, code, "5f1") == first
    with pytest.raises(RatingError, match="no more"):
        join(people, code, "5f2")


def test_an_open_link_is_no_way_into_an_invitation_or_an_import(people: PeopleStore):
    set_id = four_choices(people)
    invite(people, set_id, "P01")
    add_rater(people, set_id, "P02", list_number=0, is_simulated=False, source="old.csv")
    code = open_link(people, set_id, 5)
    for label in ("P01", "P02"):
        with pytest.raises(RatingError, match="own"):
            join(people, code, label)


def test_many_who_join_at_once_never_pass_the_limit(people: PeopleStore):
    set_id = four_choices(people)
    code = open_link(people, set_id, 5)

    def try_to_join(number: int) -> bool:
        try:
            join(people, code, f"p{number % 8}")
        except RatingError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(try_to_join, range(24)))
    with people.reading() as con:
        assert len(raters_of(con, set_id)) == 5


def test_consent_keeps_its_first_time(people: PeopleStore):
    set_id = four_choices(people)
    rater_id, _ = invite(people, set_id, "P01")
    consent(people, rater_id)
    with people.reading() as con:
        first = raters_of(con, set_id)[0].consented_at
    consent(people, rater_id)
    with people.reading() as con:
        assert raters_of(con, set_id)[0].consented_at == first
    assert first is not None


def test_progress_counts_answers_and_withdrawal_takes_them_away(people: PeopleStore):
    set_id = four_choices(people)
    first, _ = invite(people, set_id, "P01")
    invite(people, set_id, "P02")
    with people.reading() as con:
        trial = next_trial(con, raters_of(con, set_id)[0])
    assert trial is not None
    save_answer(people, first, trial.trial_id, selected_position=1, rt_ms=None, app_version="1")
    with people.reading() as con:
        progress = progress_of(con, set_id)
    assert [(p.rater.label, p.n_answered, p.n_trials) for p in progress] == [
        ("P01", 1, 4),
        ("P02", 0, 4),
    ]
    assert progress[0].last_at is not None
    withdraw_rater(people, first)
    with people.reading() as con:
        assert answers_of(con, set_id) == ()
        assert [r.label for r in raters_of(con, set_id)] == ["P02"]


def test_raters_of_labels_have_no_list_and_a_closed_set_lets_nobody_join(people: PeopleStore):
    set_id = moments_to_label(people)
    code = open_link(people, set_id, 3)
    assert join(people, code, "E1").list_number is None
    with people.reading() as con:
        assert [p.n_trials for p in progress_of(con, set_id)] == [6]
    close_set(people, set_id)
    with pytest.raises(RatingError, match="no more"):
        join(people, code, "E2")
