"""What a score means to people: the chance that raters choose rightly, as a curve over the score.

P(right | score) = g + (1 - g - lapse) logistic(slope (score - threshold)), with g the guessing
rate (1 of 4 options). The ceiling is 1 - lapse, and the threshold is the score at which accuracy is
halfway between chance and the ceiling. The curve is that of raters and items together (the
marginal one): shallower than a single rater's on a single item, as a mixed model gives it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import FitError
from pipeline.stats.crossed import crossed_variance
from pipeline.stats.psychometric_limits import (
    Answers,
    Spread,
    profile_limits,
    spread,
)
from pipeline.stats.psychometric_search import (
    HIGHEST,
    LAPSE,
    LOG_SLOPE,
    LOWEST,
    MOST_LAPSE,
    THRESHOLD,
    Floats,
    Peak,
    Tallies,
    derivatives,
    logistic,
    peak,
    probabilities,
)

Ints = NDArray[np.int64]

FEWEST_RATERS = 3
FEWEST_ITEMS = 6
_ATTEMPT = "Collect more answers, or spread the items over more of the range of scores."


class Beyond(str, Enum):
    """Whether a threshold lies outside the scores that were shown: then only that is known."""

    NO = "no"
    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True)
class Limits:
    """An estimate with its 95 % interval; an infinite limit is one that the answers do not set."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Psychometric:
    """A fitted curve. `threshold` is in units of the score; `slope` in log-odds per unit of it.

    `beyond` says that the threshold lies outside the scores that were shown, `lowest` to
    `highest`; then `threshold` holds no numbers (NaN). `lapse` has NaN limits where it was given.
    `n` answers of `n_raters` to `n_items`. `messages` are sentences for the reader.
    """

    threshold: Limits
    slope: Limits
    lapse: Limits
    chance: float
    beyond: Beyond
    lowest: float
    highest: float
    n: int
    n_raters: int
    n_items: int
    loglik: float
    messages: tuple[str, ...]
    _theta: Floats = field(repr=False, compare=False)
    _spread: Spread = field(repr=False, compare=False)
    _centre: tuple[float, float] = field(repr=False, compare=False)

    @property
    def ceiling(self) -> Limits:
        """The accuracy that the highest scores approach."""
        lapse = self.lapse
        return Limits(1 - lapse.estimate, 1 - lapse.high, 1 - lapse.low)

    @property
    def halfway(self) -> float:
        """Accuracy at the threshold."""
        return (self.chance + 1 - self.lapse.estimate) / 2

    def curve(self, scores: Floats) -> tuple[Floats, Floats, Floats]:
        """P(right) at the scores (m,) and its pointwise 95 % limits, from the clustered
        covariance on the scale of log-odds; never below chance, where no curve lies."""
        mean, sd = self._centre
        x = (scores - mean) / sd
        p = probabilities(x, self._theta, self.chance)
        gradient = derivatives(x, self._theta, self.chance)[:, : len(self._spread.alone)]
        inside = np.clip(p, 1e-9, 1 - 1e-9)
        odds = np.log(inside / (1 - inside))
        wide = self._spread.of(gradient).reach() / (inside * (1 - inside))
        return p, np.maximum(logistic(odds - wide), self.chance), logistic(odds + wide)


def fit_psychometric(
    scores: Floats,
    is_right: NDArray[np.bool_],
    raters: Ints,
    items: Ints,
    *,
    chance: float = 0.25,
    lapse: float | None = None,
) -> Psychometric:
    """The curve of these answers, all (n,); raters and items are any codes.

    `lapse` None is estimated, between 0 and MOST_LAPSE; a number is taken as known. An item has
    one score. Raises FitError with the reason when the answers say nothing about a curve: too few
    raters or items, everything right or as by chance, or accuracy that does not clearly rise.
    """
    if lapse is not None and not 0 <= lapse <= MOST_LAPSE:
        raise ValueError(f"a lapse rate is 0 to {MOST_LAPSE}, not {lapse}")
    rater_codes = np.unique(raters, return_inverse=True)[1].astype(np.int64)
    _, first, item_codes = np.unique(items, return_index=True, return_inverse=True)
    item_codes = item_codes.astype(np.int64)
    of_item = scores[first].astype(np.float64)
    right = is_right.astype(np.float64)
    if not np.array_equal(of_item[item_codes], scores):
        raise ValueError("an item has more than one score")
    _check_shape(of_item, right, rater_codes, chance)
    mean, sd = float(scores.mean()), float(scores.std())
    x = (of_item - mean) / sd
    _check_rise(x, right, rater_codes, item_codes)
    counts = np.bincount(item_codes).astype(np.float64)
    tallies = Tallies(x, np.bincount(item_codes, right).astype(np.float64), counts, chance)
    at = peak(tallies, lapse=lapse)
    answers = Answers(right, rater_codes, item_codes)
    try:
        found = spread(tallies, answers, at, is_lapse_held=lapse is not None)
    except np.linalg.LinAlgError as problem:
        raise _unidentified() from problem
    if not np.isfinite(found.variance.variances).all() or not (found.inflation > 0).all():
        raise _unidentified()
    held = () if lapse is None else (LAPSE,)
    low, high = profile_limits(tallies, at, found, THRESHOLD, held=held)
    flat, steep = profile_limits(tallies, at, found, LOG_SLOPE, held=held)
    lapses = Limits(float(at.theta[LAPSE]), math.nan, math.nan)
    if lapse is None:
        lapses = Limits(lapses.estimate, *profile_limits(tallies, at, found, LAPSE, held=held))
    lowest, highest = float(of_item.min()), float(of_item.max())
    threshold = Limits(
        float(at.theta[THRESHOLD]) * sd + mean,
        low * sd + mean if low > LOWEST[THRESHOLD] else -math.inf,
        high * sd + mean if high < HIGHEST[THRESHOLD] else math.inf,
    )
    beyond = _beyond(threshold.estimate, lowest, highest)
    return Psychometric(
        Limits(math.nan, math.nan, math.nan) if beyond is not Beyond.NO else threshold,
        Limits(
            math.exp(at.theta[LOG_SLOPE]) / sd,
            math.exp(flat) / sd if flat > LOWEST[LOG_SLOPE] else 0.0,
            math.exp(steep) / sd if steep < HIGHEST[LOG_SLOPE] else math.inf,
        ),
        lapses,
        chance,
        beyond,
        lowest,
        highest,
        len(right),
        int(rater_codes.max()) + 1,
        len(of_item),
        at.loglik,
        _messages(at, threshold, (lowest, highest), lapse=lapse),
        at.theta,
        found,
        (mean, sd),
    )


