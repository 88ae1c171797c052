"""What a store knows of words: its norms first, the own list where it has none."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pipeline import own_words
from pipeline.parts_of_speech import FUNCTION, OWN_LIST
from pipeline.probes.read_words import read_knowledge


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(
            """CREATE TABLE utterances (utterance_number INTEGER, language VARCHAR);
               CREATE TABLE word_index (lemma VARCHAR, token VARCHAR, utterance_number INTEGER);
               CREATE TABLE word_norms (lemma VARCHAR, norm VARCHAR, value DOUBLE, source VARCHAR);
               CREATE TABLE parts_of_speech (lemma VARCHAR, part_of_speech VARCHAR, source VARCHAR);
               INSERT INTO utterances VALUES (0, 'eng'), (1, NULL), (2, 'es');
               INSERT INTO word_index VALUES ('dog', 'dogs', 0), ('dog', 'dogs', 1),
                   ('the', 'the', 0), ('perro', 'perro', 2), ('idea', 'idea', 1)"""
        )
        opened.execute("INSERT INTO parts_of_speech VALUES ('the', ?, ?)", [FUNCTION, OWN_LIST])
        yield opened


def test_without_norms_the_own_list_stands_in_and_the_result_says_so(
    con: duckdb.DuckDBPyConnection,
) -> None:
    known, said = read_knowledge(con, "en")
    assert said.count(own_words.OWN_LIST) == 2
    assert known.word("dogs", "en").is_object
    assert known.word("the", "en").is_function
    assert known.word("perro", "es").part == ""
    assert known.counts == {
        ("dogs", "en"): 2,
        ("the", "en"): 1,
        ("perro", "es"): 1,
        ("idea", "en"): 1,
    }


def test_norms_go_before_the_own_list(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """INSERT INTO parts_of_speech VALUES ('idea', 'noun', 'norms.csv'),
               ('perro', 'noun', 'norms.csv');
           INSERT INTO word_norms VALUES ('idea', 'concreteness', 1.6, 'norms.csv'),
               ('perro', 'concreteness', 4.8, 'norms.csv')"""
    )
    known, said = read_knowledge(con, "en")
    assert own_words.OWN_LIST not in said
    assert said.count("norms.csv") == 2
    assert not known.word("dogs", "en").is_noun
    assert known.word("idea", "en").is_noun
    assert not known.word("idea", "en").is_object
    assert known.word("perro", "es").is_object
    assert known.vocabulary("es", "noun", is_visual=True) == ("perro",)


def test_concreteness_on_another_scale_is_not_taken(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """INSERT INTO word_norms VALUES ('idea', 'concreteness', 310, 'mrc.csv'),
               ('dog', 'concreteness', 610, 'mrc.csv')"""
    )
    known, said = read_knowledge(con, "en")
    assert known.visual == frozenset()
    assert "mrc.csv" not in said
    assert known.word("dogs", "en").is_visual
