"""What a fitted model says, in sentences for people who do not fit models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.labels import plural
from pipeline.predictors.columns import BY_NAME
from pipeline.predictors.contrasts import Effect, JointTest
from pipeline.stats.mixed.formula import parse_formula
from pipeline.stats.mixed.result import BINOMIAL, MixedFit

_SURE_BELOW = 0.05
_MOST_EFFECTS = 3
_MOST_DECIMALS = 8
_MANY_DF = 1_000
_MANY_LEVELS = {"activity": "activities", "location": "places", "language": "languages"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model explains: its words, its unit, and whether it is a share (0-1), which is
    written in percentage points."""

    words: str
    unit: str
    is_share: bool

    @property
    def axis(self) -> str:
        """Axis title."""
        if self.is_share:
            return "Share of highly aligned utterances (%)"
        return f"{self.words[:1].upper()}{self.words[1:]}" + (
            f" ({self.unit})" if self.unit else ""
        )

    @property
    def difference_axis(self) -> str:
        """Axis title of differences and slopes."""
        if self.is_share:
            return "Difference of shares (percentage points)"
        return f"Difference of the {self.words}" + (f" ({self.unit})" if self.unit else "")

    @property
    def scale(self) -> float:
        """What values are multiplied with to be drawn and written."""
        return 100.0 if self.is_share else 1.0


def outcome_of(formula: str, family: str) -> Outcome:
    """The outcome of a formula. Raises FitError where it cannot be read."""
    parsed = parse_formula(formula)
    name = parsed.response.text
    if parsed.failures is not None or name in ("share", "is_high"):
        return Outcome("share of highly aligned utterances", "", True)
    if family == BINOMIAL:
        return Outcome(name, "", True)
    column = BY_NAME.get(name)
    return Outcome(column.words, column.unit, False) if column else Outcome(name, "", False)


def number(value: float, decimals: int, *, is_signed: bool = False) -> str:
    """'+3.9', with a true minus sign."""
    text = f"{value:+.{decimals}f}" if is_signed else f"{value:.{decimals}f}"
    return text.replace("-", "−")


def decimals_for(lower: float, upper: float) -> int:
    """Decimals that show an interval's half width in two digits."""
    half = (upper - lower) / 2
    if not half > 0 or not math.isfinite(half):
        return 3
    return min(_MOST_DECIMALS, max(0, 1 - math.floor(math.log10(half))))


def amount(outcome: Outcome, estimate: float, lower: float, upper: float, per: str = "") -> str:
    """'+3.9 points for each month [1.8, 6.0]', in the outcome's unit."""
    low, high = outcome.scale * lower, outcome.scale * upper
    decimals = decimals_for(low, high)
    unit = "points" if outcome.is_share else outcome.unit
    size = number(outcome.scale * estimate, decimals, is_signed=True)
    interval = f"[{number(low, decimals)}, {number(high, decimals)}]"
    return " ".join(filter(None, (size, unit, per, interval)))


def p_words(p: float) -> str:
    """'p = .032', 'p < .001'."""
    if math.isnan(p):
        return "p unknown"
    if p < 0.001:
        return "p < .001"
    return f"p = {p:.3f}".replace("0.", ".") if p < 0.9995 else "p > .999"


def sample_size(fit: MixedFit) -> str:
    """'19 children, 1,500 recordings'."""
    return ", ".join(plural(group.n_levels, group.group) for group in fit.groups)


def answer(
    fit: MixedFit, outcome: Outcome, effects: Sequence[Effect], joint: Sequence[JointTest]
) -> tuple[str, ...]:
    """What the model says of the predictors asked about, a sentence for each of the first three,
    the first with the size of the sample."""
    predictors = list(dict.fromkeys(effect.predictor for effect in effects))
    if not predictors:
        return ("The model has no coefficient of what was asked: see its messages.",)
    sentences: list[str] = []
    for predictor in predictors[:_MOST_EFFECTS]:
        own = [effect for effect in effects if effect.predictor == predictor]
        test = next((test for test in joint if test.predictor == predictor), None)
        sentence = _of_levels(outcome, own, test) if test else _of_one(outcome, own[0])
        sentences.append(f"{sentence}." if sentences else f"{sentence}. {sample_size(fit)}.")
    more = len(predictors) - _MOST_EFFECTS
    if more > 0:
        sentences.append(f"{plural(more, 'more predictor')} in the table.")
    return tuple(sentences)


def test_words(test: JointTest) -> str:
    """'F(5, 62.1) = 4.20, p = .002'."""
    if math.isfinite(test.residual_df):
        decimals = 1 if test.residual_df < _MANY_DF else 0
        head = f"F({test.df}, {test.residual_df:,.{decimals}f}) = {test.statistic:.2f}"
    else:
        head = f"χ²({test.df}) = {test.statistic * test.df:.2f}"
    return f"{head}, {p_words(test.p)}"


def _of_one(outcome: Outcome, effect: Effect) -> str:
    is_clear = effect.p < _SURE_BELOW
    is_up = effect.estimate > 0
    per = effect.words if effect.words.startswith("for ") else ""
    size = amount(outcome, effect.estimate, effect.lower, effect.upper, per)
    size = f"{size}, {p_words(effect.p)}"
    if ":" in effect.predictor:
        first, second = (_name(part) for part in effect.predictor.split(":")[:2])
        verb = f"The effect of {first} changes with {second}"
        if not is_clear:
            verb = f"Whether the effect of {first} changes with {second} cannot be told"
        return f"{verb} ({effect.words}): {size}"
    if effect.predictor == "speaker":
        if outcome.is_share and is_clear:
            return (
                f"Adults’ speech is highly aligned {'more' if is_up else 'less'} often than "
                f"children’s: {size}"
            )
        if outcome.is_share:
            return (
                "Whether adults’ or children’s speech is highly aligned more often cannot be "
                f"told: {size}"
            )
        if is_clear:
            return (
                f"Adults’ speech has a {'higher' if is_up else 'lower'} {outcome.words} than "
                f"children’s: {size}"
            )
        return f"Whether adults’ or children’s {outcome.words} is higher cannot be told: {size}"
    if " against " in effect.words:
        return f"{_start(outcome.words)}, {effect.words}: {size}"
    if is_clear:
        rises = "rises" if is_up else "falls"
        return f"The {outcome.words} {rises} with {_name(effect.predictor)}: {size}"
    return (
        f"Whether the {outcome.words} rises or falls with {_name(effect.predictor)} cannot be "
        f"told: {size}"
    )


def _of_levels(outcome: Outcome, effects: Sequence[Effect], test: JointTest) -> str:
    many = _MANY_LEVELS.get(test.predictor, f"levels of {_name(test.predictor)}")
    largest = max(effects, key=lambda effect: abs(effect.estimate))
    size = amount(outcome, largest.estimate, largest.lower, largest.upper)
    if test.p >= _SURE_BELOW:
        return (
            f"Whether the {outcome.words} differs between {many} cannot be told: {test_words(test)}"
        )
    return (
        f"The {outcome.words} differs between {many}: {test_words(test)}; most in "
        f"{largest.words}, {size}"
    )


def _name(predictor: str) -> str:
    return BY_NAME[predictor].words if predictor in BY_NAME else predictor


def _start(text: str) -> str:
    return text[:1].upper() + text[1:]
