"""Columns of a table as a model needs them: numbers, or levels."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np
import pandas as pd
from pandas.api import types

from pipeline.errors import FitError
from pipeline.records import Int64Array
from pipeline.stats.mixed.design import Floats

TRUE, FALSE = "TRUE", "FALSE"
MISSING = -1


def column_of(table: pd.DataFrame, name: str) -> pd.Series:
    """The column; FitError with the nearest names where there is none, or more than one."""
    n_found = int((table.columns == name).sum())
    if n_found == 1:
        return table[name]
    if n_found > 1:
        raise FitError(f"The table has {n_found} columns called {name}.", hint="Rename one.")
    names = [str(column) for column in table.columns]
    near = get_close_matches(name, names, 3, 0.6)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Columns: {', '.join(names[:30])}."
    raise FitError(f"The table has no column {name}.", hint=hint)


def is_logical(values: pd.Series) -> bool:
    """Whether a column holds true and false only (and missing values)."""
    if types.is_bool_dtype(values.dtype):
        return True
    return values.dtype == object and types.infer_dtype(values, skipna=True) == "boolean"


def is_number(values: pd.Series) -> bool:
    """Whether a column holds numbers (and missing values); true and false are none."""
    if is_logical(values) or isinstance(values.dtype, pd.CategoricalDtype):
        return False
    if types.is_numeric_dtype(values.dtype):
        return not types.is_complex_dtype(values.dtype)
    if values.dtype != object:
        return False
    kinds = ("integer", "floating", "mixed-integer-float", "decimal", "empty")
    return types.infer_dtype(values, skipna=True) in kinds


def numbers_of(table: pd.DataFrame, name: str) -> Floats:
    """A column as float64 (n,), NaN where missing; true is 1 and false 0."""
    values = column_of(table, name)
    if not (is_number(values) or is_logical(values)):
        example = next((str(value) for value in values[values.notna()]), "")
        raise FitError(
            f"{name} is no column of numbers" + (f" (it holds {example!r})." if example else "."),
            hint="Numbers are needed in functions, and as response of a linear model.",
        )
    found = pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
    n_infinite = int(np.isinf(found).sum())
    if n_infinite:
        raise FitError(
            f"{name} is infinite in {n_infinite:,} row(s).",
            hint="Leave these rows out or give them a value.",
        )
    return found


def labels_of(values: pd.Series) -> pd.Series:
    """Values as the words that name levels; missing stays missing."""
    if is_logical(values):
        return values.map({True: TRUE, False: FALSE})
    if is_number(values):
        numbers = pd.to_numeric(values)
        return numbers.map(lambda number: format(float(number), ".15g"), na_action="ignore")
    return values.map(str, na_action="ignore")


def levels_of(values: pd.Series) -> tuple[str, ...]:
    """Levels in order: the categories' own, else sorted (numbers by size)."""
    present = values.dropna()
    if isinstance(values.dtype, pd.CategoricalDtype):
        used = set(present)
        kept = [category for category in values.cat.categories if category in used]
        return tuple(labels_of(pd.Series(kept, dtype=values.cat.categories.dtype)))
    if is_number(values):
        ordered = np.unique(pd.to_numeric(present).to_numpy(dtype=np.float64))
        return tuple(format(float(number), ".15g") for number in ordered)
    return tuple(sorted(set(labels_of(present))))


def codes_of(values: pd.Series, levels: Sequence[str]) -> Int64Array:
    """Places in `levels` int64 (n,), -1 where the value is missing or no level."""
    coded = pd.Categorical(labels_of(values).astype(object), categories=list(levels))
    return np.asarray(coded.codes, dtype=np.int64)


def group_codes(table: pd.DataFrame, names: Sequence[str]) -> tuple[Int64Array, tuple[str, ...]]:
    """Codes int64 (n,) of the combinations of these columns that occur, -1 where one is missing,
    and a name for each."""
    codes = np.zeros(len(table), dtype=np.int64)
    labels = [""]
    is_missing = np.zeros(len(table), dtype=bool)
    for i, name in enumerate(names):
        values = column_of(table, name)
        own, found = pd.factorize(values, sort=False)
        is_missing |= own < 0
        words = list(labels_of(pd.Series(found)))
        joint = codes * len(words) + own
        joint[is_missing] = MISSING
        pairs, codes = np.unique(joint, return_inverse=True)
        # What is missing comes first; it gets code -1 and no name.
        n_skipped = int(len(pairs) > 0 and pairs[0] == MISSING)
        codes = np.where(is_missing, 0, codes.astype(np.int64) - n_skipped)
        labels = [
            f"{labels[pair // len(words)]}:{words[pair % len(words)]}" if i else words[pair]
            for pair in pairs[n_skipped:].tolist()
        ]
    codes[is_missing] = MISSING
    return codes, tuple(labels)
