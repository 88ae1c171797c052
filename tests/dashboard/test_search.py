"""Searching views by a sentence finds what comparing every frame by hand finds."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np
import pytest

from dashboard.filters import Filters
from dashboard.moment_list import MomentList, from_params, to_params
from dashboard.queries import search
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.moments import (
    listed_numbers,
    looking_page,
    moment_count,
    moment_page,
)
from dashboard.queries.selection import Measure

MEASURE = Measure("synthetic", "center", "strict", "max", "raw", 0.24)


def vector(con: duckdb.DuckDBPyConnection) -> tuple[float, ...]:
    row = con.execute(
        "SELECT embedding FROM utterance_embeddings ORDER BY recording_id, utterance_id LIMIT 1"
    ).fetchone()
    return tuple(row[0])


def seen(con: duckdb.DuckDBPyConnection, crop: str = "center") -> search.Seen:
    times = search.timeline(con)
    return search.Seen(times, search.sentence_cosines(con, times, "synthetic", crop, vector(con)))


def by_hand(con, crop: str, before_ms: int, after_ms: int) -> dict[int, float]:
    """Best cosine over the frames of the window for each utterance that has one, in SQL."""
    rows = con.execute(
        """SELECT u.utterance_number, max(list_inner_product(e.embedding, $v::FLOAT[]))
           FROM utterances u JOIN frame_embeddings e ON e.recording_id = u.recording_id
               AND e.time_ms >= u.onset_ms - $before AND e.time_ms < u.offset_ms + $after
           WHERE e.crop = $crop AND e.scorer = 'synthetic' GROUP BY 1""",
        {"v": list(vector(con)), "crop": crop, "before": before_ms, "after": after_ms},
    ).fetchall()
    return dict(rows)


@pytest.mark.parametrize(
    ("window", "before_ms", "after_ms"),
    [("strict", 0, 0), ("1s", 1_000, 1_000), ("2s", 2_000, 2_000), ("-3+1", 3_000, 1_000)],
)
@pytest.mark.parametrize("crop", ["center", "multi"])
def test_moments_are_ranked_by_the_best_frame_of_their_window(
    store, crop: str, window: str, before_ms: int, after_ms: int
):
    measure = replace(MEASURE, crop=crop, window=window)
    hits = search.look_hits(store, seen(store, crop), Filters(), measure, MomentList(look="x"))
    expected = by_hand(store, crop, before_ms, after_ms)
    assert dict(zip(hits.numbers, hits.cosines, strict=True)) == pytest.approx(expected, abs=1e-6)
    assert list(hits.cosines) == sorted(hits.cosines, reverse=True)
    assert (hits.n_searched, hits.n_chosen) == (len(expected), 400)


def test_filters_and_words_narrow_the_search(store):
    filters, listing = Filters(speakers=("FEM",)), MomentList(words="ball", look="x")
    hits = search.look_hits(store, seen(store), filters, MEASURE, listing)
    wanted = {
        row[0]
        for row in store.execute(
            "SELECT utterance_number FROM utterances WHERE speaker = 'FEM' AND text LIKE '%ball%'"
        ).fetchall()
    }
    assert set(hits.numbers) == wanted & by_hand(store, "center", 0, 0).keys()
    assert hits.n_chosen == len(wanted)


def test_a_search_lists_no_more_than_its_limit(store, monkeypatch):
    everything = search.look_hits(store, seen(store), Filters(), MEASURE, MomentList(look="x"))
    monkeypatch.setattr(search, "MAX_HITS", 7)
    hits = search.look_hits(store, seen(store), Filters(), MEASURE, MomentList(look="x"))
    assert hits.numbers == everything.numbers[:7]
    assert hits.n_searched == everything.n_searched


def test_a_page_of_hits_keeps_their_order_and_says_how_well_they_fit(store):
    hits = search.look_hits(store, seen(store), Filters(), MEASURE, MomentList(look="x"))
    rows = looking_page(store, MEASURE, hits.numbers[20:40], hits.cosines[20:40])
    assert rows["look"].tolist() == pytest.approx(hits.cosines[20:40])
    ids = store.execute("SELECT utterance_number, utterance_id FROM utterances").fetchall()
    assert rows["utterance_id"].tolist() == [dict(ids)[number] for number in hits.numbers[20:40]]
    same = moment_page(store, ScoreArrays(store), Filters(), MEASURE, MomentList())
    assert [name for name in rows.columns if name != "look"] == same.columns.tolist()


def test_frames_without_an_embedding_are_never_found(store):
    times = search.timeline(store)
    cosines = search.sentence_cosines(store, times, "nobody", "center", vector(store))
    assert np.isnan(cosines).all()
    numbers = np.arange(400, dtype=np.int32)
    assert search.best_moments(search.Seen(times, cosines), "strict", numbers).numbers == ()


def test_a_vector_of_another_length_finds_nothing(store):
    times = search.timeline(store)
    assert np.isnan(search.sentence_cosines(store, times, "synthetic", "center", (1.0, 0.0))).all()


def test_the_best_frames_stand_apart_and_may_be_shown(store):
    allowed = frozenset(("rec01", "rec02"))
    frames = search.best_frames(seen(store), allowed, 6)
    assert len(frames) == 6
    assert {frame.recording_id for frame in frames} <= allowed
    assert [f.cosine for f in frames] == sorted((f.cosine for f in frames), reverse=True)
    best = store.execute(
        "SELECT max(list_inner_product(embedding, ?::FLOAT[])) FROM frame_embeddings "
        "WHERE crop = 'center' AND recording_id IN ('rec01', 'rec02')",
        [list(vector(store))],
    ).fetchone()[0]
    assert frames[0].cosine == pytest.approx(best, abs=1e-6)
    for one in frames:
        for other in frames:
            if one is not other and one.recording_id == other.recording_id:
                assert abs(one.time_ms - other.time_ms) >= 10_000


def test_a_frame_leads_to_the_utterance_nearest_in_time(store):
    for frame in search.best_frames(seen(store), frozenset(("rec03",)), 10):
        rows = store.execute(
            "SELECT utterance_number, greatest(onset_ms - $t, $t - offset_ms + 1, 0) "
            "FROM utterances WHERE recording_id = 'rec03'",
            {"t": frame.time_ms},
        ).fetchall()
        distance = dict(rows)
        assert distance[frame.utterance_number] == min(distance.values())


def test_the_model_with_frames_is_searched_whichever_scorer_is_shown(store):
    from dashboard.queries.options import store_options

    models = store_options(store).models
    assert search.searchable_model(store, models, "synthetic") == models[0]
    assert search.searchable_model(store, models, "imported") == models[0]
    assert search.searchable_model(store, (), "x") is None


@pytest.mark.parametrize(
    ("words", "is_any_form", "pattern"),
    [
        ("look", False, r"\blook\b"),
        ("looks", True, None),
        ("go", True, r"\b(go|going|went)\b"),
        ("bal*", False, r"\bbal"),
        ("mommy", True, r"\bmommy\b"),
        ("ball the", True, r"(?=.*\bball\b)(?=.*\bthe\b)"),
    ],
)
def test_words_are_heard_as_typed_or_in_any_form(store, words, is_any_form, pattern):
    listing = MomentList(words=words, is_any_form=is_any_form)
    found = set(listed_numbers(store, Filters(), MEASURE, listing).tolist())
    texts = dict(store.execute("SELECT utterance_number, lower(text) FROM utterances").fetchall())
    import re

    expected = {n for n, text in texts.items() if pattern and re.search(pattern, text)}
    assert found == expected
    count = moment_count(store, ScoreArrays(store), Filters(), MEASURE, listing)
    assert count.n_chosen == len(expected)


def test_a_search_has_a_link():
    listing = MomentList(words="go", is_any_form=True, look="a red ball on the floor", page=2)
    params = to_params(listing)
    assert params["look"] == "a red ball on the floor"
    assert params["form"] == "any"
    assert from_params(params) == listing
    assert from_params({"look": "a\0b", "form": "none"}) == MomentList()
