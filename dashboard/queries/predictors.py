"""The prepared questions for what a page shows."""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from dashboard.filters import Filters
from dashboard.queries.selection import Measure, where
from pipeline.predictors.analysis import Analysis
from pipeline.predictors.choice import Condition, ScoreChoice
from pipeline.predictors.prepared import prepared_analyses


def score_choice(filters: Filters, measure: Measure) -> ScoreChoice:
    """The page's utterances and score, as models take them."""
    condition = where(filters)
    return ScoreChoice(
        measure.scorer,
        measure.crop,
        measure.window,
        measure.statistic,
        measure.scale,
        measure.threshold,
        Condition(condition.sql, condition.params),
    )


def prepared(con: DuckDBPyConnection, filters: Filters, measure: Measure) -> tuple[Analysis, ...]:
    """Every prepared question in all its versions."""
    return prepared_analyses(con, score_choice(filters, measure))
