"""What drawing recordings again and again would give: limits of ratios of sums.

A statistic here is a combination of ratios, sum over j of c_j T_j / B_j, where each T_j and B_j
is a sum over clusters (recordings) that lie in strata (children): one ratio is a share or a mean,
two with c = (1, -1) a difference. Whole clusters are drawn with replacement, as many for each
stratum as it has, the same ones for every sum, and the limits are percentiles of the drawn
statistics (Davison & Hinkley 1997, sections 3.8 and 5.3).

With few clusters plain percentiles lie too close together, for three reasons, each mended here:

1. Within the draws the variance of a stratum's sum is (R - 1) / R of what R clusters imply
   (Rao & Wu 1988, Journal of the American Statistical Association 83, 231-241).
2. The spread is itself estimated from few clusters. The distance of a limit from the estimate is
   therefore multiplied by Student's t over the normal quantile (Hesterberg 2015, The American
   Statistician 69, 371-386), with the degrees of freedom of Welch (1947, Biometrika 34, 28-35).
3. Two or three clusters give a handful of different draws, the outermost of which lie within the
   percentiles' reach: a limit is never nearer than the normal quantile times the draws' SD.

From MANY_CLUSTERS on nothing is drawn: the percentiles follow from the first three moments of the
drawn statistic by the Cornish-Fisher expansion (Davison & Hinkley 1997, section 2.6), to within
what 2,000 draws differ from the next 2,000, and a corpus of thousands of recordings costs no more
than a small one.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 2_000
LEVEL = 0.95
MANY_CLUSTERS = 50
"""From here on percentiles are worked out instead of drawn."""
_KEPT_DRAWS = 200


@dataclass(frozen=True, slots=True)
class Sums:
    """What is added up over clusters, for one problem or for several side by side.

    `tops` and `bottoms` are (n, J), `coefficients` (J,). `strata` (n,) are codes, no stratum in
    two problems; `problems` (n,) are codes below `n_problems`.
    """

    tops: Floats
    bottoms: Floats
    coefficients: Floats
    strata: Ints
    problems: Ints
    n_problems: int

    @classmethod
    def of_one(cls, tops: Floats, bottoms: Floats, coefficients: Floats, strata: Ints) -> Sums:
        """A single problem; clusters without any denominator are left out."""
        kept = (bottoms > 0).any(axis=1)
        codes = np.unique(strata[kept], return_inverse=True)[1].astype(np.int64)
        zeros = np.zeros(len(codes), np.int64)
        return cls(tops[kept], bottoms[kept], coefficients, codes, zeros, 1)

    @classmethod
    def of_groups(
        cls,
        tops: Floats,
        bottoms: Floats,
        coefficients: Floats,
        groups: Ints,
        strata: Ints | None,
        n_groups: int,
    ) -> Sums:
        """A problem for each group (n,), codes from 0; without strata each is one stratum."""
        if n_groups == 1:
            alone = np.zeros(len(groups), np.int64) if strata is None else strata
            return cls.of_one(tops, bottoms, coefficients, alone)
        kept = np.flatnonzero((bottoms > 0).any(axis=1))
        inner = groups[kept] if strata is None else strata[kept]
        # Sorted by group and stratum, so that a group's clusters are drawn as if it were alone.
        # What is in order already is sorted in a moment by this kind of sorting alone.
        by_one = strata is None
        order = np.argsort(inner, kind="stable") if by_one else np.lexsort((inner, groups[kept]))
        kept, inner = kept[order], inner[order]
        group = groups[kept].astype(np.int64)
        is_new = np.ones(len(kept), np.bool_)
        is_new[1:] = (group[1:] != group[:-1]) | (inner[1:] != inner[:-1])
        codes = (np.cumsum(is_new) - 1).astype(np.int64)
        return cls(tops[kept], bottoms[kept], coefficients, codes, group, n_groups)


@dataclass(frozen=True, slots=True)
class Spread:
    """How a statistic of each problem varies with the clusters: all (n_problems,).

    `estimate`; `se`, its standard error by linearisation (Woodruff 1971, Journal of the American
    Statistical Association 66, 411-414), with `df` degrees of freedom; `sd`, `shift` and `third`:
    standard deviation, bias and third central moment of the drawn statistic. NaN where a
    denominator is 0; se and df are NaN where one of the sums is never made of two clusters of a
    stratum. `n_clusters`, and `n_fixed`: those alone in their stratum, which add no spread.
    """

    estimate: Floats
    se: Floats
    df: Floats
    sd: Floats
    shift: Floats
    third: Floats
    n_clusters: Ints
    n_fixed: Ints

    def expansion(self, level: float) -> Floats:
        """By how much the draws' distances have to be multiplied: reasons 1 and 2 above."""
        from scipy.special import stdtrit

        stretch = np.divide(self.se, self.sd, where=self.sd > 0, out=np.ones_like(self.sd))
        stretch = np.where(np.isnan(self.se), np.nan, stretch)
        student = stdtrit(np.where(np.isnan(self.df), 1.0, self.df), (1 + level) / 2)
        return np.asarray(stretch * student / _normal(level))

    def p_values(self) -> Floats:
        """Two-sided p of "the statistic is 0" by Student's t: (n_problems,); NaN if unknown."""
        from scipy.special import stdtr

        with np.errstate(invalid="ignore", divide="ignore"):
            t = np.abs(self.estimate) / self.se
            return np.asarray(2 * stdtr(self.df, -t))


