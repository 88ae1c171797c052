"""The small print: what exactly a number or chart is, in words."""

from __future__ import annotations

import math

import pandas as pd

from dashboard import labels
from dashboard.contrasts import SIGNIFICANT
from dashboard.queries.options import StoreOptions
from dashboard.queries.selection import Measure
from pipeline.schema import NULL_MIN_LAG_MS
from pipeline.stats.bootstrap import Interval

MIN_DRAWN = 20
"""A share of fewer scored utterances is left out of a split."""

FEW_DF = 4.0
"""With fewer degrees of freedom an interval is said to rest on few recordings."""

_ORIGINS = {
    "chosen": "chosen",
    "model": "default of the model",
    "people": "from people: the raters of this study",
    "simulated": "from simulated answers, not from people",
    "z": "default of the z scale",
    "no_default": "default of the z scale, because no threshold is known for this model",
}


def score_axis(measure: Measure) -> str:
    """Axis title of a score, with its unit."""
    return f"{labels.STATISTICS[measure.statistic]} {labels.SCALE_AXES[measure.scale]}"


def undrawn_note(shares: pd.DataFrame, drawn: pd.DataFrame) -> str:
    """How many shares rest on too few utterances to be drawn; empty when none does."""
    n = len(shares) - len(drawn)
    if not n:
        return ""
    return f"{labels.plural(n, 'share')} of fewer than {MIN_DRAWN} utterances not drawn. "


def setting_name(measure: Measure) -> str:
    """Crop, window and statistic in a few words."""
    return labels.setting(measure.crop, measure.window, measure.statistic)


def differing_names(new: Measure, old: Measure) -> tuple[str, str]:
    """What sets two measures apart, named for each: ('Padded crop', 'centre crop')."""
    names: tuple[list[str], list[str]] = ([], [])
    for side, measure, other in ((0, new, old), (1, old, new)):
        if measure.crop != other.crop:
            names[side].append(f"{labels.CROPS[measure.crop].lower()} crop")
        if measure.window != other.window:
            names[side].append(f"{labels.window(measure.window).lower()} window")
        if measure.statistic != other.statistic:
            names[side].append(labels.STATISTICS[measure.statistic].lower())
    first, second = (", ".join(side) for side in names)
    return first[:1].upper() + first[1:], second


def setting_note(measure: Measure) -> str:
    """How the score on this page is made, in one sentence."""
    of = "of the cosines" if measure.scale == "raw" else "of the cosines, as z against chance,"
    return (
        f"Score: {labels.STATISTICS[measure.statistic].lower()} {of} between the words and the "
        f"{labels.window_frames(measure.window)}, {labels.CROPS[measure.crop].lower()} crop, model "
        f"{measure.label}. Highly aligned: a score of {threshold_text(measure)} or more "
        f"({_ORIGINS[measure.threshold_origin]})."
    )


def pair_note(a: Measure, b: Measure) -> str:
    """How the scores of two settings are made, for charts of both."""
    return f"A: {setting_note(a)} B: {setting_note(b)}"


def threshold_text(measure: Measure) -> str:
    """The threshold with its unit: '.24' or 'z = 2'."""
    if measure.scale == "z":
        return f"z = {measure.threshold:g}"
    return f"{measure.threshold:.3g}"


def chance_note(measure: Measure, options: StoreOptions) -> str:
    """How the chance level on this page is made, or why there is none."""
    if not options.has_null:
        return "This store holds no matched null, so there is no chance level."
    if measure.scale == "z":
        return (
            "Chance: the standard normal, which z follows if the null windows of each utterance "
            "are normally distributed."
        )
    if measure.is_free:
        return (
            "No chance level: the matched null is kept for the windows strict, ± 1 s and ± 2 s "
            "only. A wider window holds more frames, so its maximum is higher by chance alone."
        )
    if not measure.has_stored_null:
        return (
            "No chance level: for the mean over frames the store keeps the matched null only as z. "
            "Choose the z scale to see one."
        )
    return (
        f"Chance: the matched null. For each utterance, {options.null_draws} windows with as many "
        "frames from other recordings of the same child (of a child with one recording, from "
        f"over {NULL_MIN_LAG_MS // 1000} s away in it; seed {options.null_seed}); the share "
        "expected above the threshold takes the null of each utterance as normal with its stored "
        "mean and SD."
    )


def interval_note(interval: Interval) -> str:
    """How the interval was made, what it leaves out, and when it is wide for want of recordings."""
    if not interval.is_known and interval.n_fixed < interval.n_clusters:
        return "No interval: a share of 0 or 100 % is the same in every draw of recordings."
    if not interval.is_known:
        return "No interval: it is made by drawing recordings, and no child has two."
    note = (
        f"Interval: 95 %, bootstrap over {labels.plural(interval.n_clusters, 'recording')} within "
        "their children"
    )
    if interval.n_fixed:
        note += f"; {labels.plural(interval.n_fixed, 'child')} with a single recording held fixed"
    if interval.df < FEW_DF:
        note += (
            ". So few recordings say little about how recordings differ, which makes it wide; "
            "it may still be too narrow"
        )
    return note + "."


def excess_note(children: pd.DataFrame) -> str:
    """How many children lie above chance; empty without a null. children: excess, p_holm."""
    n_tested = int(children["p_holm"].notna().sum())
    if not n_tested:
        return ""
    is_above = (children["p_holm"] < SIGNIFICANT) & (children["excess"] > 0)
    return (
        f"Above their own chance level: {int(is_above.sum())} of "
        f"{labels.plural(n_tested, 'child')} (p < .05, corrected for their number by Holm). "
    )


def p_text(p: float) -> str:
    """A p-value in a table: '< .001', '.030', '1', or a dash."""
    if math.isnan(p):
        return labels.NO_VALUE
    if p < 0.001:
        return "< .001"
    return f"{p:.3f}".lstrip("0") if p < 0.9995 else "1"


def p_words(p: float) -> str:
    """A p-value in a sentence: '< .001', '= .030', 'not known'."""
    if math.isnan(p):
        return "not known"
    return p_text(p) if p < 0.001 else f"= {p_text(p)}"
