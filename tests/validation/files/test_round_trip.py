"""What is exported comes back the same."""

from __future__ import annotations

import csv
import json
import string
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import RatingError
from pipeline.people.raters import raters_of
from pipeline.people.store import MomentRef, people_store
from pipeline.people.trial_records import Item, ItemOption, Part, Trial, TrialMode
from pipeline.people.trial_sets import trial_sets, trials_of
from pipeline.records import TimeSpan
from pipeline.spreadsheet import guarded, unguarded
from pipeline.validation.answer_table import answer_table
from pipeline.validation.files.cells import is_missing
from pipeline.validation.files.columns import ANSWER_COLUMNS, TRIAL_COLUMNS
from pipeline.validation.files.export import export_set
from pipeline.validation.files.import_report import ImportOptions
from pipeline.validation.files.read import read_answer_file
from pipeline.validation.files.rows import AnswerGiven, answer_cells, trial_cells
from pipeline.validation.files.take import import_files
from pipeline.validation.files.write import jspsych_entry, write_csv, write_json
from tests.validation.files.made_sets import answered_set

PUBLIC = [
    *("prolific_pid", "annotator_index", "row_index", "mode", "selected_position"),
    *("correct_position", "is_correct", "utterance", "distractor_utt1", "distractor_utt2"),
    *("distractor_utt3", "image_path", "distractor_img1", "distractor_img2", "distractor_img3"),
    "timestamp",
]


def table_of(root: Path, set_id: int) -> pd.DataFrame:
    """The answers, without the numbers that every study gives anew."""
    with people_store(root).reading() as con:
        found = answer_table(con, [set_id]).drop(columns=["set_id", "rater_id"])
    return found.sort_values(["rater", "list", "position"], ignore_index=True)


def only_set(root: Path) -> int:
    with people_store(root).reading() as con:
        (one,) = trial_sets(con)
    return one.set_id


@pytest.mark.parametrize("file", ["answers.csv", "answers.json", ""])
def test_an_export_read_into_an_empty_study_gives_the_same_answers(
    tmp_path: Path, file: str
) -> None:
    _, set_id = answered_set(tmp_path / "here")
    exported = export_set(tmp_path / "here", set_id, tmp_path / "out")
    assert (exported.n_answers, exported.n_trials, exported.n_raters) == (28, 16, 4)
    reports = import_files(tmp_path / "there", tmp_path / "out" / file)
    assert sum(report.n_answers_added for report in reports) == 28
    found, expected = (
        table_of(tmp_path / "there", only_set(tmp_path / "there")),
        table_of(tmp_path / "here", set_id),
    )
    pd.testing.assert_frame_equal(found, expected)
    with people_store(tmp_path / "there").reading() as con:
        (one,) = trial_sets(con)
        settings_kept = json.loads(one.settings)
        labels = [rater.label for rater in raters_of(con, one.set_id)]
        n_trials = len(trials_of(con, one.set_id))
    assert one.name == "Pilot"
    assert one.consent == "You may stop at any time."
    assert (settings_kept["scorer"], settings_kept["seed"]) == ("clip", 7)
    assert labels == [f"=rater {number}" for number in range(4)]
    assert n_trials == (16 if not file else 14), "only a folder has the trials nobody answered"


def test_importing_twice_and_into_the_same_study_doubles_nothing(tmp_path: Path) -> None:
    _, set_id = answered_set(tmp_path / "here")
    export_set(tmp_path / "here", set_id, tmp_path / "out")
    for root in ("there", "there", "here"):
        reports = import_files(tmp_path / root, tmp_path / "out")
    assert [report.n_answers_added for report in reports] == [0, 0]
    assert reports[1].n_known == 28
    for root in ("here", "there"):
        pd.testing.assert_frame_equal(
            table_of(tmp_path / root, only_set(tmp_path / root)),
            table_of(tmp_path / "here", set_id),
        )


def test_a_growing_file_adds_only_what_is_new(tmp_path: Path) -> None:
    _, set_id = answered_set(tmp_path / "here")
    export_set(tmp_path / "here", set_id, tmp_path / "out")
    rows = (tmp_path / "out" / "answers.csv").read_text("utf-8").splitlines(keepends=True)
    early = tmp_path / "early.csv"
    early.write_text("".join(rows[:11]), "utf-8")
    (first,) = import_files(tmp_path / "there", early)
    (second,) = import_files(tmp_path / "there", tmp_path / "out" / "answers.csv")
    assert (first.n_answers_added, second.n_answers_added, second.n_known) == (10, 18, 10)
    assert not second.is_new_set
    pd.testing.assert_frame_equal(
        table_of(tmp_path / "there", only_set(tmp_path / "there")),
        table_of(tmp_path / "here", set_id),
    )


