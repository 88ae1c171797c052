"""From columns of a table to columns of a model, coded and named as R does it.

Text, categories and true/false become treatment contrasts: one column for each level but the
first. A term keeps all levels where the term without that factor is not in the model (R's
`model.matrix`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd
from pandas.api import types

from pipeline.errors import FitError
from pipeline.stats.mixed.columns import (
    FALSE,
    MISSING,
    TRUE,
    codes_of,
    column_of,
    is_number,
    labels_of,
    levels_of,
)
from pipeline.stats.mixed.design import Floats
from pipeline.stats.mixed.expression import (
    FACTORS,
    Call,
    Column,
    Expression,
    column_names,
    evaluate,
    is_condition,
    settle,
)
from pipeline.stats.mixed.formula import Terms, Variable

INTERCEPT_NAME = "(Intercept)"
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class CodedVariable:
    """A variable ready to be computed from rows: `levels` are none for a number."""

    text: str
    expression: Expression
    levels: tuple[str, ...]

    @property
    def is_factor(self) -> bool:
        return bool(self.levels)


@dataclass(frozen=True, slots=True)
class CodedTerm:
    """`variables` are places among the coding's variables; `is_full` says for each whether all
    its levels get a column."""

    variables: tuple[int, ...]
    is_full: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class FixedCoding:
    """Turns rows into model columns.

    `is_kept` bool (k,) marks the columns that others do not determine; None before that is known.
    """

    has_intercept: bool
    variables: tuple[CodedVariable, ...]
    terms: tuple[CodedTerm, ...]
    is_kept: tuple[bool, ...] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of a table that are read."""
        names = (name for v in self.variables for name in column_names(v.expression))
        return tuple(dict.fromkeys(names))

    def names(self) -> tuple[str, ...]:
        """Names of the model columns, without those left out."""
        found = [INTERCEPT_NAME] if self.has_intercept else []
        for term in self.terms:
            found.extend(self._term_names(term))
        return tuple(_kept(found, self.is_kept))

    def term_sizes(self) -> tuple[int, ...]:
        """Number of columns of each term, the intercept first where there is one."""
        sizes = [len(self._term_names(term)) for term in self.terms]
        return (1, *sizes) if self.has_intercept else tuple(sizes)

    def matrix(self, table: pd.DataFrame) -> Floats:
        """Model columns float64 (n, k), NaN where a value is missing.

        Raises FitError for a column that is not there or a level the model does not know.
        """
        values = [_values(variable, table) for variable in self.variables]
        found = [np.ones(len(table))] if self.has_intercept else []
        for term in self.terms:
            columns = [np.ones(len(table))]
            for place, is_full in zip(term.variables, term.is_full, strict=True):
                own = values[place]
                own = own if is_full or not self.variables[place].is_factor else own[:, 1:]
                # The first variable varies fastest, as in R.
                columns = [own_column * column for own_column in own.T for column in columns]
            found.extend(columns)
        kept = _kept(found, self.is_kept)
        return np.column_stack(kept) if kept else np.zeros((len(table), 0))

    def without(self, is_kept: Sequence[bool]) -> FixedCoding:
        return replace(self, is_kept=tuple(is_kept))

    def _term_names(self, term: CodedTerm) -> list[str]:
        names = [""]
        for i, (place, is_full) in enumerate(zip(term.variables, term.is_full, strict=True)):
            variable = self.variables[place]
            levels = variable.levels if is_full else variable.levels[1:]
            own = [f"{variable.text}{level}" for level in levels] or [variable.text]
            names = [f"{name}:{part}" if i else part for part in own for name in names]
        return names


