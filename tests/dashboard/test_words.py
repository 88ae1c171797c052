"""The table of lemmas and one lemma's numbers, worked out again from the plain rows."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pytest

from dashboard import word_list
from dashboard.filters import Filters
from dashboard.queries import words
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.selection import Measure
from dashboard.queries.word_index import WordIndex, word_index
from dashboard.queries.word_norms import (
    FREQUENCY_HERE,
    predictors,
    regression_table,
    unit_of,
)
from dashboard.queries.word_scores import WordSource, lemma_scores
from dashboard.queries.word_table import Words, word_page
from dashboard.word_list import WordList
from pipeline.stats.lemmas.norms import usual_norms

MEASURE = Measure("synthetic", "center", "strict", "max", "raw", 0.24)
EVERYTHING = WordList(min_count=1)
FEM = Filters(speakers=("FEM",))


def plain(con: duckdb.DuckDBPyConnection, filters: Filters = Filters()) -> pd.DataFrame:
    """One row per lemma and scored utterance: lemma, child, recording, score, z."""
    rows = con.execute(
        """SELECT DISTINCT i.lemma, i.utterance_number, u.child_id, u.recording_id, u.speaker,
               s.center_strict_max_cosine AS score, s.center_strict_z AS z
           FROM word_index i JOIN utterances u USING (utterance_number)
           JOIN scores_wide s ON s.recording_id = u.recording_id
               AND s.utterance_id = u.utterance_id AND s.scorer = 'synthetic'"""
    ).df()
    rows = rows[rows["score"].notna()]
    return rows[rows["speaker"].isin(filters.speakers)] if filters.speakers else rows


def words_of(con: duckdb.DuckDBPyConnection) -> WordSource:
    return WordSource(word_index(con), ScoreArrays(con))


def all_rows(con, filters=Filters(), listing=EVERYTHING, measure=MEASURE) -> pd.DataFrame:
    source = words_of(con)
    shrunken = lemma_scores(con, source, filters, measure) if listing.is_shrunk else None
    pages = []
    for number in range(100):
        page = word_page(
            con, Words(source, shrunken), filters, measure, replace(listing, page=number)
        )
        if page.rows.empty:
            break
        pages.append(page.rows)
    return pd.concat(pages, ignore_index=True)


@pytest.mark.parametrize("filters", [Filters(), FEM])
def test_every_lemma_has_the_numbers_of_its_utterances(store, filters: Filters):
    rows = all_rows(store, filters).set_index("word")
    expected = plain(store, filters).groupby("lemma")
    assert set(rows.index) == set(expected.groups)
    for lemma, part in expected:
        row = rows.loc[lemma]
        assert row["n"] == len(part)
        assert row["n_children"] == part["child_id"].nunique()
        assert row["mean"] == pytest.approx(part["score"].mean(), abs=1e-6)
        assert row["z"] == pytest.approx(part["z"].mean(), abs=1e-5)
        assert row["share"] == pytest.approx((part["score"] >= 0.24).mean())
        if not np.isnan(row["low"]):
            assert row["low"] < row["mean"] < row["high"]


def test_rare_lemmas_are_hidden_and_counted(store):
    counts = plain(store).groupby("lemma").size()
    page = word_page(store, Words(words_of(store)), Filters(), MEASURE, WordList(min_count=30))
    assert page.n_listed == (counts >= 30).sum()
    assert page.n_hidden == (counts < 30).sum() > 0
    assert page.rows["n"].min() >= 30


@pytest.mark.parametrize("is_ascending", [True, False])
@pytest.mark.parametrize("sort", ["n", "word", "mean", "z", "share"])
def test_the_list_is_sorted_over_all_pages(store, sort: str, is_ascending: bool):
    rows = all_rows(store, listing=replace(EVERYTHING, sort=sort, is_ascending=is_ascending))
    assert rows["word"].is_unique
    values = rows[sort]
    rounded = values if sort == "word" else values.round(5)
    assert rounded.tolist() == sorted(rounded, reverse=not is_ascending)


def test_a_word_is_found_by_any_of_its_forms(store):
    rows = all_rows(store, listing=replace(EVERYTHING, search="thi"))
    assert rows["word"].tolist() == ["think"]
    found = all_rows(store, listing=replace(EVERYTHING, search="let’s"))
    # In Spanish utterances, of which there are some, it is no contraction.
    assert set(found["word"]) == {"let", "let's"}
    assert set(found["forms"]) == {"let's"}


def test_the_index_gives_each_utterance_of_a_lemma_once(store):
    index = word_index(store)
    place = index.lemmas.index("the")
    expected = store.execute(
        "SELECT DISTINCT utterance_number FROM word_index WHERE lemma = 'the' ORDER BY 1"
    ).fetchnumpy()["utterance_number"]
    np.testing.assert_array_equal(index.utterances(place), expected)


def test_forms_of_one_lemma_in_an_utterance_count_once():
    from tests.dashboard.small_store import small_store

    con = small_store()
    con.execute("DELETE FROM word_index")
    con.execute(
        "INSERT INTO word_index VALUES ('go', 'go', 0), ('go', 'going', 1), ('go', 'went', 0)"
    )
    index = word_index(con)
    assert index.lemmas == ("go",)
    assert set(index.forms[0]) == {"go", "going", "went"}
    np.testing.assert_array_equal(index.utterances(0), [0, 1])


def test_a_free_window_and_a_mean_are_scored_too(store):
    measure = Measure("synthetic", "pad", "-3+1", "mean", "raw", 0.2)
    rows = all_rows(store, measure=measure)
    assert rows["z"].isna().all()
    assert rows["mean"].notna().all()


def test_norms_stand_beside_the_words(tmp_path):
    from tests.factories import write_synthetic_study

    path = write_synthetic_study(tmp_path, n_utterances=120)
    with duckdb.connect(str(path)) as con:
        con.execute(
            "INSERT INTO word_norms VALUES ('ball', 'size', 3, 'a'), ('ball', 'size', 5, 'b'), "
            "('the', 'size', 1, 'a'), ('zebra', 'size', 9, 'a')"
        )
        index = word_index(con)
        rows = all_rows(con, listing=replace(EVERYTHING, sort="norm:size"))
        assert rows["size"].dropna().tolist() == [4.0, 1.0]
        assert rows["word"].tolist()[:2] == ["ball", "the"]
        source = words_of(con)
        lemmas = lemma_scores(con, source, Filters(), MEASURE)
        table = regression_table(index, lemmas, ("size",), 1, "").set_index("lemma")
        assert table["size"].dropna().to_dict() == {"ball": 4.0, "the": 1.0}
        expected = plain(con).groupby("lemma")["score"].agg(["size", "mean"])
        assert set(table.index) == set(expected.index)
        for word, row in expected.iterrows():
            assert table.loc[word, "n"] == row["size"]
            assert table.loc[word, "mean"] == pytest.approx(row["mean"], abs=1e-6)
        assert table["n"].is_monotonic_decreasing


def test_variances_of_means_are_those_of_the_plain_rows(store):
    from pipeline.stats.lemmas.means import likeness_within

    lemmas = lemma_scores(store, words_of(store), FEM, MEASURE)
    rows = plain(store, FEM)
    deviations = rows["score"] - rows.groupby("lemma")["score"].transform("mean")
    within = (deviations**2).sum() / (len(rows) - rows["lemma"].nunique())
    once = rows.drop_duplicates("utterance_number").groupby(["child_id", "recording_id"])["score"]
    parts = once.agg(["size", "sum", lambda s: (s**2).sum()]).astype(float)
    child = pd.factorize(parts.index.get_level_values(0))[0]
    likeness = likeness_within(*parts.to_numpy().T, child)
    for lemma, part in rows.groupby("lemma"):
        place = word_index(store).lemmas.index(lemma)
        n, same = len(part), (part.groupby("recording_id").size() ** 2).sum()
        expected = within * (1 + (same / n - 1) * likeness) / n
        assert lemmas.n[place] == n
        assert lemmas.variance[place] == pytest.approx(expected, rel=1e-4)


def test_shrunken_means_lie_between_a_words_own_and_all(store):
    plain_rows = all_rows(store)
    page = word_page(
        store,
        Words(words_of(store), lemma_scores(store, words_of(store), Filters(), MEASURE)),
        Filters(),
        MEASURE,
        replace(EVERYTHING, is_shrunk=True),
    )
    assert page.shrinkage is not None
    overall = page.shrinkage.overall
    assert page.shrinkage.n_lemmas == len(plain_rows)
    rows = page.rows
    np.testing.assert_allclose(
        rows["shrunken"],
        rows["own_weight"] * rows["mean"] + (1 - rows["own_weight"]) * overall,
        atol=1e-6,
    )
    assert (rows["shrunken_low"] < rows["shrunken"]).all()
    ordered = all_rows(store, listing=replace(EVERYTHING, is_shrunk=True, sort="mean"))
    assert ordered["shrunken"].is_monotonic_decreasing
    first = rows.iloc[0]
    searched = all_rows(store, listing=replace(EVERYTHING, is_shrunk=True, search=first["word"]))
    again = searched.set_index("word").loc[first["word"], "shrunken"]
    assert again == pytest.approx(first["shrunken"])


def test_too_few_words_are_not_shrunk_and_it_is_said(store):
    source = words_of(store)
    lemmas = lemma_scores(store, source, Filters(), MEASURE)
    top = int(np.sort(lemmas.n)[-3])
    listing = WordList(min_count=top, is_shrunk=True)
    page = word_page(store, Words(source, lemmas), Filters(), MEASURE, listing)
    assert page.shrinkage is not None
    assert "need 5 words" in page.shrinkage.problem
    assert "shrunken" not in page.rows


def test_words_of_one_part_of_speech_are_listed(store):
    index = word_index(store)
    source = words_of(store)
    parts = np.where(np.array(index.lemmas) == "ball", 0, -1).astype(np.int8)
    known = WordSource(replace(index, parts=parts), source.arrays)
    page = word_page(
        store, Words(known), Filters(), MEASURE, replace(EVERYTHING, part_of_speech="noun")
    )
    assert page.rows[["word", "part"]].to_numpy().tolist() == [["ball", "noun"]]


def test_predictors_are_the_norms_and_the_frequency_here(store):
    index: WordIndex = word_index(store)
    assert predictors(index) == usual_norms(index.norms) == (FREQUENCY_HERE,)
    values = np.arange(len(index), dtype=float)
    names = ("SUBTLEX frequency", "concreteness", "valence", "x")
    named = replace(index, norms=dict.fromkeys(names, values), units={"valence": "1 to 9"})
    assert usual_norms(named.norms) == ("concreteness", "SUBTLEX frequency", "valence")
    assert predictors(named) == (*usual_norms(named.norms), "x", FREQUENCY_HERE)
    assert unit_of(named, "valence") == "1 to 9"
    assert unit_of(named, "x") == "in its own unit"
    lemmas = lemma_scores(store, words_of(store), Filters(), MEASURE)
    table = regression_table(named, lemmas, (FREQUENCY_HERE,), 1, "").set_index("lemma")
    n_heard = len(index.utterances(index.lemmas.index("ball")))
    assert table.loc["ball", FREQUENCY_HERE] == pytest.approx(np.log10(n_heard))


def test_the_moments_of_a_lemma_are_its_best_and_its_worst(store):
    expected = plain(store)
    expected = expected[expected["lemma"] == "ball"].sort_values("score")["score"]
    best = words.word_moments(store, Filters(), MEASURE, "ball", "highest")
    worst = words.word_moments(store, Filters(), MEASURE, "ball", "lowest")
    assert best["score"].tolist() == expected.tolist()[::-1][: words.N_MOMENTS]
    assert worst["score"].tolist() == expected.tolist()[: words.N_MOMENTS]
    assert all("ball" in text for text in best["text"])
    with pytest.raises(ValueError, match="highest"):
        words.word_moments(store, Filters(), MEASURE, "ball", "median")


def test_counts_and_bins_of_a_lemma_add_up(store):
    expected = plain(store, FEM)
    expected = expected[expected["lemma"] == "ball"]
    counts = words.word_counts(store, FEM, MEASURE, "ball")
    bins = words.word_bins(ScoreArrays(store), FEM, MEASURE, "ball", 0.01)
    assert counts["n_scored"].sum() == bins["n"].sum() == len(expected)
    assert counts["sum_score"].sum() == pytest.approx(expected["score"].sum())
    is_high = bins["bin_start"] >= 0.24 - 1e-9
    assert bins.loc[is_high, "n"].sum() == counts["n_high"].sum()


def test_pictures_come_only_from_recordings_that_may_be_shown(store):
    shown = words.showable_recordings(store, Filters())
    hidden = {
        row[0]
        for row in store.execute(
            "SELECT recording_id FROM recordings WHERE permission <> 'media'"
        ).fetchall()
    }
    assert hidden
    assert not shown & hidden
    assert words.showable_recordings(store, Filters(children=("C01",))) < shown


def test_the_list_goes_to_the_address_and_back():
    listing = WordList("norm:size", True, 3, "ba", 2, True, "noun")
    params = word_list.to_params(listing)
    assert word_list.from_params(params, ("size",)) == listing
    assert word_list.from_params(params).sort == "n"
    assert word_list.to_params(WordList()) == {}


@pytest.mark.parametrize(
    "params",
    [
        {"sort": "x"},
        {"min": "0"},
        {"min": "-4"},
        {"p": "x"},
        {"find": "a\0"},
        {"up": "2"},
        {"pos": "nouns"},
    ],
)
def test_nonsense_in_the_address_is_ignored(params):
    assert word_list.from_params(params) == WordList()


def test_an_impossible_list_is_refused():
    with pytest.raises(ValueError, match="sort"):
        WordList(sort="size")
    with pytest.raises(ValueError, match="min_count"):
        WordList(min_count=0)
    with pytest.raises(ValueError, match="part_of_speech"):
        WordList(part_of_speech="gerund")
