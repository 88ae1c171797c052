"""Copies of a store for people who may see some children: whole for these, nothing of others."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import StoreError
from pipeline.schema import TABLES
from pipeline.store import narrowed
from pipeline.store.narrowed import forget_narrowed, narrowed_store
from tests.factories import write_synthetic_study

SEEN = ("C01", "C03")


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("study")
    store = write_synthetic_study(
        root, n_children=4, n_recordings=8, n_utterances=240, with_sound=True
    )
    with duckdb.connect(str(store)) as con:
        con.execute("UPDATE store_info SET notices = ['REC02 of C02 has no sound']")
        con.execute("INSERT INTO failures VALUES ('speech', 'rec02', 'media', 'no audio', '')")
        con.execute("INSERT INTO failures VALUES ('metadata', '', 'row', 'C02 is odd', '')")
        con.execute(
            "INSERT INTO hubs BY NAME SELECT 's' AS scorer, child_id, 'pad' AS crop FROM children"
        )
        con.execute(
            "INSERT INTO probe_indices BY NAME SELECT 's' AS scorer, 'ORI' AS name, child_id "
            "FROM children UNION ALL SELECT 's', 'ORI', NULL"
        )
    return root


@pytest.fixture(scope="module")
def source(study: Path) -> Path:
    return study / "derived/stores/store-synthetic.duckdb"


@pytest.fixture(scope="module")
def both(study: Path, source: Path) -> duckdb.DuckDBPyConnection:
    """The narrowed store, with the whole one attached as `whole`."""
    con = duckdb.connect(str(narrowed_store(source, study, SEEN)), read_only=True)
    con.execute(f"ATTACH '{source}' AS whole (READ_ONLY)")
    yield con
    con.close()


def test_every_table_of_a_store_has_a_rule_of_its_own():
    groups = (
        narrowed._BY_RECORDING,
        narrowed._BY_CHILD,
        narrowed._OF_WORDS,
        narrowed._WHOLE,
        narrowed._APART,
        narrowed._LEFT_OUT,
    )
    named = [name for group in groups for name in group]
    assert sorted(named) == sorted(table.name for table in TABLES)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_has_the_rows_of_the_children_and_no_other(both, table):
    columns = table.column_names
    apart = {"store_info", "norms", "sound_systems", "sound_recall", "word_index"}
    if table.name in apart:
        return
    condition = "TRUE"
    if "child_id" in columns:
        condition = "child_id IN ('C01', 'C03')"
    elif "recording_id" in columns:
        condition = (
            "recording_id IN (SELECT recording_id FROM whole.recordings "
            "WHERE child_id IN ('C01', 'C03'))"
        )
    elif "lemma" in columns:
        condition = "lemma IN (SELECT lemma FROM word_index)"
    kept = ", ".join(
        f'"{name}"::VARCHAR AS "{name}"'
        for name in columns
        if name not in ("utterance_number", "first_utterance_number")
    )
    expected = both.execute(
        f"SELECT {kept} FROM whole.{table.name} WHERE {condition} ORDER BY rowid"
    ).fetchall()
    assert both.execute(f"SELECT {kept} FROM {table.name} ORDER BY rowid").fetchall() == expected


def test_utterances_are_numbered_without_a_gap_and_alike_in_all_tables(both):
    numbers = both.execute("SELECT utterance_number FROM utterances").fetchall()
    assert [number for (number,) in numbers] == list(range(len(numbers)))
    assert len(numbers) > 100
    for table in ("scores_wide", "lags", "sound_scores"):
        wrong = both.execute(
            f"SELECT count(*) FROM {table} t JOIN utterances u USING (utterance_number) "
            "WHERE t.utterance_id <> u.utterance_id OR t.recording_id <> u.recording_id"
        ).fetchone()
        assert wrong == (0,)
    firsts = both.execute(
        "SELECT r.first_utterance_number, min(u.utterance_number) FROM recordings r "
        "JOIN utterances u USING (recording_id) GROUP BY ALL"
    ).fetchall()
    assert all(first == found for first, found in firsts)
    words = both.execute(
        """SELECT lemma, token, u.utterance_id FROM word_index JOIN utterances u
           USING (utterance_number) EXCEPT SELECT lemma, token, u.utterance_id
           FROM whole.word_index JOIN whole.utterances u USING (utterance_number)"""
    ).fetchall()
    assert words == []


def test_names_notices_and_measures_tell_of_no_other_child(both):
    assert both.execute("SELECT enum_range(NULL::child_names)").fetchone() == (["C01", "C03"],)
    recordings = both.execute("SELECT enum_range(NULL::recording_names)").fetchone()[0]
    assert len(recordings) == both.execute("SELECT count(*) FROM recordings").fetchone()[0]
    assert both.execute("SELECT notices FROM store_info").fetchone() == ([],)
    assert both.execute("SELECT count(*) FROM sound_recall").fetchone() == (0,)
    assert both.execute("SELECT left_out, n_utterances FROM sound_systems").fetchone() == ([], None)
    assert both.execute("SELECT count(*) FROM failures").fetchone() == (0,)
    assert both.execute("SELECT DISTINCT child_id FROM probe_indices ORDER BY 1").fetchall() == [
        ("C01",),
        ("C03",),
    ]


def test_no_value_of_any_table_names_another_child_or_what_was_said_to_it(study, source, both):
    with duckdb.connect(str(source), read_only=True) as con:
        hidden = con.execute(
            "SELECT utterance_id FROM utterances WHERE child_id IN ('C02', 'C04') LIMIT 50"
        ).fetchall()
        ids = con.execute(
            "SELECT recording_id FROM recordings WHERE child_id IN ('C02', 'C04')"
        ).fetchall()
    marks = ("C02", "C04", *(row[0] for row in ids), *(row[0] for row in hidden))
    assert len(marks) == 2 + 4 + 50
    with duckdb.connect(str(narrowed_store(source, study, SEEN)), read_only=True) as con:
        values = set()
        for table in TABLES:
            rows = con.execute(f"SELECT * FROM {table.name}").fetchall()
            values |= {str(value) for row in rows for value in row}
        statistics = con.execute("SELECT stats FROM pragma_storage_info('recordings')").fetchall()
        values |= {str(value) for (value,) in statistics}
    assert len(values) > 1_000
    for mark in marks:
        assert not [value for value in values if mark in value][:3], mark


def test_text_is_packed_in_no_way_that_leaves_bytes_of_memory_in_a_file(both):
    packed = both.execute(
        "SELECT DISTINCT compression FROM pragma_storage_info('utterances') "
        "WHERE segment_type = 'VARCHAR'"
    ).fetchall()
    assert packed
    assert not {str(way).lower() for (way,) in packed} & {"fsst", "dict_fsst", "dictionary"}


def test_the_copy_is_made_once_and_anew_when_its_store_changes(study, source):
    first = narrowed_store(source, study, ["C02"])
    made = first.stat().st_ino
    assert narrowed_store(source, study, ["C02"]).stat().st_ino == made
    assert narrowed_store(source, study, SEEN) != first
    later = first.stat().st_mtime_ns + 10_000_000
    os.utime(source, ns=(later, later))
    assert narrowed_store(source, study, ["C02"]).stat().st_ino != made
    assert first.stat().st_mode & 0o777 <= 0o644


def test_a_table_that_nobody_knows_is_refused(tmp_path: Path):
    store = write_synthetic_study(tmp_path, n_children=2, n_recordings=2, n_utterances=20)
    with duckdb.connect(str(store)) as con:
        con.execute("CREATE TABLE everybodys_counts AS SELECT 'C02' AS child, 7 AS n")
    with pytest.raises(StoreError, match="everybodys_counts"):
        narrowed_store(store, tmp_path, ["C01"])
    assert list((tmp_path / "derived/stores/narrowed").glob("*.partial*")) == []
    assert list((tmp_path / "derived/stores/narrowed").glob("*.duckdb")) == []


def test_children_that_are_not_there_give_an_empty_store(study, source):
    with duckdb.connect(str(narrowed_store(source, study, ["nobody"])), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM utterances").fetchone() == (0,)
        assert con.execute("SELECT count(*) FROM recordings").fetchone() == (0,)


def test_copies_can_be_deleted_all_at_once(study, source):
    made = narrowed_store(source, study, ["C04"])
    assert made in forget_narrowed(study)
    assert not made.exists()
