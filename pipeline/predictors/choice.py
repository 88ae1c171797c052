"""Which utterances a model is about, and how they are scored, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.score_columns import CROPS, is_window
from pipeline.score_sql import is_free_window, n_frames_sql, statistic_sql

Value = str | int | float | list[str]

STATISTICS = ("max", "mean")
SCALES = ("raw", "z")

_SCORES = {
    ("max", "raw"): "max_cosine",
    ("mean", "raw"): "mean_cosine",
    ("max", "z"): "z",
    ("mean", "z"): "mean_z",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """Which rows of `scores_wide`: SQL with named parameters ($name) and their values.

    The SQL comes from this program, the values from the person. The default is every row.
    """

    sql: str = "TRUE"
    params: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScoreChoice:
    """One way to score an utterance, the threshold of high alignment, and the rows it is for.

    `window` is stored (strict, 1s, 2s) or free, such as "-3+1"; a free window has no matched null.
    `threshold` is in the unit of the scale. Raises ValueError for what does not exist.
    """

    scorer: str
    crop: str = "center"
    window: str = "strict"
    statistic: str = "max"
    scale: str = "raw"
    threshold: float = 0.24
    condition: Condition = field(default_factory=Condition)

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
        if self.scale == "z" and not self.has_null_window:
            raise ValueError(f"the free window {self.window} has no null, so no z")

    @property
    def has_null_window(self) -> bool:
        """Whether the store keeps a matched null for windows like this one."""
        return not is_free_window(self.window)

    @property
    def score_sql(self) -> str:
        """SQL over scores_wide: the score."""
        return self.sql(_SCORES[self.statistic, self.scale])

    @property
    def n_frames_sql(self) -> str:
        """SQL over scores_wide: frames in the window."""
        return n_frames_sql(self.window)

    def sql(self, statistic: str) -> str:
        """SQL over scores_wide: a statistic of this crop and window; NULL where it has none."""
        return statistic_sql(self.crop, self.window, statistic)
