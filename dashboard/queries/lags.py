"""Lag profiles: what was in view before, during and after the words, summed by recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection

from dashboard.filters import Filters
from dashboard.queries.selection import Measure, Query, Value, where
from pipeline.score_columns import MAX_LAG_S, wide_column
from pipeline.score_sql import mean_at_lag_sql
from pipeline.stats.bands import Band, simultaneous_band
from pipeline.stats.drawn import Floats, Ints

LAG_SAMPLE = 200_000
"""Utterances from which a lag profile is made, about: the means are then known to some .0002."""
_BLOCK = 2_048
_LAGS_S = range(-MAX_LAG_S, MAX_LAG_S + 1)


@dataclass(frozen=True, slots=True, eq=False)
class LagSums:
    """Cosines of one crop by recording and lag: `counts`, `cosines` and `above` (cosine minus the
    utterance's own chance level) are (n_recordings, 21); `recordings` and `children` name the rows.

    `n` utterances were taken out of `n_all` that could be. Without any null `above` are the
    cosines themselves.
    """

    recordings: tuple[str, ...]
    children: Ints
    counts: Floats
    cosines: Floats
    above: Floats
    has_null: bool
    n: int
    n_all: int


def lag_sums(
    con: DuckDBPyConnection, filters: Filters, measure: Measure, crop: str, which: str = "all"
) -> LagSums:
    """Cosines under `crop` by lag from -10 to 10 s: 0 is during the utterance, 1 is up to one
    second after its end, -1 up to one second before its start, and so on.

    Only utterances that hold exactly one frame are taken: for these null_mean is the mean cosine
    with single frames of other recordings, so every lag has its exact chance level. Those without
    a null are left out, unless none has one. `which` is "all", or "high" for those at or above
    the threshold of `measure`. Several frames of an utterance at one lag are averaged first.
    Of more than LAG_SAMPLE such utterances every k-th stretch of 2,048 utterances is taken, over
    all recordings, so that the others need not be read.
    """
    condition = where(filters)
    null_mean = wide_column(crop, "strict", "null_mean")
    is_high = f"AND {measure.score} >= $threshold::FLOAT" if which == "high" else ""
    values = ", ".join(
        f"{mean_at_lag_sql(crop, lag_s)} AS lag_{place}" for place, lag_s in enumerate(_LAGS_S)
    )
    sums = ", ".join(
        f"count(lag_{place}), sum(lag_{place}), sum(lag_{place} - null_mean)"
        for place in range(len(_LAGS_S))
    )
    params: dict[str, Value] = {**condition.params, "scorer": measure.scorer}
    if is_high:
        params["threshold"] = measure.threshold
    chosen = f"scorer = $scorer AND n_frames_strict = 1 AND {condition.sql} {is_high}"
    (n_all,) = Query(f"SELECT count(*) FROM scores_wide WHERE {chosen}", params).row(con)
    assert isinstance(n_all, int)
    if n_all > LAG_SAMPLE:
        chosen += f" AND (utterance_number // {_BLOCK}) % $n_blocks = 0"
        params["n_blocks"] = -(-n_all // LAG_SAMPLE)
    sql = f"""
        SELECT null_mean IS NOT NULL AS has_null, CAST(recording_id AS VARCHAR) AS name,
            CAST(any_value(child_id) AS VARCHAR), count(*), {sums}
        FROM (
            SELECT recording_id, child_id, CAST({null_mean} AS DOUBLE) AS null_mean, {values}
            FROM scores_wide WHERE {chosen})
        GROUP BY has_null, recording_id ORDER BY name"""
    found = con.execute(sql, params).fetchall()
    has_null = any(row[0] for row in found)
    rows = [row for row in found if row[0] == has_null]
    numbers = np.array([row[4:] for row in rows], dtype=np.float64)
    numbers = np.nan_to_num(numbers.reshape(len(rows), len(_LAGS_S), 3))
    children = np.unique([row[2] for row in rows], return_inverse=True)[1]
    return LagSums(
        tuple(row[1] for row in rows),
        children.astype(np.int64),
        numbers[:, :, 0],
        numbers[:, :, 1],
        numbers[:, :, 2 if has_null else 1],
        has_null,
        sum(row[3] for row in rows),
        n_all,
    )


def lag_profile(sums: LagSums) -> pd.DataFrame:
    """Mean cosine by lag: lag_s, cosine, baseline (NaN without a null), low, high (a simultaneous
    95 % band of the mean, made from its distance to each utterance's own chance level), n_at_lag.

    Where the band lies above the baseline, the mean lies above chance, at all such lags at once.
    """
    band = simultaneous_band(sums.above, sums.counts, sums.children)
    n = sums.counts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = sums.cosines.sum(axis=0) / n
    baseline = cosine - band.estimate if sums.has_null else np.full(len(n), np.nan)
    shift = cosine - band.estimate
    return _rows(
        band, cosine=cosine, baseline=baseline, low=band.low + shift, high=band.high + shift
    )


def are_paired(a: LagSums, b: LagSums) -> bool:
    """Whether two crops' sums are of the same utterances and frames."""
    return a.recordings == b.recordings and np.array_equal(a.counts, b.counts)


def lag_difference(a: LagSums, b: LagSums) -> pd.DataFrame:
    """B minus A by lag on the same utterances: lag_s, difference, low, high (simultaneous 95 %
    band), n_at_lag. Above chance where both have a null."""
    if not are_paired(a, b):
        raise ValueError("the profiles are not of the same utterances")
    is_above = a.has_null and b.has_null
    tops = b.above - a.above if is_above else b.cosines - a.cosines
    band = simultaneous_band(tops, a.counts, a.children)
    return _rows(band, difference=band.estimate, low=band.low, high=band.high)


def _rows(band: Band, **columns: Floats) -> pd.DataFrame:
    rows = pd.DataFrame({"lag_s": list(_LAGS_S), **columns, "n_at_lag": band.n.astype(np.int64)})
    return rows[rows["n_at_lag"] > 0].reset_index(drop=True)
