"""What was in view before, during and after the words: cosines by lag, summed by recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection

from pipeline.predictors.choice import ScoreChoice
from pipeline.score_columns import MAX_LAG_S, wide_column
from pipeline.score_sql import mean_at_lag_sql
from pipeline.stats.bands import Band, simultaneous_band
from pipeline.stats.bootstrap import Interval, ratio_interval

LAGS_S = range(-MAX_LAG_S, MAX_LAG_S + 1)


@dataclass(frozen=True, slots=True)
class LagProfile:
    """Mean cosine at each lag, above chance where `has_null`.

    `rows`: lag_s, n, value, low and high (a simultaneous 95 % band), own_low and own_high (the
    interval of each lag by itself). All of the `n` utterances hold exactly one frame.
    """

    rows: pd.DataFrame
    has_null: bool
    n: int
    n_recordings: int


def lag_profile(con: DuckDBPyConnection, choice: ScoreChoice) -> LagProfile | None:
    """The profile under the crop of `choice`: 0 is during the utterance, 1 up to one second after
    its end, -1 up to one second before its start, and so on.

    Only utterances that hold exactly one frame are taken: for these null_mean is the mean cosine
    with single frames of other recordings, so it is the chance level at every lag. Those without a
    null are left out, unless none has one. None without any such utterance.
    """
    null_mean = wide_column(choice.crop, "strict", "null_mean")
    values = ", ".join(
        f"{mean_at_lag_sql(choice.crop, lag_s)} AS lag_{place}"
        for place, lag_s in enumerate(LAGS_S)
    )
    sums = ", ".join(
        f"count(lag_{place}), coalesce(sum(lag_{place} - base), 0)" for place in range(len(LAGS_S))
    )
    sql = f"""
        SELECT CAST(any_value(child_id) AS VARCHAR) AS child, has_null, count(*), {sums}
        FROM (
            SELECT child_id, recording_id, {null_mean} IS NOT NULL AS has_null,
                coalesce(CAST({null_mean} AS DOUBLE), 0) AS base, {values}
            FROM scores_wide
            WHERE scorer = $scorer AND n_frames_strict = 1 AND ({choice.condition.sql}))
        GROUP BY recording_id, has_null ORDER BY child, CAST(recording_id AS VARCHAR)"""
    found = con.execute(sql, {**choice.condition.params, "scorer": choice.scorer}).fetchall()
    has_null = any(row[1] for row in found)
    kept = [row for row in found if row[1] == has_null]
    numbers = np.array([row[3:] for row in kept], dtype=np.float64)
    if not kept or not numbers[:, 0::2].any():
        return None
    children = np.unique([row[0] for row in kept], return_inverse=True)[1]
    n = sum(int(row[2]) for row in kept)
    codes = children.astype(np.int64)
    band = simultaneous_band(numbers[:, 1::2], numbers[:, 0::2], codes)
    own = [
        ratio_interval(numbers[:, 2 * place + 1], numbers[:, 2 * place], codes)
        for place in range(len(LAGS_S))
    ]
    return LagProfile(_rows(band, own), has_null, n, band.n_clusters)


def _rows(band: Band, own: Sequence[Interval]) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "lag_s": list(LAGS_S),
            "n": band.n.astype(np.int64),
            "value": band.estimate,
            "low": band.low,
            "high": band.high,
            "own_low": [interval.low for interval in own],
            "own_high": [interval.high for interval in own],
        }
    )
    return rows[rows["n"] > 0].reset_index(drop=True)
