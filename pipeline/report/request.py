"""What a report is asked to be about, and what that means in one store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from duckdb import DuckDBPyConnection

from pipeline.errors import SettingsError, StoreError
from pipeline.exchange.export_request import ExportRequest, resolve
from pipeline.exchange.facts import StoreFacts
from pipeline.exchange.selection import DEFAULT_Z_THRESHOLD, ScoreSetting, Selection
from pipeline.people.thresholds import ChosenThreshold, threshold_origin
from pipeline.predictors.choice import SCALES, STATISTICS, Condition, ScoreChoice
from pipeline.schema import WINDOWS

_LARGEST_COSINE = 1.0


@dataclass(frozen=True, slots=True)
class ReportScope:
    """Which utterances and recordings: conditions over `scores_wide` and over `recordings`."""

    selection: Selection = field(default_factory=Selection)
    utterances: Condition = field(default_factory=Condition)
    recordings: Condition = field(default_factory=Condition)


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """One report: how scores are made, what it is about, the day that stands in it.

    Models take most of the time that a large study needs; they can be left out.
    """

    setting: ScoreSetting
    scope: ReportScope = field(default_factory=ReportScope)
    with_models: bool = True
    made_on: date = field(default_factory=date.today)

    @property
    def choice(self) -> ScoreChoice:
        """The setting with its utterances, from which SQL is made."""
        return ScoreChoice(
            self.setting.scorer,
            self.setting.crop,
            self.setting.window,
            self.setting.statistic,
            self.setting.scale,
            self.setting.threshold,
            self.scope.utterances,
        )


@dataclass(frozen=True, slots=True)
class SettingWishes:
    """What a person says about scores; what is empty takes its default."""

    scorer: str = ""
    crop: str = ""
    window: str = ""
    statistic: str = ""
    scale: str = ""
    threshold: float | None = None

    def __post_init__(self) -> None:
        for option, value, allowed in (
            ("--statistic", self.statistic, STATISTICS),
            ("--scale", self.scale, SCALES),
        ):
            if value and value not in allowed:
                raise SettingsError(
                    f"There is no {option} {value!r}.", hint=f"Choose {' or '.join(allowed)}."
                )


def resolve_setting(
    con: DuckDBPyConnection,
    wishes: SettingWishes,
    thresholds: Mapping[str, ChosenThreshold] | None = None,
) -> tuple[StoreFacts, ScoreSetting]:
    """The facts of the store and the setting that is meant, as the dashboard would choose it.

    `thresholds` are those that people gave, by scorer; they go before the models' own. A model
    without a known threshold is judged on the z scale, unless a threshold is given. Raises
    SettingsError for a crop, window or threshold that does not exist, StoreError for a scorer that
    the store does not have.
    """
    request = ExportRequest("csv", scorer=wishes.scorer, crop=wishes.crop, window=wishes.window)
    found = resolve(con, request, thresholds)
    model = found.facts.model(found.score.scorer)
    window, threshold = found.score.window, wishes.threshold
    scale, origin = wishes.scale or "raw", "chosen"
    if scale == "raw" and threshold is None and model.default_threshold is None:
        scale, origin = "z", "no_default"
    elif threshold is None:
        origin = threshold_origin(model) if scale == "raw" else "z"
    if scale == "z" and window not in WINDOWS:
        raise SettingsError(
            f"The window {window} has no null, so there is no z"
            + (f", and no threshold is known for {model.scorer}." if not wishes.scale else "."),
            hint=f"Choose {', '.join(WINDOWS)}, or give a cosine with --threshold.",
        )
    if threshold is None:
        threshold = DEFAULT_Z_THRESHOLD if scale == "z" else model.default_threshold
    assert threshold is not None
    if scale == "raw" and model.dim and abs(threshold) > _LARGEST_COSINE:
        raise SettingsError(
            f"--threshold is {threshold:g}, but scores of {model.scorer} are cosines.",
            hint="Choose a number from -1 to 1, such as 0.24.",
        )
    statistic = wishes.statistic or "max"
    setting = ScoreSetting(
        model.scorer, found.score.crop, window, statistic, scale, threshold, origin
    )
    return found.facts, setting


def check_scores(n_utterances: int) -> None:
    """Raise StoreError when there is nothing to report on."""
    if not n_utterances:
        raise StoreError(
            "There is no utterance to report on.",
            hint="Add transcripts and run the study, or take a filter off.",
        )
