"""Norms stand beside the lemmas that the study has."""

from __future__ import annotations

import math
from pathlib import Path

import duckdb
import pytest

from pipeline.schema import (
    NORMS,
    PARTS_OF_SPEECH,
    STORE_INFO,
    UTTERANCES,
    WORD_INDEX,
    WORD_NORMS,
)
from pipeline.schema_sql import create_table_sql
from pipeline.store.fill_norms import insert_word_norms


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    for table in (STORE_INFO, WORD_INDEX, WORD_NORMS, NORMS, PARTS_OF_SPEECH, UTTERANCES):
        con.execute(create_table_sql(table))
    con.execute("INSERT INTO store_info BY NAME SELECT 'b' AS build")
    con.execute(
        "INSERT INTO word_index VALUES ('ball', 'ball', 0), ('doggy', 'doggie', 1), ('go', 'go', 1)"
    )
    con.execute(
        "INSERT INTO utterances BY NAME SELECT 0 AS utterance_number, 'en' AS language "
        "UNION ALL SELECT 1, 'en-US'"
    )
    return con


def rows(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return con.execute("SELECT lemma, norm, value, source FROM word_norms").fetchall()


def put(root: Path, name: str, text: str) -> None:
    folder = root / "metadata" / "norms"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def test_only_lemmas_of_the_study_are_kept_and_in_order(con, tmp_path: Path):
    put(tmp_path, "conc.tsv", "Word\tConc.M\ngo\t3\nball\t5\nzebra\t5\n")
    put(tmp_path, "more.csv", "word,norm,value\nball,roundness,9\n")
    assert insert_word_norms(con, tmp_path) == ()
    assert rows(con) == [
        ("ball", "concreteness", 5.0, "conc.tsv"),
        ("ball", "roundness", 9.0, "more.csv"),
        ("go", "concreteness", 3.0, "conc.tsv"),
    ]


def test_a_lemma_that_is_not_listed_takes_the_mean_of_its_forms(con, tmp_path: Path):
    put(tmp_path, "conc.csv", "Word,Conc.M\ndoggie,4\ndoggies,5\nballs,1\nball,5\n")
    insert_word_norms(con, tmp_path)
    assert rows(con) == [
        ("ball", "concreteness", 5.0, "conc.csv"),
        ("doggy", "concreteness", 4.5, "conc.csv"),
    ]


def test_counts_are_summed_and_kept_as_log10(con, tmp_path: Path):
    put(tmp_path, "childes.csv", "word,word_count\nball,90\nBall,10\ndoggie,6\ndoggies,4\n")
    insert_word_norms(con, tmp_path)
    found = {lemma: value for lemma, _, value, _ in rows(con)}
    assert found == pytest.approx({"ball": 2.0, "doggy": 1.0})
    assert math.log10(100) == found["ball"]


def test_a_bad_file_is_told_and_loses_nothing_else(con, tmp_path: Path):
    put(tmp_path, "bad.csv", "Word,Conc.M\nball,much\n")
    put(tmp_path, "good.csv", "word,norm,value\nball,roundness,9\n")
    (notice,) = insert_word_norms(con, tmp_path)
    assert (
        "metadata/norms/bad.csv was left out: bad.csv, line 2: Conc.M is 'much'" in notice.message
    )
    assert con.execute("SELECT notices FROM store_info").fetchone() == ([notice.message],)
    assert [row[0] for row in rows(con)] == ["ball"]


def test_a_study_without_norms_has_none(con, tmp_path: Path):
    assert insert_word_norms(con, tmp_path) == ()
    assert rows(con) == []


def test_counts_of_a_lemma_are_those_of_all_its_forms(con, tmp_path: Path):
    put(tmp_path, "childes.csv", "word,word_count\nball,60\nBalls,40\nwent,10\n")
    insert_word_norms(con, tmp_path)
    assert {row[0]: row[2] for row in rows(con)} == pytest.approx({"ball": 2.0, "go": 1.0})


def test_a_norm_is_for_words_of_its_language(con, tmp_path: Path):
    con.execute("INSERT INTO word_index VALUES ('pie', 'pie', 2), ('pan', 'pan', 3)")
    con.execute(
        "INSERT INTO utterances BY NAME SELECT 2 AS utterance_number, 'es' AS language "
        "UNION ALL SELECT 3, NULL"
    )
    put(
        tmp_path,
        "wordbank.csv",
        "language,item_definition,measure,aoa\nEnglish (American),pie,produces,25\n"
        "English (American),pan,produces,24\nSpanish (Mexican),pie,produces,15\n"
        "English (American),ball,produces,12\n",
    )
    insert_word_norms(con, tmp_path)
    found = {row[0]: row[2] for row in rows(con)}
    assert found == {"ball": 12, "pan": 24, "pie": 15}
    con.execute("DELETE FROM word_norms; DELETE FROM norms; DELETE FROM parts_of_speech")
    insert_word_norms(con, tmp_path, "es")
    assert {row[0]: row[2] for row in rows(con)} == {"ball": 12, "pie": 15}


def test_what_a_norm_is_stands_in_the_store(con, tmp_path: Path):
    put(tmp_path, "conc.tsv", "Word\tConc.M\nball\t5\nzebra\t5\nbaby oil\t5\n")
    insert_word_norms(con, tmp_path)
    assert con.execute("SELECT * FROM norms").fetchall() == [
        ("concreteness", "conc.tsv", "en", "1 to 5, Brysbaert et al. 2014", 2, 1, 1)
    ]


def test_parts_of_speech_are_those_of_the_norms_and_of_the_list(con, tmp_path: Path):
    con.execute("INSERT INTO word_index VALUES ('the', 'the', 0), ('to', 'to', 1), ('un', 'un', 0)")
    put(tmp_path, "conc.tsv", "Word\tConc.M\tDom_Pos\ngoing\t3\tVerb\nball\t5\tNoun\nto\t1\tTo\n")
    insert_word_norms(con, tmp_path)
    found = con.execute("SELECT * FROM parts_of_speech").fetchall()
    assert found == [
        ("ball", "noun", "conc.tsv"),
        ("go", "verb", "conc.tsv"),
        ("the", "function word", "Coview's list of English function words"),
        ("to", "function word", "Coview's list of English function words"),
    ]


def test_the_mapping_says_what_a_file_holds_and_is_no_file_of_norms(con, tmp_path: Path):
    put(tmp_path, "own.csv", "Item,M\nBall,6\n")
    put(
        tmp_path,
        "mapping.csv",
        "file,word,value,norm,unit\nown.csv,Item,M,familiarity,1 to 7\nold.csv,a,b,c,\n",
    )
    (notice,) = insert_word_norms(con, tmp_path)
    assert "names old.csv, which is not there" in notice.message
    assert rows(con) == [("ball", "familiarity", 6.0, "own.csv")]
    put(tmp_path, "mapping.csv", "file\n")
    first, second = insert_word_norms(con, tmp_path)
    assert "mapping.csv lacks the columns" in first.message
    assert "own.csv was left out" in second.message
