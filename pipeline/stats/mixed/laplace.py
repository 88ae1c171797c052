"""The Laplace approximation of a binomial mixed model's deviance, with its gradient (Bates,
Maechler, Bolker and Walker; glmer's default, nAGQ = 1).

The spherical random effects u are integrated out around their mode, found by penalised
iteratively reweighted least squares. The mode moves with the parameters, and with it the weights
in the determinant; the gradient follows both by the implicit function theorem.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.stats.mixed.cross import Layout
from pipeline.stats.mixed.design import Floats, MixedDesign, split_theta
from pipeline.stats.mixed.penalised import PenalisedSystem

_MOST_STEPS = 100
_MOST_HALVINGS = 30
_MODE_REACHED = 1e-8
_SLOW = 0.2


@dataclass(frozen=True, slots=True)
class _Mode:
    """The mode of u in two parts, the linear predictor (n,) there, the penalised deviance, and
    the system under the weights there."""

    u_first: Floats
    u_rest: Floats
    predictor: Floats
    penalised: float
    system: PenalisedSystem


class LaplaceDeviance:
    """-2 log-likelihood of successes out of trials at parameters (theta, beta)."""

    def __init__(self, design: MixedDesign, trials: Floats) -> None:
        self.design, self.trials = design, trials
        self.layout = Layout(design.terms)
        self.n_theta = sum(term.n_parameters for term in design.terms)
        first, n_effects = self.layout.first, self.layout.first.n_effects
        # Each search for a mode begins at the last one.
        self._u_first = np.zeros((first.n_levels, n_effects, 1))
        self._u_rest = np.zeros((self.layout.q, 1))
        self._no_columns = np.zeros((len(trials), 0))
        y, n = design.response, trials
        self._constant = -2 * float(
            (special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1)).sum()
        )

    def deviance_and_gradient(self, parameters: Floats) -> tuple[float, Floats]:
        """Of parameters (m,): theta of all terms, then beta. LinAlgError without a mode."""
        theta, beta = parameters[: self.n_theta], parameters[self.n_theta :]
        mode = self._mode(split_theta(self.design.terms, theta), self.design.fixed @ beta)
        deviance = self._constant + mode.penalised + mode.system.log_det
        layout, system = self.layout, mode.system
        chance = special.expit(mode.predictor)
        weights = self.trials * chance * (1 - chance)
        left = self.design.response - self.trials * chance
        # How log |M| changes with the linear predictor of each row, through the weights.
        moved = system.row_variances() * weights * (1 - 2 * chance)
        v_first, v_rest = system.solve(*layout.sums(moved[:, None]))
        moved = moved - weights * layout.rows(*system.effects(v_first, v_rest))
        left_parts = layout.sums(left[:, None])
        moved_parts = layout.sums(moved[:, None])
        by_log_det = system.log_det_slopes()
        slopes = []
        for i, term in enumerate(self.design.terms):
            z_left = layout.part(i, *left_parts)[:, :, 0]
            z_moved = layout.part(i, *moved_parts)[:, :, 0]
            u = layout.part(i, mode.u_first, mode.u_rest)[:, :, 0]
            v = layout.part(i, v_first, v_rest)[:, :, 0]
            by_factor = z_left.T @ (v - 2 * u) + z_moved.T @ u + by_log_det[i]
            slopes.append(by_factor[term.places])
        by_beta = self.design.fixed.T @ (moved - 2 * left)
        return deviance, np.concatenate((*slopes, by_beta))

    def _mode(self, factors: list[Floats], offset: Floats) -> _Mode:
        u_first, u_rest = self._u_first, self._u_rest
        predictor, penalised = self._penalised(factors, offset, u_first, u_rest)
        weights, system = self._system(factors, predictor)
        is_current, last_length = True, np.inf
        for _ in range(_MOST_STEPS):
            left = self.design.response - self.trials * special.expit(predictor)
            working = left + weights * (predictor - offset)
            new_first, new_rest = system.solve(*self.layout.sums(working[:, None]))
            step_first, step_rest = new_first - u_first, new_rest - u_rest
            length = max(
                float(np.abs(step_first).max(initial=0)), float(np.abs(step_rest).max(initial=0))
            )
            if not np.isfinite(length):
                break
            if length < _MODE_REACHED and is_current:
                self._u_first, self._u_rest = u_first, u_rest
                return _Mode(u_first, u_rest, predictor, penalised, system)
            for halving in range(_MOST_HALVINGS):
                part = 0.5**halving
                new_first, new_rest = u_first + part * step_first, u_rest + part * step_rest
                predictor, found = self._penalised(factors, offset, new_first, new_rest)
                if found <= penalised + 1e-10 * abs(penalised):
                    break
            u_first, u_rest, penalised = new_first, new_rest, found
            # Factoring is the costly part: the last factors serve as long as they bring u nearer.
            is_current = length < _MODE_REACHED or length > _SLOW * last_length
            last_length = np.inf if is_current else length
            if is_current:
                weights, system = self._system(factors, predictor)
        raise np.linalg.LinAlgError("the random effects have no mode")

    def _penalised(
        self, factors: list[Floats], offset: Floats, u_first: Floats, u_rest: Floats
    ) -> tuple[Floats, float]:
        first, rest = self.layout.lifted(factors, u_first, u_rest)
        predictor = offset + self.layout.rows(first, rest)
        fit = self.design.response * predictor - self.trials * np.logaddexp(0, predictor)
        size = float((u_first**2).sum() + (u_rest**2).sum())
        return predictor, size - 2 * float(fit.sum())

    def _system(self, factors: list[Floats], predictor: Floats) -> tuple[Floats, PenalisedSystem]:
        """Weights (n,) at this linear predictor, and the system under them."""
        chance = special.expit(predictor)
        weights = self.trials * chance * (1 - chance)
        products = self.layout.products(self._no_columns, weights)
        return weights, PenalisedSystem(self.layout, products, factors)