def test_answers_to_an_exported_list_join_the_set_they_were_made_for(tmp_path: Path) -> None:
    """A program elsewhere ran list 2 as it was exported and kept the public columns."""
    store, set_id = answered_set(tmp_path, n_raters=1)
    export_set(tmp_path, set_id, tmp_path / "out")
    with (tmp_path / "out" / "trials.csv").open(encoding="utf-8", newline="") as file:
        trials = [row for row in csv.DictReader(file) if row["list_id"] == "2"]
    path = tmp_path / "prolific.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, PUBLIC, extrasaction="ignore")
        writer.writeheader()
        for trial in trials:
            writer.writerow(
                trial
                | {
                    "prolific_pid": "P9",
                    "selected_position": "4",
                    "image_path": Path(trial["image_path"]).name,
                    "is_correct": str(trial["correct_position"] == "4").lower(),
                }
                | {"timestamp": "2026-04-01T12:00:00.250Z"}
            )
    (report,) = import_files(tmp_path, path)
    assert (report.set_name, report.n_answers_added, report.n_trials_added) == ("Pilot", 8, 0)
    with store.reading() as con:
        found = answer_table(con, [set_id])
    of_rater = found[found["rater"] == "P9"]
    assert len(of_rater) == 8
    assert of_rater["score"].notna().sum() == 7, "all but the catch trial have scores"
    assert set(of_rater["list"]) == {2}


def test_the_public_columns_come_first_and_formulas_are_guarded(tmp_path: Path) -> None:
    _, set_id = answered_set(tmp_path)
    export_set(tmp_path, set_id, tmp_path / "out")
    with (tmp_path / "out" / "answers.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert reader.fieldnames is not None
    columns = list(reader.fieldnames)
    assert [name for name in columns if name in PUBLIC] == PUBLIC
    assert {"rt_ms", "option_order", "seed", "list_id", "is_catch", "image_variant"} <= set(columns)
    assert rows[0]["prolific_pid"] == "'=rater 0"
    assert rows[0]["is_correct"] in ("true", "false")
    assert rows[0]["seed"] == "7"
    with (tmp_path / "out" / "trials.csv").open(encoding="utf-8", newline="") as file:
        of_trials = csv.DictReader(file).fieldnames
    assert not {"prolific_pid", "selected_position", "is_correct", "timestamp"} & set(
        of_trials or ()
    )


def test_a_jspsych_file_is_shaped_as_jspsych_writes_it(tmp_path: Path) -> None:
    _, set_id = answered_set(tmp_path)
    export_set(tmp_path, set_id, tmp_path / "out")
    entries = json.loads((tmp_path / "out" / "answers.json").read_text("utf-8"))
    of_first = [entry for entry in entries if entry["subject"] == "=rater 0"]
    assert [entry["trial_index"] for entry in of_first] == list(range(7))
    assert [entry["time_elapsed"] for entry in of_first[:2]] == [1234, 2234]
    for entry in entries:
        assert entry["trial_type"] == "html-button-response"
        assert len(entry["choices"]) == 4
        assert entry["response"] + 1 == entry["selected_position"]
        assert entry["correct"] == entry["is_correct"]
        is_images = entry["mode"] == "images"
        right = entry["image_path"] if is_images else entry["utterance"]
        assert entry["choices"][entry["correct_position"] - 1] == right


def test_a_set_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(RatingError, match="not in the study"):
        export_set(tmp_path, 3, tmp_path / "out")


def test_files_of_another_set_are_never_written_over(tmp_path: Path) -> None:
    _, first = answered_set(tmp_path / "here")
    _, second = answered_set(tmp_path / "here", name="Other", n_raters=1)
    for _ in range(2):
        export_set(tmp_path / "here", first, tmp_path / "out")
    with pytest.raises(RatingError, match=r"trials\.csv that is not of the set 'Other'"):
        export_set(tmp_path / "here", second, tmp_path / "out")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "answers.csv").write_text("mine", "utf-8")
    with pytest.raises(RatingError, match=r"answers\.csv that is not of the set"):
        export_set(tmp_path / "here", first, tmp_path / "own")
    assert (tmp_path / "own" / "answers.csv").read_text("utf-8") == "mine"


