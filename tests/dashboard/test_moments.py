"""The Moments page without a browser: the list, the opened moment, and what cannot be shown."""

from __future__ import annotations

import json

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.charts.moment import place_width
from dashboard.filters import Filters
from dashboard.moment_list import ORDERS, PAGE_ROWS, MomentList
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.moment import child_bins, place_in_child
from dashboard.queries.moments import moment_count, moment_page
from dashboard.queries.options import store_options
from dashboard.queries.selection import resolve_measure
from tests.dashboard.conftest import APP, VARIANTS, Page
from tests.factories import write_synthetic_study


def piece(app: AppTest, name: str) -> dict:
    """What the page hands to one of its own pieces, e.g. the list or the player."""
    found = [
        element.proto
        for element in app.get("bidi_component")
        if element.proto.component_name == f"coview_{name}"
    ]
    assert len(found) == 1, name
    return json.loads(found[0].json)


def has_piece(app: AppTest, name: str) -> bool:
    return any(
        element.proto.component_name == f"coview_{name}" for element in app.get("bidi_component")
    )


def listed(app: AppTest) -> list[str]:
    return [row["utterance"] for row in piece(app, "moment_rows")["rows"]]


def param(app: AppTest, name: str) -> str:
    value = app.query_params[name]
    return value if isinstance(value, str) else value[-1]


def opened(app: AppTest) -> str:
    return param(app, "utt")


def words(app: AppTest) -> str:
    parts = [
        e.value
        for kind in (app.title, app.subheader, app.markdown, app.caption, app.info)
        for e in kind
    ]
    parts += [f"{m.label} {m.value} {m.delta}" for m in app.metric]
    return "\n".join(str(part) for part in parts)


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_the_page_opens_on_every_kind_of_store(open_page: Page, variant: str):
    app = open_page("moments", variant)
    assert not app.exception
    assert not app.error
    assert len(listed(app)) == PAGE_ROWS
    assert opened(app) == listed(app)[0]
    assert len(app.get("plotly_chart")) == 2


@pytest.mark.parametrize("order", ORDERS)
def test_the_list_holds_what_its_order_promises(open_page: Page, store, order: str):
    sql = {
        "highest": "center_strict_max_cosine DESC",
        "lowest": "center_strict_max_cosine",
        "threshold": "abs(center_strict_max_cosine - 0.24::DOUBLE)",
    }
    app = open_page("moments", order=order)
    if order in sql:
        best = store.execute(
            f"SELECT utterance_id FROM scores_wide WHERE center_strict_max_cosine IS NOT NULL "
            f"ORDER BY {sql[order]} LIMIT 5"
        ).fetchall()
        assert listed(app)[:5] == [row[0] for row in best]
    elif order == "unscored":
        ids = {
            row[0]
            for row in store.execute(
                "SELECT utterance_id FROM scores_wide WHERE missing_reason = 'no_frame_in_window'"
            ).fetchall()
        }
        assert ids
        assert set(listed(app)) <= ids
        assert len(listed(app)) == min(PAGE_ROWS, len(ids))
    else:
        again = open_page("moments", order="random")
        other = open_page("moments", order="random", seed="2")
        assert listed(app) == listed(again)
        assert listed(app) != listed(other)


