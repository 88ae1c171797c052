"""What a store says of itself: its study, its names, its models, what its tables hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import duckdb

from pipeline.errors import StoreError
from pipeline.records import ModelRef
from pipeline.schema import CROPS, SCHEMA_VERSION, wide_column

NAMES = ("child", "speaker", "activity", "location", "language", "quadrant")
"""ENUM types of a store but that of the recordings, which holds tens of thousands of names."""

_REBUILD = "Build it again with: python -m pipeline run STUDY --stage publish"


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """`names`: the names of each of NAMES, in the order of their codes. `flag_bits`: those that
    any utterance carries. `models` in the order in which people see them."""

    schema_version: int
    study_name: str
    build: str
    frame_step_ms: int
    null_draws: int
    null_seed: int
    names: Mapping[str, tuple[str, ...]]
    flag_bits: int
    min_age_days: int | None
    max_age_days: int | None
    has_logprob: bool
    crops: tuple[str, ...]
    has_null: bool
    models: tuple[ModelRef, ...]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> StoreFacts:
        """Raises TypeError or ValueError for facts that another version of Coview wrote."""
        known = json.loads(text)
        known["names"] = {name: tuple(values) for name, values in known["names"].items()}
        known["models"] = tuple(ModelRef(**model) for model in known["models"])
        known["crops"] = tuple(known["crops"])
        return cls(**known)


def store_facts(con: duckdb.DuckDBPyConnection) -> StoreFacts:
    """Read them from an open store; StoreError when it names no model."""
    facts = facts_if_any(con)
    if facts is None:
        raise StoreError("The store does not name the model of its scores.", hint=_REBUILD)
    return facts


def facts_if_any(con: duckdb.DuckDBPyConnection) -> StoreFacts | None:
    """Read them from an open store; None when it names no model."""
    info = con.execute(
        "SELECT study_name, build, frame_step_ms, null_draws, null_seed FROM store_info"
    ).fetchone()
    ages = con.execute(
        "SELECT min(age_days), max(age_days) FROM recordings WHERE n_utterances > 0"
    ).fetchone()
    models = _models(con)
    if not models or info is None:
        return None
    flags = con.execute("SELECT coalesce(bit_or(flag_bits), 0) FROM scores_wide").fetchone()
    return StoreFacts(
        schema_version=SCHEMA_VERSION,
        study_name=info[0] or "Study",
        build=info[1] or "",
        frame_step_ms=info[2] or 0,
        null_draws=info[3] or 0,
        null_seed=info[4] or 0,
        names={name: enum_names(con, f"{name}_names") for name in NAMES},
        flag_bits=int(flags[0]) if flags else 0,
        min_age_days=ages[0] if ages else None,
        max_age_days=ages[1] if ages else None,
        has_logprob=_exists(con, "mean_logprob"),
        crops=tuple(crop for crop in CROPS if _exists(con, wide_column(crop, "2s", "max_cosine"))),
        has_null=_exists(con, wide_column("center", "2s", "null_mean")),
        models=models,
    )


def enum_names(con: duckdb.DuckDBPyConnection, type_name: str) -> tuple[str, ...]:
    """The names of an ENUM type, which the build made from what is there."""
    row = con.execute(f"SELECT enum_range(NULL::{type_name})").fetchone()
    return tuple(str(name) for name in row[0]) if row else ()


def _exists(con: duckdb.DuckDBPyConnection, column: str) -> bool:
    sql = f"SELECT 1 FROM scores_wide WHERE {column} IS NOT NULL LIMIT 1"
    return con.execute(sql).fetchone() is not None


def _models(con: duckdb.DuckDBPyConnection) -> tuple[ModelRef, ...]:
    rows = con.execute(
        """SELECT scorer, name, weights, revision, dim, image_size_px, preprocess, precision,
               default_threshold, coalesce(threshold_source, ''),
               coalesce(base_scorer, ''), coalesce(text_variant, 'raw'),
               coalesce(is_hub_corrected, FALSE)
           FROM models ORDER BY weights = 'imported', scorer"""
    ).fetchall()
    return tuple(ModelRef(*row) for row in rows)