def test_looking_only_writes_nothing(tmp_path: Path) -> None:
    _, set_id = answered_set(tmp_path / "here")
    export_set(tmp_path / "here", set_id, tmp_path / "out")
    (report,) = import_files(
        tmp_path / "there", tmp_path / "out" / "answers.csv", ImportOptions(is_trial=True)
    )
    assert (report.n_answers_added, report.n_trials_added, report.n_raters_added) == (28, 14, 4)
    assert not (tmp_path / "there" / "people").exists()


letters = st.text(string.ascii_letters + "=+-@'\"\t ,;\néß漢😀", min_size=1, max_size=12)
number = st.floats(-1, 1, allow_nan=False)


def _may_be_id(text: str) -> bool:
    """An id that says nothing, such as R's NA, is none."""
    return text == text.strip() and "\t" not in text and not is_missing(text)


@st.composite
def options(draw: st.DrawFn) -> ItemOption:
    onset = draw(st.integers(0, 10**8))
    moment = MomentRef(
        draw(letters), draw(letters), TimeSpan(onset, onset + draw(st.integers(1, 10**5)))
    )
    frame_ms = draw(st.none() | st.integers(0, 10**8))
    image = draw(st.just("") | letters)
    return ItemOption(moment, draw(letters), frame_ms, draw(st.none() | number), image)


@st.composite
def trials(draw: st.DrawFn) -> Trial:
    mode = draw(st.sampled_from([TrialMode.IMAGES, TrialMode.UTTERANCES]))
    four = draw(st.tuples(options(), options(), options(), options()))
    item = Item(
        draw(letters.filter(_may_be_id)),
        mode,
        draw(st.sampled_from(list(Part))),
        draw(letters) if mode is TrialMode.IMAGES else draw(st.just("") | letters),
        four,
        draw(st.none() | number),
        draw(st.none() | st.floats(-50, 50)),
        draw(st.none() | st.integers(0, 20)),
    )
    order = tuple(draw(st.permutations(range(4))))
    return Trial(1, draw(st.integers(1, 99)), draw(st.integers(1, 99)), item, order)


answers = st.builds(
    AnswerGiven,
    st.text(string.ascii_letters + "=-+'é", min_size=1, max_size=20),
    st.booleans(),
    st.integers(1, 4),
    st.none() | st.floats(0, 1e7),
    st.sampled_from(["2026-03-01T10:00:00+00:00", "2026-03-01T10:00:00.123456+00:00"]),
    st.sampled_from(["0.6.0", "dev"]),
)


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(trials(), answers, st.booleans())
def test_any_answer_comes_back_as_it_was(
    tmp_path: Path, trial: Trial, answer: AnswerGiven, is_json: bool
) -> None:
    facts = {"scorer": "=clip", "seed": "7"}
    cells = {
        **trial_cells(trial, "a set", facts),
        **answer_cells(answer, trial.correct_position),
    }
    path = tmp_path / ("rows.json" if is_json else "rows.csv")
    if is_json:
        write_json(path, [jspsych_entry(trial, answer, cells, index=0, elapsed_ms=None)])
    else:
        write_csv(path, ANSWER_COLUMNS, [cells])
    read = read_answer_file(path)
    assert not read.problems
    (row,) = read.rows
    assert row.is_whole
    assert row.item == trial.item
    assert (row.list_number, row.position) == (trial.list_number, trial.position)
    assert row.option_order == trial.option_order
    assert row.answer == answer
    assert dict(row.facts) == facts
    write_csv(tmp_path / "trials.csv", TRIAL_COLUMNS, [cells])
    (listed,) = read_answer_file(tmp_path / "trials.csv").rows
    assert listed == replace(row, line=listed.line, answer=None)


@given(st.text(max_size=20))
def test_guarded_text_never_begins_like_a_formula_and_comes_back(text: str) -> None:
    cell = guarded(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert unguarded(cell) == text


def test_a_set_nobody_answered_yet_is_exported_and_read_as_trials_only(tmp_path: Path) -> None:
    _, set_id = answered_set(tmp_path / "here", n_raters=0)
    assert export_set(tmp_path / "here", set_id, tmp_path / "out").n_answers == 0
    (report,) = import_files(tmp_path / "there", tmp_path / "out")
    assert (report.n_trials_added, report.n_answers_added) == (16, 0)
