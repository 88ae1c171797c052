"""The page Rate: a researcher makes sets, invites raters, follows them, and ends it."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.components.rate_state import NewCode, link_of
from pipeline.people.answers import save_answer
from pipeline.people.raters import invite, progress_of, rater_by_code
from pipeline.people.store import PeopleStore, people_store
from pipeline.people.trial_records import SetKind
from pipeline.people.trial_sets import trial_sets, trials_of
from pipeline.store.opening import open_current_store
from pipeline.validation.plan import TrialPlan
from pipeline.validation.trial_set import make_set
from tests.dashboard.conftest import APP

PLAN = TrialPlan(name="Pilot", lists=4, per_list=8, bins=2, raters_per_item=2, n_practice=0)


@pytest.fixture
def study(
    studies: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A study whose videos are empty files: enough for sets, not for pictures."""
    root = tmp_path / "study"
    shutil.copytree(studies("no null"), root)
    raw = root / "recordings" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for number in range(1, 9):
        (raw / f"rec{number:02d}.mp4").touch()
    monkeypatch.setenv("COVIEW_STUDY", str(root))
    yield root
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def people(study: Path) -> PeopleStore:
    return people_store(study)


@pytest.fixture
def set_id(study: Path) -> int:
    with open_current_store(study) as con:
        return make_set(con, study, PLAN, consent="You may stop.").set_id


def opened(**params: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=120)
    app.switch_page("app_pages/rating.py")
    for name, value in params.items():
        app.query_params[name] = value
    return checked(app.run())


