"""Do the intervals hold what they promise? How often 95 % intervals cover the truth.

    python -m benchmarks.coverage [--studies 500] [--null-studies 1000] [--processes 1]
        [--write FILE]

Simulated studies with known truths (see simulated_studies.py and unaligned_studies.py). Prints
the tables as Markdown; the exit code is 1 when an interval covers less than 93 or more than 97 %,
or the null-corrected duration slope is found in less than 4 or more than 6 % of studies in which
nothing is aligned, beyond what so many studies can tell.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import simulated_studies as simulated
from benchmarks.plain_bootstrap import bca_limits, percentile_limits
from benchmarks.simulated_studies import Floats, Size
from benchmarks.unaligned_studies import unaligned_study
from pipeline.stats.bands import simultaneous_band
from pipeline.stats.bootstrap import Interval, share_intervals
from pipeline.stats.contrasts import excesses, ratio_differences
from pipeline.stats.matched import matched_difference
from pipeline.stats.mixed.fit import fit_mixed

SIZES = tuple(Size(c, r) for c in (5, 19) for r in (3, 10, 40))
ONE_CHILD = tuple(Size(1, r) for r in (2, 3, 5, 10, 40))
NULL_SIZE = Size(5, 6)
QUICK = 4
"""As many times more studies for intervals that take no model to be fitted."""
_COVERED, _FOUND = (0.93, 0.97), (0.04, 0.06)


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened in n studies."""

    name: str
    size: Size
    hits: int
    n: int
    is_ours: bool = True

    @property
    def share(self) -> float:
        return self.hits / self.n

    @property
    def error(self) -> float:
        """Monte-Carlo standard error."""
        return math.sqrt(self.share * (1 - self.share) / self.n)

    def misses(self, limits: tuple[float, float]) -> bool:
        """Whether it lies outside the limits by more than two Monte-Carlo errors."""
        return not limits[0] - 2 * self.error <= self.share <= limits[1] + 2 * self.error


def covered(name: str, size: Size, intervals: list[Interval], truth: Floats) -> Rate:
    """How often intervals hold the truth; a study without an interval counts as a miss."""
    hits = sum(one.low <= true <= one.high for one, true in zip(intervals, truth, strict=True))
    return Rate(name, size, hits, len(intervals))


def share_rates(size: Size, n: int) -> Iterator[Rate]:
    """The share, by the intervals of the dashboard and by plain ones on the same studies."""
    counts = simulated.share_studies(np.random.default_rng(1), size, n)
    study, strata = _codes(size, n)
    side = simulated.flat_side(counts)
    yield covered(
        "share", size, share_intervals(side.tops, side.bottoms, study, strata), counts.truth
    )
    for name, limits in (("plain percentiles", percentile_limits), ("BCa", bca_limits)):
        low, high = limits(counts.high, counts.scored, size.strata())
        hits = int(((low <= counts.truth) & (counts.truth <= high)).sum())
        yield Rate(f"share, {name}", size, hits, n, is_ours=False)


def difference_rate(size: Size, n: int) -> Rate:
    """Adults minus child in the same recordings."""
    both = simulated.speaker_studies(np.random.default_rng(2), size, n)
    study, strata = _codes(size, n)
    adults, child = simulated.flat_side(both.adults), simulated.flat_side(both.child)
    found = ratio_differences(adults, child, study, strata)
    intervals = [contrast.interval for contrast in found]
    return covered("speaker difference", size, intervals, both.truth)


def matched_rate(size: Size, n: int) -> Rate:
    """Adults minus child in mean score, at equal numbers of frames."""
    rng, intervals, truths = np.random.default_rng(3), [], []
    for _ in range(n):
        sums, truth = simulated.matched_study(rng, size)
        intervals.append(matched_difference(sums, size.strata()).matched.interval)
        truths.append(truth)
    return covered("difference at equal frames", size, intervals, np.array(truths))


def excess_rate(size: Size, n: int) -> Rate:
    """Share minus chance."""
    counts, expected = simulated.excess_studies(np.random.default_rng(4), size, n)
    study, strata = _codes(size, n)
    found = excesses(counts.high.ravel(), expected.ravel(), counts.scored.ravel(), study, strata)
    return covered("share minus chance", size, [one.interval for one in found], counts.truth)


def band_rate(size: Size, n: int) -> Rate:
    """The whole lag profile within its band."""
    rng, hits = np.random.default_rng(5), 0
    for _ in range(n):
        sums, counts, truth = simulated.profile_study(rng, size)
        band = simultaneous_band(sums - truth * counts, counts, size.strata())
        hits += not band.excludes(0.0).any()
    return Rate("lag profile, all lags", size, hits, n)