def spread(sums: Sums) -> Spread:
    """Moments of every problem's statistic, to second order in the clusters' deviations."""
    n, n_ratios = sums.tops.shape
    estimate = np.zeros(sums.n_problems)
    influence = np.zeros(n)
    parts, shares = np.empty((n, n_ratios)), np.empty((n, n_ratios))
    n_strata = int(sums.strata.max()) + 1 if n else 0
    sizes = np.bincount(sums.strata, minlength=n_strata)
    problem_of = np.zeros(n_strata, np.int64)
    problem_of[sums.strata] = sums.problems
    fewest = np.full(n_strata, np.iinfo(np.int64).max)
    is_spread = np.ones(sums.n_problems, np.bool_)
    for j, coefficient in enumerate(sums.coefficients):
        top, bottom = sums.tops[:, j], sums.bottoms[:, j]
        total = np.bincount(sums.problems, bottom, minlength=sums.n_problems)
        total = np.where(total > 0, total, np.nan)
        ratio = np.bincount(sums.problems, top, minlength=sums.n_problems) / total
        estimate += coefficient * ratio
        mine = sums.problems
        parts[:, j] = _centred(
            coefficient * (top - ratio[mine] * bottom) / total[mine], sums.strata, sizes
        )
        shares[:, j] = _centred(bottom / total[mine], sums.strata, sizes)
        influence += parts[:, j]
        filled = np.bincount(sums.strata, bottom > 0, minlength=n_strata).astype(np.int64)
        fewest = np.where(filled > 1, np.minimum(fewest, filled), fewest)
        is_spread &= np.bincount(problem_of, filled > 1, minlength=sums.n_problems) > 0
    squares = np.bincount(sums.strata, influence**2, minlength=n_strata)
    effective = np.minimum(fewest, sizes)
    stratum_variance = squares * effective / np.maximum(effective - 1, 1)

    def add(values: Floats, weights: Floats | float = 1.0) -> Floats:
        return np.bincount(sums.problems, values * weights, sums.n_problems).astype(np.float64)

    def add_strata(values: Floats) -> Floats:
        return np.bincount(problem_of, values, sums.n_problems).astype(np.float64)

    variance = add_strata(stratum_variance)
    squared = add_strata(stratum_variance**2 / (effective + 1.0))
    freedom = add_strata(np.where(sizes > 1, effective - 1.0, 0.0))
    df = degrees_of_freedom(variance, squared, freedom)
    third, shift = add(influence, influence**2), np.zeros(sums.n_problems)
    for j in range(n_ratios):
        with_part, with_share = add(influence, parts[:, j]), add(influence, shares[:, j])
        third = third - 6 * with_part * with_share
        shift = shift - add(parts[:, j], shares[:, j])
    return Spread(
        estimate,
        np.where(is_spread, np.sqrt(variance), np.nan),
        np.where(is_spread, df, np.nan),
        np.sqrt(add(influence, influence)),
        shift,
        third,
        np.bincount(sums.problems, minlength=sums.n_problems).astype(np.int64),
        add_strata((sizes == 1).astype(np.float64)).astype(np.int64),
    )


def limits(
    sums: Sums, found: Spread, *, draws: int = DRAWS, seed: int = 1, level: float = LEVEL
) -> tuple[Floats, Floats]:
    """Lower and upper limits of every problem, (n_problems,) each; NaN where there is no spread.

    found: `spread` of the same sums. The same seed gives the same limits, and a problem has the
    same limits alone and beside others.
    """
    below, above, least = _worked_out(found, level)
    is_small = found.n_clusters < MANY_CLUSTERS
    for problem in np.flatnonzero(is_small & ~np.isnan(found.se)).tolist():
        mine = np.flatnonzero(sums.problems == problem) if sums.n_problems > 1 else slice(None)
        drawn = _drawn(
            sums.tops[mine], sums.bottoms[mine], sums.coefficients, sums.strata[mine], draws, seed
        )
        drawn = drawn[~np.isnan(drawn)]
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        below[problem] = found.estimate[problem] - low
        above[problem] = high - found.estimate[problem]
        least[problem] = _normal(level) * drawn.std()
    return _reached(found, (below, above, least), level)


