"""Penalised least squares at one theta: its solution, determinant, and how that changes with theta.

M = Lambda' Z'WZ Lambda + I is factored in two steps: the first factor's levels block by block, then
what is left of the others (the Schur complement), dense. See Bates, Maechler, Bolker and Walker
(2015), Journal of Statistical Software 67(1), section 3; the derivatives are those of Golub and
Pereyra's variable projection and of a log-determinant, tr(M^-1 dM).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg, sparse
from scipy.linalg import lapack

from pipeline.stats.mixed.cross import Layout, Products
from pipeline.stats.mixed.design import Floats, RandomTerm

_CHUNK = 4_000_000
"""Numbers of a dense part of the cross products at a time."""


class PenalisedSystem:
    """M at `theta`, factored. Right sides and solutions come in two parts: (levels, k, m) for the
    first factor and (q, m) for the rest."""

    def __init__(self, layout: Layout, products: Products, factors: Sequence[Floats]) -> None:
        self._layout, self._products = layout, products
        self._own = factors[layout.first_place]
        self._rest = _BlockDiagonal(layout.rest, [factors[i] for i in layout.rest_places])
        self._blocks = self._own.T @ products.first @ self._own + np.eye(len(self._own))
        lower = np.linalg.cholesky(self._blocks)
        # D = Lambda M11^-1 Lambda' of each level, as root root'.
        self._root = self._own @ np.linalg.inv(lower).transpose(0, 2, 1)
        self._spread = self._root @ self._root.transpose(0, 2, 1)
        scaled = products.cross.times(self._root.transpose(0, 2, 1))
        self._inner = products.rest - scaled.gram(scaled)
        schur = self._rest.both_sides(self._inner)
        schur[np.diag_indices_from(schur)] += 1.0
        self._lower = (
            linalg.cholesky(schur, lower=True, overwrite_a=True, check_finite=False)
            if len(schur)
            else schur
        )
        self.log_det = 2 * (
            float(np.log(np.diagonal(lower, axis1=1, axis2=2)).sum())
            + float(np.log(np.diagonal(self._lower)).sum())
        )

    def solve(self, first: Floats, rest: Floats) -> tuple[Floats, Floats]:
        """M^-1 Lambda' (first, rest): the spherical effects u of these right sides Z'W r."""
        cross = self._products.cross
        lifted = self._rest.transposed(rest - cross.down(self._spread @ first))
        u_rest = linalg.cho_solve((self._lower, True), lifted, check_finite=False)
        left = first - cross.across(self._rest.plain(u_rest))
        u_first = np.linalg.solve(self._blocks, self._own.T @ left)
        return np.asarray(u_first, dtype=np.float64), u_rest

    def effects(self, u_first: Floats, u_rest: Floats) -> tuple[Floats, Floats]:
        """b = Lambda u in the same two parts."""
        return self._own @ u_first, self._rest.plain(u_rest)

    def left_over(
        self, first: Floats, rest: Floats, b_first: Floats, b_rest: Floats
    ) -> tuple[Floats, Floats]:
        """Z'W (r - Z b) from Z'W r = (first, rest)."""
        products = self._products
        return (
            first - products.first @ b_first - products.cross.across(b_rest),
            rest - products.cross.down(b_first) - products.rest @ b_rest,
        )

    def inverse_rest(self) -> Floats:
        """The rest's part (q, q) of M^-1."""
        if not len(self._lower):
            return self._lower
        found, problem = lapack.dpotri(self._lower, lower=1)
        if problem:
            raise np.linalg.LinAlgError("the Schur complement is singular")
        # The other triangle is empty, as cholesky left it.
        whole = found + found.T
        whole[np.diag_indices_from(whole)] /= 2
        return np.asarray(whole)

    def log_det_slopes(self) -> list[Floats]:
        """Derivative of log |M| by every entry of each term's factor, a list of (k, k) in the
        order of the design's terms. Entries above the diagonal mean nothing."""
        layout, products = self._layout, self._products
        slopes: dict[int, Floats] = {}
        inverse = self.inverse_rest()
        half = self._rest.right_transposed(inverse)
        for i, place in enumerate(layout.rest_places):
            term = layout.rest[i]
            k, start, end = term.n_effects, layout.starts[i], layout.starts[i + 1]
            own = np.zeros((k, k))
            for a in range(k):
                for b in range(a + 1):
                    own[a, b] = 2 * np.vdot(
                        half[start + b : end : k], self._inner[start + a : end : k]
                    )
            slopes[place] = own
        whole = self._rest.plain(half)
        k = layout.first.n_effects
        # X = M11^-1 Lambda' and Y = 1 - D A11, of each level.
        lifted = np.broadcast_to(self._own.T, self._blocks.shape)
        x = np.asarray(np.linalg.solve(self._blocks, lifted), dtype=np.float64)
        y = np.eye(k) - self._spread @ products.first
        direct = (x @ products.first).sum(axis=0)
        indirect = np.zeros((k, k))
        if layout.q:
            if k == 1:
                # x y has the sign of theta at every level.
                scaled = products.cross.times(np.sqrt(np.abs(x * y)))
                sign = float(np.sign(self._own[0, 0]))
                indirect[0, 0] = sign * np.vdot(whole, scaled.gram(scaled))
            else:
                left, right = products.cross.times(x), products.cross.times(y.transpose(0, 2, 1))
                for a in range(k):
                    for b in range(a + 1):
                        indirect[b, a] = np.vdot(whole, left.part(b).gram(right.part(a)))
        slopes[layout.first_place] = 2 * (direct - indirect).T
        return [slopes[i] for i in range(len(slopes))]

    def row_variances(self) -> Floats:
        """z' Lambda M^-1 Lambda' z of each row of the data, (n,)."""
        layout, cross = self._layout, self._products.cross
        first, q = layout.first, layout.q
        whole = self._rest.plain(self._rest.right_transposed(self.inverse_rest()))
        places = [
            (start + term.codes * term.n_effects + b, term.values[:, b])
            for term, start in zip(layout.rest, layout.starts[:-1], strict=True)
            for b in range(term.n_effects)
        ]
        found = np.zeros(len(first.codes))
        for place, values in places:
            for other, other_values in places:
                found += values * other_values * whole[place, other]
        spread = self._spread.copy()
        met = np.zeros(first.values.shape)
        size = max(1, _CHUNK // max(q * first.n_effects, 1))
        for start in range(0, first.n_levels if q else 0, size):
            levels = slice(start, min(start + size, first.n_levels))
            own, through = cross.rows(levels, whole)
            outer = through @ own.transpose(0, 2, 1)
            spread[levels] += self._spread[levels] @ outer @ self._spread[levels]
            is_here = (first.codes >= levels.start) & (first.codes < levels.stop)
            for place, values in places:
                met[is_here] += (
                    through[first.codes[is_here] - start, :, place[is_here]] * values[is_here, None]
                )
        here = np.einsum("na,nab->nb", first.values, spread[first.codes])
        found += (here * first.values).sum(axis=1)
        here = np.einsum("na,nab->nb", first.values, self._spread[first.codes])
        found -= 2 * (here * met).sum(axis=1)
        return found


class _BlockDiagonal:
    """Lambda of the rest: each term's factor once for each of its levels.

    With intercepts alone it is a diagonal, which is much faster than a sparse matrix.
    """

    def __init__(self, terms: Sequence[RandomTerm], factors: Sequence[Floats]) -> None:
        self._is_diagonal = all(term.n_effects == 1 for term in terms)
        if self._is_diagonal:
            sizes = [np.full(t.n_levels, f[0, 0]) for t, f in zip(terms, factors, strict=True)]
            self._scale: Floats = np.concatenate(sizes) if sizes else np.zeros(0)
        else:
            parts = [
                sparse.kron(sparse.eye_array(term.n_levels), factor)
                for term, factor in zip(terms, factors, strict=True)
            ]
            self._matrix = sparse.csr_array(sparse.block_diag(parts))

    def plain(self, columns: Floats) -> Floats:
        """Lambda columns."""
        if self._is_diagonal:
            return np.asarray(self._scale[:, None] * columns)
        return np.asarray(self._matrix @ columns)

    def transposed(self, columns: Floats) -> Floats:
        """Lambda' columns."""
        if self._is_diagonal:
            return self.plain(columns)
        return np.asarray(self._matrix.T @ columns)

    def right_transposed(self, rows: Floats) -> Floats:
        """rows Lambda'."""
        if self._is_diagonal:
            return np.asarray(rows * self._scale)
        return np.asarray((self._matrix @ rows.T).T)

    def both_sides(self, square: Floats) -> Floats:
        """Lambda' square Lambda."""
        if self._is_diagonal:
            return np.asarray(square * self._scale[:, None] * self._scale)
        return np.ascontiguousarray(self.transposed(self.transposed(square).T).T)
