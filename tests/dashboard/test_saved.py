"""Stars, tags, notes and playlists on the Moments page and on the Saved page."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.components.saved_rows import change
from dashboard.marked import EVERYTHING, Marked, from_params, to_params
from dashboard.navigation import MomentKey
from dashboard.queries.saved import attachments
from dashboard.saved import Saved
from dashboard.saved_tables import saved_list
from pipeline.people.marks import add_note, add_tag, star
from pipeline.people.playlists import add_to_playlist, make_playlist
from pipeline.people.snapshot import read_marks
from pipeline.people.store import MomentRef, PeopleStore, people_store
from pipeline.records import TimeSpan
from tests.dashboard.conftest import APP
from tests.dashboard.test_moments import has_piece, listed, opened, param, piece, words
from tests.factories import write_synthetic_study

SMALL = {"n_children": 2, "n_recordings": 4, "n_utterances": 60}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "study"
    store = write_synthetic_study(root, build="one", **SMALL)
    with duckdb.connect(str(store)) as con:
        con.execute("UPDATE recordings SET permission = 'excerpts' WHERE permission = 'media'")
    metadata = root / "metadata" / "recordings.csv"
    metadata.write_text(metadata.read_text("utf-8").replace(",media", ",excerpts"), "utf-8")
    return root


@pytest.fixture
def study(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A study of its own, since these tests write beside its store."""
    root = tmp_path / "study"
    shutil.copytree(template, root)
    monkeypatch.setenv("COVIEW_STUDY", str(root))
    yield root
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def people(study: Path) -> PeopleStore:
    return people_store(study)


def open_at(page: str, **params: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=120)
    app.switch_page(f"app_pages/{page}.py")
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def some_moments(study: Path, n: int, build: str = "one") -> list[MomentRef]:
    """Scored utterances, best first: the order of the list."""
    store = study / "derived" / "stores" / f"store-{build}.duckdb"
    with duckdb.connect(str(store), read_only=True) as con:
        rows = con.execute(
            "SELECT u.recording_id, u.utterance_id, u.onset_ms, u.offset_ms FROM utterances u "
            "JOIN scores_wide s USING (utterance_number) "
            "ORDER BY s.center_strict_max_cosine DESC NULLS LAST LIMIT ?",
            [n],
        ).fetchall()
    return [MomentRef(r, u, TimeSpan(a, b)) for r, u, a, b in rows]


def test_a_star_is_written_shown_and_taken_off(study: Path, people: PeopleStore):
    best = some_moments(study, 1)[0]
    app = open_at("moments")
    app.button(key="moment_star").click().run()
    assert not app.exception
    marks = read_marks(people)
    assert [m.ref for m in marks.moments] == [best]
    assert len(marks.stars) == 1
    assert app.button(key="moment_star").label == "Starred"
    assert piece(app, "marks_echo") == {
        "recording": best.recording_id,
        "utterance": best.utterance_id,
        "is_starred": True,
        "marks": "",
    }
    starred = [row["utterance"] for row in piece(app, "moment_rows")["rows"] if row["is_starred"]]
    assert starred == [best.utterance_id]
    app.button(key="moment_star").click().run()
    assert read_marks(people).stars == ()


def test_a_moment_is_tagged_and_the_tag_taken_off(study: Path, people: PeopleStore):
    first, second = some_moments(study, 2)
    add_tag(people, second, "pointing")
    app = open_at("moments")
    tags = app.multiselect(key=f"moment_tags_{first.recording_id}_{first.utterance_id}")
    assert tags.options == ["pointing"]
    tags.select("pointing").run()
    assert {t.moment_id for t in read_marks(people).tags} == {1, 2}
    assert piece(app, "moment_rows")["rows"][0]["marks"] == "#pointing"
    app.multiselect(key=tags.key).set_value([]).run()
    assert [t.moment_id for t in read_marks(people).tags] == [1]


def test_a_note_is_written_edited_and_deleted(study: Path, people: PeopleStore):
    first = some_moments(study, 1)[0]
    app = open_at("moments")
    key = f"new_note_{first.recording_id}_{first.utterance_id}"
    app.text_area(key=key).set_value("looks *away*").run()
    app.button(key=f"save_{key}").click().run()
    assert [n.text for n in read_marks(people).notes] == ["looks *away*"]
    assert app.text_area(key=key).value == ""
    assert "looks *away*" in [t.value for t in app.text]
    app.button(key="edit_note_1").click().run()
    assert app.text_area(key="note_1").value == "looks *away*"
    app.text_area(key="note_1").set_value("looks back").run()
    app.button(key="save_note_1").click().run()
    assert [n.text for n in read_marks(people).notes] == ["looks back"]
    app.button(key="edit_note_1").click().run()
    assert app.text_area(key="note_1").value == "looks back"
    app.button(key="save_note_1").click().run()
    app.button(key="delete_note_1").click().run()
    assert read_marks(people).notes == ()


