"""Counting from the file of columns gives what counting from the store gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from dashboard.filters import Filters
from dashboard.queries import chance, comparing, cube, quality, shares, words
from dashboard.queries.agreement import agreement
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.options import options_of, store_options
from dashboard.queries.selection import Measure, resolve_measure
from dashboard.summaries import score_width
from pipeline.errors import StoreError
from pipeline.store.column_file import ColumnWriter
from pipeline.store.fill_columns import write_columns
from pipeline.store.frame_vectors import keep_vectors
from pipeline.store.store_columns import StoreColumns, columns_path, open_columns
from tests.factories import write_synthetic_study

Asked = Callable[[ScoreArrays, Filters, Measure], pd.DataFrame]

SCORERS = ("synthetic", "without", "other")
FEW = "other"
"""A scorer whose rows are of some utterances only."""

CHOICES = (
    Filters(),
    Filters(speakers=("FEM",)),
    Filters(children=("C02", "C03"), speakers=("CHI", "FEM")),
    Filters(children=("nobody",)),
    Filters(min_age_days=300, max_age_days=600),
    Filters(activities=("play",), locations=("kitchen",)),
    Filters(languages=("en",), min_words=3),
    Filters(min_logprob=-0.4, without_flags=("overlapping", "low_confidence")),
)
MEASURES = (
    Measure("synthetic", "center", "strict", "max", "raw", 0.24),
    Measure("synthetic", "center", "strict", "max", "z", 2.0),
    Measure("synthetic", "center", "2s", "mean", "raw", 0.2),
    Measure("synthetic", "pad", "1s", "max", "raw", 0.3),
    Measure("synthetic", "center", "-3+1", "max", "raw", 0.3),
    Measure("without", "center", "strict", "max", "z", 2.0),
    Measure(FEW, "center", "strict", "max", "raw", 0.24),
    Measure(FEW, "center", "1s", "max", "z", 1.645),
)
QUESTIONS: dict[str, Asked] = {
    "counts": shares.counts_by_recording,
    "counts by speaker": lambda a, f, m: shares.counts_by_recording(a, f, m, "speaker"),
    "counts by age": lambda a, f, m: shares.counts_by_recording(a, f, m, "age"),
    "counts by activity": lambda a, f, m: shares.counts_by_recording(a, f, m, "activity"),
    "chance": chance.chance_by_recording,
    "bins": lambda a, f, m: shares.score_bins(a, f, m, 0.02),
    "null": shares.null_cells,
    "bins of a word": lambda a, f, m: words.word_bins(a, f, m, "ball", 0.05),
    "pairs": lambda a, f, m: comparing.paired_counts(a, f, m, _under_2s(m)),
    "differences": lambda a, f, m: comparing.difference_bins(a, f, m, _under_2s(m), 0.02),
}


def _under_2s(measure: Measure) -> Measure:
    return measure.under(crop="center", window="2s", statistic="max")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scores that are NULL, words and names that are unknown, and a scorer with fewer rows."""
    path = write_synthetic_study(
        tmp_path_factory.mktemp("columns"), n_utterances=240, scorers=SCORERS
    )
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE models SET default_threshold = NULL WHERE scorer = 'without'")
        con.execute("CREATE TEMP TABLE rows AS SELECT * FROM scores_wide ORDER BY rowid")
        con.execute("DELETE FROM scores_wide")
        con.execute(
            f"""INSERT INTO scores_wide SELECT * REPLACE (
                    if(random_key % 5 = 0, NULL, center_strict_z) AS center_strict_z,
                    if(random_key % 7 = 0, NULL, center_strict_null_sd) AS center_strict_null_sd,
                    if(utterance_number % 11 = 0, NULL, speaker) AS speaker,
                    if(utterance_number % 3 = 0, NULL, activity) AS activity,
                    if(utterance_number % 4 = 0, NULL, mean_logprob) AS mean_logprob,
                    if(scorer = 'without', NULL, pad_1s_max_cosine) AS pad_1s_max_cosine,
                    if(scorer = 'without', NULL, center_2s_z) AS center_2s_z)
                FROM rows WHERE NOT (scorer = '{FEW}' AND utterance_number % 6 = 1)
                ORDER BY rowid"""
        )
        con.execute("CHECKPOINT")
    keep_vectors(write_columns(path, path))
    return path


