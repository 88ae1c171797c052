"""How good the data are: counts over the chosen utterances, each from one scan of scores_wide."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from duckdb import DuckDBPyConnection

from dashboard.filters import Filters
from dashboard.queries.selection import (
    Measure,
    Query,
    Value,
    recordings_where,
    where,
)
from pipeline.schema import UTTERANCE_FLAGS

SHORT_MS = 1_000
"""Utterances below a second often hold no sampled frame."""
LOGPROB_WIDTH = 0.1
LOWEST_LOGPROB = -2.0
"""Lower values are counted in the lowest bin."""
OVERLAP_WIDTH = 0.05
PAGE_ROWS = 25
REASONS = ("no_frame_in_window", "no_null", "no_noun", "not_scored")

SORTS: dict[str, str] = {
    "recording_id": "recording_id",
    "child_id": "child_id",
    "duration_ms": "duration_ms",
    "n_utterances": "n_utterances",
    "n_scored": "n_scored",
    "share_unscored": "share_unscored",
    "n_missing_frames": "n_missing_frames",
    "n_notices": "n_notices",
}
"""Column of the table of recordings -> what it is sorted by."""


@dataclass(frozen=True, slots=True)
class RecordingsOrder:
    """How the table of recordings is sorted (a key of SORTS) and which page of it, from 0."""

    sort: str = "recording_id"
    is_descending: bool = False
    page: int = 0


@dataclass(frozen=True, slots=True)
class RecordingsPage:
    """One page of the table of recordings: `rows` of `n_recordings` in all."""

    rows: pd.DataFrame
    n_recordings: int


@dataclass(frozen=True, slots=True)
class ProcessedCounts:
    """Recordings that the filters leave, over all stages. `n_failed` is of the whole study: what
    failed may have no child or age."""

    n_recordings: int
    total_ms: int
    n_with_utterances: int
    n_with_notices: int
    n_without_audio: int
    n_failed: int


def counts_by_child(con: DuckDBPyConnection, filters: Filters, measure: Measure) -> pd.DataFrame:
    """One row per child; denominators are n (chosen utterances).

    child_id, n, n_scored, n_short (under SHORT_MS), n_unknown_speaker, n_flagged (any flag),
    flag_<name> per flag, missing_<reason> per reason.
    """
    condition = where(filters)
    flags = ", ".join(
        _sum(f"flag_bits & {1 << bit} != 0", f"flag_{name}")
        for bit, name in enumerate(UTTERANCE_FLAGS)
    )
    reasons = ", ".join(_sum(f"reason = '{name}'", f"missing_{name}") for name in REASONS)
    # First to the few combinations that occur, then to the children: one cheap pass over the
    # rows. The reason is worked out from plain truths, because grouping by text is slow.
    sql = f"""
        WITH combined AS (
            SELECT child_id, flag_bits, offset_ms - onset_ms < {SHORT_MS} AS is_short,
                speaker = 'NA' AS is_unknown, {measure.score} IS NOT NULL AS is_scored,
                {measure.sql("max_cosine")} IS NOT NULL AS has_cosine,
                {measure.n_frames_sql} = 0 AS is_empty,
                coalesce(missing_reason = 'not_scored', FALSE) AS is_left_out,
                coalesce(missing_reason = 'no_noun', FALSE) AS is_without_text, count(*) AS n
            FROM scores_wide WHERE scorer = $scorer AND {condition.sql}
            GROUP BY ALL),
        reasoned AS (
            SELECT *, CASE WHEN is_scored THEN NULL WHEN is_left_out THEN 'not_scored'
                WHEN is_without_text THEN 'no_noun'
                WHEN has_cosine THEN 'no_null' WHEN is_empty THEN 'no_frame_in_window'
                ELSE 'not_scored' END AS reason FROM combined)
        SELECT CAST(child_id AS VARCHAR) AS child_id, {_sum("TRUE", "n")},
            {_sum("reason IS NULL", "n_scored")}, {_sum("is_short", "n_short")},
            {_sum("is_unknown", "n_unknown_speaker")}, {_sum("flag_bits != 0", "n_flagged")},
            {flags}, {reasons}
        FROM reasoned GROUP BY child_id ORDER BY child_id"""
    return Query(sql, {**condition.params, "scorer": measure.scorer}).frame(con)


def languages(con: DuckDBPyConnection, filters: Filters, measure: Measure) -> pd.DataFrame:
    """Chosen utterances by language, the most frequent first: language (may be NULL), n."""
    condition = where(filters)
    sql = f"""
        SELECT CAST(language AS VARCHAR) AS language, count(*) AS n FROM scores_wide
        WHERE scorer = $scorer AND {condition.sql} GROUP BY language ORDER BY n DESC, language"""
    return Query(sql, {**condition.params, "scorer": measure.scorer}).frame(con)


def confidence_bins(con: DuckDBPyConnection, filters: Filters, measure: Measure) -> pd.DataFrame:
    """Chosen utterances by mean log-probability: bin_start, n; utterances without one are not in
    it."""
    condition = where(filters)
    sql = f"""
        SELECT greatest(bin * {LOGPROB_WIDTH}, {LOWEST_LOGPROB}) AS bin_start,
            CAST(sum(n) AS BIGINT) AS n
        FROM (SELECT CAST(floor(mean_logprob / {LOGPROB_WIDTH}) AS INTEGER) AS bin, count(*) AS n
              FROM scores_wide
              WHERE scorer = $scorer AND mean_logprob IS NOT NULL AND {condition.sql} GROUP BY bin)
        GROUP BY bin_start ORDER BY bin_start"""
    return Query(sql, {**condition.params, "scorer": measure.scorer}).frame(con)


def overlap_bins(
    con: DuckDBPyConnection, children: tuple[str, ...], speakers: tuple[str, ...]
) -> pd.DataFrame:
    """Utterances by the share that their speaker label covers: bin_start, n.

    Of these children and speakers, of all when empty; scores_wide does not hold the share, so
    other filters would need a join of all rows. Utterances whose label came with the transcript
    have no share and are not in it.
    """
    parts, params = ["speaker_overlap IS NOT NULL"], dict[str, Value]()
    for name, column, values in (
        ("children", "child_id", children),
        ("speakers", "speaker", speakers),
    ):
        if values:
            parts.append(f"list_contains(${name}, {column})")
            params[name] = list(values)
    last = round(1 / OVERLAP_WIDTH) - 1
    sql = f"""
        SELECT least(bin, {last}) * {OVERLAP_WIDTH} AS bin_start, CAST(sum(n) AS BIGINT) AS n
        FROM (SELECT CAST(floor(speaker_overlap / {OVERLAP_WIDTH}) AS INTEGER) AS bin,
                  count(*) AS n
              FROM utterances WHERE {" AND ".join(parts)} GROUP BY bin)
        GROUP BY bin_start ORDER BY bin_start"""
    return Query(sql, params).frame(con)


def processed_counts(con: DuckDBPyConnection, filters: Filters) -> ProcessedCounts:
    """How many recordings there are, and what became of them."""
    condition = recordings_where(filters)
    sql = f"""
        SELECT count(*), coalesce(sum(duration_ms), 0), count(*) FILTER (n_utterances > 0),
            count(*) FILTER (len(notices) > 0),
            count(*) FILTER (audio_codec IS NULL AND media_path IS NOT NULL),
            (SELECT count(DISTINCT recording_id) FROM failures)
        FROM recordings WHERE {condition.sql}"""
    return ProcessedCounts(*(int(str(v)) for v in Query(sql, condition.params).row(con)))


def recordings_page(
    con: DuckDBPyConnection, filters: Filters, measure: Measure, order: RecordingsOrder
) -> RecordingsPage:
    """One page of the recordings that child and age leave, sorted over all of them.

    recording_id, child_id, duration_ms, n_utterances (chosen), n_scored, share_unscored,
    n_sampled, n_missing_frames (of the sampling grid), has_audio, permission, n_notices, language
    (the most frequent) and first_utterance_id (NULL without any).
    """
    condition, chosen = where(filters), recordings_where(filters)
    direction = "DESC" if order.is_descending else "ASC"
    order_by = f"{SORTS[order.sort]} {direction} NULLS LAST, recording_id"
    sql = f"""
        WITH counted AS (
            SELECT recording_id, count(*) AS n_utterances, count({measure.score}) AS n_scored
            FROM scores_wide WHERE scorer = $scorer AND {condition.sql} GROUP BY recording_id),
        listed AS (
            SELECT r.recording_id, r.child_id, r.duration_ms,
                coalesce(c.n_utterances, 0) AS n_utterances, coalesce(c.n_scored, 0) AS n_scored,
                1 - c.n_scored / c.n_utterances AS share_unscored,
                r.n_frames AS n_sampled,
                greatest(0, r.duration_ms // nullif(i.frame_step_ms, 0) - r.n_frames)
                    AS n_missing_frames,
                r.audio_codec IS NOT NULL AS has_audio, r.permission,
                coalesce(len(r.notices), 0) AS n_notices
            FROM (SELECT * FROM recordings WHERE {chosen.sql}) r
            CROSS JOIN (SELECT frame_step_ms FROM store_info) i
            LEFT JOIN counted c ON CAST(c.recording_id AS VARCHAR) = r.recording_id),
        page AS (
            SELECT *, count(*) OVER () AS n_all FROM listed
            ORDER BY {order_by} LIMIT {PAGE_ROWS} OFFSET $n_before),
        spoken AS (
            SELECT u.recording_id, mode(u.language) AS language,
                arg_min(u.utterance_id, u.utterance_number) AS first_utterance_id
            FROM utterances u JOIN page p ON p.recording_id = u.recording_id GROUP BY ALL)
        SELECT p.*, language, first_utterance_id
        FROM page p LEFT JOIN spoken USING (recording_id)
        ORDER BY {order_by}"""
    params = {
        **condition.params,
        **chosen.params,
        "scorer": measure.scorer,
        "n_before": PAGE_ROWS * order.page,
    }
    rows = Query(sql, params).frame(con)
    n_all = int(rows["n_all"].iloc[0]) if len(rows) else 0
    return RecordingsPage(rows.drop(columns="n_all"), n_all)


def _sum(condition: str, name: str) -> str:
    """SQL: utterances of the combinations for which the condition holds."""
    return f"CAST(coalesce(sum(n) FILTER ({condition}), 0) AS BIGINT) AS {name}"
