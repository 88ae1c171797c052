"""Utterances that are alike in child, speaker and some more: counted in SQL, once for all choices.

The page on data quality counts them, and publishing counts them ahead for each scorer as pages
open with it.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.score_sql import n_frames_sql, statistic_sql

SHORT_MS = 1_000
"""Utterances below a second often hold no sampled frame."""
LOGPROB_WIDTH = 0.1
LOWEST_LOGPROB = -2.0
"""Lower values are counted in the lowest bin."""
REASONS = ("no_frame_in_window", "no_null", "no_noun", "not_scored")

Ints = NDArray[np.int64]
Value = str | int | float | list[str]

LOWEST_BIN = round(LOWEST_LOGPROB / LOGPROB_WIDTH)
CONFIDENCE = {
    # One below the lowest stands for none.
    "bin": f"""CASE WHEN mean_logprob IS NULL THEN {LOWEST_BIN - 1}
        ELSE greatest(floor(mean_logprob / {LOGPROB_WIDTH}), {LOWEST_BIN}) END"""
}


def quality_keys(crop: str, window: str, score: str) -> dict[str, str]:
    """What utterances are told apart by for the counts of quality: name -> SQL. score: SQL."""
    reasons = {name: place + 1 for place, name in enumerate(REASONS)}
    return {
        "flags": "flag_bits",
        "is_short": f"offset_ms - onset_ms < {SHORT_MS}",
        "is_unknown": "coalesce(speaker = 'NA', FALSE)",
        "reason": f"""CASE WHEN {score} IS NOT NULL THEN 0
            WHEN missing_reason = 'not_scored' THEN {reasons["not_scored"]}
            WHEN missing_reason = 'no_noun' THEN {reasons["no_noun"]}
            WHEN {statistic_sql(crop, window, "max_cosine")} IS NOT NULL THEN {reasons["no_null"]}
            WHEN {n_frames_sql(window)} = 0 THEN {reasons["no_frame_in_window"]}
            ELSE {reasons["not_scored"]} END""",
    }


def alike_name(scorer: str, keys: Mapping[str, str]) -> str:
    """What the counts go by, in memory and in the file of columns."""
    return f"cells {scorer} {_columns(keys)}"


def count_alike(
    con: duckdb.DuckDBPyConnection,
    scorer: str,
    keys: Mapping[str, str],
    n_speakers: int,
    condition: str = "TRUE",
    params: Mapping[str, Value] | None = None,
) -> tuple[Ints, ...]:
    """Utterances of a scorer that are alike: codes of child and speaker (n_speakers for the
    unknown), how many, and the value of each key."""
    sql = f"""
        SELECT enum_code(child_id)::INTEGER AS child,
            coalesce(enum_code(speaker), {n_speakers})::INTEGER AS speaker, {_columns(keys)},
            count(*) AS n
        FROM scores_wide WHERE scorer = $scorer AND {condition} GROUP BY ALL"""
    found = con.execute(sql, {**(params or {}), "scorer": scorer}).fetchnumpy()
    return tuple(np.asarray(found[name], np.int64) for name in ("child", "speaker", "n", *keys))


def _columns(keys: Mapping[str, str]) -> str:
    return ", ".join(f"CAST({sql} AS INTEGER) AS {name}" for name, sql in keys.items())