def _check_shape(of_item: Floats, right: Floats, raters: Ints, chance: float) -> None:
    if not len(right):
        raise FitError("There are no answers to fit.", hint="Wait for the first raters.")
    n_raters = int(raters.max()) + 1
    if n_raters < FEWEST_RATERS:
        raise FitError(
            f"{n_raters} rater(s) cannot say how raters differ, so no interval can be given.",
            hint=f"Ask at least {FEWEST_RATERS} raters, better 20.",
        )
    if len(of_item) < FEWEST_ITEMS or len(np.unique(of_item)) < FEWEST_ITEMS:
        raise FitError(
            f"{len(np.unique(of_item))} different score(s) are too few for a curve.",
            hint=f"Use at least {FEWEST_ITEMS} items of different scores, better 40.",
        )
    share = float(right.mean())
    if share == 1:
        raise FitError(
            "Every answer is right, so nothing tells at which score accuracy falls.",
            hint="Add items of lower scores.",
        )
    if share <= chance:
        raise FitError(
            f"Raters were right in {100 * share:.1f} % of answers, no more than chance "
            f"({100 * chance:.0f} %), so there is no rise to place.",
            hint="Add items of higher scores, or look whether raters understood the task.",
        )


def _check_rise(x: Floats, right: Floats, raters: Ints, items: Ints) -> None:
    """Refuse unless accuracy rises with the score beyond what raters and items scatter."""
    from scipy.special import stdtrit

    own = x[items]
    rise = float(own @ right / (own @ own))
    residual = right - right.mean() - rise * own
    spread_of = crossed_variance((own * residual / (own @ own))[:, None], raters, items)
    se, df = math.sqrt(float(spread_of.variances[0])), float(spread_of.df[0])
    if rise > float(stdtrit(df, 0.95)) * se and rise > 0:
        return
    raise FitError(
        "Accuracy does not clearly rise with the score "
        f"({100 * rise:+.1f} points per SD of the score, SE {100 * se:.1f}), so no threshold is "
        "implied.",
        hint=_ATTEMPT,
    )


def _unidentified() -> FitError:
    return FitError(
        "These answers do not tell threshold, slope and ceiling apart.",
        hint=_ATTEMPT,
    )


def _beyond(threshold: float, lowest: float, highest: float) -> Beyond:
    if threshold < lowest:
        return Beyond.BELOW
    return Beyond.ABOVE if threshold > highest else Beyond.NO


def _messages(
    at: Peak, threshold: Limits, shown: tuple[float, float], *, lapse: float | None
) -> tuple[str, ...]:
    lowest, highest = shown
    found = []
    beyond = _beyond(threshold.estimate, lowest, highest)
    if beyond is not Beyond.NO:
        end = lowest if beyond is Beyond.BELOW else highest
        found.append(
            f"Accuracy is halfway between chance and the ceiling at a score {beyond.value} "
            f"{end:.3g}, outside the scores that raters saw ({lowest:.3g} to {highest:.3g})."
        )
    elif threshold.low < lowest or threshold.high > highest:
        found.append("The interval of the threshold reaches beyond the scores that raters saw.")
    if lapse is None and at.theta[LAPSE] >= MOST_LAPSE:
        found.append(
            f"The ceiling was not reached: it was held at {1 - MOST_LAPSE:.2f}, the lowest looked "
            "for."
        )
    elif lapse is None and not at.is_free[LAPSE]:
        found.append("No sign of a ceiling below 1: the lapse rate was estimated as 0.")
    if at.theta[LOG_SLOPE] >= HIGHEST[LOG_SLOPE]:
        found.append(
            "Accuracy rises from chance to the ceiling within a few items: the slope was held at "
            "the steepest looked for."
        )
    if not at.has_converged:
        found.append("The search for the curve did not settle; take its numbers with care.")
    return tuple(found)
