"""The file of columns is a file of its build: it comes, is narrowed and goes with it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from pipeline.errors import StoreError
from pipeline.store.column_file import ColumnWriter, open_column_file
from pipeline.store.fill_columns import write_columns
from pipeline.store.frame_vectors import delete_orphans, delete_vectors, files_beside, keep_vectors
from pipeline.store.narrowed import forget_narrowed, narrowed_store
from pipeline.store.redaction_sweep import _old_builds
from pipeline.store.store_columns import columns_path, open_columns
from pipeline.study import open_study
from tests.factories import write_synthetic_study

SEEN = ("C01", "C03")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("study")
    write_synthetic_study(root, n_children=3, n_recordings=6, n_utterances=60)
    return root


@pytest.fixture
def store(study: Path) -> Path:
    """The store with its columns."""
    path = study / "derived/stores/store-synthetic.duckdb"
    keep_vectors(write_columns(path, path))
    return path


def test_a_narrowed_copy_has_columns_of_its_own_and_nothing_of_other_children(
    study: Path, store: Path
) -> None:
    copy = narrowed_store(store, study, SEEN)
    columns = open_columns(copy)
    assert columns is not None
    assert columns_path(copy) in files_beside(copy)
    assert columns.names("child names") == list(SEEN)
    with duckdb.connect(str(store), read_only=True) as con:
        rows = con.execute("SELECT recording_id, child_id FROM recordings").fetchall()
        n_mine = con.execute(
            "SELECT count(*) FROM utterances WHERE child_id IN ('C01', 'C03')"
        ).fetchall()[0][0]
    content = columns_path(copy).read_bytes()
    for recording, child in rows:
        assert (recording.encode() in content) == (child in SEEN)
        assert (child.encode() in content) == (child in SEEN)
    assert columns.n_utterances == len(columns.known("flags")) == n_mine
    forget_narrowed(study)
    assert not files_beside(copy)


def test_columns_go_with_their_store(store: Path) -> None:
    partial = store.with_name("store-gone~columns.npy.partial")
    partial.touch()
    other = store.with_name("store-gone~columns.npy")
    other.touch()
    delete_orphans(store.parent)
    assert not partial.exists()
    assert not other.exists()
    assert columns_path(store).exists()
    delete_vectors(store)
    assert store.exists()
    assert not columns_path(store).exists()


def test_the_sweep_after_a_redaction_deletes_columns_of_older_builds(
    study: Path, store: Path
) -> None:
    older = store.with_name("store-older.duckdb")
    older.write_bytes(store.read_bytes())
    keep_vectors(write_columns(older, older))
    deleted = set(_old_builds(open_study(study), store))
    assert {older, columns_path(older)} <= deleted
    assert not {store, columns_path(store)} & deleted


def test_a_store_without_models_has_no_columns(tmp_path: Path) -> None:
    path = write_synthetic_study(tmp_path, n_children=2, n_recordings=2, n_utterances=8)
    with duckdb.connect(str(path)) as con:
        con.execute("DELETE FROM models")
    assert write_columns(path, path) == []
    assert open_columns(path) is None


def test_arrays_come_back_as_they_were_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    written = {
        "one": rng.standard_normal(1_000).astype(np.float32),
        "odd bytes": rng.integers(0, 255, 13).astype(np.uint8),
        "cells": rng.integers(-9, 9, (3, 4, 5)),
        "none": np.zeros((6, 0)),
        "a number": np.array([np.nan, 1.5]),
    }
    path = tmp_path / "some.npy"
    with ColumnWriter(path, "told") as file:
        for name, array in written.items():
            file.add(name, array)
    found = open_column_file(path)
    assert found is not None
    assert found.about == "told"
    assert found.array("another") is None
    for name, array in written.items():
        back = found.array(name)
        assert back is not None
        assert back.dtype == array.dtype
        np.testing.assert_array_equal(back, array)
    assert np.load(path).dtype == np.uint8


def test_what_a_failed_write_leaves_is_no_file_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "some.npy"
    with pytest.raises(ZeroDivisionError):
        _write_badly(path)
    with pytest.raises(StoreError, match="is damaged"):
        open_column_file(path)


def _write_badly(path: Path) -> None:
    with ColumnWriter(path, "") as file:
        file.add("one", np.zeros(9))
        raise ZeroDivisionError
