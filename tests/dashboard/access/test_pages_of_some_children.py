"""Somebody who may see one child never gets a number, a word or a moment of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import data
from dashboard.access import session
from dashboard.access.viewer import NotLetInError, Refusal
from pipeline.people.marks import add_note, add_tag, star
from pipeline.people.playlists import add_to_playlist, make_playlist
from pipeline.people.store import MomentRef, people_store
from pipeline.records import TimeSpan
from tests.dashboard.access.guarded import HEADER, access_text
from tests.factories import write_synthetic_study

APP = Path(__file__).parents[3] / "dashboard" / "app.py"
HIDDEN = ("zebrafinch", "C02", "rec02", "rec04", "secretnote", "secrettag", "secretlist")
"""Planted with the other child: a word, its ids, and what people wrote about it."""
PAGES = (
    *("overview", "children", "moments", "words", "saved", "compare_windows", "models"),
    *("predictors", "sound", "quality", "provenance", "export"),
)


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("study")
    store = write_synthetic_study(
        root,
        n_children=2,
        n_recordings=4,
        n_utterances=160,
        with_sound=True,
    )
    with duckdb.connect(str(store)) as con:
        con.execute("UPDATE recordings SET permission = 'media'")
        con.execute("UPDATE utterances SET text = text || ' zebrafinch' WHERE child_id = 'C02'")
        con.execute(
            "INSERT INTO words BY NAME SELECT recording_id, utterance_id, 90 AS word_index, "
            "'zebrafinch' AS word, 'zebrafinch' AS token FROM utterances WHERE child_id = 'C02'"
        )
        con.execute(
            "INSERT INTO word_index SELECT 'zebrafinch', 'zebrafinch', utterance_number "
            "FROM utterances WHERE child_id = 'C02'"
        )
        con.execute("UPDATE store_info SET notices = ['C02: rec02 has no sound']")
        row = con.execute(
            "SELECT recording_id, utterance_id, onset_ms, offset_ms FROM utterances "
            "WHERE child_id = 'C02' LIMIT 1"
        ).fetchone()
    assert row is not None
    ref = MomentRef(row[0], row[1], TimeSpan(row[2], row[3]))
    people = people_store(root)
    star(people, ref)
    add_tag(people, ref, "secrettag")
    add_note(people, ref, "secretnote")
    add_to_playlist(people, make_playlist(people, "secretlist"), [ref])
    (root / "access.toml").write_text(access_text())
    return root


@pytest.fixture
def as_person(monkeypatch: pytest.MonkeyPatch, study: Path) -> Iterator[Callable[[str], None]]:
    """Makes the pages believe that somebody looks, as the proxy's header says it."""
    monkeypatch.setenv("COVIEW_STUDY", str(study))

    def become(name: str) -> None:
        sent = ({HEADER: f"{name}@example.org"}, {}) if name else ({}, {})
        monkeypatch.setattr(session, "sent", lambda: sent)

    yield become
    st.cache_data.clear()
    st.cache_resource.clear()


def opened(page: str = "", **params: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=120)
    if page:
        app.run()
        app.switch_page(f"app_pages/{page}.py")
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def drawn(app: AppTest) -> bytes:
    """Everything that was sent to the browser, but what the person themselves wrote in the
    address."""
    found = []
    todo = [app._tree]
    while todo:
        node = todo.pop()
        todo += list(getattr(node, "children", {}).values())
        proto = getattr(node, "proto", None)
        if proto is not None and hasattr(proto, "SerializeToString"):
            found.append(proto.SerializeToString())
    return b"\n".join(found)


def leaks(app: AppTest) -> list[str]:
    content = drawn(app)
    return [word for word in HIDDEN if word.encode() in content]


def test_the_search_for_leaks_finds_them_where_they_are(as_person):
    as_person("pi")
    assert set(leaks(opened("moments", q="zebrafinch"))) >= {"zebrafinch", "C02"}
    assert "rec02" in leaks(opened("saved"))


def test_no_page_tells_of_another_child(as_person):
    as_person("seer")
    app = opened()
    for page in PAGES:
        app.switch_page(f"app_pages/{page}.py").run()
        assert not app.exception, page
        assert not app.error, page
        assert app.title[0].value
        assert leaks(app) == [], page


LINKS = (
    ("overview", {"child": "C02"}),
    ("children", {"open": "C02"}),
    ("moments", {"child": "C02"}),
    ("moments", {"q": "zebrafinch"}),
    ("moments", {"tag": "secrettag"}),
    ("moments", {"playlist": "secretlist"}),
    ("saved", {"playlist": "secretlist"}),
    ("words", {"word": "zebrafinch"}),
)


