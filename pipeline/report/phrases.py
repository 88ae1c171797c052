"""Phrases that several sections use: intervals, settings, what chance is."""

from __future__ import annotations

import math

from pipeline import labels
from pipeline.exchange.facts import StoreFacts
from pipeline.exchange.selection import ScoreSetting
from pipeline.records import ModelRef
from pipeline.report.document import decimal
from pipeline.schema import NULL_MIN_LAG_MS, WINDOWS
from pipeline.stats.bootstrap import Interval

BY_RECORDING = "95 % intervals: bootstrap of recordings within each child."


def axis_title(setting: ScoreSetting, model: ModelRef) -> str:
    """'Maximum cosine of words and frames'."""
    if not model.dim:
        return f"Score of {setting.scorer}"
    return f"{labels.STATISTICS[setting.statistic]} {labels.SCALE_AXES[setting.scale]}"


def threshold(setting: ScoreSetting) -> str:
    """The threshold with its unit: '0.24' or 'z = 2'."""
    number = f"{setting.threshold:g}"
    return f"z = {number}" if setting.scale == "z" else number


def score(setting: ScoreSetting, model: ModelRef) -> str:
    """How the score is made: 'the maximum cosine of its words with the frames during it'."""
    if not model.dim:
        return "its imported score"
    scale = "cosine" if setting.scale == "raw" else "cosine (as z against chance)"
    return (
        f"the {labels.STATISTICS[setting.statistic].lower()} {scale} between its words and the "
        f"{labels.window_frames(setting.window)}"
    )


def setting_words(setting: ScoreSetting, model: ModelRef) -> str:
    """'demo-clip, centre crop, strict window, maximum; highly aligned from 0.12'."""
    if not model.dim:
        return f"{setting.scorer} (imported); highly aligned from {threshold(setting)}"
    words = labels.setting(setting.crop, setting.window, setting.statistic)
    words = words[:1].lower() + words[1:]
    return f"{model.label}, {words}; highly aligned from {threshold(setting)}"


def interval(found: Interval) -> str:
    """' (95 % interval 11.7 to 17.0 %)', or why there is none."""
    if found.is_known:
        return f" (95 % interval {labels.percent_range(found.low, found.high)})"
    return f" ({no_interval(found)})"


def no_interval(found: Interval) -> str:
    """Why a share has no interval."""
    if found.n_fixed < found.n_clusters:
        return "no interval, because a share of 0 or 100 % is the same in every draw"
    return "no interval, because no child has two recordings to draw from"


def chance(facts: StoreFacts, setting: ScoreSetting, *, is_known: bool) -> str:
    """What chance is here, or why there is none."""
    if not is_known:
        return no_chance(facts, setting)
    if setting.scale == "z":
        return (
            "Chance: the standard normal, which z follows if the null windows of each utterance "
            "are normally distributed."
        )
    return (
        f"Chance: the matched null, {facts.null_draws} windows with as many frames from other "
        "recordings of the same child (of a child with one recording, from over "
        f"{NULL_MIN_LAG_MS // 1000} s away in it)."
    )


def no_chance(facts: StoreFacts, setting: ScoreSetting) -> str:
    """Why there is no chance level."""
    if setting.window not in WINDOWS:
        return (
            "There is no chance level: the matched null is kept for the windows strict, ± 1 s and "
            "± 2 s only."
        )
    if setting.statistic == "mean" and setting.scale == "raw":
        return (
            "There is no chance level: for the mean over frames the store keeps the matched null "
            "only as z."
        )
    return "There is no chance level: the store holds no matched null for these scores."


def points(value: float) -> str:
    """0.087 -> '8.7 percentage points'."""
    return f"{decimal(100 * value, 1)} percentage points"


def p_value(p: float) -> str:
    """'< .001' or '.023'."""
    if math.isnan(p):
        return labels.NO_VALUE
    return "< .001" if p < 0.001 else f"{p:.3f}"[1:] if p < 0.9995 else "1.000"