def test_a_note_that_someone_else_changed_is_not_overwritten(study: Path, people: PeopleStore):
    first = some_moments(study, 1)[0]
    add_note(people, first, "first words")
    app = open_at("moments")
    app.button(key="edit_note_1").click().run()
    app.text_area(key="note_1").set_value("mine").run()
    with people.writing() as con:
        con.execute("UPDATE notes SET text = 'theirs'")
    app.button(key="save_note_1").click().run()
    shown = [t.value for t in app.text]
    assert [n.text for n in read_marks(people).notes] == ["theirs"]
    assert {"theirs", "mine"} <= set(shown)


def test_a_playlist_is_made_and_filled_from_the_moment(study: Path, people: PeopleStore):
    app = open_at("moments")
    app.text_input(key="new_playlist").set_value(" Lab  talk ").run()
    (playlist,) = read_marks(people).playlists
    assert (playlist.name, playlist.moment_ids) == ("Lab talk", (1,))
    box = next(b for b in app.checkbox if b.label == "Lab talk")
    assert box.value is True
    box.uncheck().run()
    assert read_marks(people).playlists[0].moment_ids == ()


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({"marked": "star"}, {0, 2}),
        ({"marked": "note"}, {3}),
        ({"tag": "pointing"}, {1, 3}),
        ({"playlist": "Talk"}, {2, 4}),
    ],
)
def test_the_list_is_narrowed_by_a_link(study: Path, people: PeopleStore, params, wanted):
    best = some_moments(study, 6)
    for n in (0, 2):
        star(people, best[n])
    for n in (1, 3):
        add_tag(people, best[n], "pointing")
    add_note(people, best[3], "a note")
    add_to_playlist(people, make_playlist(people, "Talk"), [best[4], best[2]])
    app = open_at("moments", **params)
    assert not app.exception
    assert listed(app) == [best[n].utterance_id for n in sorted(wanted)]
    assert {name: param(app, name) for name in params} == params
    assert f"{len(wanted)} utterances with a score" in words(app) or len(wanted) == 1
    app.selectbox(key="marked_choice").set_value(EVERYTHING).run()
    assert len(listed(app)) == 20
    assert not set(params) & set(app.query_params)


def test_a_link_to_a_mark_that_nobody_made_shows_no_moment(study: Path):
    app = open_at("moments", tag="unheard of")
    assert not app.exception
    assert "No moment matches" in words(app)


@pytest.mark.parametrize(
    "marked", [EVERYTHING, Marked("star"), Marked("tag", "a b"), Marked("playlist", "é")]
)
def test_a_choice_of_marks_survives_the_address(marked: Marked):
    assert from_params(to_params(marked)) == marked


def test_nonsense_in_the_address_is_no_choice():
    assert from_params({"marked": "tag", "tag": "", "playlist": "\x00"}) == EVERYTHING
    assert from_params({"marked": "sideways"}) == EVERYTHING


def test_a_damaged_file_stops_marks_only(study: Path, people: PeopleStore):
    star(people, some_moments(study, 1)[0])
    people.path.write_bytes(b"no database" * 500)
    app = open_at("moments")
    assert not app.exception
    assert len(listed(app)) == 20
    assert "people.sqlite is damaged" in app.warning[0].value
    app = open_at("saved")
    assert not app.exception
    assert "people.sqlite is damaged" in app.warning[0].value
    assert people.path.read_bytes() == b"no database" * 500


def test_a_mark_is_re_attached_in_a_build_with_another_transcription(
    study: Path, people: PeopleStore
):
    same, renamed, gone = some_moments(study, 3)
    for moment in (same, renamed, gone):
        star(people, moment)
    stores = study / "derived" / "stores"
    path = stores / "store-two.duckdb"
    shutil.copy(stores / "store-one.duckdb", path)
    (stores / "current").write_text(path.name, encoding="utf-8")
    with duckdb.connect(str(path)) as con:
        for table in ("utterances", "scores_wide"):
            con.execute(
                f"UPDATE {table} SET utterance_id = 'renamed', onset_ms = onset_ms + 40, "
                "offset_ms = offset_ms + 60 WHERE utterance_id = ? AND recording_id = ?",
                [renamed.utterance_id, renamed.recording_id],
            )
            con.execute(
                f"UPDATE {table} SET utterance_id = 'moved', onset_ms = onset_ms + 9000000, "
                "offset_ms = offset_ms + 9000000 WHERE utterance_id = ? AND recording_id = ?",
                [gone.utterance_id, gone.recording_id],
            )
    app = open_at("moments", marked="star")
    assert not app.exception
    found = set(listed(app))
    assert {same.utterance_id, "renamed"} <= found
    assert "moved" not in found
    app = open_at("moments", rec=renamed.recording_id, utt="renamed")
    assert app.button(key="moment_star").label == "Starred"
    assert "Re-attached" in words(app)
    app.button(key="moment_star").click().run()
    assert len(read_marks(people).stars) == 2