def test_no_link_leads_to_another_child(as_person):
    as_person("seer")
    app = opened()
    asked: set[str] = set()
    for page, params in LINKS:
        app.query_params.clear()
        app.switch_page(f"app_pages/{page}.py")
        for name, value in params.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, params
        asked |= set(params.values())  # what was typed stays in its field
        assert [word for word in leaks(app) if word not in asked] == [], params


def test_a_moment_of_another_child_cannot_be_opened_by_its_link(as_person, study: Path):
    store = study / "derived/stores/store-synthetic.duckdb"
    with duckdb.connect(str(store), read_only=True) as con:
        utterance_id = con.execute(
            "SELECT min(utterance_id) FROM utterances WHERE recording_id = 'rec02'"
        ).fetchone()[0]
    as_person("pi")
    assert b"zebrafinch" in drawn(opened("moments", rec="rec02", utt=utterance_id))
    as_person("seer")
    app = opened("moments", rec="rec02", utt=utterance_id)
    assert not app.exception
    assert [word for word in leaks(app) if word != "rec02"] == []


def numbers(name: str, as_person: Callable[[str], None]) -> tuple[int, int, tuple[str, ...]]:
    """How many utterances and recordings somebody gets counted, and which children to choose."""
    as_person(name)
    st.session_state.clear()
    store = data.current_store()
    counted = data.load(store, n_recordings)
    return int(store.arrays.n_utterances), counted, store.options.children


def n_recordings(con: duckdb.DuckDBPyConnection) -> int:
    return len(con.execute("SELECT recording_id FROM recordings").fetchall())


def test_answers_kept_for_all_sessions_are_not_handed_to_who_may_not_see_them(as_person):
    first = {name: numbers(name, as_person) for name in ("pi", "seer", "blind", "all")}
    again = {name: numbers(name, as_person) for name in ("all", "blind", "seer", "pi")}
    assert first == again
    assert first["pi"] == first["all"] == (160, 4, ("C01", "C02"))
    assert first["seer"] == first["blind"] == (first["seer"][0], 2, ("C01",))
    assert 0 < first["seer"][0] < 160


def permissions(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {row[0] for row in con.execute("SELECT permission FROM recordings").fetchall()}


def test_to_a_viewer_without_media_no_recording_may_be_shown(as_person):
    for name, expected in (("seer", "media"), ("blind", "scores_only"), ("seer", "media")):
        as_person(name)
        st.session_state.clear()
        assert data.load(data.current_store(), permissions) == {expected}
    as_person("blind")
    app = opened("moments")
    assert not app.exception
    assert b".mp4" not in drawn(app)
    as_person("seer")
    assert b".mp4" in drawn(opened("moments"))


def test_a_rater_and_a_stranger_see_no_page(as_person):
    as_person("rater")
    app = opened()
    assert [title.value for title in app.title] == ["Rating"]
    assert leaks(app) == []
    with pytest.raises(NotLetInError) as refused:
        data.current_store()
    assert refused.value.refusal is Refusal.NOT_ALLOWED
    for name in ("stranger", ""):
        as_person(name)
        app = opened()
        assert [title.value for title in app.title] == ["Coview"]
        assert leaks(app) == []
        with pytest.raises(NotLetInError):
            data.current_store()


def test_pages_of_all_children_are_there_for_who_may_see_all(as_person):
    shown = {}
    for name in ("pi", "all", "seer", "blind"):
        as_person(name)
        app = opened()
        shown[name] = {
            page for page in ("rating", "agreement", "drives", "opened") if can_open(app, page)
        }
    assert shown == {
        "pi": {"rating", "agreement", "drives", "opened"},
        "all": {"agreement", "drives"},
        "seer": set(),
        "blind": set(),
    }


def can_open(app: AppTest, page: str) -> bool:
    """Whether a page's own title is drawn when its address is opened."""
    titles = {
        "rating": "Rate",
        "agreement": "Human agreement",
        "drives": "What drives the score",
        "opened": "Who opened what",
    }
    try:
        app.switch_page(f"app_pages/{page}.py").run()
    except ValueError:
        return False
    return titles[page] in [title.value for title in app.title]


def test_whoever_sees_some_children_changes_nothing_of_what_people_wrote(as_person):
    from dashboard.components.saved_state import write

    done: list[int] = []
    as_person("seer")
    assert not write(lambda: done.append(1))
    as_person("all")
    assert write(lambda: done.append(2))
    assert done == [2]


def test_what_one_person_did_in_a_session_is_forgotten_when_another_takes_it_over(as_person):
    as_person("pi")
    app = opened("moments", q="zebrafinch")
    assert "zebrafinch" in leaks(app)
    as_person("seer")
    app.query_params.clear()
    app.run()
    assert not app.exception
    assert leaks(app) == []
