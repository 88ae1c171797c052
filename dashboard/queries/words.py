"""One lemma: where it is heard, how it is scored, and which of its moments stand out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection

from dashboard.filters import Filters
from dashboard.queries.arrays import Ints, Numbers, ScoreArrays, bins_between
from dashboard.queries.cube import choice_of_children
from dashboard.queries.selection import Measure, Query, recordings_where, scored
from pipeline.compiled import compiled_for
from pipeline.records import MAY_BE_SHOWN
from pipeline.stats import counting

_CODED = ("child_id", "speaker")

N_MOMENTS = 8
"""Best and worst moments of a lemma that are shown."""


def word_counts(
    con: DuckDBPyConnection, filters: Filters, measure: Measure, lemma: str
) -> pd.DataFrame:
    """`shares.counts_by_recording` of the chosen utterances in which the lemma is heard:
    child_id, recording_id, age_days, grp (empty), n_utterances, n_scored, n_high, sum_score,
    sum_sq."""
    base = _heard(filters, measure, lemma)
    sql = f"""
        SELECT CAST(any_value(child_id) AS VARCHAR) AS child_id,
            CAST(recording_id AS VARCHAR) AS recording_id,
            CAST(any_value(age_days) AS DOUBLE) AS age_days, '' AS grp,
            count(*) AS n_utterances, count(score) AS n_scored,
            count(*) FILTER (WHERE score >= $threshold::FLOAT) AS n_high,
            coalesce(sum(CAST(score AS DOUBLE)), 0) AS sum_score,
            coalesce(sum(CAST(score AS DOUBLE) * score), 0) AS sum_sq
        FROM ({base.sql}) GROUP BY recording_id ORDER BY child_id, recording_id"""
    return Query(sql, {**base.params, "threshold": measure.threshold}).frame(con)


def word_bins(
    arrays: ScoreArrays, filters: Filters, measure: Measure, lemma: str, width: float
) -> pd.DataFrame:
    """Scored utterances with the lemma per bin: bin_start, n. The threshold is an edge."""
    between = arrays.extremes(measure.scorer, measure.score)
    first, n_bins = bins_between(*between, float(np.float32(measure.threshold)), width)

    def by_code() -> tuple[Ints]:
        """By child and speaker as coded in the store: few utterances need no more of either."""
        numbers, (child, speaker) = arrays.heard(lemma), map(arrays.codes, _CODED)
        shape = (*(len(arrays.names(column)) + 1 for column in _CODED), n_bins)
        counts = np.zeros(shape, np.int64)
        compiled_for(counting.count_word, len(numbers))(
            numbers, child, speaker, arrays.score(measure), measure.threshold, width, first, counts
        )
        return (counts,)

    if choice_of_children(arrays, filters) is None:
        numbers = _also_in(arrays.heard(lemma), arrays.chosen(filters, measure.scorer))
        counts = np.zeros((1, len(arrays.recordings.child_names), n_bins), np.int64)
        compiled_for(counting.count_bins, len(numbers))(
            numbers, arrays.child, arrays.score(measure), measure.threshold, width, first, counts[0]
        )
    else:
        name = f"word {lemma!r} {measure.counted_as.name('bins')} {width!r}"
        (counts,) = arrays.kept(name, by_code)
        for axis, wanted in enumerate((filters.children, filters.speakers)):
            if wanted:
                is_wanted = [*(one in wanted for one in arrays.names(_CODED[axis])), False]
                counts = counts.compress(is_wanted, axis=axis)
    n = counts.sum(axis=(0, 1))
    found = np.flatnonzero(n)
    starts = measure.threshold + width * (first + found).astype(np.float64)
    return pd.DataFrame({"bin_start": starts, "n": n[found]})


def _also_in(numbers: Numbers, chosen: Numbers) -> Numbers:
    """Those of the numbers that are among the chosen; both ascending."""
    place = np.searchsorted(chosen, numbers)
    place[place == len(chosen)] = 0
    return numbers[chosen[place] == numbers] if len(chosen) else chosen


def word_moments(
    con: DuckDBPyConnection, filters: Filters, measure: Measure, lemma: str, end: str
) -> pd.DataFrame:
    """The moments with the lemma that have the highest or lowest score (`end`), at most
    N_MOMENTS: recording_id, utterance_id, child_id, text, score; ties go by time."""
    if end not in ("highest", "lowest"):
        raise ValueError(f"end is {end!r}; allowed: highest, lowest")
    base = _heard(filters, measure, lemma)
    order = "score DESC" if end == "highest" else "score"
    sql = f"""
        WITH page AS (
            SELECT utterance_number, score FROM ({base.sql}) WHERE score IS NOT NULL
            ORDER BY {order}, utterance_number LIMIT {N_MOMENTS})
        SELECT u.recording_id, u.utterance_id, u.child_id, u.text, page.score
        FROM page JOIN utterances u ON u.utterance_number = page.utterance_number
        ORDER BY page.{order}, page.utterance_number"""
    return Query(sql, base.params).frame(con)


def showable_recordings(con: DuckDBPyConnection, filters: Filters) -> frozenset[str]:
    """Recordings of the chosen children and ages whose pictures may be shown."""
    chosen = recordings_where(filters)
    rows = con.execute(
        f"SELECT recording_id FROM recordings WHERE {chosen.sql} "
        "AND list_contains($permissions, permission)",
        {**chosen.params, "permissions": list(MAY_BE_SHOWN)},
    ).fetchall()
    return frozenset(str(row[0]) for row in rows)


def keys_of(con: DuckDBPyConnection, numbers: tuple[int, ...]) -> list[tuple[str, str, str]]:
    """(recording_id, utterance_id, text) of these utterance_numbers, in their order."""
    rows = con.execute(
        """SELECT utterance_number, recording_id, utterance_id, text FROM utterances
           WHERE utterance_number IN (SELECT unnest($numbers::INTEGER[]))""",
        {"numbers": list(numbers)},
    ).fetchall()
    found = {number: (recording, utterance, text) for number, recording, utterance, text in rows}
    return [found[number] for number in numbers if number in found]


def n_without_language(con: DuckDBPyConnection) -> int:
    """Utterances of which no language is known: their words are counted as they are."""
    row = con.execute(
        "SELECT count(*) FROM utterances WHERE coalesce(language, '') = ''"
    ).fetchone()
    return int(row[0]) if row else 0


def _heard(filters: Filters, measure: Measure, lemma: str) -> Query:
    """The chosen utterances in which the lemma is heard, in any form."""
    base = scored(filters, measure)
    sql = f"""SELECT * FROM ({base.sql}) WHERE utterance_number IN (
        SELECT utterance_number FROM word_index WHERE lemma = $lemma)"""
    return Query(sql, {**base.params, "lemma": lemma})
