"""What a store offers to choose from: children, ages, speakers, models, crops."""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from pipeline.errors import StoreError
from pipeline.records import ModelRef
from pipeline.schema import CROPS, SCHEMA_VERSION, UTTERANCE_FLAGS, wide_column
from pipeline.score_settings import ScorerSetting
from pipeline.sound_tables import QUADRANTS

_REBUILD = "Build it again with: python -m pipeline run STUDY --stage publish"


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """The choices a store allows. `crops` and `has_null` are for any of its models. `quadrants` is
    empty where sound was not scored.
    """

    study_name: str
    build: str
    frame_step_ms: int
    null_draws: int
    null_seed: int
    children: tuple[str, ...]
    speakers: tuple[str, ...]
    activities: tuple[str, ...]
    locations: tuple[str, ...]
    languages: tuple[str, ...]
    quadrants: tuple[str, ...]
    flags: tuple[str, ...]
    min_age_days: int | None
    max_age_days: int | None
    has_logprob: bool
    models: tuple[ModelRef, ...]
    crops: tuple[str, ...]
    has_null: bool

    @property
    def has_speakers(self) -> bool:
        """Whether anyone but the unknown speaker was told apart."""
        return any(speaker != "NA" for speaker in self.speakers)

    @property
    def has_ages(self) -> bool:
        return self.min_age_days is not None

    @property
    def splits(self) -> tuple[str, ...]:
        """The ways in which this store's utterances can be split."""
        chosen = ["none"]
        chosen += ["speaker"] if self.has_speakers else []
        chosen += ["age"] if self.has_ages else []
        chosen += ["activity"] if self.activities else []
        chosen += ["location"] if self.locations else []
        return tuple(chosen)

    def settings_of(self, scorer: str) -> dict[ScorerSetting, str]:
        """Scorers made with the same model as this one: how each compares -> its name."""
        base = next((model.base for model in self.models if model.scorer == scorer), scorer)
        return {model.setting: model.scorer for model in self.models if model.base == base}

    def known(self) -> dict[str, tuple[str, ...]]:
        """Field of Filters -> values that exist here, for `filters.restricted_to`."""
        return {
            "children": self.children,
            "speakers": self.speakers,
            "activities": self.activities,
            "locations": self.locations,
            "languages": self.languages,
            "heard": self.quadrants,
            "scorer": tuple(model.scorer for model in self.models),
        }


def check_schema(con: DuckDBPyConnection, file_name: str) -> None:
    """Raise StoreError unless the store's tables are of this version of Coview."""
    tables = {row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    found = None
    if "store_info" in tables:
        found = con.execute("SELECT schema_version FROM store_info").fetchone()
    if found is None:
        raise StoreError(f"{file_name} is not a Coview store.", hint=_REBUILD)
    if found[0] != SCHEMA_VERSION:
        raise StoreError(
            f"{file_name} has tables of version {found[0]}; this Coview reads version "
            f"{SCHEMA_VERSION}.",
            hint=_REBUILD,
        )


def store_options(con: DuckDBPyConnection) -> StoreOptions:
    """Read what can be chosen; StoreError when the store names no model."""
    info = con.execute(
        "SELECT study_name, build, frame_step_ms, null_draws, null_seed FROM store_info"
    ).fetchone()
    ages = con.execute(
        "SELECT min(age_days), max(age_days) FROM recordings WHERE n_utterances > 0"
    ).fetchone()
    models = _models(con)
    if not models or info is None:
        raise StoreError("The store does not name the model of its scores.", hint=_REBUILD)
    return StoreOptions(
        study_name=info[0] or "Study",
        build=info[1] or "",
        frame_step_ms=info[2] or 0,
        null_draws=info[3] or 0,
        null_seed=info[4] or 0,
        children=_names(con, "child_names"),
        speakers=_names(con, "speaker_names"),
        activities=_names(con, "activity_names"),
        locations=_names(con, "location_names"),
        languages=_names(con, "language_names"),
        quadrants=tuple(q for q in QUADRANTS if q in _names(con, "quadrant_names")),
        flags=_flags(con),
        min_age_days=ages[0] if ages else None,
        max_age_days=ages[1] if ages else None,
        has_logprob=_exists(con, "scores_wide", "mean_logprob"),
        models=models,
        crops=tuple(
            crop
            for crop in CROPS
            if _exists(con, "scores_wide", wide_column(crop, "2s", "max_cosine"))
        ),
        has_null=_exists(con, "scores_wide", wide_column("center", "2s", "null_mean")),
    )


def _names(con: DuckDBPyConnection, type_name: str) -> tuple[str, ...]:
    """The names of an ENUM type, which the build made from what is there."""
    row = con.execute(f"SELECT enum_range(NULL::{type_name})").fetchone()
    return tuple(name for name in row[0] if name) if row else ()


def _flags(con: DuckDBPyConnection) -> tuple[str, ...]:
    row = con.execute("SELECT coalesce(bit_or(flag_bits), 0) FROM scores_wide").fetchone()
    bits = int(row[0]) if row else 0
    return tuple(flag for bit, flag in enumerate(UTTERANCE_FLAGS) if bits >> bit & 1)


def _exists(con: DuckDBPyConnection, table: str, column: str) -> bool:
    sql = f"SELECT 1 FROM {table} WHERE {column} IS NOT NULL LIMIT 1"
    return con.execute(sql).fetchone() is not None


def _models(con: DuckDBPyConnection) -> tuple[ModelRef, ...]:
    rows = con.execute(
        """SELECT scorer, name, weights, revision, dim, image_size_px, preprocess, precision,
               default_threshold, coalesce(threshold_source, ''),
               coalesce(base_scorer, ''), coalesce(text_variant, 'raw'),
               coalesce(is_hub_corrected, FALSE)
           FROM models ORDER BY weights = 'imported', scorer"""
    ).fetchall()
    return tuple(ModelRef(*row) for row in rows)
