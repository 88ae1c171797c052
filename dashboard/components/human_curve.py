"""Accuracy over the score, and the threshold that people imply."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.charts.human_accuracy import Curve, Level, accuracy_by_score
from dashboard.components.figure import current_look, show_figure
from dashboard.components.human_choice import HumanChoice
from dashboard.components.human_words import counts, score_title, setting_words
from pipeline.published import PUBLISHED_VOCABULARY
from pipeline.stats.psychometric import Psychometric
from pipeline.validation.results import HumanFits, HumanResults, Scale

LEVELS_STATE = "human_levels"
"""Whether published levels are drawn: a toggle of the page."""

_POINTS = 121
_LEVELS = (
    Level(PUBLISHED_VOCABULARY[0].accuracy, "4 years .59"),
    Level(PUBLISHED_VOCABULARY[1].accuracy, ""),
    Level(PUBLISHED_VOCABULARY[2].accuracy, "7 and 10 years .72, .74"),
    Level(PUBLISHED_VOCABULARY[3].accuracy, "adults .94"),
)


def accuracy_curve(choice: HumanChoice, results: HumanResults, fits: HumanFits | None) -> None:
    """The chart with its table; published levels unless they are taken off."""
    scale = choice.results.scale
    st.subheader(
        "Right choices by score" if scale is Scale.SCORE else "Right choices by z", anchor=False
    )
    has_levels = bool(st.session_state.get(LEVELS_STATE, True))
    fitted = fits.curve if fits is not None else None
    show_figure(
        accuracy_by_score(
            _bins(results),
            curve=None if fitted is None else drawn_curve(fitted),
            chance=results.chance,
            levels=_LEVELS if has_levels else (),
            x_title=score_title(choice),
            look=current_look(),
        ),
        key="human_accuracy",
        title=f"Right choices of four by {'score' if scale is Scale.SCORE else 'z'}",
        caption=f"{counts(results)} Dots: bins of the score, at the mean of their answers; "
        "intervals clustered by rater and item (none for a bin of one item, or where all or no "
        "answers are right). Curve: chance + (ceiling - chance) × logistic. "
        + (
            "Thin lines: people in a published picture vocabulary task with four options; another "
            "task, for orientation only. "
            if has_levels
            else ""
        )
        + ("SIMULATED answers." if choice.is_simulated else ""),
        setting=setting_words(choice),
        subject="",
        table=_table(results),
    )


def drawn_curve(fitted: Psychometric) -> Curve:
    """A fitted curve at points over the scores that were shown."""
    scores = np.linspace(fitted.lowest, fitted.highest, _POINTS)
    accuracy, low, high = fitted.curve(scores)
    threshold = fitted.threshold
    return Curve(
        scores,
        accuracy,
        low,
        high,
        fitted.ceiling.estimate,
        threshold.estimate,
        threshold.low,
        threshold.high,
    )


def curve_words(fits: HumanFits, scale: Scale) -> str:
    """Threshold, slope and ceiling with intervals, or why there are none."""
    if fits.curve is None:
        assert fits.curve_problem is not None
        return f"**No threshold.** {fits.curve_problem}"
    curve = fits.curve
    unit = "cosine" if scale is Scale.SCORE else "z"
    slope, ceiling = curve.slope, curve.ceiling
    said = (
        f"Slope {slope.estimate:.3g} log-odds per unit of {unit} (95 % {span(slope.low)} to "
        f"{span(slope.high)}); ceiling {labels.percent(ceiling.estimate)} "
        f"({labels.percent_range(ceiling.low, ceiling.high)}). "
    )
    if not math.isnan(curve.threshold.estimate):
        said += (
            f"At the threshold raters are right in {labels.percent(curve.halfway)} of trials, "
            f"halfway between chance ({labels.percent(curve.chance, 0)}) and the ceiling. "
        )
    return said + " ".join(curve.messages)


def threshold_words(curve: Psychometric) -> str:
    """'.241 (95 % .232 to .250)', or as a bound."""
    if math.isnan(curve.threshold.estimate):
        end = curve.lowest if curve.beyond.value == "below" else curve.highest
        return f"{curve.beyond.value} {end:.3g}"
    limits = curve.threshold
    return f"{limits.estimate:.3f} (95 % {span(limits.low)} to {span(limits.high)})"


def span(limit: float) -> str:
    """A limit, or that there is none."""
    return "no limit" if math.isinf(limit) else f"{limit:.3g}"


def _bins(results: HumanResults) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "middle": [one.middle for one in results.bins],
            "people": [one.people.estimate for one in results.bins],
            "people_low": [one.people.low for one in results.bins],
            "people_high": [one.people.high for one in results.bins],
            "model": [one.model.estimate for one in results.bins],
            "n": [one.people.n for one in results.bins],
            "n_raters": [one.people.n_raters for one in results.bins],
            "n_items": [one.people.n_items for one in results.bins],
        }
    )


def _table(results: HumanResults) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "From": [one.low for one in results.bins],
            "To": [one.high for one in results.bins],
            "Mean": [one.middle for one in results.bins],
            "People right": [one.people.estimate for one in results.bins],
            "95 % from": [one.people.low for one in results.bins],
            "95 % to": [one.people.high for one in results.bins],
            "Model right": [one.model.estimate for one in results.bins],
            "Model 95 % from": [one.model.low for one in results.bins],
            "Model 95 % to": [one.model.high for one in results.bins],
            "Chance": [results.chance for _ in results.bins],
            "Answers": [one.people.n for one in results.bins],
            "Raters": [one.people.n_raters for one in results.bins],
            "Items": [one.people.n_items for one in results.bins],
        }
    )
