"""From filters to SQL: which utterances, and which column of the store is their score.

Values are always bound. Column names are put together from the closed vocabulary of
`pipeline.schema`, which `Measure` checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd
from duckdb import DuckDBPyConnection

from dashboard.filters import DEFAULT_Z_THRESHOLD, SCALES, STATISTICS, Filters
from pipeline.records import ModelRef
from pipeline.schema import CROPS, WINDOWS, wide_column

Value = str | int | float | list[str]

AGE_BAND_DAYS = 182.625
"""Half a year: the bands into which a split by age puts the recordings."""

_MIDDLE = "(u.onset_ms + u.offset_ms) // 2"


@dataclass(frozen=True, slots=True)
class Measure:
    """One way to score an utterance, with the threshold that makes it highly aligned.

    `threshold_origin`: "chosen" by the person, "model" its default, "z" the default of the z
    scale, "no_default" when the model has no known threshold and z is used instead.
    """

    scorer: str
    crop: str
    window: str
    statistic: str
    scale: str
    threshold: float
    threshold_origin: str = "chosen"

    def __post_init__(self) -> None:
        for value, allowed in (
            (self.crop, CROPS),
            (self.window, tuple(WINDOWS)),
            (self.statistic, STATISTICS),
            (self.scale, SCALES),
        ):
            if value not in allowed:
                raise ValueError(f"{value!r} is not one of {', '.join(allowed)}")

    @property
    def score_column(self) -> str:
        """Column of scores_wide that holds the score."""
        names = {
            ("max", "raw"): "max_cosine",
            ("mean", "raw"): "mean_cosine",
            ("max", "z"): "z",
            ("mean", "z"): "mean_z",
        }
        return wide_column(self.crop, self.window, names[self.statistic, self.scale])

    @property
    def has_stored_null(self) -> bool:
        """Whether null_mean and null_sd belong to this score: they are of the maximum only."""
        return self.scale == "raw" and self.statistic == "max"

    def column(self, statistic: str) -> str:
        """Column of scores_wide for another statistic of the same crop and window."""
        return wide_column(self.crop, self.window, statistic)

    def under(self, *, crop: str, window: str, statistic: str) -> Measure:
        """The same measure with another crop, window and statistic."""
        return replace(self, crop=crop, window=window, statistic=statistic)


@dataclass(frozen=True, slots=True)
class Query:
    """SQL text with its bound values."""

    sql: str
    params: Mapping[str, Value] = field(default_factory=dict)

    def frame(self, con: DuckDBPyConnection) -> pd.DataFrame:
        """Run it on a cursor of the store."""
        return con.execute(self.sql, dict(self.params)).df()

    def row(self, con: DuckDBPyConnection) -> tuple[object, ...]:
        """Run it and return its only row."""
        found = con.execute(self.sql, dict(self.params)).fetchone()
        if found is None:
            raise LookupError("the query returned no row")
        return tuple(found)


def resolve_measure(filters: Filters, models: Sequence[ModelRef]) -> Measure:
    """What the filters ask for, with defaults filled in from the store's models.

    A model without a known threshold is judged on the z scale, unless the person chose a
    threshold: cosines of different models cannot be compared.
    """
    model = next((m for m in models if m.scorer == filters.scorer), models[0])
    scale, threshold, origin = filters.scale, filters.threshold, "chosen"
    if threshold is None and scale == "raw" and model.default_threshold is None:
        scale, threshold, origin = "z", DEFAULT_Z_THRESHOLD, "no_default"
    elif threshold is None and scale == "raw":
        threshold, origin = model.default_threshold, "model"
    elif threshold is None:
        threshold, origin = DEFAULT_Z_THRESHOLD, "z"
    assert threshold is not None
    return Measure(
        model.scorer,
        filters.crop,
        filters.window,
        filters.statistic,
        scale,
        threshold,
        origin,
    )


def where(filters: Filters) -> Query:
    """Condition over `utterances u JOIN recordings r`; "TRUE" when nothing is restricted.

    An activity or location counts if it holds in the middle of the utterance.
    """
    parts: list[str] = []
    params: dict[str, Value] = {}
    for name, column, values in (
        ("children", "u.child_id", filters.children),
        ("speakers", "u.speaker", filters.speakers),
        ("languages", "u.language", filters.languages),
    ):
        if values:
            parts.append(f"list_contains(${name}, {column})")
            params[name] = list(values)
    for name, column, values in (
        ("activities", "activity", filters.activities),
        ("locations", "location", filters.locations),
    ):
        if values:
            parts.append(
                "EXISTS (SELECT 1 FROM contexts c WHERE c.recording_id = u.recording_id "
                f"AND c.onset_ms <= {_MIDDLE} AND c.offset_ms > {_MIDDLE} "
                f"AND list_contains(${name}, c.{column}))"
            )
            params[name] = list(values)
    if filters.without_flags:
        parts.append("NOT list_has_any(u.flags, $without_flags)")
        params["without_flags"] = list(filters.without_flags)
    for name, sql, value in (
        ("min_age_days", "r.age_days >= $min_age_days", filters.min_age_days),
        ("max_age_days", "r.age_days <= $max_age_days", filters.max_age_days),
        ("min_words", "u.n_words >= $min_words", filters.min_words or None),
        (
            "min_logprob",
            "(u.mean_logprob IS NULL OR u.mean_logprob >= $min_logprob)",
            filters.min_logprob,
        ),
    ):
        if value is not None:
            parts.append(sql)
            params[name] = value
    return Query(" AND ".join(parts) or "TRUE", params)


def recordings_where(filters: Filters) -> Query:
    """Condition over `recordings r`: only child and age choose recordings."""
    plain = Filters(
        children=filters.children,
        min_age_days=filters.min_age_days,
        max_age_days=filters.max_age_days,
    )
    condition = where(plain)
    return Query(condition.sql.replace("u.child_id", "r.child_id"), condition.params)


def scored(filters: Filters, measure: Measure, split: str = "none") -> Query:
    """One row per chosen utterance, also when it has no score.

    Columns: recording_id, utterance_id, child_id, age_days, speaker, onset_ms, offset_ms,
    n_words, text, n_frames (in the window), score (of the measure, may be NULL), max_cosine, z,
    p, null_mean, null_sd, missing_reason, and grp: the group of the split ("none", "speaker",
    "age", "activity" or "location"), as text, NULL when unknown.
    """
    condition = where(filters)
    sql = f"""
        SELECT u.recording_id, u.utterance_id, u.child_id, r.age_days, u.speaker,
            u.onset_ms, u.offset_ms, u.n_words, u.text,
            s.n_frames_{measure.window} AS n_frames,
            s.{measure.score_column} AS score,
            s.{measure.column("max_cosine")} AS max_cosine,
            s.{measure.column("z")} AS z,
            s.{measure.column("p")} AS p,
            s.{measure.column("null_mean")} AS null_mean,
            s.{measure.column("null_sd")} AS null_sd,
            CASE WHEN s.{measure.score_column} IS NOT NULL THEN NULL
                 WHEN s.utterance_id IS NULL THEN 'not_scored'
                 WHEN s.{measure.column("max_cosine")} IS NOT NULL THEN 'no_null'
                 WHEN s.n_frames_{measure.window} = 0 THEN 'no_frame_in_window'
                 ELSE 'not_scored' END AS missing_reason,
            {_group(split)} AS grp
        FROM utterances u
        JOIN recordings r ON r.recording_id = u.recording_id
        LEFT JOIN scores_wide s ON s.recording_id = u.recording_id
            AND s.utterance_id = u.utterance_id AND s.scorer = $scorer
        WHERE {condition.sql}"""
    return Query(sql, {**condition.params, "scorer": measure.scorer})


def _group(split: str) -> str:
    if split in ("activity", "location"):
        return (
            f"(SELECT min(c.{split}) FROM contexts c WHERE c.recording_id = u.recording_id "
            f"AND c.onset_ms <= {_MIDDLE} AND c.offset_ms > {_MIDDLE})"
        )
    columns = {
        "none": "''",
        "speaker": "u.speaker",
        "age": f"CAST(CAST(floor(r.age_days / {AGE_BAND_DAYS}) AS INTEGER) AS VARCHAR)",
    }
    return columns[split]