def slope_rates(size: Size, n: int) -> list[Rate]:
    """Slopes of mixed models: within recordings, and between recordings of a child."""
    rng = np.random.default_rng(6)
    n_utterances = max(5, 300 // size.n_clusters)
    formula = "score ~ duration + (1 | child) + (1 | recording)"
    tables = (simulated.duration_study(rng, size, n_utterances) for _ in range(n))
    effects = [_effect(table, formula, "duration") for table in tables]
    hits = sum(low <= simulated.DURATION_SLOPE <= high for low, high, _ in effects)
    duration = Rate("mixed model: duration", size, hits, n)
    tables = (simulated.age_study(rng, size) for _ in range(n))
    effects = [_effect(table, "share ~ age + (1 | child)", "age") for table in tables]
    hits = sum(low <= simulated.AGE_SLOPE <= high for low, high, _ in effects)
    return [duration, Rate("mixed model: age", size, hits, n)]


def found_slopes(size: Size, n: int) -> list[Rate]:
    """How often p < .05 for a duration slope where nothing is aligned."""
    rng = np.random.default_rng(7)
    formulas = {
        "maximum cosine": "score ~ duration + (1 | child) + (1 | recording)",
        "z against the matched null": "z ~ duration + (1 | child) + (1 | recording)",
    }
    hits = dict.fromkeys(formulas, 0)
    for _ in range(n):
        table = unaligned_study(rng, size)
        for name, formula in formulas.items():
            hits[name] += _effect(table, formula, "duration")[2] < 0.05
    return [
        Rate(name, size, found, n, name.startswith("z against")) for name, found in hits.items()
    ]


def _effect(table: pd.DataFrame, formula: str, term: str) -> tuple[float, float, float]:
    """Limits and p of one fixed effect."""
    fit = fit_mixed(table, formula)
    (effect,) = (one for one in fit.fixed if one.term == term)
    return effect.lower, effect.upper, effect.p


def _codes(size: Size, n: int) -> tuple[simulated.Ints, simulated.Ints]:
    return np.repeat(np.arange(n), size.n_clusters), np.tile(size.strata(), n)


def interval_rates(size: Size, n: int) -> list[Rate]:
    """Intervals by recordings at one size; of one child only its share."""
    rates = list(share_rates(size, n))
    if size in SIZES:
        rates += [difference_rate(size, n), matched_rate(size, n), excess_rate(size, n)]
        rates.append(band_rate(size, n))
    return rates


def all_rates(n: int, n_null: int, n_processes: int) -> tuple[list[Rate], list[Rate]]:
    """Coverage at every size, and slopes found where nothing is aligned.

    Every part draws from its own seed, so processes do not change the figures.
    """
    with ProcessPoolExecutor(n_processes) as pool:
        slopes = pool.submit(found_slopes, NULL_SIZE, n_null)
        parts = [pool.submit(interval_rates, size, QUICK * n) for size in (*SIZES, *ONE_CHILD)]
        parts += [pool.submit(slope_rates, size, n) for size in SIZES]
        for part in as_completed([slopes, *parts]):
            first = part.result()[0]
            print(f"done: {first.name}, {_name(first.size)}", file=sys.stderr, flush=True)
    return [rate for part in parts for rate in part.result()], slopes.result()


def _name(size: Size) -> str:
    return f"{size.n_children} x {size.n_recordings}"


def table(rates: list[Rate], limits: tuple[float, float]) -> str:
    """Markdown: a row for each name, a column for each size; figures outside the limits bold."""
    sizes = list(dict.fromkeys(rate.size for rate in rates))
    heads = [_name(size) for size in sizes]
    lines = [
        "| children x recordings | " + " | ".join(heads) + " |",
        "|---" * (len(sizes) + 1) + "|",
    ]
    for name in dict.fromkeys(rate.name for rate in rates):
        cells = []
        for size in sizes:
            rate = next((r for r in rates if (r.name, r.size) == (name, size)), None)
            text = "" if rate is None else f"{100 * rate.share:.1f}"
            is_out = rate is not None and not limits[0] <= rate.share <= limits[1]
            cells.append(f"**{text}**" if is_out else text)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def report(rates: list[Rate], slopes: list[Rate], took_s: float) -> str:
    """The committed page."""
    n, n_null = rates[0].n // QUICK, slopes[0].n
    one = [rate for rate in rates if rate.size in ONE_CHILD]
    many = [rate for rate in rates if rate.size in SIZES]
    quick_error, error, null_error = (
        100 * math.sqrt(0.05 * 0.95 / m) for m in (QUICK * n, n, n_null)
    )
    return f"""# Coverage of intervals, and false findings

Made by `python -m benchmarks.coverage --studies {n} --null-studies {n_null} --write
benchmarks/coverage.md` in {took_s / 60:.0f} minutes of one core. What each row means stands in
docs/intervals.md.

## How often 95 % intervals hold the truth (%)

{QUICK * n:,} simulated studies for each figure ({n} for mixed models); its Monte-Carlo standard
error is {quick_error:.1f} ({error:.1f}). Bold: outside 93 to 97.

{table(many, _COVERED)}

The share of one child:

{table(one, _COVERED)}

"plain percentiles" and "BCa" are the usual bootstrap intervals on the same studies, shown for
comparison; the product does not use them.

## How often a duration slope is found (p < .05) where nothing is aligned (%)

{n_null} simulated studies; the Monte-Carlo standard error of 5 % is {null_error:.1f}. Bold: outside
4 to 6.

{table(slopes, _FOUND)}
"""


def main() -> int:
    """Print the tables; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--null-studies", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", type=Path, help="write the tables to this file")
    asked = parser.parse_args()
    rates, slopes = all_rates(asked.studies, asked.null_studies, asked.processes)
    took = os.times()
    text = report(rates, slopes, took.user + took.children_user)
    print(text)
    if asked.write:
        asked.write.write_text(text, encoding="utf-8")
    missed = [rate for rate in rates if rate.is_ours and rate.misses(_COVERED)]
    missed += [rate for rate in slopes if rate.is_ours and rate.misses(_FOUND)]
    for rate in missed:
        print(f"MISSED: {rate.name}, {_name(rate.size)}: {100 * rate.share:.1f} %")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