def checked(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    return app


def labelled(elements, label: str):
    return next(one for one in elements if one.label == label)


def shown_codes(app: AppTest) -> pd.DataFrame:
    return next(one.value for one in app.dataframe if "Code" in one.value.columns)


def test_the_form_says_what_cannot_be_made_and_makes_what_can(study, people):
    app = opened()
    assert "No set of trials yet" in app.info[0].value
    labelled(app.number_input, "Lists").set_value(500)
    checked(labelled(app.button, "Make the set").click().run())
    assert "items can be made" in app.error[0].value
    assert "Ask for" in app.error[0].value
    labelled(app.text_input, "Name").set_value("First")
    labelled(app.number_input, "Lists").set_value(4)
    labelled(app.number_input, "Trials a list").set_value(8)
    labelled(app.number_input, "Raters an item").set_value(2)
    labelled(app.number_input, "Score bins").set_value(2)
    checked(labelled(app.button, "Make the set").click().run())
    assert "First was made." in app.success[0].value
    assert "16 items in 4 lists of 8 trials" in app.success[0].value
    assert app.query_params["set"] == "1"
    assert "Nobody was invited yet." in [one.value for one in app.caption]
    with people.reading() as con:
        (one,) = trial_sets(con)
        assert len(trials_of(con, one.set_id)) == 4 * (8 + 2 + 3)


def test_moments_for_experts_are_made_with_their_own_form(study, people):
    app = opened()
    app.button_group[0].set_value("labels").run()
    labelled(app.number_input, "Moments").set_value(6)
    checked(labelled(app.button, "Make the set").click().run())
    assert "6 moments." in app.success[0].value
    with people.reading() as con:
        assert trial_sets(con)[0].kind is SetKind.LABELS


def test_invited_raters_get_codes_that_are_shown_until_they_are_put_away(set_id, people):
    invite(people, set_id, "R00")
    app = opened()
    app.text_area[0].set_value("R02\nR00").run()
    checked(labelled(app.button, "Invite").click().run())
    assert "R00 is a rater of this set already" in app.error[0].value
    app.text_area[0].set_value("R01\n R02 \n\nR01").run()
    checked(labelled(app.button, "Invite").click().run())
    codes = shown_codes(app)
    assert list(codes["Rater"]) == ["R01", "R02"]
    with people.reading() as con:
        found = [rater_by_code(con, code) for code in codes["Code"]]
    assert [rater.label for rater in found] == ["R01", "R02"]
    assert list(codes["Link"].str.split("/rate/k/").str[1]) == list(codes["Code"])
    checked(labelled(app.button, "I have kept them").click().run())
    assert not any("Code" in one.value.columns for one in app.dataframe)
    assert not any(codes["Code"][0] in str(one.value) for one in (*app.markdown, *app.caption))


def test_progress_is_told_for_each_rater(set_id, people):
    done, _ = invite(people, set_id, "Done")
    invite(people, set_id, "New")
    with people.reading() as con:
        for trial in trials_of(con, set_id):
            if trial.list_number == 1:
                save_answer(
                    people, done, trial.trial_id, selected_position=1, rt_ms=900, app_version="t"
                )
    app = opened()
    table = next(one.value for one in app.dataframe if "State" in one.value.columns)
    assert list(table["State"]) == ["Finished", "Not started"]
    assert list(table["Answers"]) == ["10 of 10", "0 of 10"]
    assert any("2 raters, 1 finished; 10 answers so far" in one.value for one in app.caption)


def test_a_new_code_takes_the_place_of_the_old_one_and_a_rater_can_be_deleted(set_id, people):
    _, old = invite(people, set_id, "R01")
    app = opened()
    checked(labelled(app.button, "New code").click().run())
    new = shown_codes(app)["Code"][0]
    with people.reading() as con:
        assert rater_by_code(con, old) is None
        assert rater_by_code(con, new) is not None
    checked(labelled(app.button, "Delete").click().run())
    with people.reading() as con:
        assert progress_of(con, set_id) == ()
    assert "R01 was deleted with 0 answers." in app.success[0].value


def test_a_link_for_anyone_is_made_and_closed(set_id, people):
    app = opened()
    checked(labelled(app.button, "Make a link").click().run())
    link = shown_codes(app)["Link"][0]
    assert "/rate/join/" in link
    assert link.endswith("?PROLIFIC_PID={{%PROLIFIC_PID%}}")
    assert any("1 link for anyone: 0 raters of at most 80 came" in c.value for c in app.caption)
    checked(labelled(app.button, "Close all links").click().run())
    assert not any("for anyone" in one.value for one in app.caption)


def test_a_set_is_closed_and_deleted_only_when_the_person_is_sure(set_id, people):
    invite(people, set_id, "R01")
    app = opened()
    checked(labelled(app.button, "Close the set").click().run())
    assert "Pilot takes no more answers." in app.success[0].value
    assert not any(one.label == "Invite" for one in app.button)
    assert labelled(app.button, "Delete the set").disabled
    app.checkbox(key=f"rate_sure_{set_id}").check().run()
    checked(labelled(app.button, "Delete the set").click().run())
    with people.reading() as con:
        assert trial_sets(con) == ()
    assert "No set of trials yet" in app.info[0].value


def test_an_export_is_taken_in_by_another_study(set_id, people, study):
    app = opened()
    checked(labelled(app.button, "Export lists and answers").click().run())
    (exported,) = (study / "derived" / "exports").glob("*/pilot.zip")
    assert exported.stat().st_size > 1_000
    lists = next((study / "derived" / "exports").glob("*/set/trials.csv")).read_bytes()
    labelled(app.text_area, "Names, one a line")
    app.file_uploader(key="rate_import_file").set_value(("pilot-again.csv", lists, "text/csv"))
    checked(labelled(app.button, "Take it in").click().run())
    assert "pilot-again.csv" in (app.success or app.error)[0].value


def test_how_the_set_was_made_stands_in_a_table(set_id, people):
    app = opened(set=str(set_id))
    table = next(one.value for one in app.dataframe if "Could be had" in one.value.columns)
    assert list(table["Image trials"]) == ["4 of 4", "4 of 4"]
    assert "You may stop." in [one.value for one in app.text]
    # A set from elsewhere says nothing of it.
    for settings in ('{"strata": [1]}', "nothing"):
        with people.writing() as con:
            con.execute("UPDATE trial_sets SET settings = ?", (settings,))
        checked(app.run())
        assert not any("Could be had" in one.value.columns for one in app.dataframe)


@pytest.mark.parametrize(
    ("label", "end"),
    [("R01", "/rate/k/ABC"), (None, "/rate/join/ABC?PROLIFIC_PID={{%PROLIFIC_PID%}}")],
)
def test_links_begin_with_the_address_that_raters_use(label, end):
    assert link_of(NewCode(1, label, "ABC"), "https://lab.example") == f"https://lab.example{end}"


def test_codes_as_csv_run_no_formula():
    from pipeline.spreadsheet import csv_text

    frame = pd.DataFrame({"Rater": ["=1+1"]})
    assert pd.read_csv(io.StringIO(csv_text(frame)))["Rater"][0] == "'=1+1"
