"""Cross products of a design's columns, kept by what they are: blocks, sparse or dense.

The grouping factor with most effects comes first. Its own cross products are one small block for
each level; those with the other factors ("rest") are sparse for levels seldom met and dense for
those met with many others; the rest among themselves are dense.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from pipeline.records import Int64Array
from pipeline.stats.mixed.design import Floats, RandomTerm

_HEAVY = 0.07
"""A level that meets this share of the rest is multiplied faster as a dense row: BLAS makes about
200 times as many products a second as sparse multiplication, and a row's cost grows with the
square of this share."""


@dataclass(frozen=True, slots=True)
class Cross:
    """Cross products of the first factor with the rest, (levels * k, q), rows of a level side by
    side: `heavy` (h, k, q) the first h levels, `light` the others."""

    heavy: Floats
    light: sparse.csr_array

    def times(self, matrices: Floats) -> Cross:
        """Each level's rows multiplied from the left by its own matrix, (levels, k, k)."""
        h, k, _ = self.heavy.shape
        heavy = matrices[:h] @ self.heavy if k > 1 else matrices[:h] * self.heavy
        if k == 1:
            counts = np.diff(self.light.indptr)
            data = self.light.data * np.repeat(matrices[h:, 0, 0], counts)
            light = sparse.csr_array(
                (data, self.light.indices, self.light.indptr), shape=self.light.shape
            )
        elif len(matrices) > h:
            n = len(matrices) - h
            blocks = sparse.bsr_array((matrices[h:], np.arange(n), np.arange(n + 1)))
            light = sparse.csr_array(blocks.tocsr() @ self.light)
        else:
            light = self.light
        return Cross(heavy, light)

    def rows(self, levels: slice, square: Floats) -> tuple[Floats, Floats]:
        """Some levels' rows, dense (levels, k, q), and these rows times a square (q, q)."""
        h, k, q = self.heavy.shape
        heavy = self.heavy[levels]
        light = self.light[max(levels.start - h, 0) * k : max(levels.stop - h, 0) * k]
        return (
            np.concatenate((heavy, light.toarray().reshape(-1, k, q))),
            np.concatenate((heavy @ square, (light @ square).reshape(-1, k, q))),
        )

    def part(self, row: int) -> Cross:
        """One row of each level."""
        k = self.heavy.shape[1]
        return Cross(self.heavy[:, row : row + 1], self.light[row::k])

    def gram(self, other: Cross) -> Floats:
        """self' other, (q, q)."""
        h, k, q = self.heavy.shape
        left = self.heavy.reshape(h * k, q)
        # One array twice lets numpy compute only half of a symmetric product.
        right = left if other is self else other.heavy.reshape(h * k, q)
        found = left.T @ right
        if self.light.nnz:
            part = sparse.coo_array(self.light.T @ other.light)
            found[part.row, part.col] += part.data
        return np.asarray(found)

    def down(self, columns: Floats) -> Floats:
        """self' columns: (levels, k, m) to (q, m)."""
        h, k, q = self.heavy.shape
        m = columns.shape[2]
        found = self.heavy.reshape(h * k, q).T @ columns[:h].reshape(h * k, m)
        return np.asarray(found + self.light.T @ columns[h:].reshape(-1, m))

    def across(self, columns: Floats) -> Floats:
        """self columns: (q, m) to (levels, k, m)."""
        h, k, q = self.heavy.shape
        heavy = self.heavy.reshape(h * k, q) @ columns
        return np.concatenate((heavy, self.light @ columns)).reshape(-1, k, columns.shape[1])


@dataclass(frozen=True, slots=True)
class Products:
    """Cross products under some row weights. `first` (levels, k, k), `cross` first with rest,
    `rest` (q, q); with the m known columns: `known_first` (levels, k, m), `known_rest` (q, m) and
    `known` (m, m)."""

    first: Floats
    cross: Cross
    rest: Floats
    known_first: Floats
    known_rest: Floats
    known: Floats


