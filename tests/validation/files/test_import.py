"""Answers collected elsewhere: the published study's bare columns, Prolific, and what is wrong."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import CoviewError, RatingError
from pipeline.people.raters import raters_of
from pipeline.people.store import MomentRef, people_store
from pipeline.people.trial_sets import trial_sets
from pipeline.records import TimeSpan
from pipeline.validation.answer_table import answer_table
from pipeline.validation.files.export import export_set
from pipeline.validation.files.import_report import ImportOptions
from pipeline.validation.files.known import ScoredMoment, moments_of, store_moments
from pipeline.validation.files.plan import plan_import
from pipeline.validation.files.read import read_answer_file
from pipeline.validation.files.take import import_files
from tests.validation.files.made_sets import answered_set

COLUMNS = [
    *("prolific_pid", "annotator_index", "row_index", "mode", "selected_position"),
    *("correct_position", "is_correct", "utterance", "distractor_utt1", "distractor_utt2"),
    *("distractor_utt3", "image_path", "distractor_img1", "distractor_img2", "distractor_img3"),
    "timestamp",
]


def bare(
    rater: str = "P1",
    row: int = 0,
    selected: int = 2,
    correct: int = 2,
    *,
    question: str = "ball",
    mode: str = "images",
    annotator: int = 4,
    at: str = "2026-02-03T10:00:00.000Z",
) -> dict[str, str]:
    """A row as the published study writes it: positions from 0, no ids, no order."""
    others = ("cup", "hat", "dog")
    return {
        "prolific_pid": rater,
        "annotator_index": str(annotator),
        "row_index": str(row),
        "mode": mode,
        "selected_position": str(selected),
        "correct_position": str(correct),
        "is_correct": str(selected == correct).lower(),
        "utterance": f"look, the {question}!",
        "image_path": f"frames/REC1_{1500 if question == 'ball' else 99}.jpg",
        "timestamp": at,
    } | {
        name.format(k + 1): text.format(other)
        for k, other in enumerate(others)
        for name, text in (("distractor_utt{}", "a {}"), ("distractor_img{}", "frames/{}.jpg"))
    }


def write(path: Path, rows: list[dict[str, str]], without: str = "") -> Path:
    columns = [name for name in COLUMNS if name != without]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_the_published_studys_columns_make_a_set_of_their_own(tmp_path: Path) -> None:
    rows = [
        bare("P1", 0, 0, 0, question="ball"),
        bare("P1", 1, 3, 1, question="cat"),
        bare("P1", 2, 1, 1, question="attention", mode="images_AG"),
        bare("P2", 0, 2, 2, question="ball", annotator=5, mode="images"),
    ]
    (report,) = import_files(tmp_path, write(tmp_path / "published.csv", rows))
    assert (report.counts_from, report.is_new_set, report.set_name) == (0, True, "published")
    assert (report.n_raters_added, report.n_answers_added, report.n_trials_added) == (2, 4, 4)
    assert (report.sources.n_missing, report.sources.n_items) == (3, 3)
    with people_store(tmp_path).reading() as con:
        (one,) = trial_sets(con)
        found = answer_table(con, [one.set_id]).sort_values(["rater", "position"])
        assert [rater.list_number for rater in raters_of(con, one.set_id)] == [5, 6]
    assert list(found["correct_position"]) == [1, 2, 2, 3]
    assert list(found["selected_position"]) == [1, 4, 2, 3]
    assert list(found["is_correct"]) == [True, False, True, True]
    assert list(found["part"]) == ["main", "main", "catch", "main"]
    assert found["item"].nunique() == 3, "the same question of two raters is one item"
    assert list(found["list"]) == [5, 5, 5, 6]
    assert found["score"].isna().all()


def test_a_question_shown_again_after_a_reload_counts_once(tmp_path: Path) -> None:
    rows = [
        bare("P1", 7, 0, 3, at="2026-02-03T10:00:09.000Z"),
        bare("P1", 0, 2, 2, at="2026-02-03T10:00:01.000Z"),
        bare("P1", 1, 0, 2, at="2026-02-03T10:00:05.000Z"),
    ]
    path = write(tmp_path / "reloaded.csv", rows)
    (report,) = import_files(tmp_path, path)
    assert (report.n_answers_added, report.n_repeated, report.n_trials_added) == (1, 2, 1)
    (again,) = import_files(tmp_path, path)
    assert (again.n_answers_added, again.n_known, again.n_repeated) == (0, 1, 2)
    with people_store(tmp_path).reading() as con:
        found = answer_table(con, [trial_sets(con)[0].set_id])
    assert list(found["is_correct"]) == [True], "the first answer stays"


def test_raters_who_share_a_list_number_get_lists_of_their_own(tmp_path: Path) -> None:
    rows = [bare("P1", 0, 1, 1), bare("P2", 0, 2, 3), bare("P3", 0, 2, 3, annotator=8)]
    import_files(tmp_path, write(tmp_path / "shared.csv", rows))
    more = [bare("P4", 0, 0, 0), bare("P1", 1, 0, 0, question="cat")]
    import_files(tmp_path, write(tmp_path / "more.csv", more), ImportOptions("shared"))
    with people_store(tmp_path).reading() as con:
        (one,) = trial_sets(con)
        raters = {r.label: r.list_number for r in raters_of(con, one.set_id)}
        found = answer_table(con, [one.set_id])
    assert len(set(raters.values())) == 4
    assert raters["P3"] == 9
    assert found.groupby("rater").size().to_dict() == {"P1": 2, "P2": 1, "P3": 1, "P4": 1}


def test_options_shuffled_elsewhere_need_a_set_of_their_own(tmp_path: Path) -> None:
    """Questions and scores come from the set here; only the order is another one."""
    store, set_id = answered_set(tmp_path, n_raters=1)
    export_set(tmp_path, set_id, tmp_path / "out")
    with (tmp_path / "out" / "trials.csv").open(encoding="utf-8", newline="") as file:
        trials = [row for row in csv.DictReader(file) if row["list_id"] == "1"]
    rows = [
        trial
        | {"prolific_pid": "P7", "selected_position": "0", "timestamp": "2026-05-01T08:00:00Z"}
        | {"correct_position": str(place % 4), "is_correct": str(place % 4 == 0).lower()}
        for place, trial in enumerate(trials)
    ]
    path = write(tmp_path / "prolific.csv", rows)
    with pytest.raises(RatingError, match="the set 'Pilot' has no trial at place") as told:
        import_files(tmp_path, path, ImportOptions("Pilot"))
    assert "--set NAME" in told.value.hint
    (report,) = import_files(tmp_path, path, ImportOptions("Pilot on Prolific"))
    assert (report.n_answers_added, report.sources.n_in_set) == (8, 8)
    with store.reading() as con:
        found = answer_table(con, [trial_sets(con)[0].set_id])
        here = answer_table(con, [set_id])
        made_with = json.loads(trial_sets(con)[0].settings)
    assert made_with == {
        **{"scorer": "clip", "crop": "center", "image_variant": "full_frame"},
        "imported_from": "prolific.csv",
    }
    scores = dict(zip(here["item"], here["score"], strict=True))
    for item, score in zip(found["item"], found["score"], strict=True):
        if item in scores:
            assert score == scores[item] or item.startswith("c")
    assert found["is_model_correct"].notna().sum() == here["is_model_correct"].notna().sum() + 1


def test_scores_are_joined_by_picture_or_by_words_that_occur_once() -> None:
    def moment(number: int, recording: str = "REC1") -> MomentRef:
        return MomentRef(recording, f"u{number}", TimeSpan(1000 * number, 1000 * number + 900))

    store = store_moments(
        [
            ScoredMoment(moment(1), "Look, the ball!", 0.3, 2.5),
            ScoredMoment(moment(1, "REC2"), "look the ball", 0.1, 0.5),
            ScoredMoment(moment(4), "Look: the CAT.", 0.25, 1.0),
            ScoredMoment(moment(7), "again", 0.2, 0.0),
            ScoredMoment(moment(9), "again", 0.2, 0.1),
        ]
    )
    by_image = store.find("elsewhere/REC1_1500.jpg", "look, the ball")
    assert by_image is not None
    assert (by_image.moment, by_image.frame_ms, by_image.score, by_image.by) == (
        *(moment(1), 1500, 0.3),
        "image",
    )
    frame = store.find("release/REC1/00004.jpg", "words misheard")
    assert frame is not None
    assert (frame.moment, frame.frame_ms) == (moment(4), 4000)
    by_words = store.find("unknown.jpg", "look the cat")
    assert by_words is not None
    assert (by_words.moment, by_words.frame_ms, by_words.by) == (moment(4), None, "words")
    for image, words in (("x.jpg", "look, the ball!"), ("x.jpg", "again"), ("x.jpg", "")):
        assert store.find(image, words) is None, "words of several moments mean none of them"
    far = store.find("REC1_60000.jpg", "nothing of the kind")
    assert far is None


def test_the_store_is_asked_only_for_what_the_file_names(tmp_path: Path) -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE models AS SELECT 'clip' AS scorer, 'w' AS weights")
        con.execute(
            "CREATE TABLE utterances AS SELECT * FROM (VALUES "
            "('REC1', 'u1', 1000, 1900, 'Look,  the BALL!'), ('REC2', 'u2', 0, 900, 'oh'), "
            "('REC3', 'u3', 0, 900, 'it''s  here')) "
            "t(recording_id, utterance_id, onset_ms, offset_ms, text)"
        )
        con.execute(
            "CREATE TABLE scores_wide AS SELECT 'clip' AS scorer, 'REC1' AS recording_id, "
            "'u1' AS utterance_id, 0.3 AS center_strict_max_cosine, 2.5 AS center_strict_z"
        )
        found = moments_of(con, ["a/REC2_100.jpg", "b.jpg"], ["look the ball", "It's here?"])
    assert set(found.by_recording) == {"REC1", "REC2", "REC3"}
    (ball,) = found.by_recording["REC1"]
    assert (ball.score, ball.z) == (0.3, 2.5)
    assert found.facts["scorer"] == "clip"
    assert found.by_recording["REC2"][0].score is None


def test_a_list_without_targets_places_gets_an_order_that_stays(tmp_path: Path) -> None:
    rows = [bare(question=word, row=place) for place, word in enumerate(("ball", "cat", "owl"))]
    path = tmp_path / "list.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        answered = ("prolific_pid", "selected_position", "is_correct", "correct_position")
        shown = [name for name in COLUMNS if name not in (*answered, "timestamp")]
        writer = csv.DictWriter(file, shown, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    first, second = read_answer_file(path), read_answer_file(path)
    assert not first.has_answers
    assert [row.option_order for row in first.rows] == [row.option_order for row in second.rows]
    (report,) = import_files(tmp_path, path)
    assert (report.n_trials_added, report.n_answers_added) == (3, 0)
    assert import_files(tmp_path, path)[0].n_trials_added == 0


def _five(row: dict[str, str]) -> None:
    row["selected_position"], row["is_correct"] = "5", "false"


def _contradicting(row: dict[str, str]) -> None:
    row["is_correct"] = "true"
    row["selected_position"] = "1"


@pytest.mark.parametrize(
    ("spoil", "sentence", "fix"),
    [
        (_five, "selected_position is 5.", "Positions in this file are 0 to 3."),
        (_contradicting, "is_correct is true, but position 1 was chosen and 2 is right.", "wrong"),
        (lambda row: row.update(mode="sounds"), "mode is 'sounds'.", "images or utterances"),
        (lambda row: row.update(prolific_pid=" "), "prolific_pid is empty.", "pseudonym"),
        (lambda row: row.update(selected_position=""), "selected_position is empty.", "out"),
        (lambda row: row.update(row_index="one"), "row_index: 'one' is not a number.", "whole"),
        (lambda row: row.update(timestamp="noon"), "timestamp: 'noon' is not a date", "Write"),
        (lambda row: row.update(correct_position=""), "correct_position is empty.", "target"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_is_skipped_only_if_asked(
    tmp_path: Path, spoil: Callable[[dict[str, str]], None], sentence: str, fix: str
) -> None:
    rows = [bare("P1", 0, 0, 0), bare("P1", 1, question="cat"), bare("P1", 2, question="owl")]
    spoil(rows[1])
    path = write(tmp_path / "bad.csv", rows)
    with pytest.raises(RatingError) as told:
        import_files(tmp_path, path)
    assert f"bad.csv, line 3: {sentence}" in told.value.message
    assert fix in told.value.hint
    assert not (tmp_path / "people").exists(), "nothing of a refused file is kept"
    (report,) = import_files(tmp_path, path, ImportOptions(skip_bad_rows=True))
    assert (report.n_answers_added, len(report.problems)) == (2, 1)


@pytest.mark.parametrize("column", ["selected_position", "prolific_pid", "utterance", "mode"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    path = write(tmp_path / "short.csv", [bare()], without=column)
    with pytest.raises(RatingError, match=f"short.csv lacks the column {column}"):
        import_files(tmp_path, path)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.json", "{", "a.json, line 1: it is not JSON"),
        ("a.json", '{"trials": []}', "a.json is not a list of trials"),
        ("a.json", '[{"trial_type": "instructions"}]', "a.json holds no trials"),
        ("a.csv", ",".join(COLUMNS) + "\n", "a.csv holds no trials"),
        ("a.csv", "", "a.csv is empty"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    tmp_path: Path, name: str, content: str, sentence: str
) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    with pytest.raises(CoviewError, match=sentence):
        import_files(tmp_path, path)


def test_positions_from_0_and_from_1_do_not_mix(tmp_path: Path) -> None:
    rows = [bare("P1", 0, 0, 0), bare("P1", 1, 1, 1, question="cat")]
    rows[1] |= {"selected_position": "4", "correct_position": "4"}
    with pytest.raises(RatingError, match="positions 0 and 4 both occur"):
        import_files(tmp_path, write(tmp_path / "mixed.csv", rows))


def test_what_jspsych_records_itself_is_enough_with_the_exported_data(tmp_path: Path) -> None:
    """A jsPsych program that carried our columns along and recorded response, rt and subject."""
    _, set_id = answered_set(tmp_path, n_raters=1)
    export_set(tmp_path, set_id, tmp_path / "out")
    with (tmp_path / "out" / "trials.csv").open(encoding="utf-8", newline="") as file:
        trials = [row for row in csv.DictReader(file) if row["list_id"] == "2"]
    entries: list[dict[str, object]] = [
        {"trial_type": "instructions", "rt": 3000, "response": None}
    ]
    entries += [
        {**trial, "trial_type": "html-button-response", "rt": 812, "response": 2, "subject": "S1"}
        for trial in trials
    ]
    path = tmp_path / "jatos.json"
    path.write_text(json.dumps(entries), "utf-8")
    (report,) = import_files(tmp_path, path)
    assert (report.set_name, report.n_answers_added, report.n_other) == ("Pilot", 8, 1)
    with people_store(tmp_path).reading() as con:
        found = answer_table(con, [set_id])
    of_rater = found[found["rater"] == "S1"]
    assert set(of_rater["selected_position"]) == {3}
    assert set(of_rater["rt_ms"]) == {812.0}


def test_two_questions_may_not_share_a_place_of_a_list(tmp_path: Path) -> None:
    _, set_id = answered_set(tmp_path / "here", n_raters=1)
    export_set(tmp_path / "here", set_id, tmp_path / "out")
    path = tmp_path / "out" / "answers.csv"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([*lines[:2], lines[2].replace(",1,images,", ",0,images,")]), "utf-8")
    read = read_answer_file(path)
    plan = plan_import("answers.csv", read.rows, None, (), store_moments([]))
    (problem,) = plan.problems
    assert problem.words.startswith("answers.csv, line 3: place 1 of list 1 holds another question")
