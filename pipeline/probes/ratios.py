"""Statistics of sums over recordings: what `statistic_interval` takes. Sums (d, m) -> (d,)."""

from __future__ import annotations

import numpy as np

from pipeline.probes.effects import beyond_chance
from pipeline.probes.intervals import ratio
from pipeline.probes.material import Floats


def ratio_of_hits(sums: Floats) -> Floats:
    """One sum over hits beyond chance over another: (d, 7) -> (d,); NaN where the second is not
    above 0."""
    hits, n = sums[:, 4:6], sums[:, 6]
    tops = beyond_chance(sums[:, 0:2], hits, n)
    bottoms = beyond_chance(sums[:, 2:4], hits, n)
    return ratio(np.stack([tops, bottoms], axis=1))


def ratio_of_hits_less_ratio(sums: Floats) -> Floats:
    """`ratio_of_hits` less a plain ratio: (d, 9) -> (d,)."""
    return ratio_of_hits(sums[:, :7]) - ratio(sums[:, 7:])


def share(sums: Floats) -> Floats:
    """`ratio` of a number that lies between 0 and 1."""
    return ratio(sums)


def correlation(sums: Floats) -> Floats:
    """Pearson's r (d,) from sums (d, 6) of 1, x, y, x^2, y^2, xy."""
    n, x, y, xx, yy, xy = sums.T
    spread = (n * xx - x**2) * (n * yy - y**2)
    return np.asarray(np.where(spread > 0, (n * xy - x * y) / np.sqrt(np.abs(spread)), np.nan))


def difference_of_ratios(sums: Floats) -> Floats:
    """First over second less third over fourth: (d, 4) -> (d,)."""
    return ratio(sums[:, :2]) - ratio(sums[:, 2:])