@pytest.fixture(scope="module")
def columns(store: Path) -> StoreColumns:
    found = open_columns(store)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def con(store: Path):
    with duckdb.connect(str(store), read_only=True) as opened:
        yield opened


@pytest.mark.parametrize("name", QUESTIONS)
def test_columns_and_store_give_the_same_numbers(
    con: duckdb.DuckDBPyConnection, columns: StoreColumns, name: str
) -> None:
    ask, mapped, plain = QUESTIONS[name], ScoreArrays(con, columns), ScoreArrays(con)
    n_rows = 0
    for filters in CHOICES:
        for measure in MEASURES if filters == Filters() else MEASURES[:1]:
            if name == "differences" and measure.is_free:
                continue
            found, expected = ask(mapped, filters, measure), ask(plain, filters, measure)
            n_rows += len(found)
            pd.testing.assert_frame_equal(found, expected, rtol=1e-12, atol=1e-12)
            whole = [column for column in found if found[column].dtype.kind == "i"]
            pd.testing.assert_frame_equal(found[whole], expected[whole], check_exact=True)
    assert n_rows > 20


class _NoCursor:
    """A store that may not be asked."""

    def cursor(self) -> duckdb.DuckDBPyConnection:
        raise AssertionError("the store was asked")


@pytest.mark.parametrize("scorer", SCORERS)
def test_the_opening_page_is_counted_without_the_store_and_without_a_look_at_utterances(
    con: duckdb.DuckDBPyConnection,
    columns: StoreColumns,
    scorer: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = store_options(con).models
    measure = resolve_measure(Filters(scorer=scorer), models)
    plain, mapped = ScoreArrays(con), ScoreArrays(_NoCursor(), columns)
    for module in (shares, chance):
        monkeypatch.setattr(module, "adding_up", lambda kernel, n: _may_not_count(kernel, n))
    for filters in (Filters(), Filters(speakers=("FEM",)), Filters(children=("C01",))):
        counts = shares.counts_by_recording(mapped, filters, measure)
        assert len(counts)
        chance.chance_by_recording(mapped, filters, measure)
        shares.null_cells(mapped, filters, measure)
    width = score_width(shares.counts_by_recording(mapped, Filters(), measure))
    assert len(shares.score_bins(mapped, Filters(), measure, width))
    monkeypatch.undo()
    pd.testing.assert_frame_equal(
        shares.score_bins(mapped, Filters(), measure, width),
        shares.score_bins(plain, Filters(), measure, width),
    )


def _may_not_count(kernel: object, n: int) -> None:
    raise AssertionError(f"{kernel} counted {n} utterances")


def test_two_scorers_agree_as_much_either_way(
    con: duckdb.DuckDBPyConnection, columns: StoreColumns
) -> None:
    a, b = MEASURES[0], MEASURES[6]
    found = agreement(con, ScoreArrays(con, columns), Filters(), a, b)
    expected = agreement(con, ScoreArrays(con), Filters(), a, b)
    assert found.rho == expected.rho
    assert found.n_both == expected.n_both > 100
    pd.testing.assert_frame_equal(found.differing, expected.differing)


@pytest.mark.parametrize("name", ["counts_by_child", "languages", "confidence_bins"])
def test_quality_is_the_same_either_way(
    con: duckdb.DuckDBPyConnection, columns: StoreColumns, name: str
) -> None:
    query = getattr(quality, name)
    for filters in CHOICES:
        for measure in MEASURES[-1:] if filters == Filters() else MEASURES[:1]:
            found = query(ScoreArrays(con, columns), filters, measure)
            expected = query(ScoreArrays(con), filters, measure)
            pd.testing.assert_frame_equal(found, expected)


def test_the_columns_say_what_the_store_says_of_itself(
    con: duckdb.DuckDBPyConnection, columns: StoreColumns
) -> None:
    assert options_of(columns.facts) == store_options(con)
    mapped, plain = ScoreArrays(_NoCursor(), columns), ScoreArrays(con)
    assert mapped.n_utterances == plain.n_utterances == 240
    pd.testing.assert_frame_equal(mapped.recordings.frame, plain.recordings.frame)
    assert (mapped.recordings.by_name == plain.recordings.by_name).all()
    assert mapped.recordings.child_names == plain.recordings.child_names
    assert (mapped.recording == plain.recording).all()
    assert (mapped.child == plain.child).all()
    for name in ("speaker", "activity", "location", "language", "quadrant", "child_id"):
        assert (mapped.codes(name) == plain.codes(name)).all(), name
        assert mapped.names(name) == plain.names(name)
    assert (mapped.flags == plain.flags).all()


@pytest.mark.parametrize("name", ["codes speaker", "recordings in order", "numbers of other"])
def test_codes_beyond_their_names_are_not_counted(store: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / store.name
    copy.write_bytes(store.read_bytes())
    found = open_columns(store)
    with ColumnWriter(columns_path(copy), found.file.about) as file:
        for other in found.file._entries:
            array = found.file.array(other)
            file.add(other, array + array.dtype.type(40_000) if other == name else array)
    arrays = ScoreArrays(_NoCursor(), open_columns(copy))
    with pytest.raises(StoreError, match="is damaged"):
        shares.counts_by_recording(arrays, Filters(min_words=2, speakers=("FEM",)), MEASURES[6])


def test_columns_of_another_store_are_left_alone(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / store.name
    copy.write_bytes(store.read_bytes())
    columns_path(copy).write_bytes(columns_path(store).read_bytes())
    assert open_columns(copy) is not None
    with duckdb.connect(str(copy)) as con:
        con.execute("UPDATE scores_wide SET n_words = 1")
    assert open_columns(copy) is None
    columns_path(copy).unlink()
    assert open_columns(copy) is None


@pytest.mark.parametrize("place", ["head", "column", "counts", "directory", "end"])
def test_a_damaged_file_of_columns_is_told_and_gives_no_numbers(
    store: Path, tmp_path: Path, place: str
) -> None:
    copy = tmp_path / store.name
    copy.write_bytes(store.read_bytes())
    content = bytearray(columns_path(store).read_bytes())
    entries = open_columns(store).file._entries
    name = MEASURES[0].counted_as.name("whole cube scores") + " #0"
    spot = {
        "head": 3,
        "column": entries["column synthetic center_strict_max_cosine"].offset + 12,
        "counts": entries[name].offset + 8,
        "directory": len(content) - 100,
        "end": len(content) - 1,
    }[place]
    content[spot] ^= 0x10
    columns_path(copy).write_bytes(content)
    with duckdb.connect(str(copy)) as con, pytest.raises(StoreError, match="is damaged"):
        _count_both_ways(con, copy)


def _count_both_ways(con: duckdb.DuckDBPyConnection, store: Path) -> None:
    arrays = ScoreArrays(con, open_columns(store))
    shares.counts_by_recording(arrays, Filters(), MEASURES[0])
    shares.counts_by_recording(arrays, Filters(min_words=2), MEASURES[0])


def test_a_file_cut_short_is_damaged(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / store.name
    copy.write_bytes(store.read_bytes())
    whole = columns_path(store).read_bytes()
    for length in (0, 50, 128, 140, len(whole) // 2, len(whole) - 1):
        columns_path(copy).write_bytes(whole[:length])
        with pytest.raises(StoreError, match="is damaged"):
            open_columns(copy)


def test_the_highest_score_at_the_threshold_is_counted_within_the_bins(
    con: duckdb.DuckDBPyConnection,
) -> None:
    arrays = ScoreArrays(con)
    low, high = arrays.extremes("synthetic", MEASURES[0].score)
    for threshold in (round(high, 7), high, low, round(low, 7)):
        measure = Measure("synthetic", "center", "strict", "max", "raw", threshold)
        rows = shares.score_bins(arrays, Filters(), measure, 0.05)
        n_scored = shares.counts_by_recording(arrays, Filters(), measure)["n_scored"].sum()
        assert rows["n"].sum() == n_scored
    assert cube.choice_of_children(arrays, Filters()) is not None
