"""From a table and a formula to the arrays of a model, or to a sentence why there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import FitError
from pipeline.stats.mixed.coding import FixedCoding, make_coding
from pipeline.stats.mixed.columns import column_of, group_codes
from pipeline.stats.mixed.design import Floats, MixedDesign, RandomTerm
from pipeline.stats.mixed.formula import Formula, RandomSpec, Terms
from pipeline.stats.mixed.response import Response, read_response

FEWEST_ROWS = 6
_RANK_TOLERANCE = 1e-7
"""lme4's: a column this close to a combination of those before it adds nothing."""

_ROUNDING = 1e-13


@dataclass(frozen=True, slots=True)
class Dropped:
    """A fixed effect that is left out: no row has it, or those before it determine it."""

    name: str
    is_empty: bool


@dataclass(frozen=True, slots=True)
class ModelFrame:
    """`design` with `coding` of its fixed effects; for binomial models `trials` float64 (n,).

    `level_names` are the levels of each random term. `dropped` are fixed effects that others
    determine.
    """

    formula: Formula
    design: MixedDesign
    coding: FixedCoding
    response: Response
    n_missing: int
    level_names: tuple[tuple[str, ...], ...]
    dropped: tuple[Dropped, ...]


def model_frame(table: pd.DataFrame, formula: Formula, *, is_binomial: bool) -> ModelFrame:
    """Arrays of the rows in which nothing the formula names is missing.

    Raises FitError where a column is missing or unusable or nothing is left to fit.
    """
    if not formula.random:
        raise FitError(
            "The formula has no random effect, so it is no mixed model.",
            hint="Add one for each group that was sampled, such as + (1 | child).",
        )
    if not all(isinstance(name, str) for name in table.columns):
        table = table.set_axis([str(name) for name in table.columns], axis=1)
    needed = pd.DataFrame({name: column_of(table, name) for name in formula.columns})
    if not len(needed):
        raise FitError("The table has no rows.", hint="Choose rows that hold data.")
    for name in needed.columns:
        if needed[name].isna().all():
            raise FitError(f"{name} is missing in every row.", hint=f"Leave {name} out.")
    is_whole = ~needed.isna().any(axis=1).to_numpy(dtype=bool)
    if not is_whole.any():
        raise FitError(
            f"None of {len(needed):,} row(s) has a value in each of {', '.join(formula.columns)}.",
            hint="Leave out the columns with most missing values.",
        )
    n_whole = int(is_whole.sum())
    if n_whole < FEWEST_ROWS:
        raise FitError(
            f"{n_whole} row(s) are too few for a mixed model.",
            hint=f"At least {FEWEST_ROWS} rows without missing values are needed.",
        )
    rows = needed[is_whole].reset_index(drop=True)
    response = read_response(formula, rows, is_binomial=is_binomial)
    rows = rows[response.is_used].reset_index(drop=True)
    coding = make_coding(formula.fixed, rows, needed)
    matrix = coding.matrix(rows)
    is_kept = independent_columns(matrix)
    names = coding.names()
    dropped = tuple(
        Dropped(name, not column.any())
        for name, column, is_in in zip(names, matrix.T, is_kept, strict=True)
        if not is_in
    )
    coding = coding.without(is_kept.tolist())
    groups = [_random_term(group, rows, needed) for group in _by_group(formula.random)]
    design = MixedDesign(
        response.values, matrix[:, is_kept], coding.names(), tuple(term for term, _ in groups)
    )
    return ModelFrame(
        formula,
        design,
        coding,
        response,
        int((~is_whole).sum()),
        tuple(levels for _, levels in groups),
        dropped,
    )


def independent_columns(matrix: Floats) -> NDArray[np.bool_]:
    """bool (k,): columns of (n, k) that are no combination of the columns before them."""
    basis: list[Floats] = []
    is_kept = np.zeros(matrix.shape[1], dtype=bool)
    for place, column in enumerate(matrix.T):
        # What a mean far from 0 adds to a column's size says nothing where there is an intercept.
        is_centred = place > 0 and bool(np.all(matrix[:, 0] == 1.0))
        rest = column - column.mean() if is_centred else column.copy()
        size = float(np.linalg.norm(rest))
        if size <= _ROUNDING * float(np.linalg.norm(column)):
            continue
        # Twice, since rounding leaves something of the others behind after once.
        for _ in range(2):
            for known in basis:
                rest -= (known @ rest) * known
        left = float(np.linalg.norm(rest))
        if left > _RANK_TOLERANCE * size:
            is_kept[place] = True
            basis.append(rest / left)
    return is_kept


def _by_group(specs: tuple[RandomSpec, ...]) -> list[list[RandomSpec]]:
    """Specs of the same grouping columns together: they are effects of the same levels."""
    found: dict[frozenset[str], list[RandomSpec]] = {}
    for spec in specs:
        found.setdefault(frozenset(spec.columns), []).append(spec)
    return list(found.values())


def _random_term(
    specs: list[RandomSpec], rows: pd.DataFrame, table: pd.DataFrame
) -> tuple[RandomTerm, tuple[str, ...]]:
    group = specs[0].group
    codes, levels = group_codes(rows, specs[0].columns)
    if len(levels) < 2:
        raise FitError(
            f"{group} has only one value ({levels[0]}) in these rows, so how much its levels "
            "differ cannot be estimated.",
            hint=f"Leave ({'|'.join(('1', group))}) out, or choose rows with more levels.",
        )
    columns: list[str] = []
    blocks: list[int] = []
    values: list[Floats] = []
    for spec in specs:
        for effects in [spec.effects] if spec.is_correlated else _separate(spec.effects):
            coding = make_coding(effects, rows, table)
            columns.extend(coding.names())
            blocks.append(len(coding.names()))
            values.append(coding.matrix(rows))
    twice = {name for name in columns if columns.count(name) > 1}
    if twice:
        raise FitError(
            f"{', '.join(sorted(twice))} varies by {group} in two terms of the formula.",
            hint=f"Keep one of them: (1 + x | {group}) already has an intercept.",
        )
    matrix = np.column_stack(values)
    if not independent_columns(matrix).all():
        raise FitError(
            f"The effects that vary by {group} determine each other.",
            hint=f"Leave one of them out: {', '.join(columns)}.",
        )
    return RandomTerm(group, tuple(columns), codes, len(levels), matrix, tuple(blocks)), levels


def _separate(effects: Terms) -> list[Terms]:
    """`||`: each term on its own, as lme4 expands it."""
    alone = [Terms(True, ())] if effects.has_intercept else []
    return [*alone, *(Terms(False, (term,)) for term in effects.terms)]
