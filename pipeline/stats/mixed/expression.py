"""What a formula may compute from columns: a checked grammar, never Python code.

Names are written as R's `deparse` writes them, so that terms can be compared with R's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import FitError
from pipeline.stats.mixed.columns import column_of, is_logical, numbers_of
from pipeline.stats.mixed.design import Floats
from pipeline.stats.mixed.tokens import Kind, TokenReader

FUNCTIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "I": np.asarray,
}
FACTORS = ("factor", "as.factor")
SCALE = "scale"
KNOWN_FUNCTIONS = (*FUNCTIONS, SCALE, *FACTORS)

_ARITHMETIC: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}
_COMPARISONS: Mapping[str, Callable[[Floats, Floats], NDArray[np.bool_]]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
}
_PLAIN_NAME = re.compile(r"(?:[^\W\d]|\.(?!\d))[\w.]*\Z")


@dataclass(frozen=True, slots=True)
class Column:
    name: str

    @property
    def text(self) -> str:
        return self.name if _PLAIN_NAME.match(self.name) else f"`{self.name}`"


@dataclass(frozen=True, slots=True)
class Number:
    value: float

    @property
    def text(self) -> str:
        return format(self.value, ".15g")


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one argument. `centre` and `sd` are those that `scale` uses, NaN as long as
    no rows were seen."""

    function: str
    argument: Expression
    centre: float = float("nan")
    sd: float = float("nan")

    @property
    def text(self) -> str:
        return f"{self.function}({self.argument.text})"


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands, or a sign before one (`left` None)."""

    sign: str
    left: Expression | None
    right: Expression

    @property
    def text(self) -> str:
        if self.left is None:
            return f"{self.sign}{self.right.text}"
        between = self.sign if self.sign in "/^" else f" {self.sign} "
        return f"{self.left.text}{between}{self.right.text}"


@dataclass(frozen=True, slots=True)
class Bracket:
    inner: Expression

    @property
    def text(self) -> str:
        return f"({self.inner.text})"


Expression = Column | Number | Call | Operation | Bracket


def parse_variable(reader: TokenReader) -> Column | Call:
    """A column or a function of columns."""
    token = reader.peek
    if token.kind is not Kind.NAME:
        raise reader.refused("a column or a function is missing")
    if not reader.is_call():
        reader.take()
        return Column(token.text)
    if token.text not in KNOWN_FUNCTIONS:
        raise FitError(
            f"A formula cannot use {token.text}().",
            hint=f"Known functions: {', '.join(KNOWN_FUNCTIONS)}.",
        )
    reader.take()
    reader.take_sign("(")
    argument = _comparison(reader)
    reader.take_sign(")")
    return Call(token.text, argument)


def _comparison(reader: TokenReader) -> Expression:
    left = _sum(reader)
    if reader.is_sign(*_COMPARISONS):
        return Operation(reader.take().text, left, _sum(reader))
    return left


def _sum(reader: TokenReader) -> Expression:
    found = _product(reader)
    while reader.is_sign("+", "-"):
        found = Operation(reader.take().text, found, _product(reader))
    return found


def _product(reader: TokenReader) -> Expression:
    found = _signed(reader)
    while reader.is_sign("*", "/"):
        found = Operation(reader.take().text, found, _signed(reader))
    return found


def _signed(reader: TokenReader) -> Expression:
    if reader.is_sign("-", "+"):
        return Operation(reader.take().text, None, _signed(reader))
    base = _primary(reader)
    if reader.is_sign("^"):
        reader.take()
        return Operation("^", base, _signed(reader))
    return base


def _primary(reader: TokenReader) -> Expression:
    if reader.peek.kind is Kind.NUMBER:
        return Number(float(reader.take().text))
    if reader.is_sign("("):
        reader.take()
        inner = _comparison(reader)
        reader.take_sign(")")
        return Bracket(inner)
    return parse_variable(reader)


def column_names(expression: Expression) -> tuple[str, ...]:
    """Columns that an expression reads, in order, each once."""
    if isinstance(expression, Column):
        return (expression.name,)
    if isinstance(expression, Number):
        return ()
    if isinstance(expression, Call):
        return column_names(expression.argument)
    if isinstance(expression, Bracket):
        return column_names(expression.inner)
    left = () if expression.left is None else column_names(expression.left)
    return tuple(dict.fromkeys((*left, *column_names(expression.right))))


def settle(expression: Expression, table: pd.DataFrame) -> Expression:
    """The expression with the means and SDs that `scale` takes from these rows."""
    if isinstance(expression, Call):
        argument = settle(expression.argument, table)
        if expression.function != SCALE:
            return replace(expression, argument=argument)
        values = evaluate(argument, table)
        values = values[np.isfinite(values)]
        sd = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        if not sd > 0:
            raise FitError(
                f"{expression.text} cannot be computed: {argument.text} does not vary.",
                hint=f"Leave {argument.text} out of the formula.",
            )
        return replace(expression, argument=argument, centre=float(values.mean()), sd=sd)
    if isinstance(expression, Bracket):
        return Bracket(settle(expression.inner, table))
    if isinstance(expression, Operation):
        left = None if expression.left is None else settle(expression.left, table)
        return Operation(expression.sign, left, settle(expression.right, table))
    return expression


def is_condition(expression: Expression, table: pd.DataFrame) -> bool:
    """Whether an expression is true or false, as a logical column or `I(score > 0.24)` is."""
    if isinstance(expression, Column):
        return is_logical(column_of(table, expression.name))
    if isinstance(expression, Call):
        return expression.function == "I" and is_condition(expression.argument, table)
    if isinstance(expression, Bracket):
        return is_condition(expression.inner, table)
    return isinstance(expression, Operation) and expression.sign in _COMPARISONS


def evaluate(expression: Expression, table: pd.DataFrame) -> Floats:
    """Values float64 (n,), NaN where a column has none.

    Raises FitError for columns that are not numbers, and where a finite value has no finite
    result, such as the logarithm of 0.
    """
    if isinstance(expression, Column):
        return numbers_of(table, expression.name)
    if isinstance(expression, Number):
        return np.full(len(table), expression.value)
    if isinstance(expression, Bracket):
        return evaluate(expression.inner, table)
    with np.errstate(all="ignore"):
        if isinstance(expression, Call):
            return _called(expression, evaluate(expression.argument, table))
        right = evaluate(expression.right, table)
        if expression.left is None:
            return -right if expression.sign == "-" else right
        left = evaluate(expression.left, table)
        if expression.sign in _COMPARISONS:
            found = _COMPARISONS[expression.sign](left, right).astype(np.float64)
            found[np.isnan(left) | np.isnan(right)] = np.nan
            return found
        found = np.asarray(_ARITHMETIC[expression.sign](left, right), dtype=np.float64)
    _check_finite(expression.text, found, np.isfinite(left) & np.isfinite(right))
    return found


def _called(call: Call, values: Floats) -> Floats:
    if call.function in FACTORS:
        raise FitError(
            f"{call.text} is no number.", hint=f"Use {call.function}() alone, not within others."
        )
    if call.function == SCALE:
        return (values - call.centre) / call.sd
    found = np.asarray(FUNCTIONS[call.function](values), dtype=np.float64)
    _check_finite(call.text, found, np.isfinite(values))
    return found


def _check_finite(text: str, found: Floats, is_input_finite: NDArray[np.bool_]) -> None:
    n_lost = int((is_input_finite & ~np.isfinite(found)).sum())
    if n_lost:
        raise FitError(
            f"{text} has no value in {n_lost:,} row(s).",
            hint="Leave these rows out, or use another function (log1p for counts with zeros).",
        )
