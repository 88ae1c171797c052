"""The list of moments, one page at a time, and how many there are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from dashboard.filters import Filters
from dashboard.moment_list import PAGE_ROWS, MomentList
from dashboard.queries.arrays import Numbers, ScoreArrays, Scores
from dashboard.queries.saved import Keys, among
from dashboard.queries.selection import Measure, Query, Value, missing_reason, scored
from dashboard.queries.told import told

_ORDER_BY = {
    "highest": "score DESC",
    "lowest": "score",
    "threshold": "abs(score - $threshold)",
    "random": "CAST(random_key AS UBIGINT) * CAST($factor AS UBIGINT) % 4294967291::UBIGINT",
    "unscored": "missing_reason",
}
_KEYS: dict[str, Callable[[Scores, float], NDArray[np.floating]]] = {
    "highest": lambda score, threshold: -score,
    "lowest": lambda score, threshold: score,
    "threshold": lambda score, threshold: np.abs(score.astype(np.float64) - threshold),
}
"""Orders that the scores alone decide: what is smallest comes first."""
_LARGEST_FACTOR = 4_294_967_290


@dataclass(frozen=True, slots=True)
class MomentCount:
    """`n_listed` rows over all pages; `n_chosen` utterances that the filters and words leave."""

    n_listed: int
    n_chosen: int


def moment_count(
    con: DuckDBPyConnection,
    arrays: ScoreArrays,
    filters: Filters,
    measure: Measure,
    listing: MomentList,
    restricted_to: Keys | None = None,
) -> MomentCount:
    """How many moments the list has, and of how many utterances."""
    if _is_whole(listing, restricted_to):
        chosen = arrays.chosen(filters, measure.scorer)
        n_chosen = len(chosen)
        n_scored = n_chosen - int(np.count_nonzero(np.isnan(arrays.score(measure)[chosen])))
    else:
        base = _chosen(filters, measure, listing, restricted_to)
        counts = Query(f"SELECT count(score), count(*) FROM ({base.sql})", base.params)
        n_scored, n_chosen = (int(str(n)) for n in counts.row(con))
    is_unscored = listing.order == "unscored"
    return MomentCount(n_chosen - n_scored if is_unscored else n_scored, n_chosen)


def _is_whole(listing: MomentList, restricted_to: Keys | None) -> bool:
    """Whether the list holds whatever the filters leave, so that the arrays know it."""
    is_bounded = listing.score_from is not None or listing.score_to is not None
    return restricted_to is None and not listing.tokens and not is_bounded


def moment_page(
    con: DuckDBPyConnection,
    arrays: ScoreArrays,
    filters: Filters,
    measure: Measure,
    listing: MomentList,
    restricted_to: Keys | None = None,
) -> pd.DataFrame:
    """One page of the list, at most PAGE_ROWS rows, best first in the list's order.

    Columns: recording_id, utterance_id, child_id, age_days, speaker, onset_ms, text, score (of
    the measure; NULL in the unscored list), missing_reason, cosine and z of the measure's
    statistic (NULL without a score or a null), and has_clip: whether it may and can be
    played. Ties go by recording and time, so pages never overlap.
    """
    if _is_whole(listing, restricted_to) and listing.order in _KEYS:
        return _rows(con, arrays, measure, _first_numbers(arrays, filters, measure, listing))
    base = _chosen(filters, measure, listing, restricted_to)
    is_unscored = listing.order == "unscored"
    params: dict[str, Value] = {
        **base.params,
        "n_rows": PAGE_ROWS,
        "n_before": listing.first_rank,
    }
    if listing.order == "threshold":
        params["threshold"] = measure.threshold
    if listing.order == "random":
        params["factor"] = _factor(listing.seed)
    page = f"""
        SELECT row_number() OVER () AS place, * FROM (
            SELECT utterance_number, score, missing_reason
            FROM ({base.sql}) WHERE score IS {"NULL" if is_unscored else "NOT NULL"}
            ORDER BY {_ORDER_BY[listing.order]}, utterance_number
            LIMIT $n_rows OFFSET $n_before)"""
    return _with_words(Query(page, params), measure).frame(con)


def _first_numbers(
    arrays: ScoreArrays, filters: Filters, measure: Measure, listing: MomentList
) -> Numbers:
    """utterance_numbers of one page of all that the filters leave, in the list's order."""
    chosen = arrays.chosen(filters, measure.scorer)
    scores = arrays.score(measure)[chosen]
    keys = _KEYS[listing.order](scores, measure.threshold)
    last = listing.first_rank + PAGE_ROWS
    known = np.flatnonzero(scores == scores)  # NaN is the only value unequal to itself.
    if len(known) > last:
        # All that tie with the last one of the page, so that ties go by number.
        border = np.partition(keys[known], last - 1)[last - 1]
        known = known[keys[known] <= border]
    order = np.lexsort((chosen[known], keys[known]))
    shown = order[listing.first_rank : last]
    return chosen[known[shown]]


