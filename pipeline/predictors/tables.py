"""From a store to the table of a model: one row per utterance, or shares and means of groups.

Everything is chosen and aggregated in SQL. By utterance at most `MOST_ROWS` rows are read: of a
larger store whole recordings are drawn at random, by a seed, and the table says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb
import pandas as pd

from pipeline.errors import FitError
from pipeline.labels import DAYS_PER_MONTH, plural
from pipeline.predictors.choice import ScoreChoice, Value
from pipeline.predictors.columns import (
    BY_NAME,
    CATEGORIES,
    RECORDINGS,
    SPEAKER_LEVELS,
    UNITS,
    UTTERANCES,
    VOICE_LEVELS,
    columns_of,
    unknown_names,
)
from pipeline.schema import ADULT_SPEAKERS, CHILD_SPEAKERS
from pipeline.stats.mixed.formula import parse_formula

MOST_ROWS = 200_000
SEED = 1

_VOICES = dict(zip(("CHI", "OCH", "FEM", "MAL"), VOICE_LEVELS, strict=True))
_LEVELS: dict[str, tuple[str, ...]] = {"speaker": SPEAKER_LEVELS, "voice": VOICE_LEVELS}
_ALWAYS = ("recording", "child")


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What the rows of a model were made of.

    `n_chosen` utterances match the filters; of these `n_scored` have a score, the others cannot
    enter any model. `n_ungrouped` scored ones were left out of a table of groups because their
    speaker, activity, location or language is unknown. `n_recordings` of `n_recordings_scored`
    were drawn, with `seed`; all of them where `is_sample` is False.
    """

    unit: str
    n_rows: int
    n_chosen: int
    n_scored: int
    n_ungrouped: int
    n_recordings: int
    n_recordings_scored: int
    seed: int = SEED

    @property
    def is_sample(self) -> bool:
        """Whether recordings were drawn because there are too many utterances."""
        return self.n_recordings < self.n_recordings_scored

    @property
    def words(self) -> str:
        """What the table rests on, in sentences."""
        sentences = []
        if self.is_sample:
            sentences.append(
                f"n = {self.n_rows:,} of {self.n_scored:,} scored utterances: "
                f"{self.n_recordings:,} of {self.n_recordings_scored:,} recordings, drawn at "
                f"random (seed {self.seed})."
            )
        elif self.unit == UTTERANCES:
            sentences.append(f"n = {self.n_rows:,} scored utterances, one row each.")
        else:
            sentences.append(
                f"{self.n_rows:,} rows made of {self.n_scored - self.n_ungrouped:,} scored "
                "utterances."
            )
        n_unscored = self.n_chosen - self.n_scored
        for n, why in (
            (n_unscored, "without a score"),
            (self.n_ungrouped, "of unknown group (speaker, activity, location or language)"),
        ):
            if n:
                noun = "utterance" if n == 1 else "utterances"
                sentences.append(f"{n:,} {noun} {why} left out.")
        return " ".join(sentences)


@dataclass(frozen=True, slots=True)
class ModelTable:
    """Rows for a model and what they were made of."""

    rows: pd.DataFrame
    facts: TableFacts


def model_table(
    con: duckdb.DuckDBPyConnection,
    choice: ScoreChoice,
    unit: str,
    formula: str,
    *,
    most_rows: int = MOST_ROWS,
) -> ModelTable:
    """The columns that a formula names, for one of the three tables (see `columns`).

    Categories are pandas Categoricals whose first level is the reference: child for the speaker,
    else the most frequent one. Unknown values are missing.

    Raises FitError for a column that the table does not have, naming the nearest one, and for one
    that is missing in every row, saying why.
    """
    return checked(read_table(con, choice, unit, formula, most_rows=most_rows), formula)


def read_table(
    con: duckdb.DuckDBPyConnection,
    choice: ScoreChoice,
    unit: str,
    formula: str,
    *,
    most_rows: int = MOST_ROWS,
) -> ModelTable:
    """As `model_table`, but also where no utterance or no value is left."""
    check_names(formula, unit)
    names = [name for name in parse_formula(formula).columns if name not in _ALWAYS]
    if unit == UTTERANCES:
        return _utterances(con, choice, names, most_rows)
    return _groups(con, choice, unit, names)


