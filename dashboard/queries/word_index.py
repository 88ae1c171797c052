"""Which utterances each lemma is heard in, kept in memory for all sessions.

A table of all lemmas under any filter would be a join of ten million rows, over a second in SQL.
Lists of utterance numbers per lemma, and the scores of the chosen utterances as one
array answer it in a tenth of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from pipeline.parts_of_speech import PARTS_OF_SPEECH

Ints = NDArray[np.int64]
SmallInts = NDArray[np.int32]
Floats = NDArray[np.float32]

_ROWS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class WordIndex:
    """All lemmas of a store, in alphabetical order.

    lemmas: (n_lemmas,) names; forms: what each is heard as, most frequent first. The utterances
    of lemma i are numbers[starts[i]:starts[i + 1]], each once, ascending; starts: (n_lemmas + 1,).
    The numbers are as numpy indexes with them: converting 4 bytes to 8 took as long as the sums.
    n_lemmas_of_utterance: (n_utterances,) how many lemmas each one holds. norms:
    name -> (n_lemmas,) values, NaN where unknown; units: name -> unit and source. parts:
    (n_lemmas,) places in PARTS_OF_SPEECH, -1 where unknown.
    """

    lemmas: tuple[str, ...]
    forms: tuple[tuple[str, ...], ...]
    starts: Ints
    numbers: Ints
    n_lemmas_of_utterance: NDArray[np.int16]
    norms: dict[str, NDArray[np.float64]]
    units: dict[str, str]
    parts: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.lemmas)

    def utterances(self, place: int) -> Ints:
        """Utterance numbers of one lemma, ascending."""
        return self.numbers[self.starts[place] : self.starts[place + 1]]

    def sums(self, values: Floats) -> NDArray[np.float32]:
        """For each lemma the sum of values[utterance_number]; values without NaN."""
        totals = np.zeros(len(self), np.float32)
        for first, last in self._blocks():
            begin, end = self.starts[first], self.starts[last]
            taken = np.take(values, self.numbers[begin:end], mode="clip")
            totals[first:last] = np.add.reduceat(taken, self.starts[first:last] - begin)
        return totals

    def counts(self, is_chosen: NDArray[np.bool_]) -> Ints:
        """For each lemma the number of utterances with is_chosen[utterance_number]."""
        totals = np.zeros(len(self), np.int64)
        chosen = is_chosen.view(np.uint8)
        for first, last in self._blocks():
            begin, end = self.starts[first], self.starts[last]
            taken = np.take(chosen, self.numbers[begin:end], mode="clip")
            found = np.add.reduceat(taken, self.starts[first:last] - begin, dtype=np.int32)
            totals[first:last] = found
        return totals

    def squared_by_recording(
        self, is_chosen: NDArray[np.bool_], recording: SmallInts
    ) -> NDArray[np.float64]:
        """For each lemma the sum over recordings of the squared number of its utterances with
        is_chosen[utterance_number]: how much a word is heard in few places.

        recording: (n_utterances,) codes; the utterances of a recording stand together.
        """
        totals = np.zeros(len(self), np.float64)
        for first, last in self._blocks():
            begin, end = self.starts[first], self.starts[last]
            part = self.numbers[begin:end]
            chosen = np.flatnonzero(np.take(is_chosen, part, mode="clip"))
            if not len(chosen):
                continue
            place = np.take(recording, np.take(part, chosen), mode="clip")
            # Where each lemma's chosen rows begin; lemmas without any begin where the next does.
            bounds = np.searchsorted(chosen, self.starts[first:last] - begin)
            is_new = np.concatenate([[True], place[1:] != place[:-1]])
            is_new[bounds[bounds < len(chosen)]] = True
            edges = np.flatnonzero(is_new)
            squares = np.diff(edges, append=len(chosen)).astype(np.float64) ** 2
            sums = np.concatenate([[0.0], np.cumsum(squares)])
            ends = np.append(bounds[1:], len(chosen))
            totals[first:last] = (
                sums[np.searchsorted(edges, ends)] - sums[np.searchsorted(edges, bounds)]
            )
        return totals

    def _blocks(self) -> list[tuple[int, int]]:
        """Ranges of lemmas of about a million rows, so that what is taken stays small."""
        edges = [0]
        while edges[-1] < len(self):
            limit = self.starts[edges[-1]] + _ROWS_AT_ONCE
            after = int(np.searchsorted(self.starts, limit, side="right")) - 1
            edges.append(max(edges[-1] + 1, min(after, len(self))))
        return list(pairwise(edges))


def word_index(con: DuckDBPyConnection) -> WordIndex:
    """Read the index of words: 8 bytes for each utterance of each lemma."""
    groups = con.execute(
        "SELECT lemma, token, count(*) FROM word_index GROUP BY lemma, token ORDER BY lemma, token"
    ).fetchall()
    rows = con.execute("SELECT utterance_number FROM word_index").fetchnumpy()
    numbers = np.asarray(rows["utterance_number"], np.int64)
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
    everywhere = np.concatenate(kept) if kept else np.zeros(0, np.int64)
    return WordIndex(
        tuple(lemmas),
        tuple(forms),
        np.array(starts, np.int64),
        everywhere,
        np.bincount(everywhere, minlength=_n_utterances(con)).astype(np.int16),
        _norms(con, lemmas),
        _units(con),
        _parts(con, lemmas),
    )


def _n_utterances(con: DuckDBPyConnection) -> int:
    row = con.execute("SELECT coalesce(max(utterance_number), -1) + 1 FROM utterances").fetchone()
    return int(row[0]) if row else 0


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


def _units(con: DuckDBPyConnection) -> dict[str, str]:
    """Unit and source of each norm; of files with different ones, all."""
    if not _has_table(con, "norms"):
        return {}
    rows = con.execute(
        "SELECT norm, string_agg(DISTINCT unit, '; ' ORDER BY unit) FROM norms WHERE unit <> '' "
        "GROUP BY norm"
    ).fetchall()
    return {str(norm): str(unit) for norm, unit in rows}


def _parts(con: DuckDBPyConnection, lemmas: list[str]) -> NDArray[np.int8]:
    parts = np.full(len(lemmas), -1, np.int8)
    if _has_table(con, "parts_of_speech"):
        places = {lemma: place for place, lemma in enumerate(lemmas)}
        rows = con.execute("SELECT lemma, part_of_speech FROM parts_of_speech").fetchall()
        for lemma, part in rows:
            if lemma in places and part in PARTS_OF_SPEECH:
                parts[places[lemma]] = PARTS_OF_SPEECH.index(part)
    return parts


def _has_table(con: DuckDBPyConnection, name: str) -> bool:
    """Whether the store has a table; builds from before norms were described lack some."""
    found = con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = $name", {"name": name})
    return found.fetchone() is not None
