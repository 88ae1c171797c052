"""Models in units of their own columns, so that years or milliseconds make no difference to the
arithmetic, and their estimates in the user's units again."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from pipeline.stats.mixed.design import Floats, MixedDesign
from pipeline.stats.mixed.estimates import Estimates
from pipeline.stats.mixed.result import Satterthwaite


@dataclass(frozen=True, slots=True)
class ScaledDesign:
    """`design` has fixed effects X A, centred where there is an intercept and of size 1, and
    random effects of size 1. `mix` is A (p, p); `sizes` (k,) the root mean squares of each random
    term's effects."""

    design: MixedDesign
    mix: Floats
    sizes: tuple[Floats, ...]

    def in_own_units(self, found: Estimates, *, is_reml: bool) -> Estimates:
        """Estimates of the design that was scaled."""
        mix = self.mix
        satterthwaite = found.satterthwaite
        if satterthwaite is not None:
            jacobian = mix @ satterthwaite.jacobian @ mix.T
            satterthwaite = Satterthwaite(jacobian, satterthwaite.covariance)
        # The REML criterion holds log |X'V^-1 X|, which has the units of X.
        shift = float(np.log(np.abs(np.diagonal(mix))).sum()) if is_reml else 0.0
        return replace(
            found,
            beta=mix @ found.beta,
            covariance=mix @ found.covariance @ mix.T,
            satterthwaite=satterthwaite,
            factors=tuple(
                factor / size[:, None]
                for factor, size in zip(found.factors, self.sizes, strict=True)
            ),
            loglik=found.loglik + shift,
        )


def scaled(design: MixedDesign) -> ScaledDesign:
    """The same model in units of its columns."""
    fixed = design.fixed
    p = fixed.shape[1]
    ones = np.flatnonzero((fixed == 1.0).all(axis=0))
    mix = np.eye(p)
    columns = fixed.copy()
    for place in range(p):
        if len(ones) and place != ones[0]:
            # Taken off before dividing: differences of large numbers are exact.
            centre = float(fixed[:, place].mean())
            columns[:, place] -= centre
            mix[ones[0], place] = -centre
        size = math.sqrt(float(np.mean(columns[:, place] ** 2)))
        columns[:, place] /= size
        mix[:, place] /= size
    sizes = tuple(np.sqrt((term.values**2).mean(axis=0)) for term in design.terms)
    terms = tuple(
        replace(term, values=term.values / size)
        for term, size in zip(design.terms, sizes, strict=True)
    )
    return ScaledDesign(replace(design, fixed=columns, terms=terms), mix, sizes)