def make_coding(terms: Terms, rows: pd.DataFrame, table: pd.DataFrame) -> FixedCoding:
    """Coding of these terms with the levels found in the rows that are used.

    `scale()` takes mean and SD of the whole table, as R does before it leaves rows out.
    Raises FitError for a column that is missing, of an unusable kind, or the same in every row.
    """
    found: dict[str, CodedVariable] = {}
    for term in terms.terms:
        for variable in term:
            if variable.text not in found:
                found[variable.text] = _coded(variable, rows, table)
    order = {text: place for place, text in enumerate(found)}
    present = {frozenset(variable.text for variable in term) for term in terms.terms}
    # An empty margin counts as there: R gives all levels to the first factor alone, below.
    present.add(frozenset())
    coded = []
    is_first_factor = not terms.has_intercept
    for term in terms.terms:
        texts = frozenset(variable.text for variable in term)
        is_full = []
        for variable in term:
            is_whole = texts - {variable.text} not in present
            if is_first_factor and found[variable.text].is_factor:
                is_whole, is_first_factor = True, False
            is_full.append(is_whole and found[variable.text].is_factor)
        coded.append(CodedTerm(tuple(order[v.text] for v in term), tuple(is_full)))
    return FixedCoding(terms.has_intercept, tuple(found.values()), tuple(coded))


def _coded(variable: Variable, rows: pd.DataFrame, table: pd.DataFrame) -> CodedVariable:
    if isinstance(variable, Call) and variable.function in FACTORS:
        if not isinstance(variable.argument, Column):
            raise FitError(
                f"{variable.text} cannot be computed.",
                hint=f"{variable.function}() takes one column.",
            )
        levels = levels_of(column_of(rows, variable.argument.name))
        return _checked(CodedVariable(variable.text, variable, levels))
    if isinstance(variable, Column):
        values = column_of(rows, variable.name)
        if types.is_datetime64_any_dtype(values.dtype) or types.is_timedelta64_dtype(values.dtype):
            raise FitError(
                f"{variable.name} holds dates, which a model cannot use.",
                hint="Make a number of them, such as the age in days.",
            )
        if not is_number(values):
            return _checked(CodedVariable(variable.text, variable, levels_of(values)))
    if is_condition(variable, rows):
        return _checked(_condition(variable, rows))
    found = CodedVariable(variable.text, settle(variable, table), ())
    numbers = evaluate(found.expression, rows)
    if len(numbers) and numbers.min() == numbers.max():
        raise FitError(
            f"{variable.text} has the same value ({numbers[0]:.6g}) in every row, so its effect "
            "cannot be estimated.",
            hint=f"Leave {variable.text} out of the formula, or choose rows in which it varies.",
        )
    return found


def _condition(variable: Variable, rows: pd.DataFrame) -> CodedVariable:
    met = np.unique(evaluate(variable, rows))
    return CodedVariable(variable.text, variable, tuple(TRUE if v else FALSE for v in met))


def _checked(variable: CodedVariable) -> CodedVariable:
    if len(variable.levels) < 2:
        only = f" ({variable.levels[0]})" if variable.levels else ""
        raise FitError(
            f"{variable.text} has only one value{only} in these rows, so there is nothing to "
            "compare.",
            hint=f"Leave {variable.text} out of the formula, or choose rows with more values.",
        )
    return variable


def _values(variable: CodedVariable, table: pd.DataFrame) -> Floats:
    """(n, 1) numbers, or (n, levels) indicators; NaN where missing."""
    expression = variable.expression
    if not variable.is_factor:
        return evaluate(expression, table)[:, None]
    if is_condition(expression, table) and not isinstance(expression, Column):
        numbers = evaluate(expression, table)
        is_missing = np.isnan(numbers)
        codes = np.where(is_missing, MISSING, numbers == 1).astype(np.int64)
    else:
        (name,) = column_names(expression)
        values = column_of(table, name)
        codes = codes_of(values, variable.levels)
        is_missing = values.isna().to_numpy(dtype=bool)
        unknown = labels_of(values[(codes == MISSING) & ~is_missing])
        if len(unknown):
            raise FitError(
                f"{unknown.iloc[0]!r} is no level of {variable.text} in the fitted model.",
                hint=f"Levels: {', '.join(variable.levels[:20])}.",
            )
    indicators = np.zeros((len(codes), len(variable.levels)))
    indicators[codes[:, None] == np.arange(len(variable.levels))] = 1.0
    indicators[is_missing] = np.nan
    return indicators


def _kept(found: list[V], is_kept: tuple[bool, ...] | None) -> list[V]:
    if is_kept is None:
        return list(found)
    return [value for value, is_in in zip(found, is_kept, strict=True) if is_in]
