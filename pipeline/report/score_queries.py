"""Counts over scores, each from one scan of `scores_wide`: the same numbers as the dashboard's."""

from __future__ import annotations

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection

from pipeline.predictors.choice import ScoreChoice, Value
from pipeline.schema import UTTERANCE_FLAGS
from pipeline.stats.chance import expected_above

_NULL_CELL = 0.0025
"""Nulls of nearly equal mean and SD are counted together, as on the dashboard."""
SHORT_MS = 1_000
"""An utterance below a second may hold no frame of a grid of one a second."""


def counts_by_recording(con: DuckDBPyConnection, choice: ScoreChoice) -> pd.DataFrame:
    """Per recording and speaker: child_id, recording_id, age_days, speaker, n_utterances, n_scored
    (the denominator of shares and means), n_high, sum_score, sum_sq, and why the others have no
    score: n_no_frame_in_window, n_no_null, n_no_noun, n_not_scored.
    """
    is_z = choice.scale == "z"
    no_null = "count(*) FILTER (WHERE score IS NULL AND has_cosine)" if is_z else "0"
    sql = f"""
        SELECT r.child_id, r.recording_id, CAST(r.age_days AS DOUBLE) AS age_days,
            coalesce(CAST(speaker AS VARCHAR), 'NA') AS speaker,
            counts.* EXCLUDE (recording_id, speaker),
            counts.n_utterances - n_scored - n_no_frame_in_window - n_no_null - n_no_noun
                AS n_not_scored
        FROM (
            SELECT recording_id, speaker,
                count(*) AS n_utterances,
                count(score) AS n_scored,
                count(*) FILTER (WHERE score >= $threshold::FLOAT) AS n_high,
                coalesce(sum(CAST(score AS DOUBLE)), 0) AS sum_score,
                coalesce(sum(CAST(score AS DOUBLE) * score), 0) AS sum_sq,
                count(*) FILTER (WHERE score IS NULL AND n_frames = 0 AND NOT is_without_text)
                    AS n_no_frame_in_window,
                count(*) FILTER (WHERE score IS NULL AND is_without_text) AS n_no_noun,
                {no_null} AS n_no_null
            FROM (
                SELECT recording_id, speaker, {choice.score_sql} AS score,
                    {choice.n_frames_sql} AS n_frames,
                    {choice.sql("max_cosine")} IS NOT NULL AS has_cosine,
                    coalesce(missing_reason = 'no_noun', FALSE) AS is_without_text
                FROM scores_wide WHERE {_chosen(choice)})
            GROUP BY recording_id, speaker) counts
        JOIN recordings r ON r.recording_id = CAST(counts.recording_id AS VARCHAR)
        ORDER BY r.child_id, r.recording_id, speaker"""
    return _frame(con, sql, choice, threshold=choice.threshold)


def score_bins(con: DuckDBPyConnection, choice: ScoreChoice, width: float) -> pd.DataFrame:
    """Scored utterances per child and bin: child_id, bin_start, n. The threshold is an edge."""
    sql = f"""
        SELECT CAST(child_id AS VARCHAR) AS child_id, n, $threshold + $width * bin AS bin_start
        FROM (
            SELECT child_id,
                CAST(floor(({choice.score_sql}::DOUBLE - $threshold::FLOAT) / $width) AS INTEGER)
                AS bin, count(*) AS n
            FROM scores_wide WHERE {_chosen(choice)} AND {choice.score_sql} IS NOT NULL
            GROUP BY child_id, bin)
        ORDER BY child_id, bin_start"""
    return _frame(con, sql, choice, threshold=choice.threshold, width=width)


def null_cells(con: DuckDBPyConnection, choice: ScoreChoice, by: str = "child_id") -> pd.DataFrame:
    """The matched null of the scored utterances, in cells of nearly equal mean and SD: child_id
    (or speaker), n (scored utterances that have a null), null_mean, null_sd.

    Empty for the mean over frames on the cosine scale, whose null is kept only as z. On the z
    scale a null window has mean 0 and SD 1 by definition.
    """
    if by not in ("child_id", "speaker"):
        raise ValueError(f"{by!r} is not child_id or speaker")
    if choice.scale == "z":
        sql = f"""
            SELECT CAST({by} AS VARCHAR) AS {by}, count(*) AS n, 0.0 AS null_mean, 1.0 AS null_sd
            FROM scores_wide WHERE {_chosen(choice)} AND {choice.score_sql} IS NOT NULL
            GROUP BY {by} ORDER BY 1"""
        return _frame(con, sql, choice)
    is_stored = choice.statistic == "max" and choice.has_null_window
    known = f"{choice.score_sql} IS NOT NULL AND {choice.sql('null_sd')} IS NOT NULL"
    sql = f"""
        SELECT CAST({by} AS VARCHAR) AS {by}, n, null_mean, null_sd
        FROM (
            SELECT {by}, count(*) AS n, avg(CAST(null_mean AS DOUBLE)) AS null_mean,
                avg(CAST(null_sd AS DOUBLE)) AS null_sd
            FROM (
                SELECT {by}, {choice.sql("null_mean")} AS null_mean,
                    {choice.sql("null_sd")} AS null_sd
                FROM scores_wide WHERE {_chosen(choice)} AND {known if is_stored else "FALSE"})
            GROUP BY {by}, CAST(floor(null_mean / $cell) AS INTEGER),
                CAST(floor(null_sd / $cell) AS INTEGER))
        ORDER BY {by}, null_mean, null_sd"""
    return _frame(con, sql, choice, cell=_NULL_CELL)


