"""Present mode and its links show what families allowed for talks, or what an admin took on."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.access import session
from dashboard.clip_tokens import Purpose
from dashboard.navigation import MomentKey
from pipeline.access.audit import Opened, read_lines
from tests.dashboard.access.guarded import (
    HEADER,
    SIGNER,
    Server,
    access_text,
    guarded_study,
    moment_of,
)
from tests.dashboard.test_moments import piece

APP = Path(__file__).parents[3] / "dashboard" / "app.py"
FOR_TALKS, IN_LAB = "rec01", "rec02"
PI, ALL = "pi@example.org", "all@example.org"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = guarded_study(tmp_path_factory.mktemp("study"))
    with duckdb.connect(str(root / "derived/stores/store-synthetic.duckdb")) as con:
        con.execute(
            "UPDATE recordings SET permission = 'excerpts' WHERE recording_id = ?", [FOR_TALKS]
        )
    in_metadata(root, "excerpts")
    return root


def in_metadata(root: Path, permission: str) -> None:
    """What the metadata say of rec01; rec02 stays media."""
    table = root / "metadata" / "recordings.csv"
    lines = table.read_text().splitlines()
    lines = [
        line.rpartition(",")[0] + f",{permission}" if FOR_TALKS in line else line for line in lines
    ]
    table.write_text("\n".join(lines) + "\n")


@pytest.fixture
def as_person(monkeypatch: pytest.MonkeyPatch, study: Path) -> Iterator[Callable[[str], None]]:
    monkeypatch.setenv("COVIEW_STUDY", str(study))
    (study / "access.toml").write_text(access_text())

    def become(email: str) -> None:
        monkeypatch.setattr(session, "sent", lambda: ({HEADER: email}, {}))

    yield become
    st.cache_data.clear()
    st.cache_resource.clear()


def presented(moment: MomentKey) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=120)
    app.switch_page("app_pages/moments.py")
    app.query_params["present"] = "1"
    app.query_params["rec"] = moment.recording_id
    app.query_params["utt"] = moment.utterance_id
    return app.run()


def lines(study: Path) -> list[Opened]:
    return [line.opened for line in read_lines(study)]


def test_what_families_allowed_for_talks_is_presented_to_everybody(as_person, study: Path):
    for email in (PI, ALL):
        as_person(email)
        data = piece(presented(moment_of(study, FOR_TALKS)), "present")
        assert data["source"].startswith("/clips/")
        assert data["words"]


def test_a_viewer_is_told_that_a_recording_is_not_for_talks_and_sees_no_word(as_person, study):
    as_person(ALL)
    app = presented(moment_of(study, IN_LAB))
    data = piece(app, "present")
    assert (data["source"], data["words"]) == ("", "")
    assert "not shown in talks" in data["reason"]
    assert "An admin can show it" in data["reason"]
    assert not app.button
    # Nor does what an admin confirmed elsewhere count here.
    app.session_state["presents_media"] = True
    assert piece(app.run(), "present")["source"] == ""


def test_an_admin_is_asked_and_what_they_say_is_written_down(as_person, study: Path):
    as_person(PI)
    app = presented(moment_of(study, IN_LAB))
    assert not app.exception
    assert [header.value for header in app.header] == ["Not for talks"]
    n_before = len(lines(study))
    app.button(key="confirm_talk").click().run()
    data = piece(app, "present")
    assert data["source"].startswith("/clips/")
    (line,) = lines(study)[n_before:]
    assert (line.who, line.what) == (PI, "confirmed")
    # In another session they are asked again.
    assert [header.value for header in presented(moment_of(study, IN_LAB)).header]


@pytest.mark.parametrize(
    ("email", "recording_id", "purpose", "status"),
    [
        (PI, FOR_TALKS, Purpose.PRESENT, 200),
        (ALL, FOR_TALKS, Purpose.PRESENT, 200),
        (ALL, IN_LAB, Purpose.DESK, 200),
        (ALL, IN_LAB, Purpose.PRESENT, 403),
        (PI, IN_LAB, Purpose.PRESENT, 403),
        (PI, IN_LAB, Purpose.CONFIRMED, 200),
        (ALL, IN_LAB, Purpose.CONFIRMED, 403),
        (ALL, FOR_TALKS, Purpose.CONFIRMED, 403),
    ],
)
def test_the_route_asks_for_the_permission_whatever_the_page_said(
    study: Path, email: str, recording_id: str, purpose: Purpose, status: int
):
    (study / "access.toml").write_text(access_text())
    server = Server(study, time.time)
    token = SIGNER.sign(
        moment_of(study, recording_id), viewer=email, lead_ms=0, lag_ms=0, purpose=purpose
    )
    assert server.client(email).get(f"/clips/{token}.mp4").status_code == status
    if status == 200:
        detail = lines(study)[-1].detail
        assert detail == {"present": "present mode", "confirmed": "present mode, confirmed"}.get(
            purpose.value, ""
        )


def test_a_permission_made_stricter_in_the_metadata_counts_at_once(study: Path):
    server = Server(study, time.time)
    token = SIGNER.sign(
        moment_of(study, FOR_TALKS), viewer=PI, lead_ms=0, lag_ms=0, purpose=Purpose.PRESENT
    )
    in_metadata(study, "media")
    try:
        assert server.client(PI).get(f"/clips/{token}.mp4").status_code == 403
    finally:
        in_metadata(study, "excerpts")


def test_words_are_not_presented_once_the_metadata_say_so(as_person, study: Path):
    as_person(ALL)
    moment = moment_of(study, FOR_TALKS)
    assert piece(presented(moment), "present")["words"]
    in_metadata(study, "media")
    try:
        drawn = piece(presented(moment), "present")
        assert drawn["words"] == ""
        assert drawn["source"] == ""
        assert "not shown in talks" in drawn["reason"]
    finally:
        in_metadata(study, "excerpts")


def test_a_moment_of_numbers_only_says_why_it_has_neither_words_nor_pictures(
    as_person, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    study = Path(shutil.copytree(study, tmp_path / "study"))
    monkeypatch.setenv("COVIEW_STUDY", str(study))
    moment = moment_of(study, IN_LAB)
    with duckdb.connect(str(study / "derived/stores/store-synthetic.duckdb")) as con:
        con.execute(
            "UPDATE recordings SET permission = 'scores_only' WHERE recording_id = ?", [IN_LAB]
        )
        con.execute("UPDATE utterances SET text = '', n_words = 4 WHERE recording_id = ?", [IN_LAB])
    told = {}
    for email in (PI, "blind@example.org"):
        as_person(email)
        wanted = moment if email == PI else moment_of(study, FOR_TALKS)
        app = AppTest.from_file(str(APP), default_timeout=120)
        app.switch_page("app_pages/moments.py")
        app.query_params["rec"] = wanted.recording_id
        app.query_params["utt"] = wanted.utterance_id
        app.run()
        assert not app.exception
        told[email] = (app.subheader[0].value, [one.value for one in app.info])
    title, infos = told[PI]
    assert title == "4 words, not shown"
    assert "Neither words, pictures nor sound" in infos[0]
    title, infos = told["blind@example.org"]
    assert title.startswith("“")
    assert infos == ["Your role plays no clips and shows no pictures."]