def test_saved_moments_without_a_place_are_listed_and_never_dropped(
    study: Path, people: PeopleStore
):
    lost = MomentRef("rec-deleted", "u1", TimeSpan(1_000, 2_000))
    add_note(people, lost, "kept")
    star(people, lost)
    app = open_at("saved", show="note")
    assert "1 without a moment in this build" in words(app)
    (row,) = piece(app, "saved_rows")["rows"]
    assert (row["is_here"], row["note"]) == (False, "kept")
    assert "rec-deleted" in row["meta"]


@pytest.mark.parametrize("kind", ["star", "note", "tag", "playlist"])
def test_the_saved_page_lists_what_was_saved(study: Path, people: PeopleStore, kind: str):
    best = some_moments(study, 3)
    number = make_playlist(people, "Talk")
    for moment in best:
        star(people, moment)
        add_note(people, moment, f"about {moment.utterance_id}")
        add_tag(people, moment, "pointing")
        add_to_playlist(people, number, [moment])
    app = open_at("saved", show=kind)
    assert not app.exception
    data = piece(app, "saved_rows")
    assert data["is_ordered"] == (kind == "playlist")
    assert len(data["rows"]) == 3
    assert all(row["is_here"] for row in data["rows"])
    csv = app.get("download_button")
    assert len(csv) == 1


def test_an_empty_saved_page_says_what_to_do(study: Path):
    for kind in ("star", "note", "tag", "playlist"):
        app = open_at("saved", show=kind)
        assert not app.exception
        assert "S stars it" in app.info[0].value
        assert not has_piece(app, "saved_rows")


def test_a_saved_playlist_is_made_renamed_and_deleted(study: Path, people: PeopleStore):
    make_playlist(people, "Other")
    app = open_at("saved", show="playlist")
    app.text_input(key="saved_new_playlist").set_value("Talk").run()
    assert param(app, "playlist") == "Talk"
    app.text_input(key="saved_rename_2").set_value("other").run()
    assert "Another playlist is called other" in app.error[0].value
    app.text_input(key="saved_rename_2").set_value("Lab meeting").run()
    assert not app.exception
    assert param(app, "playlist") == "Lab meeting"
    assert [p.name for p in read_marks(people).playlists] == ["Lab meeting", "Other"]
    app.button(key="saved_delete").click().run()
    assert not app.exception
    assert [p.name for p in read_marks(people).playlists] == ["Other"]


def test_rows_are_moved_and_removed(study: Path, people: PeopleStore):
    best = some_moments(study, 3)
    number = make_playlist(people, "Talk")
    add_to_playlist(people, number, best)
    star(people, best[0])
    add_tag(people, best[0], "pointing")
    add_note(people, best[0], "a note")
    talk = Marked("playlist", "Talk")

    def do(marked: Marked, place: int, what: str) -> None:
        saved = now(study, people)
        change(people, saved, marked, saved_list(saved, marked)[place], what)

    def order() -> list[str]:
        return [row.ref.utterance_id for row in saved_list(now(study, people), talk)]

    a, b, c = (moment.utterance_id for moment in best)
    do(talk, 2, "up")
    assert order() == [a, c, b]
    do(talk, 0, "down")
    assert order() == [c, a, b]
    do(talk, 1, "remove")
    assert order() == [c, b]
    for marked in (Marked("star"), Marked("tag", "pointing"), Marked("note")):
        do(marked, 0, "remove")
        assert saved_list(now(study, people), marked) == ()


def now(study: Path, people: PeopleStore) -> Saved:
    marks = read_marks(people)
    store = study / "derived" / "stores" / "store-one.duckdb"
    with duckdb.connect(str(store), read_only=True) as con:
        places = attachments(con, marks.moments)
    return Saved(marks, {place.moment_id: place for place in places})


