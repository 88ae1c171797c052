"""The small print of numbers about raters: n, what the score is, what chance is."""

from __future__ import annotations

import math

from dashboard import labels
from dashboard.components.human_choice import MODES, HumanChoice
from pipeline.stats.crossed import CrossedInterval
from pipeline.validation.results import HumanResults, Scale


def share_words(found: CrossedInterval) -> str:
    """'62.1 % (95 % 52.6 to 70.7 %)'."""
    if not found.is_known:
        return labels.percent(found.estimate)
    return f"{labels.percent(found.estimate)} (95 % {labels.percent_range(found.low, found.high)})"


def size_words(found: CrossedInterval) -> str:
    """How many answers, raters and items a number rests on."""
    return (
        f"n = {labels.plural(found.n, 'answer')} of {labels.plural(found.n_raters, 'rater')} to "
        f"{labels.plural(found.n_items, 'item')}"
    )


def counts(results: HumanResults) -> str:
    """What the page's numbers rest on, in a sentence or two."""
    mode = results.choice.mode
    said = f"{size_words(results.after.people)}, {MODES[mode.value if mode else 'all'].lower()}."
    if results.exclusions.n_excluded:
        said += f" {labels.plural(results.exclusions.n_excluded, 'rater')} left out."
    if results.n_without_value:
        said += (
            f" {labels.plural(results.n_without_value, 'answer')} without this score enter no bin "
            "and no fit."
        )
    return said


def score_title(choice: HumanChoice) -> str:
    """Axis title of the score of the sets."""
    if choice.results.scale is Scale.Z:
        return "z of the right option (SD of the matched null)"
    return "Cosine of the right option"


def setting_words(choice: HumanChoice) -> str:
    """How the scores of the sets were made."""
    names = ", ".join(one.set.name for one in choice.sets)
    crop, window, statistic = choice.setting
    if not crop or not window or not statistic:
        return f"Sets: {names}. How their scores were made differs or is not known."
    return (
        f"Sets: {names}. Score: {labels.setting(crop, window, statistic).lower()}, model "
        f"{choice.scorer or 'not known'}."
    )


def seconds(milliseconds: float) -> str:
    """2413.2 -> '2.41 s'; a dash where no time was measured."""
    return labels.NO_VALUE if math.isnan(milliseconds) else f"{milliseconds / 1000:.2f} s"
