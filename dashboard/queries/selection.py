"""From filters to SQL: which utterances, and which column of the store is their score.

Values are always bound. Column names are put together from the closed vocabulary of
`pipeline.schema`, which `Measure` checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection

from dashboard.filters import DEFAULT_Z_THRESHOLD, SCALES, STATISTICS, Filters
from pipeline.people.thresholds import threshold_origin
from pipeline.records import ModelRef
from pipeline.schema import CROPS, SCORES_WIDE, UTTERANCE_FLAGS, WINDOWS
from pipeline.score_columns import is_window
from pipeline.score_settings import MADE_TEXTS
from pipeline.score_sql import is_free_window, missing_reason_sql, n_frames_sql, statistic_sql
from pipeline.store.first_counts import CountedAs

Value = str | int | float | list[str]

MISSING_REASONS = ("no_frame_in_window", "no_null", "no_noun", "not_scored")
"""Why an utterance has no score, in the order in which they are told."""

AGE_BAND_DAYS = 182.625
"""Half a year: the bands into which a split by age puts the recordings."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One way to score an utterance, with the threshold that makes it highly aligned.

    `window` is stored (strict, 1s, 2s) or free, such as "-3+1": from 3 s before to 1 s after the
    utterance; a free window has no null, so no z. `threshold_origin`: "chosen" by the person,
    "people" from the study's raters, "simulated" from simulated ones, "model" its default, "z" the
    default of the z scale, "no_default" when the model has no known threshold and z is used.
    `label`: the scorer in words; `is_made_text`: it compares a text made from the words said, which
    some utterances lack.
    """

    scorer: str
    crop: str
    window: str
    statistic: str
    scale: str
    threshold: float
    threshold_origin: str = "chosen"
    label: str = field(default="", compare=False)
    is_made_text: bool = False

    def __post_init__(self) -> None:
        for value, allowed in (
            (self.crop, CROPS),
            (self.statistic, STATISTICS),
            (self.scale, SCALES),
        ):
            if value not in allowed:
                raise ValueError(f"{value!r} is not one of {', '.join(allowed)}")

        if not is_window(self.window):
            raise ValueError(f"{self.window!r} is not a window")
        if self.is_free and self.scale == "z":
            raise ValueError(f"the free window {self.window} has no null, so no z")

    @property
    def is_free(self) -> bool:
        """Whether the window is put together from lags and has no stored null."""
        return is_free_window(self.window)

    @property
    def score(self) -> str:
        """SQL over scores_wide: the score."""
        names = {
            ("max", "raw"): "max_cosine",
            ("mean", "raw"): "mean_cosine",
            ("max", "z"): "z",
            ("mean", "z"): "mean_z",
        }
        return self.sql(names[self.statistic, self.scale])

    @property
    def has_stored_null(self) -> bool:
        """Whether null_mean and null_sd belong to this score: they are of the maximum only."""
        return self.scale == "raw" and self.statistic == "max" and not self.is_free

    def sql(self, statistic: str) -> str:
        """SQL over scores_wide: a statistic of this crop and window; NULL where it has none."""
        return statistic_sql(self.crop, self.window, statistic)

    @property
    def n_frames_sql(self) -> str:
        """SQL over scores_wide: frames in the window."""
        return n_frames_sql(self.window)

    @property
    def n_frames_or_no_text(self) -> str:
        """The same, but -1 where the utterance has no such text to compare."""
        if not self.is_made_text:
            return self.n_frames_sql
        return f"CASE WHEN missing_reason = 'no_noun' THEN -1 ELSE {self.n_frames_sql} END"

    @property
    def counted_as(self) -> CountedAs:
        """All that counts over utterances depend on."""
        return CountedAs(
            self.scorer,
            self.crop,
            self.window,
            self.statistic,
            self.scale,
            float(self.threshold),
            self.is_made_text,
        )

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


def is_high(score: float, measure: Measure) -> bool:
    """Whether a score reaches the threshold, both as scores are kept."""
    return bool(np.float32(score) >= np.float32(measure.threshold))


def resolve_measure(filters: Filters, models: Sequence[ModelRef]) -> Measure:
    """What the filters ask for, with defaults filled in from the store's models.

    A model without a known threshold is judged on the z scale, unless the person chose a
    threshold: cosines of different models cannot be compared. A free window is judged by its
    cosine, because it has no null; without a threshold it gives way to the strict window.
    """
    model = next((m for m in models if m.scorer == filters.scorer), models[0])
    window, threshold, origin = filters.window, filters.threshold, "chosen"
    is_free = window not in WINDOWS
    if is_free and filters.scale == "z":
        threshold = None
    if is_free and threshold is None and model.default_threshold is None:
        window, is_free = "strict", False
    scale = "raw" if is_free else filters.scale
    if threshold is None and scale == "raw" and model.default_threshold is None:
        scale, threshold, origin = "z", DEFAULT_Z_THRESHOLD, "no_default"
    elif threshold is None and scale == "raw":
        threshold, origin = model.default_threshold, threshold_origin(model)
    elif threshold is None:
        threshold, origin = DEFAULT_Z_THRESHOLD, "z"
    assert threshold is not None
    return Measure(
        model.scorer,
        filters.crop,
        window,
        filters.statistic,
        scale,
        threshold,
        origin,
        model.label,
        model.setting.text in MADE_TEXTS,
    )


def where(filters: Filters) -> Query:
    """Condition over scores_wide; "TRUE" when nothing is restricted.

    An activity or location counts if it holds in the middle of the utterance. Names that the
    store does not know match nothing.
    """
    parts: list[str] = []
    params: dict[str, Value] = {}
    for name, column in NAMED_COLUMNS.items():
        # One parameter for each name: a list would be joined, which is slower.
        names = {f"{name}_{place}": value for place, value in enumerate(getattr(filters, name))}
        if names:
            listed = ", ".join(f"TRY_CAST(${key} AS {COLUMN_TYPES[column]})" for key in names)
            parts.append(f"{column} IN ({listed})")
            params.update(names)
    if filters.without_flags:
        parts.append("flag_bits & $without_flags = 0")
        params["without_flags"] = flag_bits(filters.without_flags)
    for name, sql, value in (
        ("min_age_days", "age_days >= $min_age_days", filters.min_age_days),
        ("max_age_days", "age_days <= $max_age_days", filters.max_age_days),
        ("min_words", "n_words >= $min_words", filters.min_words or None),
        (
            "min_logprob",
            "(mean_logprob IS NULL OR mean_logprob >= $min_logprob::FLOAT)",
            filters.min_logprob,
        ),
    ):
        if value is not None:
            parts.append(sql)
            params[name] = value
    return Query(" AND ".join(parts) or "TRUE", params)


def flag_bits(flags: Iterable[str]) -> int:
    """Flags of utterances as the bits of `flag_bits` in scores_wide."""
    return sum(1 << tuple(UTTERANCE_FLAGS).index(flag) for flag in flags)


NAMED_COLUMNS = {
    "children": "child_id",
    "speakers": "speaker",
    "languages": "language",
    "activities": "activity",
    "locations": "location",
    "heard": "quadrant",
}
"""Fields of Filters that hold names -> column."""

COLUMN_TYPES = {column.name: column.type for column in SCORES_WIDE.columns}


def recordings_where(filters: Filters) -> Query:
    """Condition over `recordings`: only child and age choose recordings."""
    plain = Filters(min_age_days=filters.min_age_days, max_age_days=filters.max_age_days)
    condition = where(plain)
    if not filters.children:
        return condition
    return Query(
        f"{condition.sql} AND list_contains($children, child_id)",
        {**condition.params, "children": list(filters.children)},
    )


def scored(filters: Filters, measure: Measure, split: str = "none") -> Query:
    """One row per chosen utterance, also when it has no score.

    Columns: utterance_number, recording_id, utterance_id, child_id, age_days, speaker, onset_ms,
    offset_ms, n_words, random_key, n_frames (in the window), score (of the measure, may be
    NULL), max_cosine, z, p, null_mean, null_sd, missing_reason, and grp: the group of the split
    ("none", "speaker", "age", "activity" or "location"), NULL when unknown. Names are of ENUM
    types: cast them to VARCHAR where they leave the query.
    """
    condition = where(filters)
    sql = f"""
        SELECT utterance_number, recording_id, utterance_id, child_id, age_days, speaker,
            onset_ms, offset_ms, n_words, random_key,
            {measure.n_frames_sql} AS n_frames,
            {measure.score} AS score,
            {measure.sql("max_cosine")} AS max_cosine,
            {measure.sql("z")} AS z,
            {measure.sql("p")} AS p,
            {measure.sql("null_mean")} AS null_mean,
            {measure.sql("null_sd")} AS null_sd,
            {missing_reason(measure)} AS missing_reason,
            {_group(split)} AS grp
        FROM scores_wide WHERE scorer = $scorer AND {condition.sql}"""
    return Query(sql, {**condition.params, "scorer": measure.scorer})


def missing_reason(measure: Measure) -> str:
    """SQL over scores_wide: why the score is NULL, or NULL."""
    return missing_reason_sql(measure.crop, measure.window, measure.score)


def _group(split: str) -> str:
    columns = {
        "none": "''",
        "speaker": "speaker",
        "activity": "activity",
        "location": "location",
        "age": f"CAST(floor(age_days / {AGE_BAND_DAYS}) AS INTEGER)",
    }
    return columns[split]
