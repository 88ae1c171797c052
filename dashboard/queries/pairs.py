"""Pairs of a highly and a lowly aligned utterance that are alike otherwise.

Highly aligned is a score at or above the measure's threshold. Lowly aligned is a score in the
lowest quarter of the chosen utterances, and below the threshold. A pair has the same child and the
same speaker, and as many words, or as nearly as there are. Unknown speakers count as one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from dashboard.filters import Filters
from dashboard.queries.selection import Measure, Value, scored

PAGE_PAIRS = 10
LOW_SHARE = 0.25
"""Share of the scored utterances that count as lowly aligned."""
MAX_WORDS_APART = 2
"""Utterances that differ by more words are no pair."""

_SPEAKER = "coalesce(CAST(speaker AS VARCHAR), 'NA')"
_PRIME = 4_294_967_291
_MANY = 200_000


Group = tuple[str, str, int]
"""child_id, speaker and number of words."""


@dataclass(frozen=True, slots=True)
class PairCount:
    """`n_high` highly aligned utterances; `n_paired` of them have a partner.

    `low_limit` is the score up to which an utterance is lowly aligned, None when nothing is
    scored. `lonely` are the groups whose highly aligned utterances have no partner.
    """

    n_high: int
    n_paired: int
    n_low: int
    low_limit: float | None
    lonely: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One utterance of a pair."""

    recording_id: str
    utterance_id: str
    onset_ms: int
    text: str
    n_words: int
    score: float
    has_clip: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """A highly and a lowly aligned utterance of one child and speaker."""

    child_id: str
    speaker: str
    high: Side
    low: Side


def pair_count(con: DuckDBPyConnection, filters: Filters, measure: Measure) -> PairCount:
    """How many highly aligned utterances there are and how many have a partner."""
    low_limit = _low_limit(con, filters, measure)
    if low_limit is None:
        return PairCount(0, 0, 0, None)
    base = scored(filters, measure)
    group = "child_id, speaker, n_words"
    # Grouped as stored, named at the end: names are slower to group.
    sql = f"""
        WITH groups AS (
            SELECT {group}, sum(high) AS n_high, sum(low) AS n_low FROM (
                SELECT {group}, count(*) AS high, 0 AS low FROM ({base.sql}) b
                WHERE score >= $threshold::FLOAT GROUP BY ALL
                UNION ALL
                SELECT {group}, 0, count(*) FROM ({base.sql}) b
                WHERE score <= $low_limit AND score < $threshold::FLOAT GROUP BY ALL)
            GROUP BY ALL)
        SELECT CAST(child_id AS VARCHAR), {_SPEAKER}, n_words, n_high, n_low,
            sum(n_low) OVER (PARTITION BY child_id, {_SPEAKER} ORDER BY n_words RANGE
                BETWEEN {MAX_WORDS_APART} PRECEDING AND {MAX_WORDS_APART} FOLLOWING) AS n_partners
        FROM groups ORDER BY ALL"""
    groups = con.execute(
        sql, {**base.params, "threshold": measure.threshold, "low_limit": low_limit}
    ).fetchall()
    return PairCount(
        n_high=sum(int(row[3]) for row in groups),
        n_paired=sum(int(row[3]) for row in groups if row[5]),
        n_low=sum(int(row[4]) for row in groups),
        low_limit=low_limit,
        lonely=tuple((row[0], row[1], row[2]) for row in groups if row[3] and not row[5]),
    )


def pair_page(
    con: DuckDBPyConnection,
    filters: Filters,
    measure: Measure,
    count: PairCount,
    seed: int,
    page: int,
) -> tuple[Pair, ...]:
    """Page `page`, from 0, of the pairs, in an order that the seed gives.

    `count` is `pair_count` with the same filters. Each highly aligned utterance that has a
    partner comes once; among its partners with the nearest number of words the seed chooses.
    """
    if count.low_limit is None:
        return ()
    high = _high(con, filters, measure, count, seed, page)
    if not high:
        return ()
    low = _partners(con, filters, measure, count.low_limit, seed, high)
    sides = _sides(con, [(row[0], row[5]) for row in high] + list(low.values()))
    return tuple(
        Pair(row[1], row[2], sides[row[0]], sides[low[place][0]]) for place, row in enumerate(high)
    )


_High = tuple[int, str, str, int, int, float]


