"""What raters are shown is in the audit: once for each question, however often it is fetched."""

from __future__ import annotations

from benchmarks.rating_study import RatingStudy
from pipeline.access.audit import Opened, read_lines, verify
from tests.dashboard.rating.conftest import Browser


def lines(study: RatingStudy) -> list[Opened]:
    return [line.opened for line in read_lines(study.root)]


def test_pictures_of_a_question_are_one_line_for_each_recording(
    study: RatingStudy, browser: Browser
):
    client = browser()
    client.get(f"/rate/k/{study.invite(1)[0]}")
    client.post("/rate/agree", json={})
    trial = client.get("/rate/now").json()
    assert lines(study) == []
    for _ in range(2):
        for number in range(1, trial["n_pictures"] + 1):
            address = f"/rate/picture/{trial['trial_id']}/{number}.jpg"
            assert client.get(address).status_code == 200
    (line,) = lines(study)
    assert (line.who, line.role, line.what, line.recording_id) == (
        *("rater 1", "rater", "picture", "rec1"),
    )
    assert line.detail == f"trial {trial['trial_id']} of set {study.set_id}"
    client.post("/rate/answer", json={"trial_id": trial["trial_id"], "selected_position": 1})
    trial = client.get("/rate/now").json()
    client.get(f"/rate/picture/{trial['trial_id']}/1.jpg")
    assert [line.what for line in lines(study)] == ["picture", "picture"]
    assert verify(study.root).holds


def test_guessed_pictures_and_wrong_codes_are_written_down_as_refused(
    study: RatingStudy, browser: Browser
):
    client = browser()
    client.get("/rate/k/NOSUCHCODE")
    client.get(f"/rate/k/{study.invite(1)[0]}")
    client.post("/rate/agree", json={})
    for guess in range(90, 95):
        assert client.get(f"/rate/picture/{guess}/1.jpg").status_code == 404
    assert [(line.what, line.detail) for line in lines(study)] == [
        ("refused", "rating: a code that is not known"),
        ("refused", "rating: not what this rater is asked now"),
    ]


def test_what_cannot_be_written_down_is_not_shown(study: RatingStudy, browser: Browser):
    (study.root / "audit").write_text("a file where the folder should be")
    client = browser()
    client.get(f"/rate/k/{study.invite(1)[0]}")
    client.post("/rate/agree", json={})
    trial = client.get("/rate/now").json()
    assert client.get(f"/rate/picture/{trial['trial_id']}/1.jpg").status_code == 503
