"""Columns of `scores_wide` as arrays over all utterances of a store, each read once and kept.

A page counts the same few columns again after every change of a filter. Over 1.8 million
utterances arrays are counted by recording in a third of the time that the store takes, and what
was read stays for the next change.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol, TypeVar, cast

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from dashboard.filters import ROW_FIELDS, Filters
from dashboard.queries.choosing import left_by, numbers_left
from dashboard.queries.recordings import Recordings as Recordings
from dashboard.queries.recordings import mapped_recordings, read_recordings
from dashboard.queries.selection import AGE_BAND_DAYS, COLUMN_TYPES, Measure
from pipeline.bin_width import bins_between as bins_between
from pipeline.errors import StoreError
from pipeline.store.first_pairs import few_values
from pipeline.store.store_columns import StoreColumns
from pipeline.store.store_facts import enum_names

MAX_KEPT_BYTES = 300_000_000
KEPT_COLUMNS = 20
"""Arrays are kept up to MAX_KEPT_BYTES, about 40 columns of 1.8 million utterances, and of larger
stores up to so many columns; the longest unused go first."""

Ints = NDArray[np.int64]
Numbers = NDArray[np.int32]
Doubles = NDArray[np.float64]
Scores = NDArray[np.float32]
Entry = TypeVar("Entry", bound=np.generic)
Arrays = TypeVar("Arrays", bound=tuple[NDArray[np.generic], ...])

_GROUP_COLUMNS = ("speaker", "activity", "location")


class HasCursor(Protocol):
    """An open store, or one that is opened when it is asked."""

    def cursor(self) -> DuckDBPyConnection: ...


class ScoreArrays:
    """The arrays of one open store, for all sessions; nobody may change them.

    Every array but the chosen numbers is over all utterances, by utterance_number.
    """

    def __init__(self, connection: HasCursor, columns: StoreColumns | None = None) -> None:
        self._connection, self._columns = connection, columns
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[NDArray[np.generic], ...]] = OrderedDict()
        self._names: dict[str, list[str]] = {}
        self._whole: dict[str, bool] = {}
        self._recordings: Recordings | None = None
        if columns is None:
            con = self.cursor()
            found = con.execute("SELECT coalesce(max(utterance_number), -1) FROM utterances")
            self.n_utterances = int(found.fetchall()[0][0]) + 1
            scorers = con.execute("SELECT scorer FROM models ORDER BY scorer").fetchall()
            self._scorers = [str(row[0]) for row in scorers]
        else:
            self.n_utterances, self._scorers = columns.n_utterances, list(columns.scorers)
            self._whole = dict.fromkeys(columns.whole, True)
        self._most_bytes = max(MAX_KEPT_BYTES, KEPT_COLUMNS * 4 * self.n_utterances)

    @property
    def recordings(self) -> Recordings:
        if self._recordings is None:
            if self._columns is None:
                self._recordings = read_recordings(self.cursor())
            else:
                self._recordings = mapped_recordings(self._columns)
        return self._recordings

    @property
    def recording(self) -> Numbers:
        """int32 (n_utterances,): the code of each one's recording."""
        return self._once("recording", self._recording_codes)

    @property
    def child(self) -> Numbers:
        """int32 (n_utterances,): the place of each one's child in the alphabet."""
        return self._once("child", lambda: self.recordings.child[self.recording])

    @property
    def recording_facts(self) -> pd.DataFrame:
        return self.recordings.frame

    @property
    def flags(self) -> NDArray[np.uint32]:
        """uint32 (n_utterances,): bit i for the i-th of UTTERANCE_FLAGS."""
        return self._once("flags", lambda: self._of_utterances("flag_bits", 0, np.uint32))

    def names(self, column: str) -> list[str]:
        """The names that an ENUM column of scores_wide can hold, in the order of their codes."""
        if column not in self._names:
            type_name = COLUMN_TYPES[column]
            names = None
            if self._columns is not None:
                names = self._columns.facts.names.get(type_name.removesuffix("_names"))
            if names is None:
                names = enum_names(self.cursor(), type_name)
            self._names[column] = list(names)
        return self._names[column]

    def codes(self, column: str) -> NDArray[np.uint16]:
        """uint16 (n_utterances,): places in `names`; behind the last for NULL."""
        sql, unknown = f"enum_code({column})::USMALLINT", len(self.names(column))
        return self._once(f"codes {column}", lambda: self._of_utterances(sql, unknown, np.uint16))

    def numbers(self, column: str) -> Scores:
        """float32 (n_utterances,): a column of numbers of scores_wide, NaN for NULL."""
        sql = f"{column}::FLOAT"
        return self._once(f"numbers {column}", lambda: self._of_utterances(sql, np.nan, np.float32))

    def sound(self, sql: str) -> Scores:
        """float32 (n_utterances,): an expression over sound_scores, NaN for NULL or no row."""
        return self._once(f"sound {sql}", lambda: self._read_sound(sql))

    def heard(self, lemma: str) -> Numbers:
        """int32 (n,): numbers of the utterances in which a lemma is heard, ascending."""
        if self._columns is not None:
            return self._columns.heard(lemma)
        sql = """SELECT DISTINCT utterance_number AS n FROM word_index WHERE lemma = $lemma
            ORDER BY utterance_number"""
        found = self.cursor().execute(sql, {"lemma": lemma}).fetchnumpy()
        return np.asarray(found["n"], np.int32)

    def chosen(self, filters: Filters, scorer: str) -> Numbers:
        """int32 (n,): numbers of the utterances with a row of this scorer that filters leave."""
        # Filters look at utterances, so scorers that have a row for each of them share the answer.
        alike = (name for name in self._scorers if name == scorer or self._same(name, scorer))
        scorer = next(alike, scorer)
        if not filters.narrowed:
            return self._numbers(scorer)
        narrowing = [getattr(filters, name) for name in ROW_FIELDS]
        return self._once(f"chosen {scorer} {narrowing}", lambda: self._choose(filters, scorer))

    def score(self, measure: Measure) -> Scores:
        """float32 (n_utterances,): the score, NaN where there is none."""
        return self.column(measure.scorer, measure.score)

    def column(self, scorer: str, sql: str) -> Scores:
        """float32 (n_utterances,): an expression over scores_wide, NaN for NULL."""
        return self._once(f"column {scorer} {sql}", lambda: self._read(scorer, sql))

    def extremes(self, scorer: str, sql: str) -> tuple[float, float]:
        """The smallest and the largest value of a column; NaN without any."""
        found = self._once(f"extremes {scorer} {sql}", lambda: self._extremes(scorer, sql))
        return float(found[0]), float(found[1])

    def few_values(self, scorer: str, sql: str, most: int) -> Scores:
        """float32 (n,): the values of a column, ascending, when there are at most so many; else,
        and without any, none."""
        key = f"at most {most} values {scorer} {sql}"
        return self.kept(key, lambda: (few_values(self.column(scorer, sql), most),))[0]

    def group(self, split: str) -> NDArray[np.int16]:
        """int16 (n_utterances,): places in `group_names`, behind the last name when unknown."""
        return self._once(f"group {split}", lambda: self._grouped(split))

    def group_names(self, split: str) -> list[str]:
        """The groups of a split ("none", speaker, activity, location or age) in order."""
        if split == "none":
            return [""]
        if split == "age":
            bands = self._age_bands()
            return sorted({str(int(band)) for band in bands[~np.isnan(bands)]})
        if split not in _GROUP_COLUMNS:
            raise ValueError(f"{split!r} is not a split")
        return sorted(self.names(split))

    def kept(self, key: str, make: Callable[[], Arrays]) -> Arrays:
        """What `make()` returns, kept beside the columns under a name that says all of it."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return cast("Arrays", found)
        mapped = None if self._columns is None else self._columns.several(key)
        if mapped is not None:
            return cast("Arrays", mapped)
        made = make()
        with self._lock:
            self._kept[key] = made
            size = sum(_n_bytes(arrays) for arrays in self._kept.values())
            while size > self._most_bytes and len(self._kept) > 1:
                size -= _n_bytes(self._kept.popitem(last=False)[1])
        return made

    def _once(self, key: str, make: Callable[[], NDArray[Entry]]) -> NDArray[Entry]:
        mapped = None if self._columns is None else self._columns.find(key)
        # An array of length 0 stands for a column without any value.
        if mapped is not None and (len(mapped) or not self.n_utterances):
            return cast("NDArray[Entry]", mapped)
        if mapped is not None:
            nothing = self.kept(
                "nothing", lambda: (np.full(self.n_utterances, np.nan, np.float32),)
            )
            return cast("NDArray[Entry]", nothing[0])
        return self.kept(key, lambda: (make(),))[0]

    def _numbers(self, scorer: str) -> Numbers:
        """utterance_number of every row of a scorer, in the order of its rows."""
        if self._columns is not None and scorer in self._columns.whole:
            return self._once("every number", lambda: np.arange(self.n_utterances, dtype=np.int32))
        return self._once(
            f"numbers of {scorer}",
            lambda: np.asarray(self._rows(scorer, "utterance_number AS value"), np.int32),
        )

    def _is_whole(self, scorer: str) -> bool:
        """Whether the scorer's rows are those of all utterances, in the order of their numbers."""
        if scorer not in self._whole:
            numbers = self._numbers(scorer)
            is_whole = len(numbers) == self.n_utterances and bool(
                np.all(numbers[1:] > numbers[:-1])
            )
            self._whole[scorer] = is_whole
        return self._whole[scorer]

    def _same(self, one: str, other: str) -> bool:
        """Whether both scorers have a row for every utterance."""
        return all(len(self._numbers(name)) == self.n_utterances for name in (one, other))

    def _choose(self, filters: Filters, scorer: str) -> Numbers:
        left = left_by(filters, self)
        numbers = self._numbers(scorer)
        if len(numbers) == self.n_utterances:
            return numbers_left(left)
        return numbers[left[numbers]]

    def _read(self, scorer: str, sql: str) -> Scores:
        found = self._rows(scorer, f"CAST(coalesce({sql}, 'nan'::FLOAT) AS FLOAT) AS value")
        return self._placed(scorer, np.asarray(found, np.float32), np.nan)

    def _placed(self, scorer: str, rows: NDArray[Entry], missing: float) -> NDArray[Entry]:
        """Values of the rows of a scorer by utterance_number; `missing` where it has no row."""
        numbers = self._numbers(scorer)
        if self._is_whole(scorer):
            return rows
        column = np.full(self.n_utterances, missing, rows.dtype)
        column[numbers] = rows
        return column

    def _read_sound(self, sql: str) -> Scores:
        found = self.cursor().execute(
            f"SELECT utterance_number AS number, CAST({sql} AS FLOAT) AS value FROM sound_scores"
        )
        rows = found.fetchnumpy()
        column = np.full(self.n_utterances, np.nan, np.float32)
        column[rows["number"]] = np.ma.filled(rows["value"], np.nan)
        return column

    def _extremes(self, scorer: str, sql: str) -> NDArray[np.float64]:
        column = self.column(scorer, sql)
        if not len(column):
            return np.full(2, np.nan)
        return np.array([np.fmin.reduce(column), np.fmax.reduce(column)], np.float64)

    def _recording_codes(self) -> Numbers:
        # Utterances are numbered recording by recording.
        if self._columns is not None:
            return self._columns.recording_of_utterances()
        found = (
            self.cursor()
            .execute(
                """SELECT enum_code(CAST(recording_id AS recording_names))::INTEGER AS code,
                       n_utterances FROM recordings WHERE n_utterances > 0
                   ORDER BY first_utterance_number"""
            )
            .fetchnumpy()
        )
        codes = np.repeat(np.asarray(found["code"], np.int32), found["n_utterances"])
        if len(codes) != self.n_utterances:
            raise StoreError(
                "The store's recordings do not add up to its utterances.",
                hint="Build it again with: python -m pipeline run STUDY --stage publish",
            )
        return codes

    def _grouped(self, split: str) -> NDArray[np.int16]:
        if split == "none":
            return np.zeros(self.n_utterances, np.int16)
        names = self.group_names(split)
        unknown = len(names)
        if split == "age":
            places = [
                unknown if np.isnan(band) else names.index(str(int(band)))
                for band in self._age_bands()
            ]
            return np.array(places, np.int16)[self.recording]
        places = [*(names.index(name) for name in self.names(split)), unknown]
        if places == [*range(len(places))]:
            return self.codes(split).view(np.int16)
        return np.array(places, np.int16)[self.codes(split)]

    def _of_utterances(self, sql: str, missing: float, dtype: type[Entry]) -> NDArray[Entry]:
        """An expression over scores_wide that is the same for every scorer; `missing` for NULL."""
        column = np.full(self.n_utterances, missing, dtype)
        for scorer in self._scorers:
            found = np.ma.filled(self._rows(scorer, f"{sql} AS value"), missing)
            if self._is_whole(scorer):
                return found.astype(dtype, copy=False)
            column[self._numbers(scorer)] = found
            if len(found) == self.n_utterances:
                break
        return column

    def _age_bands(self) -> NDArray[np.float64]:
        ages = self.recordings.frame["age_days"].to_numpy(np.float64)
        return np.floor(ages / AGE_BAND_DAYS)

    def _rows(self, scorer: str, value: str) -> NDArray[np.generic]:
        """A column over the rows of a scorer, in their order; masked where it is NULL."""
        sql = f"SELECT {value} FROM scores_wide WHERE scorer = $scorer"
        found = self.cursor().execute(sql, {"scorer": scorer}).fetchnumpy()
        return np.asanyarray(found["value"])

    def cursor(self) -> DuckDBPyConnection:
        """For what no array says: a connection of its own for one query."""
        return self._connection.cursor()


def _n_bytes(arrays: tuple[NDArray[np.generic], ...]) -> int:
    return sum(array.nbytes for array in arrays)


def at_least(scores: Scores, threshold: float) -> NDArray[np.bool_]:
    """Whether each score is at or above a threshold as scores are kept; NaN is not."""
    return np.asarray(scores >= np.float32(threshold))