def test_the_csv_holds_every_row_with_its_place(study: Path, people: PeopleStore):
    from dashboard.filters import Filters
    from dashboard.queries.options import store_options
    from dashboard.queries.saved import saved_rows
    from dashboard.queries.selection import resolve_measure
    from dashboard.saved_tables import COLUMNS, keys_of, saved_frame

    best = some_moments(study, 2)
    lost = MomentRef("rec-deleted", "u1", TimeSpan(1_000, 2_000))
    for moment in (*best, lost):
        star(people, moment)
    saved = now(study, people)
    rows = saved_list(saved, Marked("star"))
    with duckdb.connect(str(study / "derived/stores/store-one.duckdb"), read_only=True) as con:
        measure = resolve_measure(Filters(), store_options(con).models)
        facts = saved_rows(con, keys_of(rows), measure)
        wanted = con.execute(
            "SELECT text, center_strict_max_cosine FROM utterances JOIN scores_wide "
            "USING (utterance_number) WHERE utterances.utterance_id = ? "
            "AND utterances.recording_id = ?",
            [best[0].utterance_id, best[0].recording_id],
        ).fetchone()
    table = pd.read_csv(io.StringIO(saved_frame(rows, facts).to_csv(index=False)))
    assert tuple(table.columns) == COLUMNS
    assert set(table["recording_id"]) == {m.recording_id for m in (*best, lost)}
    own = table[table["utterance_id"] == best[0].utterance_id].iloc[0]
    assert (own["text"], own["score"]) == (wanted[0], pytest.approx(wanted[1]))
    gone = table[table["recording_id"] == "rec-deleted"].iloc[0]
    assert gone["attachment"] == "without a moment in this build"
    assert (gone["onset_ms"], gone["offset_ms"]) == (1_000, 2_000)


def test_present_mode_shows_one_moment_of_the_list_and_nothing_else(study: Path):
    best = some_moments(study, 3)
    app = open_at("moments", present="1", rec=best[1].recording_id, utt=best[1].utterance_id)
    assert not app.exception
    data = piece(app, "present")
    n = piece(open_at("moments"), "moment_rows")["rows"]
    assert n
    assert data["place"].startswith("2 of ")
    assert (data["has_previous"], data["has_next"]) == (True, True)
    assert best[1].utterance_id in data["key"]
    for kind in ("title", "caption", "button", "selectbox", "metric", "multiselect"):
        assert not app.get(kind), kind


def test_present_mode_of_a_playlist_keeps_its_order(study: Path, people: PeopleStore):
    best = some_moments(study, 4)
    order = [best[3], best[0], best[2]]
    add_to_playlist(people, make_playlist(people, "Talk"), order)
    app = open_at("moments", present="1", playlist="Talk", child="C01")
    data = piece(app, "present")
    assert data["place"] == "1 of 3"
    assert (opened(app), data["has_previous"]) == (best[3].utterance_id, False)
    app.query_params["rec"] = best[2].recording_id
    app.query_params["utt"] = best[2].utterance_id
    data = piece(app.run(), "present")
    assert (data["place"], data["has_next"]) == ("3 of 3", False)


def test_present_mode_without_a_moment_says_so(study: Path):
    app = open_at("moments", present="1", playlist="Nothing")
    assert not app.exception
    assert piece(app, "present")["reason"] == "There is no moment to present."


def test_present_mode_never_shows_what_may_not_be_shown(study: Path):
    store = study / "derived" / "stores" / "store-one.duckdb"
    with duckdb.connect(str(store), read_only=True) as con:
        row = con.execute(
            "SELECT u.recording_id, u.utterance_id FROM utterances u JOIN recordings r "
            "USING (recording_id) WHERE r.permission = 'scores_only' LIMIT 1"
        ).fetchone()
    assert row is not None
    data = piece(open_at("moments", present="1", rec=row[0], utt=row[1]), "present")
    assert data["source"] == ""
    assert "may be shown" in data["reason"]


def test_keys_of_saved_moments_are_those_of_the_open_build(study: Path, people: PeopleStore):
    best = some_moments(study, 2)
    star(people, best[0])
    saved = now(study, people)
    assert saved.keys(Marked("star")) == (MomentKey(best[0].recording_id, best[0].utterance_id),)
    assert saved.knows(Marked("star"))
    assert not saved.knows(Marked("tag", "none"))


def test_present_mode_keeps_the_lead_in_and_gives_it_back(study: Path):
    app = open_at("moments", lead="5.0 s before")
    begins_ms = piece(app, "moment_player")["begins_ms"]
    assert piece(app, "moment_player")["onset_ms"] - begins_ms > 1_000
    app.query_params["present"] = "1"
    assert "lead_ms=5000" in piece(app.run(), "present")["key"]
    del app.query_params["present"]
    assert piece(app.run(), "moment_player")["begins_ms"] == begins_ms
