"""Two ways to score the same utterances, compared utterance by utterance.

A and B share scorer, scale and threshold and differ in crop, window or statistic. Every
denominator is the chosen utterances that have a score under both.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection

from dashboard.filters import Filters
from dashboard.queries.arrays import ScoreArrays, at_least, bins_between
from dashboard.queries.selection import Measure, Query, Value, where
from dashboard.queries.told import most_listed, told
from pipeline.compiled import compiled_for
from pipeline.score_columns import MAX_LAG_S, reach_column, reach_frames_column, wide_column
from pipeline.stats import counting

LAG_SAMPLE = 200_000
"""Utterances from which a lag profile is made, about: the means are then known to some .0002."""
_BLOCK = 2_048
_LAGS_S = range(-MAX_LAG_S, MAX_LAG_S + 1)


def paired_counts(arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure) -> pd.DataFrame:
    """Per recording: child_id, recording_id, n_both (scored under A and B: the denominator),
    high_a, high_b (at or above the threshold), gained (only under B), lost (only under A),
    sum_difference and sum_sq_difference (of B minus A)."""
    _check_pair(a, b)
    recordings = arrays.recordings
    counts = np.zeros((len(recordings.child), 4), np.int64)
    sums = np.zeros((len(recordings.child), 2))
    chosen = arrays.chosen(filters, a.scorer)
    compiled_for(counting.count_pairs, len(chosen))(
        chosen,
        arrays.recording,
        arrays.score(a),
        arrays.score(b),
        (a.threshold, b.threshold),
        counts,
        sums,
    )
    code = recordings.by_name[counts[recordings.by_name].any(axis=1)]
    neither, gained, lost, both = counts[code].T
    rows = recordings.frame[["child_id", "recording_id"]].take(code).reset_index(drop=True)
    return rows.assign(
        n_both=neither + gained + lost + both,
        high_a=lost + both,
        high_b=gained + both,
        gained=gained,
        lost=lost,
        sum_difference=sums[code, 0],
        sum_sq_difference=sums[code, 1],
    )


def difference_bins(
    arrays: ScoreArrays, filters: Filters, a: Measure, b: Measure, width: float
) -> pd.DataFrame:
    """Utterances scored under both, by bin of B minus A: bin_start, n; equal scores apart.

    Column `is_equal` marks the row of exactly equal scores (same frame, same crop).
    """
    _check_pair(a, b)
    low_a, high_a = arrays.extremes(a.scorer, a.score)
    low_b, high_b = arrays.extremes(b.scorer, b.score)
    first, n_bins = bins_between(low_b - high_a, high_b - low_a, 0.0, width)
    counts = np.zeros((2, n_bins), np.int64)
    chosen = arrays.chosen(filters, a.scorer)
    compiled_for(counting.count_differences, len(chosen))(
        chosen, arrays.score(a), arrays.score(b), width, first, counts
    )
    place, is_equal = np.nonzero(counts.T)
    return pd.DataFrame(
        {
            "is_equal": is_equal == 1,
            "bin_start": width * (first + place),
            "n": counts[is_equal, place],
        }
    )


def changed_moments(
    con: DuckDBPyConnection,
    arrays: ScoreArrays,
    filters: Filters,
    a: Measure,
    b: Measure,
) -> pd.DataFrame:
    """Utterances on the other side of the threshold under B, most changed first.

    Columns: change ("gained" or "lost"), recording_id, utterance_id, child_id, speaker,
    onset_ms, text, score_a, score_b, difference. At most `most_listed` of each kind.
    """
    _check_pair(a, b)
    chosen = arrays.chosen(filters, a.scorer)
    score_a, score_b = arrays.score(a)[chosen], arrays.score(b)[chosen]
    is_high_a, is_high_b = at_least(score_a, a.threshold), at_least(score_b, b.threshold)
    parts = []
    for change, is_changed in (
        ("gained", is_high_b & ~is_high_a),
        ("lost", is_high_a & ~is_high_b),
    ):
        places = np.flatnonzero(is_changed)
        places = places[~np.isnan(score_a[places] + score_b[places])]
        difference = score_b[places].astype(np.float64) - score_a[places]
        first = np.lexsort((chosen[places], -np.abs(difference)))[: most_listed(arrays)]
        parts.append(
            pd.DataFrame(
                {
                    "change": change,
                    "utterance_number": chosen[places[first]],
                    "score_a": score_a[places[first]],
                    "score_b": score_b[places[first]],
                    "difference": difference[first],
                }
            )
        )
    changed = pd.concat(parts, ignore_index=True)
    found = told(con, arrays, changed, "utterance_id", "speaker", "onset_ms", "text")
    return found[_CHANGED]


_CHANGED = [
    *("change", "recording_id", "utterance_id", "child_id", "speaker", "onset_ms", "text"),
    *("score_a", "score_b", "difference"),
]


def lag_profile(
    con: DuckDBPyConnection, filters: Filters, measure: Measure, crop: str, which: str = "all"
) -> pd.DataFrame:
    """Mean cosine under `crop` by lag from -10 to 10 s: 0 is during the utterance, 1 is up to one
    second after its end, -1 up to one second before its start, and so on.

    Only utterances that hold exactly one frame are taken: for these null_mean is the mean cosine
    with single frames of other recordings, so every lag has its exact chance level. Those without
    a null are left out, unless none has one. `which` is "all", or "high" for those at or above
    the threshold of `measure`. Several frames of an utterance at one lag are averaged first.
    Of more than LAG_SAMPLE such utterances every k-th stretch of 2,048 utterances is taken, over
    all recordings, so that the others need not be read. Columns: lag_s, cosine (mean over the
    utterances with a frame at that lag), baseline (NULL without a null), sd_above (SD of cosine
    minus baseline), n_at_lag (the denominator of the means), n (utterances taken) and n_all
    (utterances that could be taken), the same in every row.
    """
    condition = where(filters)
    null_mean = wide_column(crop, "strict", "null_mean")
    is_high = f"AND {measure.score} >= $threshold" if which == "high" else ""
    values = ", ".join(
        f"{_mean_at_lag(crop, lag_s)} AS lag_{place}" for place, lag_s in enumerate(_LAGS_S)
    )
    sums = ", ".join(
        f"count(lag_{place}), sum(lag_{place}), sum(lag_{place} - null_mean), "
        f"sum((lag_{place} - null_mean) * (lag_{place} - null_mean)), "
        f"sum(lag_{place} * lag_{place})"
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
        SELECT null_mean IS NOT NULL AS has_null, count(*), {sums}
        FROM (
            SELECT CAST({null_mean} AS DOUBLE) AS null_mean, {values} FROM scores_wide
            WHERE {chosen})
        GROUP BY has_null"""
    found = {row[0]: row[1:] for row in con.execute(sql, params).fetchall()}
    return _profile(found).assign(n_all=n_all)


