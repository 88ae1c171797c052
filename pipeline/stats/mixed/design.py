"""What a mixed model is fitted to: y = X beta + Z b + e, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Int64Array

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RandomTerm:
    """Random effects of one grouping factor: `(columns | group)` in lme4's syntax.

    `codes` int64 (n,) are the levels, 0 to `n_levels` - 1; `values` float64 (n, k) what the k
    effects multiply (ones for an intercept), `columns` their names. `blocks` are the numbers of
    neighbouring effects that may correlate within a level, their sum k: (2,) for `(1 + x | g)`,
    (1, 1) for `(1 + x || g)`.
    """

    group: str
    columns: tuple[str, ...]
    codes: Int64Array
    n_levels: int
    values: Floats
    blocks: tuple[int, ...]

    def __post_init__(self) -> None:
        n, k = self.values.shape
        if self.codes.shape != (n,) or k != len(self.columns) or k != sum(self.blocks) or k == 0:
            raise ValueError(
                f"{self.group}: {self.codes.shape} codes, {len(self.columns)} names and blocks "
                f"{self.blocks} do not fit values {self.values.shape}"
            )
        if n and not (int(self.codes.min()) >= 0 and int(self.codes.max()) < self.n_levels):
            raise ValueError(f"{self.group}: codes are not within 0 to {self.n_levels - 1}")

    @property
    def n_effects(self) -> int:
        return len(self.columns)

    @property
    def places(self) -> tuple[Int64Array, Int64Array]:
        """Row and column of each entry of theta in the factor: the lower triangle of each block,
        column by column as lme4 has it."""
        rows, columns = [], []
        start = 0
        for size in self.blocks:
            # Row-wise over the upper triangle is column-wise over the lower one.
            upper_rows, upper_columns = np.triu_indices(size)
            rows.append(upper_columns + start)
            columns.append(upper_rows + start)
            start += size
        return np.concatenate(rows).astype(np.int64), np.concatenate(columns).astype(np.int64)

    @property
    def n_parameters(self) -> int:
        """Entries of theta."""
        return sum(size * (size + 1) // 2 for size in self.blocks)

    def factor(self, theta: Floats) -> Floats:
        """Lower-triangular relative covariance factor (k, k) of one level."""
        factor = np.zeros((self.n_effects, self.n_effects))
        factor[self.places] = theta
        return factor

    def is_diagonal_entry(self) -> NDArray[np.bool_]:
        """bool (n_parameters,): which entries of theta must not be negative."""
        rows, columns = self.places
        return np.asarray(rows == columns)


@dataclass(frozen=True, slots=True)
class MixedDesign:
    """Response float64 (n,), fixed effects float64 (n, p) with their names, random terms."""

    response: Floats
    fixed: Floats
    names: tuple[str, ...]
    terms: tuple[RandomTerm, ...]

    def __post_init__(self) -> None:
        n, p = self.fixed.shape
        if self.response.shape != (n,) or p != len(self.names):
            raise ValueError(
                f"response {self.response.shape} and {len(self.names)} names do not fit fixed "
                f"effects {self.fixed.shape}"
            )
        if not self.terms or any(len(term.codes) != n for term in self.terms):
            raise ValueError("a mixed model needs random terms as long as the response")


def split_theta(terms: Sequence[RandomTerm], theta: Floats) -> list[Floats]:
    """The factor (k, k) of each term, from theta (m,) of all terms one after the other."""
    ends = np.cumsum([term.n_parameters for term in terms])
    parts = np.split(theta, ends[:-1])
    return [term.factor(part) for term, part in zip(terms, parts, strict=True)]
