"""Which utterances each lemma is heard in, kept in memory for all sessions.

A table of all lemmas under any filter would be a join of ten million rows, over a second in SQL.
Lists of utterance numbers per lemma, and the scores of the chosen utterances as one
array answer it in a tenth of that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from pipeline.parts_of_speech import PARTS_OF_SPEECH
from pipeline.store.norm_units import norm_units

Ints = NDArray[np.int64]
SmallInts = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class WordIndex:
    """All lemmas of a store, in alphabetical order.

    lemmas: (n_lemmas,) names; forms: what each is heard as, most frequent first. The utterances
    of lemma i are numbers[starts[i]:starts[i + 1]], each once, ascending; starts: (n_lemmas + 1,).
    norms: name -> (n_lemmas,) values, NaN where unknown; units: name -> unit and source. parts:
    (n_lemmas,) places in PARTS_OF_SPEECH, -1 where unknown.
    """

    lemmas: tuple[str, ...]
    forms: tuple[tuple[str, ...], ...]
    starts: Ints
    numbers: SmallInts
    norms: dict[str, NDArray[np.float64]]
    units: dict[str, str]
    parts: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.lemmas)

    def utterances(self, place: int) -> SmallInts:
        """Utterance numbers of one lemma, ascending."""
        return self.numbers[self.starts[place] : self.starts[place + 1]]


def word_index(con: DuckDBPyConnection) -> WordIndex:
    """Read the index of words: 4 bytes for each utterance of each lemma."""
    groups = con.execute(
        "SELECT lemma, token, count(*) FROM word_index GROUP BY lemma, token ORDER BY lemma, token"
    ).fetchall()
    rows = con.execute("SELECT utterance_number FROM word_index").fetchnumpy()
    numbers = np.asarray(rows["utterance_number"], np.int32)
    lemmas, forms, starts, kept = [], [], [0], []
    place, i = 0, 0
    while i < len(groups):
        lemma, first = groups[i][0], place
        heard: list[tuple[int, str]] = []
        while i < len(groups) and groups[i][0] == lemma:
            heard.append((-groups[i][2], groups[i][1]))
            place += groups[i][2]
            i += 1
        part = numbers[first:place]
        kept.append(part if len(heard) == 1 else np.unique(part))
        lemmas.append(lemma)
        forms.append(tuple(token for _, token in sorted(heard)))
        starts.append(starts[-1] + len(kept[-1]))
    return WordIndex(
        tuple(lemmas),
        tuple(forms),
        np.array(starts, np.int64),
        np.concatenate(kept) if kept else np.zeros(0, np.int32),
        _norms(con, lemmas),
        norm_units(con),
        _parts(con, lemmas),
    )


def _norms(con: DuckDBPyConnection, lemmas: list[str]) -> dict[str, NDArray[np.float64]]:
    places = {lemma: place for place, lemma in enumerate(lemmas)}
    norms: dict[str, NDArray[np.float64]] = {}
    for lemma, norm, value in con.execute(
        "SELECT lemma, norm, avg(value) FROM word_norms GROUP BY lemma, norm ORDER BY norm"
    ).fetchall():
        values = norms.setdefault(norm, np.full(len(lemmas), np.nan))
        if lemma in places:
            values[places[lemma]] = value
    return norms


def _parts(con: DuckDBPyConnection, lemmas: list[str]) -> NDArray[np.int8]:
    parts = np.full(len(lemmas), -1, np.int8)
    places = {lemma: place for place, lemma in enumerate(lemmas)}
    rows = con.execute("SELECT lemma, part_of_speech FROM parts_of_speech").fetchall()
    for lemma, part in rows:
        if lemma in places and part in PARTS_OF_SPEECH:
            parts[places[lemma]] = PARTS_OF_SPEECH.index(part)
    return parts