def _mean_at_lag(crop: str, lag_s: int) -> str:
    """SQL over scores_wide: mean cosine of the frames at one lag, NULL without a frame there."""
    if lag_s == 0:
        total, n = reach_column(crop, "inside", 0, "sum"), reach_frames_column("inside", 0)
    else:
        side, seconds = ("before" if lag_s < 0 else "after"), abs(lag_s)
        total, n = (
            reach_column(crop, side, seconds, "sum"),
            reach_frames_column(side, seconds),
        )
        if seconds > 1:
            total = f"({total} - {reach_column(crop, side, seconds - 1, 'sum')})"
            n = f"({n} - {reach_frames_column(side, seconds - 1)})"
    return f"CASE {n} WHEN 0 THEN NULL WHEN 1 THEN {total} ELSE {total} / {n} END"


def _profile(found: dict[bool, tuple[float, ...]]) -> pd.DataFrame:
    """Means and SDs from sums; those with a null if there are any."""
    columns = ["lag_s", "cosine", "baseline", "sd_above", "n_at_lag", "n"]
    has_null = True in found
    if not found:
        return pd.DataFrame(columns=columns)
    n, *rest = found[has_null]
    rows = []
    for place, lag_s in enumerate(_LAGS_S):
        n_at_lag, total, above, above_sq, sq = rest[5 * place : 5 * place + 5]
        if not n_at_lag:
            continue
        first, second = (above, above_sq) if has_null else (total, sq)
        spread = max(0.0, second - first * first / n_at_lag)
        sd = math.sqrt(spread / (n_at_lag - 1)) if n_at_lag > 1 else math.nan
        baseline = (total - above) / n_at_lag if has_null else math.nan
        rows.append((lag_s, total / n_at_lag, baseline, sd, int(n_at_lag), int(n)))
    return pd.DataFrame(rows, columns=columns)


def _check_pair(a: Measure, b: Measure) -> None:
    if (a.scorer, a.scale, a.threshold) != (b.scorer, b.scale, b.threshold):
        raise ValueError("A and B must share scorer, scale and threshold")
