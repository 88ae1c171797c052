"""SQL over `scores_wide`: any statistic, under any crop, in a stored or a free window.

Column names come from the closed vocabulary of `pipeline.score_columns`; nothing else is put into
the text.
"""

from __future__ import annotations

import functools

from pipeline.score_columns import (
    CROPS,
    WINDOWS,
    reach_column,
    reach_frames_column,
    wide_column,
    window_seconds,
)


def is_free_window(window: str) -> bool:
    """Whether a window is put together from lags, and so has no stored null."""
    return window not in WINDOWS


def statistic_sql(crop: str, window: str, statistic: str) -> str:
    """A statistic of a crop and window; NULL where it has none.

    Raises ValueError for a crop or window that does not exist.
    """
    if crop not in CROPS:
        raise ValueError(f"{crop!r} is not one of {', '.join(CROPS)}")
    if not is_free_window(window):
        return wide_column(crop, window, statistic)
    if statistic == "max_cosine":
        columns = [reach_column(crop, *reach, "max") for reach in _reaches(window)]
        return functools.reduce(_greater, columns)
    if statistic == "mean_cosine":
        columns = [reach_column(crop, *reach, "sum") for reach in _reaches(window)]
        return f"(({' + '.join(columns)}) / nullif({n_frames_sql(window)}, 0))"
    return "CAST(NULL AS FLOAT)"


def n_frames_sql(window: str) -> str:
    """Frames in the window. Raises ValueError for a window that does not exist."""
    if not is_free_window(window):
        return f"n_frames_{window}"
    return f"({' + '.join(reach_frames_column(*reach) for reach in _reaches(window))})"


def missing_reason_sql(crop: str, window: str, score: str) -> str:
    """Why the SQL `score` is NULL (no_frame_in_window, no_null, no_noun or not_scored), or NULL."""
    return f"""CASE WHEN {score} IS NOT NULL THEN NULL
                 WHEN missing_reason IN ('not_scored', 'no_noun') THEN missing_reason
                 WHEN {statistic_sql(crop, window, "max_cosine")} IS NOT NULL THEN 'no_null'
                 WHEN {n_frames_sql(window)} = 0 THEN 'no_frame_in_window'
                 ELSE 'not_scored' END"""


def mean_at_lag_sql(crop: str, lag_s: int) -> str:
    """Mean cosine of the frames at one lag, NULL without a frame there: 0 is during the utterance,
    1 up to one second after its end, -1 up to one second before its start, and so on."""
    if lag_s == 0:
        total, n = reach_column(crop, "inside", 0, "sum"), reach_frames_column("inside", 0)
    else:
        side, seconds = ("before" if lag_s < 0 else "after"), abs(lag_s)
        total, n = reach_column(crop, side, seconds, "sum"), reach_frames_column(side, seconds)
        if seconds > 1:
            total = f"({total} - {reach_column(crop, side, seconds - 1, 'sum')})"
            n = f"({n} - {reach_frames_column(side, seconds - 1)})"
    return f"CASE {n} WHEN 0 THEN NULL WHEN 1 THEN {total} ELSE {total} / {n} END"


def _reaches(window: str) -> list[tuple[str, int]]:
    before_s, after_s = window_seconds(window)
    sides = (("before", before_s), ("after", after_s))
    return [("inside", 0), *((side, seconds) for side, seconds in sides if seconds)]


def _greater(first: str, second: str) -> str:
    """The greater of two numbers, or the one that is not NULL.

    DuckDB's greatest() does the same and takes five times as long.
    """
    return f"CASE WHEN {second} IS NULL OR {first} >= {second} THEN {first} ELSE {second} END"