def _rows(
    con: DuckDBPyConnection, arrays: ScoreArrays, measure: Measure, numbers: Numbers
) -> pd.DataFrame:
    """`moment_page` of these scored utterances, in their order; only their words are read."""
    is_max = measure.statistic == "max"
    recordings = arrays.recordings.frame.take(arrays.recording[numbers])
    rows = pd.DataFrame(
        {
            "utterance_number": numbers,
            "age_days": recordings["age_days"].to_numpy(),
            "score": arrays.score(measure)[numbers],
            "missing_reason": None,
        }
    )
    for name, statistic in (
        ("cosine", "max_cosine" if is_max else "mean_cosine"),
        ("z", "z" if is_max else "mean_z"),
    ):
        rows[name] = arrays.column(measure.scorer, measure.sql(statistic))[numbers]
    can_play = con.execute(
        """SELECT recording_id FROM recordings
           WHERE permission IN ('media', 'excerpts') AND media_path IS NOT NULL
           AND recording_id IN (SELECT unnest($names::VARCHAR[]))""",
        {"names": recordings["recording_id"].unique().tolist()},
    ).df()
    found = told(con, arrays, rows, "utterance_id", "speaker", "onset_ms", "text")
    return found.assign(has_clip=found["recording_id"].isin(can_play["recording_id"]))[_COLUMNS]


_COLUMNS = [
    *("recording_id", "utterance_id", "child_id", "age_days", "speaker", "onset_ms", "text"),
    *("score", "missing_reason", "cosine", "z", "has_clip"),
]


def looking_page(
    con: DuckDBPyConnection, measure: Measure, numbers: Sequence[int], looks: Sequence[float]
) -> pd.DataFrame:
    """`moment_page` for these utterance_numbers, in their order, with the column look: the cosine
    of the view with a sentence, one for each."""
    page = f"""
        SELECT h.place, h.look, s.utterance_number, {measure.score} AS score,
            {missing_reason(measure)} AS missing_reason
        FROM (SELECT unnest($numbers::INTEGER[]) AS number, unnest($looks::FLOAT[]) AS look,
                  generate_subscripts($numbers::INTEGER[], 1) AS place) h
        JOIN scores_wide s ON s.utterance_number = h.number
        WHERE s.scorer = $scorer"""
    sql = _with_words(Query(page), measure, more="page.look,").sql
    params = {"numbers": list(numbers), "looks": list(looks), "scorer": measure.scorer}
    return con.execute(sql, params).df()


def listed_numbers(
    con: DuckDBPyConnection,
    filters: Filters,
    measure: Measure,
    listing: MomentList,
    restricted_to: Keys | None = None,
) -> NDArray[np.int32]:
    """Utterance numbers that the filters, words and saved moments leave, with a score or not."""
    base = _chosen(filters, measure, listing, restricted_to)
    found = con.execute(f"SELECT utterance_number FROM ({base.sql})", dict(base.params))
    return np.sort(np.asarray(found.fetchnumpy()["utterance_number"], np.int32))


def _with_words(page: Query, measure: Measure, more: str = "") -> Query:
    """Join what is said and where to a page of utterance numbers with place and score."""
    is_max = measure.statistic == "max"
    cosine = measure.sql("max_cosine" if is_max else "mean_cosine")
    z = measure.sql("z" if is_max else "mean_z")
    sql = f"""
        WITH page AS ({page.sql})
        SELECT u.recording_id, u.utterance_id, u.child_id, s.age_days, u.speaker, u.onset_ms,
            u.text, page.score, page.missing_reason, {more} {cosine} AS cosine, {z} AS z,
            coalesce(r.permission IN ('media', 'excerpts') AND r.media_path IS NOT NULL, FALSE)
                AS has_clip
        FROM page
        JOIN utterances u ON u.utterance_number = page.utterance_number
        JOIN recordings r ON r.recording_id = u.recording_id
        JOIN scores_wide s ON s.utterance_number = page.utterance_number AND s.scorer = $scorer
        ORDER BY place"""
    return Query(sql, page.params)


def _chosen(
    filters: Filters, measure: Measure, listing: MomentList, restricted_to: Keys | None
) -> Query:
    """The utterances that the filters and the bounds of the score leave and in which all words
    are heard.

    With `restricted_to`, only these (recording_id, utterance_id).
    """
    base = scored(filters, measure)
    parts, params = [], dict(base.params)
    if restricted_to is not None:
        restriction = among(restricted_to)
        parts.append(restriction.sql)
        params |= restriction.params
    for name, bound, sign in (
        ("score_from", listing.score_from, ">="),
        ("score_to", listing.score_to, "<"),
    ):
        if bound is not None:
            parts.append(f"score {sign} ${name}::FLOAT")
            params[name] = bound
    for number, token in enumerate(listing.tokens):
        name = f"token{number}"
        params[name] = token.removesuffix("*")
        is_start = token.endswith("*")
        condition = f"starts_with(token, ${name})" if is_start else f"token = ${name}"
        if listing.is_any_form:
            condition = (
                f"lemma IN (SELECT lemma FROM word_index WHERE {condition} UNION SELECT ${name})"
            )
        parts.append(
            f"utterance_number IN (SELECT utterance_number FROM word_index WHERE {condition})"
        )
    if not parts:
        return base
    return Query(f"SELECT * FROM ({base.sql}) WHERE {' AND '.join(parts)}", params)


def _factor(seed: int) -> int:
    """A multiplier made from the seed: it shuffles the random keys, the same way every time."""
    digest = hashlib.sha256(str(seed).encode()).digest()
    return int.from_bytes(digest[:8], "big") % _LARGEST_FACTOR + 1
