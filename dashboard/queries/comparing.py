"""Two ways to score the same utterances, compared utterance by utterance.

A and B share scorer, scale and threshold and differ in crop, window or statistic. Every
denominator is the chosen utterances that have a score under both.
"""

from __future__ import annotations

import pandas as pd
from duckdb import DuckDBPyConnection

from dashboard.filters import Filters
from dashboard.queries.selection import Measure, Query, Value, scored

LAG_RANGE_S = 10


def paired_counts(
    con: DuckDBPyConnection, filters: Filters, a: Measure, b: Measure
) -> pd.DataFrame:
    """Per recording: child_id, recording_id, n_both (scored under A and B: the denominator),
    high_a, high_b (at or above the threshold), gained (only under B), lost (only under A),
    sum_difference and sum_sq_difference (of B minus A)."""
    base = _paired(filters, a, b)
    sql = f"""
        SELECT child_id, recording_id, count(*) AS n_both,
            count(*) FILTER (WHERE is_high_a) AS high_a,
            count(*) FILTER (WHERE is_high_b) AS high_b,
            count(*) FILTER (WHERE is_high_b AND NOT is_high_a) AS gained,
            count(*) FILTER (WHERE is_high_a AND NOT is_high_b) AS lost,
            sum(difference) AS sum_difference, sum(difference * difference) AS sum_sq_difference
        FROM ({base.sql}) GROUP BY child_id, recording_id ORDER BY child_id, recording_id"""
    return Query(sql, base.params).frame(con)


def difference_bins(
    con: DuckDBPyConnection, filters: Filters, a: Measure, b: Measure, width: float
) -> pd.DataFrame:
    """Utterances scored under both, by bin of B minus A: bin_start, n; equal scores apart.

    Column `is_equal` marks the row of exactly equal scores (same frame, same crop).
    """
    base = _paired(filters, a, b)
    sql = f"""
        SELECT difference = 0 AS is_equal,
            CAST(floor(difference / $width) AS INTEGER) * $width AS bin_start, count(*) AS n
        FROM ({base.sql}) GROUP BY ALL ORDER BY bin_start"""
    return Query(sql, {**base.params, "width": width}).frame(con)


def changed_moments(
    con: DuckDBPyConnection, filters: Filters, a: Measure, b: Measure, limit: int = 200
) -> pd.DataFrame:
    """Utterances on the other side of the threshold under B, most changed first.

    Columns: change ("gained" or "lost"), recording_id, utterance_id, child_id, speaker,
    onset_ms, text, score_a, score_b, difference. At most `limit` of each kind.
    """
    base = _paired(filters, a, b)
    sql = f"""
        SELECT CASE WHEN is_high_b THEN 'gained' ELSE 'lost' END AS change,
            recording_id, utterance_id, child_id, speaker, onset_ms, text,
            score_a, score_b, difference
        FROM ({base.sql}) WHERE is_high_a <> is_high_b
        QUALIFY row_number() OVER (
            PARTITION BY change ORDER BY abs(difference) DESC, recording_id, utterance_id
        ) <= $limit
        ORDER BY change, abs(difference) DESC, recording_id, utterance_id"""
    return Query(sql, {**base.params, "limit": limit}).frame(con)


def lag_profile(
    con: DuckDBPyConnection, filters: Filters, measure: Measure, crop: str, which: str = "all"
) -> pd.DataFrame:
    """Mean cosine under `crop` by lag from -10 to 10 s: 0 is during the utterance, 1 is up to one
    second after its end, -1 up to one second before its start, and so on.

    Only utterances that hold exactly one frame are taken: for these null_mean is the mean cosine
    with single frames of other recordings, so every lag has its exact chance level. Those without
    a null are left out, unless none has one. `which` is "all", or "high" for those at or above
    the threshold of `measure`. Columns: lag_s, cosine (mean over
    frames at that lag), baseline (NULL without a null), sd_above (SD of cosine minus baseline),
    n_frames (the denominator of the means), n (utterances taken, the same in every row).
    """
    chosen = scored(filters, measure)
    single = measure.under(crop=crop, window="strict", statistic="max")
    params: dict[str, Value] = {**chosen.params, "range": LAG_RANGE_S}
    condition = ""
    if which == "high":
        condition = "AND c.score >= $threshold"
        params["threshold"] = measure.threshold
    sql = f"""
        WITH single AS (
            SELECT s.recording_id, s.utterance_id, s.{single.column("null_mean")} AS null_mean
            FROM ({chosen.sql}) c JOIN scores_wide s ON s.recording_id = c.recording_id
                AND s.utterance_id = c.utterance_id AND s.scorer = $scorer
            WHERE s.n_frames_strict = 1 {condition}
        ), base AS (
            SELECT * FROM single WHERE null_mean IS NOT NULL
                OR NOT EXISTS (SELECT 1 FROM single WHERE null_mean IS NOT NULL)
        )
        SELECT CAST(sign(l.lag_ms) * ceil(abs(l.lag_ms) / 1000.0) AS INTEGER) AS lag_s,
            avg(CAST(l.{crop} AS DOUBLE)) AS cosine, avg(b.null_mean) AS baseline,
            stddev_samp(l.{crop} - coalesce(b.null_mean, 0)) AS sd_above,
            count(*) AS n_frames, (SELECT count(*) FROM base) AS n
        FROM lag_cosines l JOIN base b
            ON b.recording_id = l.recording_id AND b.utterance_id = l.utterance_id
        WHERE l.scorer = $scorer AND l.{crop} IS NOT NULL
        GROUP BY lag_s HAVING abs(lag_s) <= $range ORDER BY lag_s"""
    return Query(sql, params).frame(con)


def _paired(filters: Filters, a: Measure, b: Measure) -> Query:
    """Chosen utterances scored under both, with both scores and their difference (B - A)."""
    if (a.scorer, a.scale, a.threshold) != (b.scorer, b.scale, b.threshold):
        raise ValueError("A and B must share scorer, scale and threshold")
    first = scored(filters, a)
    sql = f"""
        SELECT x.recording_id, x.utterance_id, x.child_id, x.speaker, x.onset_ms, x.text,
            x.score AS score_a, s.{b.score_column} AS score_b,
            CAST(s.{b.score_column} AS DOUBLE) - x.score AS difference,
            x.score >= $threshold AS is_high_a, s.{b.score_column} >= $threshold AS is_high_b
        FROM ({first.sql}) x
        JOIN scores_wide s ON s.recording_id = x.recording_id
            AND s.utterance_id = x.utterance_id AND s.scorer = $scorer
        WHERE x.score IS NOT NULL AND s.{b.score_column} IS NOT NULL"""
    return Query(sql, {**first.params, "threshold": a.threshold})