def _low_limit(con: DuckDBPyConnection, filters: Filters, measure: Measure) -> float | None:
    """The upper end of the lowest quarter; of many utterances, of every eighth by random key."""
    base = scored(filters, measure)
    sql = f"""
        SELECT count(score), quantile_disc(score, {LOW_SHARE}) FILTER (random_key % 8 = 0)
        FROM ({base.sql})"""
    n, limit = con.execute(sql, dict(base.params)).fetchall()[0]
    if n < _MANY:
        sql = f"SELECT quantile_disc(score, {LOW_SHARE}) FROM ({base.sql})"
        limit = con.execute(sql, dict(base.params)).fetchall()[0][0]
    return None if limit is None else float(limit)


def _high(
    con: DuckDBPyConnection,
    filters: Filters,
    measure: Measure,
    count: PairCount,
    seed: int,
    page: int,
) -> list[_High]:
    """utterance_number, child_id, speaker, n_words, random_key, score of a page, in its order."""
    base = scored(filters, measure)
    params: dict[str, Value] = {
        **base.params,
        "threshold": measure.threshold,
        "factor": _factor(seed),
        "n_before": page * PAGE_PAIRS,
    }
    others = ""
    if count.lonely:
        others = f"AND concat_ws('/', n_words, {_SPEAKER}, child_id) <> ALL($lonely)"
        params["lonely"] = [f"{words}/{speaker}/{child}" for child, speaker, words in count.lonely]
    sql = f"""
        SELECT utterance_number, CAST(child_id AS VARCHAR), {_SPEAKER}, n_words,
            random_key, score
        FROM ({base.sql}) WHERE score >= $threshold::FLOAT {others}
        ORDER BY {_shuffled("random_key")}, utterance_number
        LIMIT {PAGE_PAIRS} OFFSET $n_before"""
    return [tuple(row) for row in con.execute(sql, params).fetchall()]


def _partners(
    con: DuckDBPyConnection,
    filters: Filters,
    measure: Measure,
    low_limit: float,
    seed: int,
    high: list[_High],
) -> dict[int, tuple[int, float]]:
    """Place in `high` -> utterance_number and score of the partner."""
    base = scored(filters, measure)
    # The list lets the store skip what belongs to other children before it joins.
    sql = f"""
        WITH high AS (
            SELECT unnest(range(len($numbers))) AS place, unnest($high_children) AS child_id,
                unnest($high_speakers) AS speaker, unnest($words) AS n_words,
                unnest($keys) AS random_key)
        SELECT h.place, unnest(arg_min(
            {{'number': l.utterance_number, 'score': l.score}},
            {{'apart': abs(l.n_words - h.n_words),
              'order': {_shuffled("(h.random_key + l.random_key)")},
              'number': l.utterance_number}}))
        FROM high h JOIN (
            SELECT utterance_number, CAST(child_id AS VARCHAR) AS child_id,
                {_SPEAKER} AS speaker, n_words, random_key, score
            FROM ({base.sql})
            WHERE child_id = ANY(CAST($high_children AS child_names[]))
                AND score <= $low_limit AND score < $threshold::FLOAT
        ) l ON l.child_id = h.child_id AND l.speaker = h.speaker
            AND abs(l.n_words - h.n_words) <= {MAX_WORDS_APART}
        GROUP BY h.place"""
    found = con.execute(
        sql,
        {
            **base.params,
            "numbers": [row[0] for row in high],
            "high_children": [row[1] for row in high],
            "high_speakers": [row[2] for row in high],
            "words": [row[3] for row in high],
            "keys": [row[4] for row in high],
            "low_limit": low_limit,
            "threshold": measure.threshold,
            "factor": _factor(seed),
        },
    ).fetchall()
    return {int(place): (int(number), float(score)) for place, number, score in found}


def _sides(con: DuckDBPyConnection, scores: list[tuple[int, float]]) -> dict[int, Side]:
    sql = """
        SELECT u.utterance_number, u.recording_id, u.utterance_id, u.onset_ms, u.text, u.n_words,
            coalesce(r.permission IN ('media', 'excerpts') AND r.media_path IS NOT NULL, FALSE)
        FROM utterances u JOIN recordings r ON r.recording_id = u.recording_id
        WHERE u.utterance_number = ANY($numbers)"""
    score_of = dict(scores)
    found = con.execute(sql, {"numbers": list(score_of)}).fetchall()
    return {
        number: Side(recording_id, utterance_id, onset_ms, text, n_words, score_of[number], clip)
        for number, recording_id, utterance_id, onset_ms, text, n_words, clip in found
    }


def _shuffled(key: str) -> str:
    return f"CAST({key} AS UBIGINT) % {_PRIME} * $factor % {_PRIME}"


def _factor(seed: int) -> int:
    """A multiplier made from the seed, the same on every machine."""
    digest = hashlib.sha256(f"pairs {seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % (_PRIME - 1) + 1
