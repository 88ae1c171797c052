"""The left side of a formula: numbers, or successes out of trials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import FitError
from pipeline.stats.mixed.columns import codes_of, column_of, is_logical, is_number, levels_of
from pipeline.stats.mixed.design import Floats
from pipeline.stats.mixed.expression import Column, evaluate, is_condition
from pipeline.stats.mixed.formula import Formula


@dataclass(frozen=True, slots=True)
class Response:
    """Response of the used rows, float64 (n,); for binomial models the successes out of
    `trials` (n,).

    `is_used` bool says which of the complete rows these are: rows of counts without any trial
    say nothing. `success` names what is counted, where that needs telling.
    """

    values: Floats
    trials: Floats
    is_used: NDArray[np.bool_]
    success: str = ""

    @property
    def n_without_trials(self) -> int:
        return int((~self.is_used).sum())


def read_response(formula: Formula, rows: pd.DataFrame, *, is_binomial: bool) -> Response:
    """The response in these rows, none of which misses a value. FitError where it cannot be one
    of its family, or does not vary."""
    text = formula.response_text
    if is_binomial:
        found = _counts(formula, rows) if formula.failures is not None else _yes_no(formula, rows)
        share = found.values.sum() / found.trials.sum()
        if share in (0, 1):
            raise FitError(
                f"{text} is {'always' if share else 'never'} a success in these rows, so nothing "
                "can explain it.",
                hint="Choose rows in which both outcomes occur.",
            )
        return found
    if formula.failures is not None:
        raise FitError(
            "cbind(successes, failures) is a response of binomial models.",
            hint="Choose the family binomial.",
        )
    values = evaluate(formula.response, rows)
    if values.min() == values.max():
        raise FitError(
            f"{text} has the same value ({values[0]:.6g}) in every row, so nothing can explain it.",
            hint="Choose rows in which it varies.",
        )
    return Response(values, np.ones(len(values)), np.ones(len(values), dtype=bool))


def _counts(formula: Formula, rows: pd.DataFrame) -> Response:
    if formula.failures is None:
        raise ValueError("the formula has no counts")
    successes, failures = evaluate(formula.response, rows), evaluate(formula.failures, rows)
    for part, counts in ((formula.response, successes), (formula.failures, failures)):
        if (counts < 0).any() or not np.allclose(counts, np.round(counts), atol=1e-6):
            raise FitError(
                f"{part.text} holds values that are no counts.",
                hint="cbind() takes two columns of whole numbers: successes and failures.",
            )
    trials = np.round(successes) + np.round(failures)
    is_used = trials > 0
    if not is_used.any():
        raise FitError("No row has a success or a failure.", hint="Choose rows with counts.")
    return Response(np.round(successes)[is_used], trials[is_used], is_used)


def _yes_no(formula: Formula, rows: pd.DataFrame) -> Response:
    text, n = formula.response.text, len(rows)
    everything = np.ones(n, dtype=bool)
    if isinstance(formula.response, Column):
        column = column_of(rows, formula.response.name)
        if not (is_number(column) or is_logical(column)):
            levels = levels_of(column)
            if len(levels) != 2:
                raise FitError(
                    f"{text} has {len(levels)} different values; a binomial model needs two.",
                    hint="Make a column of 0 and 1, or give counts: cbind(successes, failures).",
                )
            values = codes_of(column, levels).astype(np.float64)
            return Response(values, np.ones(n), everything, levels[1])
    values = evaluate(formula.response, rows)
    if not is_condition(formula.response, rows) and not np.isin(values, (0, 1)).all():
        odd = values[~np.isin(values, (0, 1))][0]
        raise FitError(
            f"{text} holds {odd:.6g}; a binomial model needs 0 and 1.",
            hint="For shares give the counts: cbind(successes, failures) ~ ...",
        )
    return Response(values, np.ones(n), everything)
