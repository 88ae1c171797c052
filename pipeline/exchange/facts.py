"""What a store says about itself: the study, how it was built, with which models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from duckdb import DuckDBPyConnection

from pipeline.config import Settings, settings_from_mapping
from pipeline.errors import SettingsError, StoreError
from pipeline.records import ModelRef


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The run that built the store; times are UTC.

    `settings` is None when they are of another version of Coview; `settings_json` is always as
    stored.
    """

    run_id: str
    started_at: datetime | None
    finished_at: datetime | None
    coview_version: str
    device: str
    versions: Mapping[str, str]
    settings_json: str
    settings: Settings | None


@dataclass(frozen=True, slots=True)
class TranscriptSource:
    """Where utterances of `n_recordings` came from: a kind of file, or a transcriber."""

    name: str
    n_recordings: int


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """Facts about one build of a store, all of them read from it."""

    study_name: str
    build: str
    inputs_digest: str
    schema_version: int
    frame_step_ms: int
    null_draws: int
    null_seed: int
    notices: tuple[str, ...]
    models: tuple[ModelRef, ...]
    runs: tuple[RunFacts, ...]
    sources: tuple[TranscriptSource, ...]

    @property
    def run(self) -> RunFacts | None:
        """The last run."""
        return self.runs[-1] if self.runs else None

    def model(self, scorer: str) -> ModelRef:
        """The model of a scorer. Raises StoreError when the store does not know it."""
        for model in self.models:
            if model.scorer == scorer:
                return model
        known = ", ".join(model.scorer for model in self.models)
        raise StoreError(f"The store has no scorer {scorer!r}.", hint=f"Scorers: {known}.")


def read_facts(con: DuckDBPyConnection) -> StoreFacts:
    """Read the facts; StoreError when the store says nothing about itself."""
    info = con.execute(
        """SELECT study_name, build, inputs, schema_version, frame_step_ms, null_draws, null_seed,
               coalesce(notices, []) FROM store_info"""
    ).fetchone()
    if info is None:
        raise StoreError(
            "The store does not say what it was made from.",
            hint="Build it again with: python -m pipeline run STUDY --stage publish",
        )
    name, build, inputs, version, step_ms, draws, seed, notices = info
    return StoreFacts(
        study_name=name or "Study",
        build=build or "",
        inputs_digest=inputs or "",
        schema_version=int(version),
        frame_step_ms=int(step_ms or 0),
        null_draws=int(draws or 0),
        null_seed=int(seed or 0),
        notices=tuple(notices),
        models=_models(con),
        runs=_runs(con),
        sources=_sources(con),
    )


def _models(con: DuckDBPyConnection) -> tuple[ModelRef, ...]:
    rows = con.execute(
        """SELECT scorer, coalesce(name, ''), coalesce(weights, ''), coalesce(revision, ''),
               coalesce(dim, 0), coalesce(image_size_px, 0), coalesce(preprocess, ''),
               coalesce(precision, ''), default_threshold, coalesce(threshold_source, ''),
               coalesce(base_scorer, ''), coalesce(text_variant, 'raw'),
               coalesce(is_hub_corrected, FALSE)
           FROM models ORDER BY scorer"""
    ).fetchall()
    return tuple(ModelRef(*row) for row in rows)


def _runs(con: DuckDBPyConnection) -> tuple[RunFacts, ...]:
    rows = con.execute(
        """SELECT run_id, started_at, finished_at, coalesce(coview_version, ''),
               coalesce(device, ''), coalesce(versions, '{}'), coalesce(settings, '{}')
           FROM runs ORDER BY finished_at, run_id"""
    ).fetchall()
    return tuple(
        RunFacts(
            run_id, started, finished, version, device, _versions(names), text, _settings(text)
        )
        for run_id, started, finished, version, device, names, text in rows
    )


def _sources(con: DuckDBPyConnection) -> tuple[TranscriptSource, ...]:
    # An imported transcript is named by its kind and its file, a transcriber by its model.
    rows = con.execute(
        """SELECT CASE WHEN starts_with(transcript_source, 'whisper ') THEN transcript_source
                       ELSE split_part(transcript_source, ' ', 1) END AS name, count(*) AS n
           FROM recordings WHERE transcript_source IS NOT NULL AND transcript_source != ''
           GROUP BY 1 ORDER BY n DESC, name"""
    ).fetchall()
    return tuple(TranscriptSource(name, n) for name, n in rows)


def _versions(text: str) -> dict[str, str]:
    return {str(name): str(version) for name, version in _mapping(text).items()}


def _settings(text: str) -> Settings | None:
    # TOML has no null: a setting without a value is left out.
    sections = {
        section: {name: value for name, value in body.items() if value is not None}
        for section, body in _mapping(text).items()
        if isinstance(body, dict)
    }
    try:
        return settings_from_mapping(sections, "the store")
    except SettingsError:
        return None


def _mapping(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
