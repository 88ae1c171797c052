"""The profiled deviance of a linear mixed model and its gradient (Bates, Maechler, Bolker and
Walker 2015, Journal of Statistical Software 67(1), section 3).

For relative covariance factors theta the fixed effects, the spherical random effects u and the
residual variance have closed forms. The derivatives of what is minimised need no further solution:
those of a minimum are the partial ones at the minimum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from pipeline.stats.mixed.cross import Layout, Products
from pipeline.stats.mixed.design import Floats, MixedDesign, split_theta
from pipeline.stats.mixed.penalised import PenalisedSystem


class NothingLeftError(Exception):
    """The model reproduces the response: there is no residual variance."""


@dataclass(frozen=True, slots=True)
class Solution:
    """The penalised least squares at one theta.

    `log_det` is log |L|^2 of the random effects, `log_det_fixed` log |RX|^2 of the fixed ones,
    `rss` the penalised residual sum of squares. `beta` (p,); `fixed_factor` is RX (p, p), upper:
    the variance of beta is sigma^2 (RX' RX)^-1.
    """

    log_det: float
    log_det_fixed: float
    rss: float
    beta: Floats
    fixed_factor: Floats


@dataclass(frozen=True, slots=True)
class Slopes:
    """Derivatives by theta (m,) of a Solution's parts, and of (RX' RX)^-1, (m, p, p)."""

    log_det: Floats
    log_det_fixed: Floats
    rss: Floats
    inverse: Floats


class ProfiledDeviance:
    """Cross products of a design, made once, and the deviance at any theta."""

    def __init__(self, design: MixedDesign) -> None:
        self.design = design
        self.n, self.p = int(design.fixed.shape[0]), int(design.fixed.shape[1])
        self.layout = Layout(design.terms)
        known = np.column_stack((design.fixed, design.response))
        self._products: Products = self.layout.products(known)

    def degrees(self, *, is_reml: bool) -> int:
        """What the residual variance is a mean over."""
        return self.n - self.p if is_reml else self.n

    def solve(self, theta: Floats) -> Solution:
        """Penalised least squares at theta; LinAlgError when the fixed effects are collinear."""
        return self._solve(
            PenalisedSystem(self.layout, self._products, split_theta(self.design.terms, theta))
        )[0]

    def solve_with_slopes(self, theta: Floats) -> tuple[Solution, Slopes]:
        """The same with its derivatives."""
        products, p = self._products, self.p
        system = PenalisedSystem(self.layout, products, split_theta(self.design.terms, theta))
        solution, u_first, u_rest = self._solve(system)
        # Columns: X whitened by RX, and y without what X explains.
        inverse = linalg.solve_triangular(solution.fixed_factor, np.eye(p))
        mix = np.zeros((p + 1, p + 1))
        mix[:p, :p], mix[:p, p], mix[p, p] = inverse, -solution.beta, 1.0
        u_first, u_rest = u_first @ mix, u_rest @ mix
        left_first, left_rest = system.left_over(
            products.known_first @ mix,
            products.known_rest @ mix,
            *system.effects(u_first, u_rest),
        )
        by_log_det = system.log_det_slopes()
        log_det, log_det_fixed, rss, slopes = [], [], [], []
        for i, term in enumerate(self.design.terms):
            left = self.layout.part(i, left_first, left_rest)
            u = self.layout.part(i, u_first, u_rest)
            for a, b in zip(*term.places, strict=True):
                log_det.append(by_log_det[i][a, b])
                rss.append(-2 * float(left[:, a, p] @ u[:, b, p]))
                # d (X'V^-1 X) whitened is minus this, by V = 1 + Z Lambda Lambda' Z'.
                moved = left[:, a, :p].T @ u[:, b, :p]
                moved = moved + moved.T
                log_det_fixed.append(-float(np.trace(moved)))
                slopes.append(inverse @ moved @ inverse.T)
        found = Slopes(np.array(log_det), np.array(log_det_fixed), np.array(rss), np.array(slopes))
        return solution, found

    def deviance(self, solution: Solution, *, is_reml: bool) -> float:
        """-2 log-likelihood, or the REML criterion, with the residual variance profiled out."""
        degrees = self.degrees(is_reml=is_reml)
        if not solution.rss > 0:
            raise NothingLeftError
        extra = solution.log_det_fixed if is_reml else 0.0
        scale = 1 + math.log(2 * math.pi * solution.rss / degrees)
        return float(solution.log_det + extra + degrees * scale)

    def gradient(self, solution: Solution, slopes: Slopes, *, is_reml: bool) -> Floats:
        """Derivative of `deviance` by theta, (m,)."""
        degrees = self.degrees(is_reml=is_reml)
        extra = slopes.log_det_fixed if is_reml else 0.0
        return np.asarray(slopes.log_det + extra + degrees * slopes.rss / solution.rss)

    def effects(self, theta: Floats) -> tuple[Floats, ...]:
        """Best linear predictions b of the random effects, one (levels, k) for each term."""
        system = PenalisedSystem(self.layout, self._products, split_theta(self.design.terms, theta))
        solution, u_first, u_rest = self._solve(system)
        weights = np.append(-solution.beta, 1.0)[:, None]
        first, rest = system.effects(u_first @ weights, u_rest @ weights)
        ordered = np.empty_like(first)
        ordered[self.layout.order] = first
        places = range(len(self.design.terms))
        return tuple(self.layout.part(i, ordered, rest)[:, :, 0] for i in places)

    def _solve(self, system: PenalisedSystem) -> tuple[Solution, Floats, Floats]:
        """With the spherical effects of each known column: (levels, k, p + 1), (q, p + 1)."""
        products, p = self._products, self.p
        u_first, u_rest = system.solve(products.known_first, products.known_rest)
        b_first, b_rest = system.effects(u_first, u_rest)
        size = u_first.shape[0] * u_first.shape[1]
        explained = products.known_first.reshape(size, p + 1).T @ b_first.reshape(size, p + 1)
        remaining = products.known - explained - products.known_rest.T @ b_rest
        fixed_factor = linalg.cholesky(remaining[:p, :p], lower=False)
        z = linalg.solve_triangular(fixed_factor, remaining[:p, p], trans="T")
        beta = linalg.solve_triangular(fixed_factor, z)
        solution = Solution(
            system.log_det,
            2 * float(np.log(np.diagonal(fixed_factor)).sum()),
            float(remaining[p, p] - z @ z),
            beta,
            fixed_factor,
        )
        return solution, u_first, u_rest
