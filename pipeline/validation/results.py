"""What a 4AFC study says: everything that the page and the report show, from the answer table.

`human_results` counts, in milliseconds; `human_fits` fits the curve and the mixed model, which
takes a second or a minute. Both leave out the same raters and take the same trials.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import FitError
from pipeline.people.trial_records import CHANCE, Part, TrialMode
from pipeline.stats.choice_agreement import RaterAgreement, rater_agreement
from pipeline.stats.mixed.fit import fit_mixed
from pipeline.stats.mixed.result import BINOMIAL, MixedFit
from pipeline.stats.psychometric import Psychometric, fit_psychometric
from pipeline.validation.accuracy import (
    AccuracyRow,
    MainAnswers,
    ModelAgreement,
    PositionRow,
    TimeRow,
    bin_places,
    by_bin,
    by_mode,
    by_position,
    model_agreement,
    overall,
    times,
)
from pipeline.validation.exclusions import DEFAULT_RULE, ExclusionRule, Exclusions, exclusions

if TYPE_CHECKING:
    import pandas as pd


class Scale(str, Enum):
    """What accuracy is explained by: the cosine, or z against the matched null."""

    SCORE = "score"
    Z = "z"


@dataclass(frozen=True, slots=True)
class ResultChoice:
    """Which answers, and by what: `mode` None takes both kinds of trial together. `lapse` None
    has the ceiling of the curve estimated."""

    scale: Scale = Scale.SCORE
    mode: TrialMode | None = None
    rule: ExclusionRule = DEFAULT_RULE
    lapse: float | None = None


@dataclass(frozen=True, slots=True)
class HumanResults:
    """What can be counted. `before` is accuracy with nobody left out, `after` with the rule.

    `bins`, `modes`, `positions`, `times`, `with_model` and `between_raters` are after exclusions;
    modes are both, whichever is chosen. `n_without_value` of the answers have no score (or z) and
    enter no bin and no fit; `n_simulated_raters` of the raters are simulated.
    """

    choice: ResultChoice
    exclusions: Exclusions
    before: AccuracyRow
    after: AccuracyRow
    bins: tuple[AccuracyRow, ...]
    modes: tuple[AccuracyRow, ...]
    positions: tuple[PositionRow, ...]
    times: tuple[TimeRow, ...]
    with_model: ModelAgreement
    between_raters: RaterAgreement | None
    n_without_value: int
    n_simulated_raters: int

    @property
    def chance(self) -> float:
        return CHANCE


@dataclass(frozen=True, slots=True)
class HumanFits:
    """What is fitted: None with a sentence in `problem` where nothing can be.

    `curve_before` is the curve with nobody left out, None where nobody was or it cannot be
    fitted. `mixed` is a logistic mixed model, `formula` in lme4's syntax; unlike the curve it knows
    no guessing, and its slope is that of one rater on one item.
    """

    formula: str
    curve: Psychometric | None
    curve_problem: FitError | None
    curve_before: Psychometric | None
    mixed: MixedFit | None
    mixed_problem: FitError | None


def human_results(table: pd.DataFrame, choice: ResultChoice) -> HumanResults:
    """Count an answer table (see `answer_table`)."""
    left_out = exclusions(table, choice.rule)
    everything = main_answers(table, choice.scale, None)
    before = _of_mode(everything, choice.mode)
    kept = _kept(everything, left_out)
    after = _of_mode(kept, choice.mode)
    places = bin_places(after, own_bins=choice.scale is Scale.SCORE)
    bins = by_bin(after, places)
    between = None
    if after.n:
        between = rater_agreement(
            after.numbers("selected_option").astype(np.int64),
            after.raters,
            after.items,
            is_right=after.is_right,
        )
    simulated = after.numbers("rater_id")[after.numbers("is_simulated") == 1]
    return HumanResults(
        choice,
        left_out,
        overall(before),
        overall(after),
        bins,
        by_mode(kept),
        by_position(after),
        times(after, places, tuple(one.name for one in bins)),
        model_agreement(after),
        between,
        int(np.isnan(after.values).sum()),
        len(np.unique(simulated)),
    )


def human_fits(
    table: pd.DataFrame, choice: ResultChoice, on_step: Callable[[str], None] = lambda _: None
) -> HumanFits:
    """Fit the curve and the mixed model; what cannot be fitted is told, not raised."""
    left_out = exclusions(table, choice.rule)
    before = main_answers(table, choice.scale, choice.mode)
    after = _kept(before, left_out)
    on_step("Fitting the curve")
    curve, curve_problem = _curve(after, choice)
    curve_before = _curve(before, choice)[0] if after.n < before.n else None
    on_step("Fitting the mixed model")
    formula = mixed_formula(choice.scale)
    mixed, mixed_problem = None, None
    try:
        mixed = fit_mixed(mixed_table(after, choice.scale), formula, family=BINOMIAL)
    except FitError as problem:
        mixed_problem = problem
    return HumanFits(formula, curve, curve_problem, curve_before, mixed, mixed_problem)


def mixed_formula(scale: Scale) -> str:
    """The mixed model in lme4's syntax."""
    return f"is_correct ~ {scale.value} + (1 | rater) + (1 | item)"