def worked_out_limits(found: Spread, level: float = LEVEL) -> tuple[Floats, Floats]:
    """`limits` without draws, (n_problems,) each: right from MANY_CLUSTERS clusters on."""
    return _reached(found, _worked_out(found, level), level)


def _worked_out(found: Spread, level: float) -> tuple[Floats, Floats, Floats]:
    """Distances of the lower and the upper percentile from the estimate, and the least there is."""
    normal = _normal(level)
    skew = np.divide(found.third, 6 * found.sd**2, where=found.sd > 0, out=np.zeros_like(found.sd))
    middle = found.shift + skew * (normal**2 - 1)
    return normal * found.sd - middle, normal * found.sd + middle, normal * found.sd


def _reached(
    found: Spread, distances: tuple[Floats, Floats, Floats], level: float
) -> tuple[Floats, Floats]:
    below, above, least = distances
    reach = found.expansion(level)
    return (
        found.estimate - reach * np.maximum(below, least),
        found.estimate + reach * np.maximum(above, least),
    )


def drawn_counts(strata: Ints, *, draws: int = DRAWS, seed: int = 1) -> Floats:
    """How often each cluster is drawn: (draws, n). strata (n,) are codes from 0."""
    counts = np.empty((draws, len(strata)))
    for stratum, size in enumerate(np.bincount(strata).tolist()):
        if size:
            counts[:, strata == stratum] = _stratum_counts(size, stratum, draws, seed)
    return counts


def welch_df(variances: Floats, sizes: Ints) -> float:
    """Degrees of freedom of a sum of strata's variances (n,), each from `sizes` clusters.

    V^2 / sum(v^2 / (R + 1)) - 2 (Welch 1947): exactly R - 1 for one stratum, and with several
    not as small as Satterthwaite's, which takes the noise of the v for differences between them.
    """
    squared = np.array([float((variances**2 / (sizes + 1.0)).sum())])
    freedom = np.array([float(np.maximum(sizes - 1.0, 0.0).sum())])
    return float(degrees_of_freedom(np.array([float(variances.sum())]), squared, freedom)[0])


def degrees_of_freedom(variance: Floats, squared: Floats, freedom: Floats) -> Floats:
    """As `welch_df`, of sums: `variance` of the v, `squared` of v^2 / (R + 1), `freedom` of R - 1,
    the most there can be; all (n,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.clip(variance**2 / squared - 2, 1.0, freedom)
    return np.asarray(np.where(variance > 0, found, freedom))


def _drawn(
    tops: Floats, bottoms: Floats, coefficients: Floats, strata: Ints, draws: int, seed: int
) -> Floats:
    """Drawn statistics (draws,); NaN for a draw in which one of the denominators is 0."""
    codes = np.unique(strata, return_inverse=True)[1]
    counts = drawn_counts(codes.astype(np.int64), draws=draws, seed=seed)
    drawn_tops, drawn_bottoms = counts @ tops, counts @ bottoms
    usable = drawn_bottoms > 0
    ratios = np.divide(drawn_tops, drawn_bottoms, where=usable, out=np.full(usable.shape, np.nan))
    return np.asarray(ratios @ coefficients)


@functools.lru_cache(maxsize=_KEPT_DRAWS)
def _stratum_counts(size: int, stratum: int, draws: int, seed: int) -> NDArray[np.int8]:
    """(draws, size); remembered, because many groups have as many recordings."""
    rng = np.random.default_rng([seed, stratum, size])
    chosen = rng.integers(0, size, (draws, size)) + size * np.arange(draws)[:, None]
    counts = np.bincount(chosen.ravel(), minlength=draws * size).reshape(draws, size)
    # Of fewer than MANY_CLUSTERS none can be drawn more often than that.
    return counts.astype(np.int8)


def _centred(values: Floats, strata: Ints, sizes: Ints) -> Floats:
    """Values less the mean of their stratum; 0 for a cluster alone in its stratum."""
    means = np.bincount(strata, values, minlength=len(sizes)) / np.maximum(sizes, 1)
    return np.asarray(values - means[strata])


def _normal(level: float) -> float:
    quantile = NormalDist().inv_cdf((1 + level) / 2)
    assert math.isfinite(quantile)
    return quantile
