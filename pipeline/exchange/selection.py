"""Which utterances an export holds and how they are scored, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.schema import WINDOWS
from pipeline.score_columns import window_seconds

DEFAULT_Z_THRESHOLD = 2.0
"""From how many SD above chance a moment counts as highly aligned, where no cosine is known."""

FieldValue = str | int | float | list[str] | None

_CROPS = {
    "center": "the middle square of the frame",
    "pad": "the whole frame with black borders",
    "squash": "the whole frame, squashed to a square",
    "multi": "overlapping squares that cover the frame, the best of which counts",
}


@dataclass(frozen=True, slots=True)
class ScoreSetting:
    """How a score is made.

    `threshold_origin`: "chosen" by the person, "people" from the study's raters, "simulated" from
    simulated ones, "model" default of the model, "z" default of the z scale, "no_default" the same
    because the model has no known threshold.
    """

    scorer: str
    crop: str
    window: str
    statistic: str
    scale: str
    threshold: float
    threshold_origin: str = "chosen"

    @property
    def score_name(self) -> str:
        """Name of the score's column, which carries its unit."""
        return f"{self.statistic}_cosine" if self.scale == "raw" else f"{self.statistic}_z_sd"

    @property
    def has_null(self) -> bool:
        """Whether a matched null belongs to the window: only to the stored ones."""
        return self.window in WINDOWS

    @property
    def crop_words(self) -> str:
        return _CROPS[self.crop]

    @property
    def window_words(self) -> str:
        before_s, after_s = window_seconds(self.window)
        if not before_s and not after_s:
            return "during the utterance"
        return f"from {before_s} s before to {after_s} s after the utterance"


@dataclass(frozen=True, slots=True)
class Selection:
    """The filters in force, in words and as fields; the default is everything."""

    words: str = "all of the study"
    fields: Mapping[str, FieldValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SelectionCounts:
    """How much the filters leave. `total_ms` is the summed length of the recordings.

    `n_scored` have a score under the setting, `n_high` of these reach the threshold.
    """

    n_children: int
    n_recordings: int
    total_ms: int
    n_utterances: int
    n_scored: int
    n_high: int