def fitted_answers(table: pd.DataFrame, choice: ResultChoice) -> MainAnswers:
    """The answers that the results of a choice are made of."""
    return _kept(main_answers(table, choice.scale, choice.mode), exclusions(table, choice.rule))


def mixed_table(answers: MainAnswers, scale: Scale) -> pd.DataFrame:
    """What the mixed model is fitted to: is_correct, score or z, rater and item; rows without a
    value are left out."""
    import pandas as pd

    known = ~np.isnan(answers.values)
    return pd.DataFrame(
        {
            "is_correct": answers.is_right[known].astype(np.int64),
            scale.value: answers.values[known],
            "rater": answers.raters[known].astype(str),
            "item": answers.items[known].astype(str),
        }
    )


def main_answers(table: pd.DataFrame, scale: Scale, mode: TrialMode | None) -> MainAnswers:
    """The answers to main trials of a kind; an item is one of its set."""
    is_main = table["part"] == Part.MAIN.value
    if mode is not None:
        is_main &= table["mode"] == mode.value
    rows = table[is_main]
    return MainAnswers(
        rows,
        np.arange(len(rows)),
        rows[scale.value].to_numpy(np.float64),
        rows["is_correct"].to_numpy(np.float64),
        np.unique(rows["rater_id"], return_inverse=True)[1].astype(np.int64),
        np.asarray(rows.groupby(["set_id", "item"], sort=True).ngroup(), np.int64),
    )


def _kept(answers: MainAnswers, left_out: Exclusions) -> MainAnswers:
    return answers.part(np.isin(answers.numbers("rater_id"), list(left_out.kept_ids)))


def _of_mode(answers: MainAnswers, mode: TrialMode | None) -> MainAnswers:
    if mode is None:
        return answers
    return answers.part(answers.words("mode") == mode.value)


def _curve(
    answers: MainAnswers, choice: ResultChoice
) -> tuple[Psychometric | None, FitError | None]:
    known = ~np.isnan(answers.values)
    if answers.n and not known.any():
        word = "score" if choice.scale is Scale.SCORE else "z"
        return None, FitError(
            f"None of these answers is to an item with a {word}.",
            hint="Answers that were read in need the scores of their items; z needs a store with "
            "the matched null.",
        )
    try:
        return (
            fit_psychometric(
                answers.values[known],
                answers.is_right[known] == 1,
                answers.raters[known],
                answers.items[known],
                chance=CHANCE,
                lapse=choice.lapse,
            ),
            None,
        )
    except FitError as problem:
        return None, problem