def null_sums(con: DuckDBPyConnection, choice: ScoreChoice) -> pd.DataFrame:
    """Per recording and speaker, over the scored utterances that have a null: child_id,
    recording_id, speaker, n, n_high, and expected: how many would be highly aligned by chance.

    Without rows where no score has a null.
    """
    if choice.scale == "z":
        null_mean, null_sd = "CAST(0 AS FLOAT)", "CAST(1 AS FLOAT)"
    elif choice.statistic == "max" and choice.has_null_window:
        null_mean, null_sd = choice.sql("null_mean"), choice.sql("null_sd")
    else:
        null_mean = null_sd = "CAST(NULL AS FLOAT)"
    sql = f"""
        SELECT child_id, recording_id, speaker, {choice.score_sql} >= $threshold::FLOAT AS is_high,
            {null_mean} AS null_mean, {null_sd} AS null_sd
        FROM scores_wide
        WHERE {_chosen(choice)} AND {choice.score_sql} IS NOT NULL AND {null_sd} IS NOT NULL"""
    rows = _frame(con, sql, choice, threshold=choice.threshold)
    expected = expected_above(
        rows.pop("null_mean").to_numpy(dtype=np.float64),
        rows.pop("null_sd").to_numpy(dtype=np.float64),
        choice.threshold,
    )
    rows = rows.assign(expected=expected, n=1, n_high=rows.pop("is_high").astype(np.int64))
    keys = ["child_id", "recording_id", "speaker"]
    sums = rows.groupby(keys, observed=True, dropna=False, as_index=False).sum()
    return sums.astype(dict.fromkeys(keys, object)).sort_values(keys, ignore_index=True)


def paired_counts(con: DuckDBPyConnection, a: ScoreChoice, b: ScoreChoice) -> pd.DataFrame:
    """Per recording: child_id, recording_id, n_both (scored under A and B: the denominator),
    high_a, high_b, gained (only under B), lost (only under A), sum_difference (of B minus A).

    A and B share scorer, scale, threshold and utterances.
    """
    sql = f"""
        SELECT * REPLACE (CAST(child_id AS VARCHAR) AS child_id,
            CAST(recording_id AS VARCHAR) AS recording_id)
        FROM (
            SELECT any_value(child_id) AS child_id, recording_id, count(*) AS n_both,
                count(*) FILTER (WHERE a >= $threshold::FLOAT) AS high_a,
                count(*) FILTER (WHERE b >= $threshold::FLOAT) AS high_b,
                count(*) FILTER (WHERE b >= $threshold::FLOAT AND a < $threshold::FLOAT) AS gained,
                count(*) FILTER (WHERE a >= $threshold::FLOAT AND b < $threshold::FLOAT) AS lost,
                sum(CAST(b AS DOUBLE) - a) AS sum_difference
            FROM (
                SELECT child_id, recording_id, {a.score_sql} AS a, {b.score_sql} AS b
                FROM scores_wide WHERE {_chosen(a)})
            WHERE a IS NOT NULL AND b IS NOT NULL GROUP BY recording_id)
        ORDER BY child_id, recording_id"""
    return _frame(con, sql, a, threshold=a.threshold)


def qualities(con: DuckDBPyConnection, choice: ScoreChoice) -> pd.DataFrame:
    """Utterances by what is known of their transcript: flag_bits, language, is_short (below a
    second), n_frames (in the window; 3 stands for more), n."""
    sql = f"""
        SELECT CAST(flag_bits AS BIGINT) AS flag_bits, CAST(language AS VARCHAR) AS language,
            offset_ms - onset_ms < {SHORT_MS} AS is_short,
            CASE WHEN {choice.n_frames_sql} > 3 THEN 3 ELSE {choice.n_frames_sql} END AS n_frames,
            count(*) AS n
        FROM scores_wide WHERE {_chosen(choice)} GROUP BY ALL ORDER BY ALL"""
    return _frame(con, sql, choice)


def flag_counts(rows: pd.DataFrame) -> dict[str, int]:
    """Utterances by flag, from `qualities`; flags that nobody has are left out."""
    bits = rows["flag_bits"].to_numpy(dtype=np.int64)
    n = rows["n"].to_numpy(dtype=np.int64)
    found = {name: int(n[(bits >> bit) & 1 == 1].sum()) for bit, name in enumerate(UTTERANCE_FLAGS)}
    return {name: n for name, n in found.items() if n}


def crops_with_scores(con: DuckDBPyConnection, scorer: str, crops: tuple[str, ...]) -> list[str]:
    """The crops under which the scorer has any score."""
    sql = "SELECT " + ", ".join(f"count({crop}_2s_max_cosine) > 0" for crop in crops)
    row = con.execute(f"{sql} FROM scores_wide WHERE scorer = $1", [scorer]).fetchone()
    return [crop for crop, is_there in zip(crops, row or (), strict=True) if is_there]


def _chosen(choice: ScoreChoice) -> str:
    return f"scorer = $scorer AND ({choice.condition.sql})"


def _frame(con: DuckDBPyConnection, sql: str, choice: ScoreChoice, **values: Value) -> pd.DataFrame:
    params = {**choice.condition.params, "scorer": choice.scorer, **values}
    return con.execute(sql, params).df()