class Layout:
    """Where each random effect stands, and which row of the data belongs to which cell."""

    def __init__(self, terms: tuple[RandomTerm, ...]) -> None:
        sizes = [term.n_levels * term.n_effects for term in terms]
        self.first_place = int(np.argmax(sizes))
        self.rest_places = tuple(i for i in range(len(terms)) if i != self.first_place)
        first = terms[self.first_place]
        rest = tuple(terms[i] for i in self.rest_places)
        self.q = sum(term.n_levels * term.n_effects for term in rest)
        self.starts = np.cumsum([0, *(term.n_levels * term.n_effects for term in rest)])
        n_met = np.zeros(first.n_levels)
        for term in rest:
            pairs = np.unique(first.codes * term.n_levels + term.codes)
            n_met += term.n_effects * np.bincount(pairs // term.n_levels, minlength=first.n_levels)
        # Levels are renumbered so that those that meet most of the rest come first.
        self.order: Int64Array = np.argsort(-n_met, kind="stable").astype(np.int64)
        self.n_heavy = int((n_met > _HEAVY * self.q).sum())
        renumbered = np.empty_like(self.order)
        renumbered[self.order] = np.arange(len(self.order))
        self.first = replace(first, codes=renumbered[first.codes])
        self.rest = rest
        self._find_cells()

    def _find_cells(self) -> None:
        """Cells (level of first, level of another factor) that occur, and each row's cell."""
        k = self.first.n_effects
        self.cells: list[tuple[Int64Array, Int64Array, Int64Array]] = []
        rows, columns = [], []
        for term, start in zip(self.rest, self.starts[:-1], strict=True):
            pairs, cell = np.unique(
                self.first.codes * term.n_levels + term.codes, return_inverse=True
            )
            level, other = np.divmod(pairs, term.n_levels)
            self.cells.append((level, other, cell.astype(np.int64)))
            is_light = level >= self.n_heavy
            for a in range(k):
                for b in range(term.n_effects):
                    rows.append((level[is_light] - self.n_heavy) * k + a)
                    columns.append(start + other[is_light] * term.n_effects + b)
        n_light = (self.first.n_levels - self.n_heavy) * k
        row = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
        column = np.concatenate(columns) if columns else np.zeros(0, dtype=np.int64)
        self._light_order = np.lexsort((column, row))
        self._light_indices = column[self._light_order].astype(np.int32)
        counts = np.bincount(row, minlength=n_light)
        self._light_starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)

    def products(self, known: Floats, weights: Floats | None = None) -> Products:
        """Cross products of the random effects and of the known columns (n, m)."""
        weighted = known if weights is None else known * weights[:, None]
        return Products(
            _own_blocks(self.first, weights),
            self._cross(weights),
            self._rest_products(weights),
            *self.sums(weighted),
            known.T @ weighted,
        )

    def sums(self, columns: Floats) -> tuple[Floats, Floats]:
        """Z' columns (n, m) in two parts: (levels, k, m) for the first factor, (q, m)."""
        m = columns.shape[1]
        rest = [_sums(t, columns).reshape(t.n_levels * t.n_effects, m) for t in self.rest]
        return _sums(self.first, columns), np.concatenate(rest or [np.zeros((0, m))])

    def part(self, place: int, first: Floats, rest: Floats) -> Floats:
        """The part (levels, k, m) of the design's term at `place`."""
        if place == self.first_place:
            return first
        i = self.rest_places.index(place)
        own = rest[self.starts[i] : self.starts[i + 1]]
        return own.reshape(self.rest[i].n_levels, self.rest[i].n_effects, -1)

    def lifted(
        self, factors: Sequence[Floats], first: Floats, rest: Floats
    ) -> tuple[Floats, Floats]:
        """b = Lambda u in two parts, with the factor (k, k) of each of the design's terms."""
        parts = [np.zeros((0, rest.shape[1]))]
        for place in self.rest_places:
            lifted = factors[place] @ self.part(place, first, rest)
            parts.append(lifted.reshape(-1, rest.shape[1]))
        return factors[self.first_place] @ first, np.concatenate(parts)

    def rows(self, first: Floats, rest: Floats) -> Floats:
        """Z b of effects in two parts with one column each, (n,)."""
        found = (self.first.values * first[self.first.codes, :, 0]).sum(axis=1)
        for i, term in enumerate(self.rest):
            own = rest[self.starts[i] : self.starts[i + 1], 0].reshape(term.n_levels, -1)
            found = found + (term.values * own[term.codes]).sum(axis=1)
        return np.asarray(found)

    def _cross(self, weights: Floats | None) -> Cross:
        k = self.first.n_effects
        heavy = np.zeros((self.n_heavy, k, self.q))
        light = []
        for term, start, (level, other, cell) in zip(
            self.rest, self.starts[:-1], self.cells, strict=True
        ):
            is_light = level >= self.n_heavy
            is_heavy = ~is_light
            for a in range(k):
                for b in range(term.n_effects):
                    product = _product(self.first.values[:, a], term.values[:, b], weights)
                    sums = np.bincount(cell, product, len(level))
                    place = start + other[is_heavy] * term.n_effects + b
                    heavy[level[is_heavy], a, place] = sums[is_heavy]
                    light.append(sums[is_light])
        data = np.concatenate(light)[self._light_order] if light else np.zeros(0)
        shape = ((self.first.n_levels - self.n_heavy) * k, self.q)
        return Cross(
            heavy, sparse.csr_array((data, self._light_indices, self._light_starts), shape=shape)
        )

    def _rest_products(self, weights: Floats | None) -> Floats:
        found = np.zeros((self.q, self.q))
        for i, term in enumerate(self.rest):
            at, k, n = self.starts[i], term.n_effects, term.n_levels
            blocks = _own_blocks(term, weights)
            own = at + np.arange(n) * k
            for a in range(k):
                for b in range(k):
                    found[own + a, own + b] = blocks[:, a, b]
            for j in range(i):
                other, other_at = self.rest[j], self.starts[j]
                pair = other.codes * n + term.codes
                for a in range(other.n_effects):
                    for b in range(k):
                        product = _product(other.values[:, a], term.values[:, b], weights)
                        sums = np.bincount(pair, product, other.n_levels * n)
                        rows = slice(other_at + a, self.starts[j + 1], other.n_effects)
                        columns = slice(at + b, self.starts[i + 1], k)
                        found[rows, columns] = sums.reshape(other.n_levels, n)
                end, other_end = self.starts[i + 1], self.starts[j + 1]
                found[at:end, other_at:other_end] = found[other_at:other_end, at:end].T
        return found


def _product(left: Floats, right: Floats, weights: Floats | None) -> Floats:
    product = left * right
    return product if weights is None else product * weights


def _own_blocks(term: RandomTerm, weights: Floats | None) -> Floats:
    """Cross products of a term's effects within each level, (levels, k, k)."""
    k = term.n_effects
    found = np.empty((term.n_levels, k, k))
    for a in range(k):
        for b in range(a + 1):
            product = _product(term.values[:, a], term.values[:, b], weights)
            found[:, a, b] = found[:, b, a] = np.bincount(term.codes, product, term.n_levels)
    return found


def _sums(term: RandomTerm, columns: Floats) -> Floats:
    """Z' columns as (levels, k, m)."""
    found = np.empty((term.n_levels, term.n_effects, columns.shape[1]))
    for a in range(term.n_effects):
        for j in range(columns.shape[1]):
            product = term.values[:, a] * columns[:, j]
            found[:, a, j] = np.bincount(term.codes, product, term.n_levels)
    return found
