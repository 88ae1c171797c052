"""How good the data are: counts over the chosen utterances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from dashboard.filters import Filters
from dashboard.queries.arrays import Ints, ScoreArrays
from dashboard.queries.cube import choice_of_children
from dashboard.queries.selection import (
    Measure,
    Query,
    Value,
    recordings_where,
    where,
)
from pipeline.schema import UTTERANCE_FLAGS
from pipeline.store.alike import (
    CONFIDENCE,
    LOWEST_BIN,
    alike_name,
    count_alike,
    quality_keys,
)
from pipeline.store.alike import LOGPROB_WIDTH as LOGPROB_WIDTH
from pipeline.store.alike import LOWEST_LOGPROB as LOWEST_LOGPROB
from pipeline.store.alike import REASONS as REASONS
from pipeline.store.alike import SHORT_MS as SHORT_MS

OVERLAP_WIDTH = 0.05
PAGE_ROWS = 25

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


def counts_by_child(arrays: ScoreArrays, filters: Filters, measure: Measure) -> pd.DataFrame:
    """One row per child; denominators are n (chosen utterances).

    child_id, n, n_scored, n_short (under SHORT_MS), n_unknown_speaker, n_flagged (any flag),
    flag_<name> per flag, missing_<reason> per reason.
    """
    reasons = {name: place + 1 for place, name in enumerate(REASONS)}
    keys = quality_keys(measure.crop, measure.window, measure.score)
    cells = _cells(arrays, filters, measure, keys)
    flags, is_short, is_unknown, reason = cells.keys
    counted = {
        "n": np.ones(len(cells.n), np.bool_),
        "n_scored": reason == 0,
        "n_short": is_short == 1,
        "n_unknown_speaker": is_unknown == 1,
        "n_flagged": flags != 0,
        **{f"flag_{name}": flags & 1 << bit != 0 for bit, name in enumerate(UTTERANCE_FLAGS)},
        **{f"missing_{name}": reason == place for name, place in reasons.items()},
    }
    names = arrays.names("child_id")
    rows = pd.DataFrame(
        {
            "child_id": pd.Series(names, dtype="str"),
            **{
                name: np.bincount(cells.child, cells.n * is_counted, len(names)).astype(np.int64)
                for name, is_counted in counted.items()
            },
        }
    )
    return rows[rows["n"] > 0].sort_values("child_id", ignore_index=True)


def languages(arrays: ScoreArrays, filters: Filters, measure: Measure) -> pd.DataFrame:
    """Chosen utterances by language, the most frequent first: language (may be NULL), n."""
    names = arrays.names("language")
    code = f"coalesce(enum_code(language), {len(names)})"
    cells = _cells(arrays, filters, measure, {"language": code})
    n = np.bincount(cells.keys[0], cells.n, len(names) + 1).astype(np.int64)
    rows = pd.DataFrame({"language": pd.Series([*names, None], dtype="str"), "n": n})
    return rows[rows["n"] > 0].sort_values(
        ["n", "language"], ascending=[False, True], ignore_index=True
    )


def confidence_bins(arrays: ScoreArrays, filters: Filters, measure: Measure) -> pd.DataFrame:
    """Chosen utterances by mean log-probability: bin_start, n; utterances without one are not in
    it."""
    lowest = LOWEST_BIN
    cells = _cells(arrays, filters, measure, CONFIDENCE)
    n = np.bincount(cells.keys[0] - (lowest - 1), cells.n).astype(np.int64)[1:]
    found = np.flatnonzero(n)
    starts = np.maximum((found + lowest) * LOGPROB_WIDTH, LOWEST_LOGPROB)
    return pd.DataFrame({"bin_start": starts, "n": n[found]})


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Utterances alike in some columns: n of them, their child's code, the columns' values."""

    child: Ints
    n: Ints
    keys: tuple[Ints, ...]


def _cells(
    arrays: ScoreArrays,
    filters: Filters,
    measure: Measure,
    keys: Mapping[str, str],
) -> _Cells:
    """Chosen utterances that are alike in child and `keys`, SQL expressions of whole numbers.

    Choices of children and speakers are taken out of what was counted once for all.
    """
    speakers = arrays.names("speaker")
    if choice_of_children(arrays, filters) is None:
        condition = where(filters)
        child, _, n, *values = count_alike(
            arrays.cursor(), measure.scorer, keys, len(speakers), condition.sql, condition.params
        )
        return _Cells(child, n, tuple(values))
    child, speaker, n, *values = arrays.kept(
        alike_name(measure.scorer, keys),
        lambda: count_alike(arrays.cursor(), measure.scorer, keys, len(speakers)),
    )
    is_spoken = np.append(_is_wanted(filters.speakers, speakers), not filters.speakers)
    kept = _is_wanted(filters.children, arrays.names("child_id"))[child] & is_spoken[speaker]
    return _Cells(child[kept], n[kept], tuple(value[kept] for value in values))


def _is_wanted(wanted: tuple[str, ...], names: list[str]) -> NDArray[np.bool_]:
    return np.array([not wanted or name in wanted for name in names], np.bool_)


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