def checked(table: ModelTable, formula: str) -> ModelTable:
    """The table, if it holds rows, no column without any value, and several levels of each group
    of the formula; else FitError."""
    if not table.facts.n_scored:
        raise FitError(
            "None of these utterances has a score.",
            hint="Take a filter off, or choose another scorer, crop or window.",
        )
    # A table of groups has no rows at all where a category is unknown everywhere: tell that first.
    for name in sorted(table.rows.columns, key=lambda name: name not in CATEGORIES):
        column = BY_NAME[str(name)]
        if not table.rows[name].notna().any():
            raise FitError(
                column.absent or f"No row has a value of {name}.",
                hint=column.mend or "Take it out of the formula.",
            )
    grouping = {name for spec in parse_formula(formula).random for name in spec.columns}
    for name, other in (("child", "recording"), ("recording", "child")):
        if name in grouping and table.rows[name].nunique() == 1:
            raise FitError(
                f"There is one {name} here, so how much {plural(2, name)[2:]} differ is unknown.",
                hint=f"Choose more, or make rows of recordings or utterances with (1 | {other}).",
            )
    return table


def levels_of(rows: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Categories of a model's table with their levels, the reference first."""
    return {
        str(name): tuple(str(level) for level in rows[name].cat.categories)
        for name in rows.columns
        if isinstance(rows[name].dtype, pd.CategoricalDtype)
    }


def check_names(formula: str, unit: str) -> None:
    """Raise FitError for a column that the table of a unit does not have."""
    if unit not in UNITS:
        raise ValueError(f"{unit!r} is not one of {', '.join(UNITS)}")
    for name, nearest in unknown_names(formula, unit).items():
        known = ", ".join(column.name for column in columns_of(unit))
        if name in BY_NAME:
            others = " or ".join(BY_NAME[name].units)
            hint = f"{name} is a column of the table of {others}. Here there are: {known}."
        elif nearest:
            hint = f"Did you mean {nearest}? The columns are: {known}."
        else:
            hint = f"The columns are: {known}."
        raise FitError(f"There is no column {name} in the table of {unit}.", hint=hint)


def _utterances(
    con: duckdb.DuckDBPyConnection, choice: ScoreChoice, names: list[str], most_rows: int
) -> ModelTable:
    own = {"is_high": "CAST(score >= $threshold::FLOAT AS INTEGER)"}
    listed = ", ".join(["child", "recording", *(f"{own.get(n, n)} AS {n}" for n in names)])
    sql = f"""
        WITH base AS ({_base(choice)}),
        sizes AS (SELECT recording, count(*) AS n FROM base WHERE score IS NOT NULL GROUP BY 1),
        kept AS (
            SELECT recording FROM (
                SELECT recording, sum(n) OVER drawn AS upto, row_number() OVER drawn AS place
                FROM sizes WINDOW drawn AS (ORDER BY md5($seed || ' ' || recording), recording))
            WHERE upto <= $most_rows OR place = 1)
        SELECT {listed} FROM base
        WHERE score IS NOT NULL AND recording IN (SELECT recording FROM kept)
        ORDER BY utterance_number"""
    rows = _typed(_read(con, sql, choice, seed=str(SEED), most_rows=most_rows), names)
    n_chosen, n_scored, n_recordings = _counts(con, choice)
    n_drawn = int(rows["recording"].nunique())
    facts = TableFacts(UTTERANCES, len(rows), n_chosen, n_scored, 0, n_drawn, n_recordings)
    return ModelTable(rows, facts)


def _groups(
    con: duckdb.DuckDBPyConnection, choice: ScoreChoice, unit: str, names: list[str]
) -> ModelTable:
    split = [name for name in names if name in CATEGORIES]
    keys = ", ".join(["child", *(["recording"] if unit == RECORDINGS else []), *split])
    is_known = " AND ".join(f"{name} IS NOT NULL" for name in split) or "TRUE"
    measures = [name for name in names if name not in split and name != "n"]
    listed = "".join(f", {_GROUPED.get(name, f'avg({name})')} AS {name}" for name in measures)
    sql = f"""
        WITH base AS ({_base(choice)})
        SELECT {keys}, count(*) AS n{listed} FROM base
        WHERE score IS NOT NULL AND {is_known} GROUP BY {keys} ORDER BY {keys}"""
    rows = _typed(_read(con, sql, choice), names)
    n_chosen, n_scored, n_recordings = _counts(con, choice)
    n_ungrouped = n_scored - int(rows["n"].sum())
    return ModelTable(
        rows,
        TableFacts(unit, len(rows), n_chosen, n_scored, n_ungrouped, n_recordings, n_recordings),
    )


_GROUPED = {
    "share": "avg(CAST(score >= $threshold::FLOAT AS INTEGER))",
    "n_high": "count(*) FILTER (WHERE score >= $threshold::FLOAT)",
    "n_low": "count(*) FILTER (WHERE score < $threshold::FLOAT)",
}
"""Outcomes of a group that are no means of an utterance's own column."""


def _base(choice: ScoreChoice) -> str:
    """One row per chosen utterance, with every column that a model can use."""
    adults, children = (
        ", ".join(f"'{code}'" for code in codes) for codes in (ADULT_SPEAKERS, CHILD_SPEAKERS)
    )
    voices = " ".join(f"WHEN '{code}' THEN '{name}'" for code, name in _VOICES.items())
    z = choice.sql("z" if choice.statistic == "max" else "mean_z")
    return f"""
        SELECT utterance_number, CAST(u.recording_id AS VARCHAR) AS recording,
            CAST(u.child_id AS VARCHAR) AS child,
            CAST({choice.score_sql} AS DOUBLE) AS score,
            CAST({choice.sql("max_cosine")} AS DOUBLE) AS max_cosine,
            CAST({choice.sql("mean_cosine")} AS DOUBLE) AS mean_cosine,
            CAST({choice.sql("max_cosine")} AS DOUBLE) - {choice.sql("null_mean")} AS above_chance,
            CAST({z} AS DOUBLE) AS z,
            (offset_ms - onset_ms) / 1000.0 AS duration_s,
            {choice.n_frames_sql} AS n_frames, n_words,
            age_days / {DAYS_PER_MONTH} AS age_months,
            (age_days - mean_days) / {DAYS_PER_MONTH} AS age_own_months,
            mean_days / {DAYS_PER_MONTH} AS age_mean_months,
            CASE WHEN speaker IN ({adults}) THEN 'adult' WHEN speaker IN ({children}) THEN 'child'
                END AS speaker,
            CASE CAST(speaker AS VARCHAR) {voices} END AS voice,
            CAST(activity AS VARCHAR) AS activity, CAST(location AS VARCHAR) AS location,
            CAST(language AS VARCHAR) AS language
        FROM (SELECT * FROM scores_wide WHERE scorer = $scorer AND {choice.condition.sql}) u
        LEFT JOIN (SELECT child_id, avg(age_days) AS mean_days FROM recordings GROUP BY 1) ages
            ON ages.child_id = CAST(u.child_id AS VARCHAR)"""


def _counts(con: duckdb.DuckDBPyConnection, choice: ScoreChoice) -> tuple[int, int, int]:
    """Chosen utterances, scored ones, and recordings that hold a scored one."""
    sql = f"""
        SELECT count(*) AS n_chosen, count({choice.score_sql}) AS n_scored,
            count(DISTINCT recording_id) FILTER (WHERE {choice.score_sql} IS NOT NULL) AS n_recs
        FROM scores_wide WHERE scorer = $scorer AND {choice.condition.sql}"""
    row = _read(con, sql, choice).iloc[0]
    return int(row["n_chosen"]), int(row["n_scored"]), int(row["n_recs"])


def _read(
    con: duckdb.DuckDBPyConnection, sql: str, choice: ScoreChoice, **more: Value
) -> pd.DataFrame:
    params: dict[str, Value] = {
        **choice.condition.params,
        "scorer": choice.scorer,
        "threshold": choice.threshold,
        **more,
    }
    # DuckDB refuses values that the statement does not ask for.
    used = {name: value for name, value in params.items() if re.search(rf"\${name}\b", sql)}
    return con.execute(sql, used).df()


def _typed(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Categories with their reference level first; numbers as float64."""
    for name in names:
        column = rows[name]
        if name in CATEGORIES:
            # The most frequent level is the reference, by utterances in every table.
            weights = rows["n"] if "n" in rows.columns else pd.Series(1, index=rows.index)
            found = weights.groupby(column).sum()
            order = sorted(found.index, key=lambda level: (-int(found[level]), str(level)))
            levels = [level for level in _LEVELS.get(name, order) if level in found.index]
            rows[name] = pd.Categorical(column, categories=levels)
        elif not pd.api.types.is_integer_dtype(column):
            rows[name] = pd.to_numeric(column).astype("float64")
    return rows
