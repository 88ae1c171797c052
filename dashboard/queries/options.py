"""What a store offers to choose from: children, ages, speakers, models, crops."""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from pipeline.errors import StoreError
from pipeline.records import ModelRef
from pipeline.schema import SCHEMA_VERSION, UTTERANCE_FLAGS
from pipeline.score_settings import ScorerSetting
from pipeline.sound_tables import QUADRANTS
from pipeline.store.store_facts import NAMES, StoreFacts, store_facts

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
    return options_of(store_facts(con))


def options_of(facts: StoreFacts) -> StoreOptions:
    """What can be chosen in a store of which these facts are known."""
    children, speakers, activities, locations, languages, quadrants = (
        tuple(filter(None, facts.names[name])) for name in NAMES
    )
    return StoreOptions(
        study_name=facts.study_name,
        build=facts.build,
        frame_step_ms=facts.frame_step_ms,
        null_draws=facts.null_draws,
        null_seed=facts.null_seed,
        children=children,
        speakers=speakers,
        activities=activities,
        locations=locations,
        languages=languages,
        quadrants=tuple(q for q in QUADRANTS if q in quadrants),
        flags=tuple(flag for bit, flag in enumerate(UTTERANCE_FLAGS) if facts.flag_bits >> bit & 1),
        min_age_days=facts.min_age_days,
        max_age_days=facts.max_age_days,
        has_logprob=facts.has_logprob,
        models=facts.models,
        crops=facts.crops,
        has_null=facts.has_null,
    )