@pytest.mark.parametrize("order", ORDERS)
def test_pages_of_the_list_neither_overlap_nor_skip(store, order: str):
    measure = resolve_measure(Filters(), store_options(store).models)
    count = moment_count(store, ScoreArrays(store), Filters(), measure, MomentList(order=order))
    seen: list[str] = []
    for page in range(-(-count.n_listed // PAGE_ROWS)):
        rows = moment_page(
            store, ScoreArrays(store), Filters(), measure, MomentList(order=order, page=page)
        )
        seen += rows["utterance_id"].tolist()
    assert len(seen) == len(set(seen)) == count.n_listed > 0
    assert moment_page(
        store, ScoreArrays(store), Filters(), measure, MomentList(order=order, page=99)
    ).empty


def test_words_and_filters_narrow_the_list_together(open_page: Page, store):
    app = open_page("moments", q="BALL*", speaker="FEM")
    ids = listed(app)
    assert ids
    for utterance_id in ids:
        text, speaker = store.execute(
            "SELECT text, speaker FROM utterances WHERE utterance_id = ?", [utterance_id]
        ).fetchone()
        assert "ball" in text
        assert speaker == "FEM"
    n = store.execute(
        "SELECT count(center_strict_max_cosine) FROM scores_wide JOIN utterances "
        "USING (recording_id, utterance_id) WHERE utterances.speaker = 'FEM' AND text LIKE '%ball%'"
    ).fetchone()[0]
    assert f"{n} utterances with a score" in words(app)


def test_words_that_nobody_says_give_an_empty_list_that_says_so(open_page: Page):
    app = open_page("moments", q="zebra")
    assert not app.exception
    assert "No moment matches" in words(app)
    assert not has_piece(app, "moment_player")


def test_next_and_previous_walk_through_the_list_and_over_its_pages(open_page: Page):
    app = open_page("moments")
    first_page = listed(app)
    button = {b.key: b for b in app.button}
    assert button["moment_previous"].disabled
    app = button["moment_next"].click().run()
    assert opened(app) == first_page[1]
    assert piece(app, "moment_player")["autoplay"]
    app.query_params["utt"] = first_page[-1]
    app.query_params["rec"] = f"rec{first_page[-1][1:3]}"
    app = app.run()
    app = next(b for b in app.button if b.key == "moment_next").click().run()
    assert param(app, "p") == "1"
    assert opened(app) == listed(app)[0]
    assert opened(app) not in first_page
    app = next(b for b in app.button if b.key == "moment_previous").click().run()
    assert "p" not in app.query_params
    assert opened(app) == first_page[-1]


def test_a_moment_asked_for_by_a_link_is_opened_even_if_it_is_not_in_the_list(
    open_page: Page, store
):
    row = store.execute(
        "SELECT recording_id, utterance_id, text FROM utterances WHERE recording_id = 'rec02' "
        "ORDER BY utterance_id LIMIT 1"
    ).fetchone()
    app = open_page("moments", rec=row[0], utt=row[1], q="nothing-like-this")
    assert opened(app) == row[1]
    assert any(row[2] in title.value for title in app.subheader)
    assert not piece(app, "moment_player")["autoplay"]


def test_a_changed_choice_of_utterances_opens_the_first_but_a_changed_crop_does_not(
    open_page: Page,
):
    app = open_page("moments")
    first = opened(app)
    app = app.selectbox(key="moment_order").set_value("lowest").run()
    assert opened(app) == listed(app)[0] != first
    lowest = opened(app)
    app.query_params["crop"] = "squash"
    app.query_params["order"] = "lowest"
    app = app.run()
    assert opened(app) == lowest


def test_a_moment_without_a_score_says_why_and_still_plays(open_page: Page, store):
    row = store.execute(
        "SELECT recording_id, utterance_id FROM scores_wide JOIN recordings USING (recording_id) "
        "WHERE missing_reason = 'no_frame_in_window' AND permission = 'media' LIMIT 1"
    ).fetchone()
    app = open_page("moments", order="unscored", rec=row[0], utt=row[1])
    assert "No score. No sampled frame falls inside the utterance" in words(app)
    assert piece(app, "moment_player")["source"].startswith("/clips/")
    assert not app.exception


def test_a_recording_that_may_not_be_played_shows_numbers_only(open_page: Page, store):
    row = store.execute(
        "SELECT u.recording_id, u.utterance_id FROM utterances u JOIN recordings r "
        "USING (recording_id) WHERE r.permission = 'scores_only' LIMIT 1"
    ).fetchone()
    app = open_page("moments", rec=row[0], utt=row[1])
    assert not has_piece(app, "moment_player")
    assert "may be shown" in words(app)
    assert all(f["picture"] is None for f in piece(app, "frame_strip")["frames"])


def test_a_moment_of_another_store_says_so(open_page: Page):
    app = open_page("moments", rec="rec01", utt="gone")
    assert not app.exception
    assert "has no such moment" in app.warning[0].value


def test_the_strip_and_the_numbers_agree_with_the_store(open_page: Page, store):
    app = open_page("moments")
    key = (param(app, "rec"), opened(app))
    frames = piece(app, "frame_strip")["frames"]
    counted = [f for f in frames if f["is_counted"]]
    score, n_frames, null_mean = store.execute(
        "SELECT center_strict_max_cosine, n_frames_strict, center_strict_null_mean "
        "FROM scores_wide WHERE recording_id = ? AND utterance_id = ?",
        key,
    ).fetchone()
    assert len(counted) == n_frames
    assert [f["cosine"] for f in frames if f["is_best"]] == [f"{score:.3f}"]
    metrics = {m.label: m.value for m in app.metric}
    assert metrics["Maximum cosine"] == f"{score:.3f}"
    assert metrics["Expected by chance"] == f"{null_mean:.3f}"


def test_the_best_frame_is_sought_in_the_chosen_window_and_crop(open_page: Page, store):
    app = open_page("moments", window="2s", crop="multi")
    frames = piece(app, "frame_strip")["frames"]
    score = store.execute(
        "SELECT multi_2s_max_cosine FROM scores_wide WHERE utterance_id = ?", [opened(app)]
    ).fetchone()[0]
    assert [f["cosine"] for f in frames if f["is_best"]] == [f"{score:.3f}"]
    assert all(len(f["boxes"]) == 3 for f in frames)


def test_the_middle_square_of_a_portrait_frame_is_what_the_centre_crop_saw(open_page: Page):
    strip = piece(open_page("moments"), "frame_strip")
    assert strip["aspect"] == pytest.approx(1080 / 1920)
    assert strip["frames"][0]["boxes"] == [[0, 420 / 1920, 1, 1080 / 1920]]


@pytest.mark.parametrize(
    ("n", "low", "high"), [(1, 0.2, 0.2), (12, -0.2, 0.6), (3_000, 0.1, 0.35), (10**6, -3, 9)]
)
def test_bins_of_a_childs_scores_are_neither_hairs_nor_blocks(n, low, high):
    width = place_width(n, low, high)
    assert width > 0
    if high > low:
        assert 3 <= (high - low) / width <= 41


def test_the_childs_scores_are_all_in_the_bins(store):
    measure = resolve_measure(Filters(), store_options(store).models)
    child = store.execute("SELECT min(child_id) FROM children").fetchone()[0]
    place = place_in_child(store, child, measure, 0.2)
    bins = child_bins(store, child, measure, place_width(place.n, place.low, place.high))
    assert bins["n"].sum() == place.n
    n_below = store.execute(
        "SELECT count(*) FROM scores_wide JOIN utterances USING (recording_id, utterance_id) "
        "WHERE utterances.child_id = ? AND center_strict_max_cosine < 0.2",
        [child],
    ).fetchone()[0]
    assert place.n_below == n_below


def test_the_transcript_marks_the_open_line_and_is_in_order(open_page: Page):
    app = open_page("moments")
    lines = piece(app, "transcript_lines")["lines"]
    assert [line["utterance"] for line in lines if line["is_open"]] == [opened(app)]
    onsets = [line["onset_ms"] for line in lines]
    assert onsets == sorted(onsets)
    assert 2 <= len(lines) <= 13


def test_the_clip_begins_before_the_utterance_and_never_before_the_recording(open_page: Page):
    data = piece(open_page("moments"), "moment_player")
    assert data["begins_ms"] == max(0, data["onset_ms"] - 1_000)
    assert data["ends_ms"] == data["offset_ms"] + 1_000
    data = piece(open_page("moments", lead="5.0 s before", tail="0.0 s after"), "moment_player")
    assert data["begins_ms"] == max(0, data["onset_ms"] - 5_000)
    assert data["ends_ms"] == data["offset_ms"]


def test_a_transcript_is_never_read_as_markup(tmp_path, monkeypatch):
    store = write_synthetic_study(tmp_path, n_children=1, n_recordings=1, n_utterances=5)
    with duckdb.connect(str(store)) as con:
        con.execute("UPDATE utterances SET text = '**no** <b>no</b> $x$ [a](b) :red[c]'")
    monkeypatch.setenv("COVIEW_STUDY", str(tmp_path))
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    app.switch_page("app_pages/moments.py").run()
    title = next(m.value for m in app.subheader if "“" in m.value)
    assert "\\*\\*no\\*\\*" in title
    assert "\\<b\\>" in title
    assert "\\$x\\$" in title


@pytest.mark.parametrize(
    "params",
    [
        {"order": "sideways", "p": "-1", "seed": "x", "q": "\x00", "rec": "rec01"},
        {"p": "99999999999999999999", "q": "'; DROP TABLE words; --", "lead": "many"},
        {"p": "9999", "seed": "99999999999", "tail": "none"},
    ],
)
def test_nonsense_in_the_address_bar_is_no_error(open_page: Page, params: dict[str, str]):
    app = open_page("moments", **params)
    assert not app.exception
    assert not app.error
