"""A sentence finds the same frames in the files beside the store as in the store itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from dashboard.filters import Filters
from dashboard.moment_list import MomentList
from dashboard.queries import search, sentence
from dashboard.queries.selection import Measure
from pipeline.errors import StoreError
from pipeline.store.frame_vectors import (
    FrameVectors,
    delete_rows,
    keep_vectors,
    open_vectors,
    rows_of_recording,
    vectors_path,
    write_vectors,
)
from tests.factories import write_synthetic_study

MEASURE = Measure("synthetic", "center", "strict", "max", "raw", 0.24)
WITHIN = 1e-4


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_synthetic_study(
        tmp_path_factory.mktemp("sentence"), n_children=2, n_recordings=4, n_utterances=60
    )
    with duckdb.connect(str(path), read_only=True) as con:
        keep_vectors(write_vectors(con, path))
    return path


@pytest.fixture
def con(store: Path):
    with duckdb.connect(str(store), read_only=True) as con:
        yield con


def asked(con: duckdb.DuckDBPyConnection) -> tuple[float, ...]:
    row = con.execute("SELECT embedding FROM utterance_embeddings LIMIT 1").fetchone()
    return tuple(row[0])


@pytest.mark.parametrize("crop", ["center", "pad", "squash", "multi"])
def test_both_ways_give_the_same_cosines(con, store: Path, crop: str) -> None:
    times, vector = search.timeline(con), asked(con)
    exact = search.sentence_cosines(con, times, "synthetic", crop, vector)
    found = sentence.cosines_of_frames(con, store, times, "synthetic", crop, vector)
    assert open_vectors(store, "synthetic", crop) is not None
    assert np.isfinite(exact).all()
    np.testing.assert_allclose(found, exact, atol=WITHIN, rtol=0)


def test_the_filters_choose_before_the_best_are_taken(con, store: Path) -> None:
    times, vector = search.timeline(con), asked(con)
    seen = search.Seen(
        times, sentence.cosines_of_frames(con, store, times, "synthetic", "center", vector)
    )
    (last,) = con.execute("SELECT max(child_id) FROM recordings").fetchone()
    hits = search.look_hits(con, seen, Filters(children=(last,)), MEASURE, MomentList(look="x"))
    rows = con.execute(
        """SELECT utterance_number FROM utterances u WHERE child_id = ? AND EXISTS (
               FROM frames f WHERE f.recording_id = u.recording_id
               AND f.time_ms >= u.onset_ms AND f.time_ms < u.offset_ms)""",
        [last],
    ).fetchall()
    assert set(hits.numbers) == {row[0] for row in rows} != set()
    hidden = {"rec03"}  # the recording that may not be played
    shown = frozenset(times.recordings) - hidden
    assert hidden.isdisjoint(f.recording_id for f in search.best_frames(seen, shown, 20))


def write_many(folder: Path, vectors: np.ndarray) -> tuple[Path, duckdb.DuckDBPyConnection]:
    """A store with nothing but frames and these embeddings, (n_frames, n_squares, dim)."""
    n_frames, n_squares, dim = vectors.shape
    con = duckdb.connect()
    con.execute("CREATE TABLE frames AS SELECT 'r' AS recording_id, range::INTEGER AS time_ms "
                f"FROM range({n_frames})")  # fmt: skip
    flat = vectors.reshape(-1)
    con.register("flat", {"value": flat})
    con.execute(
        f"""CREATE TABLE frame_embeddings AS
            SELECT 'm' AS scorer, 'multi' AS crop, (row // {n_squares})::INTEGER AS time_ms,
                (row % {n_squares})::INTEGER AS crop_index, list(value ORDER BY place) AS embedding
            FROM (SELECT value, row_number() OVER () - 1 AS place, place // {dim} AS row FROM flat)
            GROUP BY row ORDER BY row"""
    )
    store = folder / "store-many.duckdb"
    store.touch()
    keep_vectors(write_vectors(con, store))
    return store, con


def unit_rows(n: int, dim: int, seed: int = 3) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, dim), np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def write_plain(path: Path, vectors: np.ndarray) -> FrameVectors:
    scaled = np.rint(vectors * np.float32(32_767)).astype(np.int16)
    np.save(vectors_path(path, "m", "center"), scaled[:, None, :])
    opened = open_vectors(path, "m", "center")
    assert opened is not None
    return opened


def test_sixteen_bits_keep_the_best_twenty_of_many_frames(tmp_path: Path) -> None:
    frames = unit_rows(21_000, 128)
    opened = write_plain(tmp_path / "store-x.duckdb", frames)
    kept = []
    for query in unit_rows(10, 128, seed=4):
        exact = frames.astype(np.float64) @ query.astype(np.float64)
        found = sentence.cosines_with(opened, query)
        assert np.abs(found - exact).max() < WITHIN
        best = set(np.argsort(-exact)[:20].tolist())
        kept.append(len(best & set(np.argsort(-found)[:20].tolist())) / 20)
    assert np.mean(kept) >= 0.99


def test_few_and_many_frames_are_compared_alike(tmp_path: Path, monkeypatch) -> None:
    opened = write_plain(tmp_path / "store-x.duckdb", unit_rows(3_000, 64))
    (query,) = unit_rows(1, 64, seed=5)
    few = sentence.cosines_with(opened, query)
    monkeypatch.setattr(sentence, "_FEW_FRAMES", 0)
    np.testing.assert_allclose(sentence.cosines_with(opened, query), few, atol=1e-6)


def test_a_frame_without_an_embedding_has_no_cosine(tmp_path: Path) -> None:
    frames = np.eye(4, dtype=np.float32)
    frames[1] = 0
    opened = write_plain(tmp_path / "store-x.duckdb", frames)
    found = sentence.cosines_with(opened, frames[0])
    np.testing.assert_allclose(found, [1, np.nan, 0, 0], atol=WITHIN)


def test_squares_are_written_in_their_order(tmp_path: Path) -> None:
    vectors = unit_rows(12, 8).reshape(4, 3, 8)
    store, con = write_many(tmp_path, vectors)
    found = np.load(vectors_path(store, "m", "multi"))
    np.testing.assert_allclose(found / 32_767, vectors, atol=2e-5)
    con.execute("UPDATE frames SET time_ms = 99 WHERE time_ms = 2")
    with pytest.raises(StoreError, match="not those of the frames"):
        write_vectors(con, store)


def test_a_withdrawn_recording_is_taken_out_of_a_file(con, store: Path, tmp_path: Path) -> None:
    rows = rows_of_recording(con, "rec02")
    times = search.timeline(con)
    places = [p for p, f in enumerate(times.frames) if times.recording(int(f)) == "rec02"]
    assert list(range(rows.start, rows.stop)) == places != []
    whole = np.load(vectors_path(store, "synthetic", "multi"))
    copy = tmp_path / "store-y~m~multi.npy"
    np.save(copy, whole)
    delete_rows(copy, [rows])
    np.testing.assert_array_equal(np.load(copy), np.delete(whole, places, axis=0))
    assert list(tmp_path.iterdir()) == [copy]


def test_a_store_without_files_is_asked_in_sql(con, tmp_path: Path) -> None:
    times, vector = search.timeline(con), asked(con)
    found = sentence.cosines_of_frames(
        con, tmp_path / "store-z.duckdb", times, "synthetic", "center", vector
    )
    exact = search.sentence_cosines(con, times, "synthetic", "center", vector)
    np.testing.assert_array_equal(found, exact)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    opened = write_plain(tmp_path / "store-x.duckdb", unit_rows(10, 4))
    with pytest.raises(StoreError, match=r"store-x~m~center\.npy is damaged"):
        sentence.cosines_with(replace(opened, n_frames=12), unit_rows(1, 4)[0])
    opened.path.write_bytes(b"nothing")
    with pytest.raises(StoreError, match="damaged"):
        open_vectors(tmp_path / "store-x.duckdb", "m", "center")
