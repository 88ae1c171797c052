"""What a person asks to export, and what of the store that means."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import duckdb
from duckdb import DuckDBPyConnection

from pipeline.errors import SettingsError, StoreError
from pipeline.exchange.facts import StoreFacts, read_facts
from pipeline.exchange.scored_recordings import RecordingFacts, ScoreChoice, read_recordings
from pipeline.exchange.selection import DEFAULT_Z_THRESHOLD, ScoreSetting
from pipeline.exchange.subtitles import ScoresIn
from pipeline.people.thresholds import ChosenThreshold, threshold_origin, with_chosen
from pipeline.schema import CROPS, SCHEMA_VERSION, WINDOWS
from pipeline.score_columns import is_window

FORMATS: dict[str, str] = {
    "eaf": "ELAN files",
    "textgrid": "Praat TextGrids",
    "srt": "SubRip subtitles",
    "vtt": "WebVTT subtitles",
    "childproject": "a ChildProject annotation set",
    "psychds": "a Psych-DS dataset",
    "csv": "CSV tables",
    "parquet": "Parquet tables",
}
RECORDING_FORMATS = ("eaf", "textgrid", "srt", "vtt")
TABLE_FORMATS = ("csv", "parquet")
_REBUILD = "Build it again with: python -m pipeline run STUDY --stage publish"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What was asked for; an empty field asks for everything, or for the default."""

    export_format: str
    children: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    scorer: str = ""
    crop: str = ""
    window: str = ""
    tables: tuple[str, ...] = ()
    scores_in: str = ""
    with_text: bool = True

    def __post_init__(self) -> None:
        """Refuse what the format cannot do: an option without effect misleads."""
        _one_of("format", self.export_format, tuple(FORMATS))
        _one_of("crop", self.crop, ("", *CROPS))
        _one_of("place for scores", self.scores_in, ("", *(place.value for place in ScoresIn)))
        if self.window and not is_window(self.window):
            raise SettingsError(
                f"There is no window {self.window!r}.",
                hint=f"Choose {', '.join(WINDOWS)}, or seconds before and after such as -3+1.",
            )
        for option, is_given, formats in (
            ("--table", bool(self.tables), TABLE_FORMATS),
            ("--scores", bool(self.scores_in), ("srt", "vtt")),
            ("--no-text", not self.with_text, ("childproject", "psychds")),
        ):
            if is_given and self.export_format not in formats:
                raise SettingsError(
                    f"{option} has no meaning for {self.export_format}.",
                    hint=f"It is for {' and '.join(formats)}.",
                )
        if self.export_format == "srt" and self.scores_in == ScoresIn.NOTES.value:
            raise SettingsError(
                "SubRip files have no notes.", hint="Write --scores text, or --to vtt."
            )

    @property
    def words(self) -> str:
        """The choice of recordings in words."""
        parts = [
            f"{title}: {', '.join(names)}"
            for title, names in (("Child", self.children), ("Recording", self.recordings))
            if names
        ]
        return "; ".join(parts) or "all of the study"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A request against one store: its facts, the recordings meant, the score meant."""

    request: ExportRequest
    facts: StoreFacts
    recordings: tuple[RecordingFacts, ...]
    score: ScoreChoice


def resolve(
    con: DuckDBPyConnection,
    request: ExportRequest,
    thresholds: Mapping[str, ChosenThreshold] | None = None,
) -> Resolved:
    """Look up what the request means. Raises StoreError for what the store does not have.

    Without a scorer, the first model that is not imported is meant, as in the dashboard.
    `thresholds` are those that people gave, by scorer; they go before the models' own.
    """
    try:
        facts = read_facts(con)
        facts = replace(facts, models=with_chosen(facts.models, thresholds or {}))
    except duckdb.Error as problem:
        raise StoreError("The store is not one of this Coview.", hint=_REBUILD) from problem
    if facts.schema_version != SCHEMA_VERSION:
        raise StoreError(
            f"The store has tables of version {facts.schema_version}; this Coview reads version "
            f"{SCHEMA_VERSION}.",
            hint=_REBUILD,
        )
    if not facts.models:
        raise StoreError("The store does not name the model of its scores.", hint=_REBUILD)
    recordings = read_recordings(con, request.children, request.recordings)
    models = sorted(facts.models, key=lambda model: (model.weights == "imported", model.scorer))
    choice = ScoreChoice(
        facts.model(request.scorer).scorer if request.scorer else models[0].scorer,
        request.crop or "center",
        request.window or "strict",
    )
    return Resolved(request, facts, recordings, choice)


def score_setting(facts: StoreFacts, choice: ScoreChoice) -> ScoreSetting | None:
    """The maximum cosine and the threshold that goes with it, for the methods paragraph.

    A model without a known threshold is judged on the z scale; None where there is no z either.
    """
    model = facts.model(choice.scorer)
    chosen = (choice.scorer, choice.crop, choice.window, "max")
    if model.default_threshold is not None:
        return ScoreSetting(*chosen, "raw", model.default_threshold, threshold_origin(model))
    if choice.window in WINDOWS:
        return ScoreSetting(*chosen, "z", DEFAULT_Z_THRESHOLD, "no_default")
    return None


def _one_of(noun: str, value: str, known: tuple[str, ...]) -> None:
    if value in known:
        return
    near = difflib.get_close_matches(value, known, n=1)
    listed = ", ".join(name for name in known if name)
    raise SettingsError(
        f"There is no {noun} {value!r}.",
        hint=f"Did you mean {near[0]}?" if near else f"Choose one of: {listed}.",
    )
