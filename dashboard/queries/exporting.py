"""What is exported: the chosen utterances with their scores, and how much the filters leave."""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from dashboard.filters import Filters
from dashboard.queries.selection import (
    Measure,
    Query,
    missing_reason,
    recordings_where,
    where,
)
from pipeline.column import Column
from pipeline.exchange.facts import StoreFacts, read_facts
from pipeline.exchange.scored_recordings import (
    ChosenUtterances,
    RecordingFacts,
    read_recordings,
)
from pipeline.exchange.selection import ScoreSetting, Selection, SelectionCounts
from pipeline.predictors.choice import Condition
from pipeline.report.request import ReportScope
from pipeline.schema import SCORES_WIDE, UTTERANCES


@dataclass(frozen=True, slots=True)
class Selected:
    """A SELECT and the columns it gives, in order."""

    query: Query
    columns: tuple[Column, ...]


def score_setting(measure: Measure) -> ScoreSetting:
    """The measure as an export states it."""
    return ScoreSetting(
        measure.scorer,
        measure.crop,
        measure.window,
        measure.statistic,
        measure.scale,
        measure.threshold,
        measure.threshold_origin,
    )


def chosen_utterances(filters: Filters, measure: Measure) -> Selected:
    """One row per chosen utterance with its score under the measure, by recording and time.

    The score's column is named for its statistic and unit, e.g. max_cosine or mean_z_sd.
    """
    setting = score_setting(measure)
    condition = where(filters)
    parts: list[tuple[str, Column]] = [
        *((f"s.{name}", _column(name)) for name in _WHO),
        ("u.text", _of(UTTERANCES.columns, "text")),
        *((f"s.{name}", _column(name)) for name in _HOW),
        ("s.scorer", _column("scorer")),
        (measure.n_frames_sql, Column("n_frames", "INTEGER", "Frames in the window", "count")),
        (
            measure.score,
            Column(
                setting.score_name,
                "FLOAT",
                "Score of the utterance under the setting of this export",
                "cosine" if measure.scale == "raw" else "SD of the matched null",
            ),
        ),
        (
            f"({measure.score} >= $threshold::FLOAT)",
            Column(
                "is_highly_aligned",
                "BOOLEAN",
                "Whether the score reaches the threshold; empty without a score",
            ),
        ),
        *_chance(measure),
        (
            missing_reason(measure),
            Column(
                "missing_reason",
                "VARCHAR",
                "Why there is no score: no_frame_in_window, no_null, no_noun or not_scored",
            ),
        ),
    ]
    columns = ", ".join(f'{sql} AS "{column.name}"' for sql, column in parts)
    sql = f"""
        SELECT {columns}
        FROM (SELECT * FROM scores_wide WHERE scorer = $scorer AND {condition.sql}) s
        JOIN utterances u ON u.utterance_number = s.utterance_number
        ORDER BY s.utterance_number"""
    params = {**condition.params, "scorer": measure.scorer, "threshold": measure.threshold}
    return Selected(Query(sql, params), tuple(column for _, column in parts))


def selection_counts(
    con: DuckDBPyConnection, filters: Filters, measure: Measure
) -> SelectionCounts:
    """How much the filters leave. Hours are those of recordings with a chosen utterance."""
    condition = where(filters)
    sql = f"""
        WITH chosen AS (
            SELECT recording_id, count(*) AS n, count({measure.score}) AS n_scored,
                count(*) FILTER ({measure.score} >= $threshold::FLOAT) AS n_high
            FROM scores_wide WHERE scorer = $scorer AND {condition.sql} GROUP BY recording_id)
        SELECT count(DISTINCT r.child_id), count(*), coalesce(sum(r.duration_ms), 0),
            coalesce(sum(c.n), 0), coalesce(sum(c.n_scored), 0), coalesce(sum(c.n_high), 0)
        FROM chosen c JOIN recordings r ON r.recording_id = CAST(c.recording_id AS VARCHAR)"""
    params = {**condition.params, "scorer": measure.scorer, "threshold": measure.threshold}
    values = [int(str(value)) for value in Query(sql, params).row(con)]
    return SelectionCounts(*values)


def chosen_numbers(filters: Filters) -> ChosenUtterances:
    """The numbers of the utterances that the filters leave, for a query that binds $scorer."""
    condition = where(filters)
    return ChosenUtterances(
        f"SELECT utterance_number FROM scores_wide WHERE scorer = $scorer AND {condition.sql}",
        condition.params,
    )


def chosen_recordings(con: DuckDBPyConnection, filters: Filters) -> tuple[RecordingFacts, ...]:
    """The recordings of the chosen children and ages that have utterances, by id."""
    condition = recordings_where(filters)
    sql = f"SELECT recording_id FROM recordings WHERE {condition.sql} AND n_utterances > 0"
    names = set(Query(sql, condition.params).frame(con)["recording_id"])
    return tuple(facts for facts in read_recordings(con) if facts.recording_id in names)


def report_scope(filters: Filters, selection: Selection) -> ReportScope:
    """The filters as a report takes them: over utterances, and over recordings."""
    utterances, recordings = where(filters), recordings_where(filters)
    return ReportScope(
        selection,
        Condition(utterances.sql, utterances.params),
        Condition(recordings.sql, recordings.params),
    )


def facts(con: DuckDBPyConnection) -> StoreFacts:
    """What the store says about itself."""
    return read_facts(con)


_WHO = ("recording_id", "utterance_id", "child_id", "age_days", "onset_ms", "offset_ms", "speaker")
_HOW = ("language", "location", "activity", "quadrant", "n_words", "mean_logprob")
_CHANCE = {
    "null_mean": ("null_mean_cosine", "Mean of the maximum cosine over the matched null windows"),
    "null_sd": ("null_sd_cosine", "SD of the maximum cosine over the matched null windows"),
}


def _chance(measure: Measure) -> list[tuple[str, Column]]:
    """Chance level and z of the maximum; a free window has none, the mean only its z."""
    if measure.is_free or measure.statistic != "max":
        return []
    found = [
        (measure.sql(name), Column(title, "FLOAT", meaning, "cosine"))
        for name, (title, meaning) in _CHANCE.items()
    ]
    if measure.scale == "raw":
        meaning = "(max_cosine - null_mean_cosine) / null_sd_cosine"
        found.append((measure.sql("z"), Column("max_z_sd", "FLOAT", meaning, "SD")))
    p = Column("p", "FLOAT", "(1 + null windows at or above the maximum) / (K + 1)", "0-1")
    return [*found, (measure.sql("p"), p)]


def _column(name: str) -> Column:
    """A column of scores_wide as a file has it: names stored as numbers are text again."""
    column = _of(SCORES_WIDE.columns, name)
    is_name = column.type.endswith("_names")
    return Column(name, "VARCHAR", column.meaning, column.unit) if is_name else column


def _of(columns: tuple[Column, ...], name: str) -> Column:
    return next(column for column in columns if column.name == name)
