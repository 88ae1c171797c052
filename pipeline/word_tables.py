"""The tables about words: where each is heard, and what is known of it from elsewhere."""

from __future__ import annotations

from pipeline.column import UTTERANCE_NUMBER, Column, Table

_LEMMA = Column("lemma", "VARCHAR", "Dictionary form in lower case: go for went and going")
_NORM = Column("norm", "VARCHAR", "What was measured, e.g. concreteness")

WORD_INDEX = Table(
    "word_index",
    "One row per utterance and different token in it: which utterances a word is heard in.",
    (
        _LEMMA,
        Column("token", "VARCHAR", "The word as heard, in lower case without punctuation"),
        UTTERANCE_NUMBER,
    ),
    ("lemma", "token", "utterance_number"),
)

WORD_NORMS = Table(
    "word_norms",
    "One row per lemma and norm, from the files in metadata/norms of the study.",
    (
        _LEMMA,
        _NORM,
        Column("value", "DOUBLE", "Its value for this lemma, in the unit of the norm"),
        Column("source", "VARCHAR", "File it was read from"),
    ),
    ("lemma", "norm", "source"),
)

NORMS = Table(
    "norms",
    "One row per norm, file and language: what the values in word_norms are.",
    (
        _NORM,
        Column("source", "VARCHAR", "File it was read from"),
        Column("language", "VARCHAR", "Code of the language of its words"),
        Column("unit", "VARCHAR", "Unit of the values, and who made them"),
        Column("n_words", "INTEGER", "Words of the file that have a value", "count"),
        Column("n_lemmas", "INTEGER", "Lemmas of the study that have a value", "count"),
        Column(
            "n_passed_over",
            "INTEGER",
            "Rows of the file without a single word or a value of any norm in it",
            "count",
        ),
    ),
    ("norm", "source", "language"),
)

PARTS_OF_SPEECH = Table(
    "parts_of_speech",
    "One row per lemma whose most usual part of speech is known, whatever the sentence.",
    (
        _LEMMA,
        Column(
            "part_of_speech",
            "VARCHAR",
            "noun, verb, adjective, adverb, name, number, interjection or function word",
        ),
        Column("source", "VARCHAR", "File it was read from, or Coview's list of function words"),
    ),
    ("lemma",),
)
