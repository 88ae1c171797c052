"""Write the file of columns beside a store: see `pipeline.store.store_columns`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import StoreError
from pipeline.records import ModelRef
from pipeline.score_columns import CROPS, WINDOWS, wide_column
from pipeline.score_sql import statistic_sql
from pipeline.store.alike import CONFIDENCE, alike_name, count_alike, quality_keys
from pipeline.store.column_file import Array, ColumnWriter, part_name
from pipeline.store.first_counts import (
    FIRST_WINDOW,
    CountedAs,
    FirstScores,
    Places,
    first_measure,
    write_first_counts,
)
from pipeline.store.first_pairs import (
    first_compared,
    first_other,
    first_two,
    write_joint,
    write_pairs,
)
from pipeline.store.store_columns import (
    KIND,
    LEMMAS_AT_ONCE,
    SEPARATOR,
    columns_path,
    state_of,
)
from pipeline.store.store_facts import NAMES, StoreFacts, enum_names, facts_if_any

_MEMORY_LIMIT = "1GB"
_STATISTICS = ("max_cosine", "mean_cosine", "null_mean", "null_sd", "z", "mean_z")
_CROP = CROPS[0]
PARTIAL = ".partial"

Numbers = NDArray[np.int32]


def write_columns(source: Path, store: Path) -> list[Path]:
    """Write the columns of a whole store `source` that will have the name `store`.

    The file, whose path is returned, is partial until `frame_vectors.keep_vectors`; there is none
    for a store that names no model. Raises duckdb.Error and OSError.
    """
    path = columns_path(store)
    partial = path.with_name(path.name + PARTIAL)
    with duckdb.connect(str(source), read_only=True) as con:
        con.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        facts = facts_if_any(con)
        if facts is None:
            return []
        scorers = sorted(model.scorer for model in facts.models)
        rows = {scorer: _numbers(con, scorer) for scorer in scorers}
        n = _count(con, "SELECT coalesce(max(utterance_number), -1) + 1 FROM utterances")
        whole = [name for name in scorers if np.array_equal(rows[name], np.arange(n))]
        about = {
            "kind": KIND,
            "store": state_of(source),
            "facts": facts.to_json(),
            "n_utterances": n,
            "scorers": scorers,
            "whole": whole,
        }
        with ColumnWriter(partial, json.dumps(about)) as file:
            recordings = _add_recordings(con, file, n)
            speaker = _add_utterances(con, file, rows, facts)
            places = Places(
                np.repeat(recordings.code, recordings.n_utterances).astype(np.int64),
                recordings.child[np.repeat(recordings.code, recordings.n_utterances)],
                speaker,
                len(recordings.child),
                int(recordings.child.max(initial=-1)) + 1,
                len(facts.names["speaker"]) + 1,
                recordings.child.astype(np.int32),
                recordings.age,
            )
            for model in facts.models:
                numbers = rows[model.scorer]
                if model.scorer not in whole:
                    file.add(f"numbers of {model.scorer}", numbers)
                first = _add_scores(con, file, model, numbers, n)
                write_first_counts(file, model, first, places)
                _add_alike(con, file, model, len(facts.names["speaker"]))
                _add_compared(con, file, model, rows, places, facts)
            _add_words(con, file)
    return [partial]


def _count(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(con.execute(sql).fetchall()[0][0])


def _numbers(con: duckdb.DuckDBPyConnection, scorer: str) -> Numbers:
    sql = "SELECT utterance_number AS n FROM scores_wide WHERE scorer = $scorer"
    return np.asarray(con.execute(sql, {"scorer": scorer}).fetchnumpy()["n"], np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class _Recordings:
    """`child` int64 (n_recordings,): place in alphabetical order; `age` in days, NaN when unknown.
    Of those that hold utterances, in the order of these: `code`, `n_utterances`."""

    child: NDArray[np.int64]
    age: NDArray[np.float64]
    code: Numbers
    n_utterances: NDArray[np.int64]


def _add_recordings(con: duckdb.DuckDBPyConnection, file: ColumnWriter, n: int) -> _Recordings:
    names = np.array(enum_names(con, "recording_names"), np.str_)
    known = con.execute(
        """SELECT enum_code(CAST(recording_id AS recording_names))::INTEGER AS code,
               child_id, CAST(age_days AS DOUBLE) AS age_days FROM recordings"""
    ).fetchnumpy()
    order = np.argsort(known["code"], kind="stable")
    child_ids = np.asarray(known["child_id"], np.str_)[order]
    children, child = np.unique(child_ids, return_inverse=True)
    spoken = con.execute(
        """SELECT enum_code(CAST(recording_id AS recording_names))::INTEGER AS code, n_utterances
           FROM recordings WHERE n_utterances > 0 ORDER BY first_utterance_number"""
    ).fetchnumpy()
    ages = np.ma.filled(np.ma.asarray(known["age_days"]), np.nan)
    found = _Recordings(
        child.astype(np.int64),
        np.asarray(ages, np.float64)[order],
        np.asarray(spoken["code"], np.int32),
        np.asarray(spoken["n_utterances"], np.int64),
    )
    if int(found.n_utterances.sum()) != n:
        raise StoreError(
            "The store's recordings do not add up to its utterances.",
            hint="Build it again with: python -m pipeline run STUDY --stage publish",
        )
    rank = np.argsort(np.argsort(names, kind="stable"), kind="stable")
    file.add("recording names", _as_bytes(names.tolist()))
    file.add("child names", _as_bytes(children.tolist()))
    file.add("child of recording", found.child.astype(np.int32))
    file.add("age of recording", found.age)
    file.add("recordings by name", np.lexsort((rank, found.child)).astype(np.int64))
    file.add("recordings in order", found.code)
    file.add("utterances of recordings", found.n_utterances)
    return found


def _as_bytes(names: list[str]) -> NDArray[np.uint8]:
    return np.frombuffer(SEPARATOR.join(names).encode(), np.uint8)


def _add_utterances(
    con: duckdb.DuckDBPyConnection,
    file: ColumnWriter,
    rows: dict[str, Numbers],
    facts: StoreFacts,
) -> NDArray[np.int64]:
    """What is the same for all scorers of an utterance; returns the place of each one's speaker in
    alphabetical order, the unknown last."""
    n = 1 + max((int(numbers.max(initial=-1)) for numbers in rows.values()), default=-1)
    n = max(n, _count(con, "SELECT coalesce(max(utterance_number), -1) + 1 FROM utterances"))
    for name in ("child", *NAMES[1:]):
        unknown = len(facts.names[name])
        column = {"child": "child_id"}.get(name, name)
        values = np.full(n, unknown, np.uint16)
        for found, numbers in _of_rows(con, f"coalesce(enum_code({column}), {unknown})", rows, n):
            values[numbers] = found
        file.add(f"codes {column}", values)
        if name == "speaker":
            names = facts.names[name]
            ranks = np.array([*(sorted(names).index(one) for one in names), unknown], np.int64)
            speaker = ranks[values]
    flags = np.zeros(n, np.uint32)
    for found, numbers in _of_rows(con, "coalesce(flag_bits, 0)", rows, n):
        flags[numbers] = found
    file.add("flags", flags)
    for name in ("n_words", "mean_logprob"):
        values_of = np.full(n, np.nan, np.float32)
        for found, numbers in _of_rows(con, f"coalesce({name}::FLOAT, 'nan'::FLOAT)", rows, n):
            values_of[numbers] = found
        file.add(f"numbers {name}", values_of)
    return speaker


def _of_rows(
    con: duckdb.DuckDBPyConnection, sql: str, rows: dict[str, Numbers], n: int
) -> Iterator[tuple[Array, Numbers]]:
    """An expression over the rows of scorers, until one has a row for every utterance."""
    for scorer in sorted(rows, key=lambda name: (len(rows[name]) != n, name)):
        found = con.execute(
            f"SELECT {sql} AS value FROM scores_wide WHERE scorer = $scorer", {"scorer": scorer}
        ).fetchnumpy()
        yield np.asarray(found["value"]), rows[scorer]
        if len(rows[scorer]) == n:
            return


def _add_scores(
    con: duckdb.DuckDBPyConnection, file: ColumnWriter, model: ModelRef, numbers: Numbers, n: int
) -> FirstScores:
    """The columns of a scorer under the crop that pages open with; returns those of the window and
    statistic that they open with."""
    scorer, first = model.scorer, dict[str, NDArray[np.float32]]()
    for window in WINDOWS:
        columns = [f"n_frames_{window}"]
        columns += [wide_column(_CROP, window, statistic) for statistic in _STATISTICS]
        for column, values in _columns(con, scorer, columns, numbers, n):
            nothing = bool(np.isnan(values).all())
            # An array of length 0 stands for a column without any value.
            file.add(f"column {scorer} {column}", values[:0] if nothing else values)
            file.add(f"extremes {scorer} {column}", _extremes(values))
            if window == FIRST_WINDOW:
                first[column] = values
    n_frames = f"n_frames_{FIRST_WINDOW}"
    if first_measure(model).is_made_text:
        sql = f"CASE WHEN missing_reason = 'no_noun' THEN -1 ELSE {n_frames} END"
        ((_, first[n_frames]),) = _columns(con, scorer, [sql], numbers, n)
    cosine, z, mean, sd = (first[column] for column in FirstScores.columns())
    return FirstScores(numbers, first[n_frames], cosine, z, mean, sd)


def _add_alike(
    con: duckdb.DuckDBPyConnection, file: ColumnWriter, model: ModelRef, n_speakers: int
) -> None:
    measure = first_measure(model)
    statistic = "z" if measure.scale == "z" else "max_cosine"
    score = statistic_sql(measure.crop, measure.window, statistic)
    for keys in (quality_keys(measure.crop, measure.window, score), CONFIDENCE):
        found = count_alike(con, model.scorer, keys, n_speakers)
        for place, counts in enumerate(found):
            file.add(part_name(alike_name(model.scorer, keys), place), counts)


def _add_compared(
    con: duckdb.DuckDBPyConnection,
    file: ColumnWriter,
    model: ModelRef,
    rows: dict[str, Numbers],
    places: Places,
    facts: StoreFacts,
) -> None:
    """What pages that compare a scorer with another crop, window or scorer open with."""

    def score(measure: CountedAs) -> tuple[str, NDArray[np.float32]]:
        statistic = "z" if measure.scale == "z" else "max_cosine"
        sql = statistic_sql(measure.crop, measure.window, statistic)
        numbers = rows[measure.scorer]
        return next(_columns(con, measure.scorer, [sql], numbers, len(places.child)))

    mine = first_measure(model)
    other = first_other(mine, facts.crops)
    sql, of_other = score(other)
    if other.crop != _CROP:
        file.add(f"extremes {model.scorer} {sql}", _extremes(of_other))
    write_pairs(file, (mine, other), (score(mine)[1], of_other), places)
    compared = first_compared(model, facts.models)
    if compared is not None:
        a, b = first_two(model, compared)
        (sql_a, scores_a), (sql_b, scores_b) = score(a), score(b)
        columns = (a.scorer, sql_a), (b.scorer, sql_b)
        write_joint(file, columns, (scores_a, scores_b), places)


def _add_words(con: duckdb.DuckDBPyConnection, file: ColumnWriter) -> None:
    """The utterances of each lemma, each once and ascending. Some lemmas share two arrays: those
    of the i-th lie from starts[i] to before starts[i + 1]."""
    groups = con.execute(
        "SELECT lemma, count(*) FROM word_index GROUP BY lemma, token ORDER BY lemma, token"
    ).fetchall()
    found = con.execute("SELECT utterance_number AS n FROM word_index").fetchnumpy()
    numbers, place = np.asarray(found["n"], np.int32), 0
    heard: dict[str, list[Numbers]] = {}
    for lemma, n in groups:
        heard.setdefault(str(lemma), []).append(numbers[place : place + n])
        place += n
    lists = [
        parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))
        for parts in heard.values()
    ]
    file.add("lemmas", _as_bytes([*heard]))
    for first in range(0, len(lists), LEMMAS_AT_ONCE):
        block = lists[first : first + LEMMAS_AT_ONCE]
        name = f"lemmas {first // LEMMAS_AT_ONCE}"
        file.add(f"{name} starts", np.cumsum([0, *(len(part) for part in block)]).astype(np.int64))
        file.add(f"{name} utterances", np.concatenate(block))


def _columns(
    con: duckdb.DuckDBPyConnection, scorer: str, columns: list[str], numbers: Numbers, n: int
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Columns of a scorer over all utterances, NaN for none."""
    selected = ", ".join(
        f"coalesce(({sql})::FLOAT, 'nan'::FLOAT) AS c{place}" for place, sql in enumerate(columns)
    )
    sql = f"SELECT {selected} FROM scores_wide WHERE scorer = $scorer"
    found = con.execute(sql, {"scorer": scorer}).fetchnumpy()
    for place, column in enumerate(columns):
        values = np.full(n, np.nan, np.float32)
        values[numbers] = found[f"c{place}"]
        yield column, values


def _extremes(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The smallest and the largest; NaN without any."""
    if not len(values):
        return np.full(2, np.nan)
    return np.array([np.fmin.reduce(values), np.fmax.reduce(values)], np.float64)
