"""Does a study of raters give back the curve it was made from?

    python -m benchmarks.psychometric_coverage [--studies 300] [--write FILE]

Simulated 4AFC studies with a known psychometric function: every rater has an ability and every item
a difficulty of its own. Prints how often the 95 % intervals of the slope and of the implied
threshold hold the truth; the exit code is 1 when one does so in less than 93 %.

The truth is the marginal curve, averaged over raters and items by Gauss-Hermite quadrature. Its
threshold, halfway between chance and ceiling, is that of the single rater because abilities and
difficulties are symmetric; its slope is that of the logistic curve nearest to it (largest expected
likelihood) over the scores of the design.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray

from pipeline.errors import FitError
from pipeline.stats.crossed import crossed_share
from pipeline.stats.psychometric import fit_psychometric
from pipeline.stats.psychometric_search import LOG_SLOPE, Tallies, peak

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHANCE = 0.25
LOWEST, HIGHEST = 0.14, 0.34
TRIALS = 40
N_BINS = 8
LEAST = 0.93


@dataclass(frozen=True, slots=True)
class Design:
    """How many raters answer TRIALS trials each, out of how many items."""

    n_raters: int
    n_items: int

    @property
    def name(self) -> str:
        return f"{self.n_raters} raters x {TRIALS} of {self.n_items} items"


@dataclass(frozen=True, slots=True)
class World:
    """A known psychometric function; SDs of raters and items in log-odds."""

    name: str
    slope: float
    threshold: float
    lapse: float
    rater_sd: float
    item_sd: float

    def accuracy(self, scores: Floats) -> Floats:
        """Marginal P(right) at the scores."""
        nodes, weights = hermegauss(40)
        shifts = nodes * math.hypot(self.rater_sd, self.item_sd)
        logits = self.slope * (scores[:, None] - self.threshold) + shifts
        rising = (1 / (1 + np.exp(-logits))) @ (weights / weights.sum())
        return np.asarray(CHANCE + (1 - CHANCE - self.lapse) * rising)

    def marginal_slope(self) -> float:
        """Slope of the logistic curve nearest to the marginal one."""
        scores = np.linspace(LOWEST, HIGHEST, 801)
        mean, sd = float(scores.mean()), float(scores.std())
        n = np.full(len(scores), 1_000.0)
        nearest = peak(
            Tallies((scores - mean) / sd, n * self.accuracy(scores), n, CHANCE), lapse=None
        )
        return float(np.exp(nearest.theta[LOG_SLOPE])) / sd


DESIGNS = (Design(12, 40), Design(40, 40), Design(40, 320), Design(80, 320))
WORLDS = (
    World("clear", 40, 0.24, 0.04, 0.5, 0.7),
    World("shallow", 25, 0.25, 0.02, 0.5, 0.7),
    World("steep", 60, 0.22, 0.05, 0.3, 0.5),
)


@dataclass(frozen=True, slots=True)
class Study:
    """Answers, all (n,)."""

    scores: Floats
    is_right: NDArray[np.bool_]
    raters: Ints
    items: Ints


@dataclass(slots=True)
class Rates:
    """In how many studies the interval held the truth; `n_refused` gave none, and missed."""

    n: int = 0
    n_refused: int = 0
    threshold: int = 0
    slope: int = 0
    bins: int = 0
    n_bins: int = 0
    half_width: float = 0.0

    @property
    def threshold_share(self) -> float:
        return self.threshold / self.n

    @property
    def slope_share(self) -> float:
        return self.slope / self.n


def simulated(design: Design, world: World, seed: int) -> Study:
    """One study: scores stratified over the range, lists balanced over items."""
    rng = np.random.default_rng([design.n_raters, design.n_items, int(world.slope), seed])
    places = np.arange(design.n_items) + rng.random(design.n_items)
    of_item = LOWEST + (HIGHEST - LOWEST) * places / design.n_items
    apart = design.n_items // TRIALS
    raters = np.repeat(np.arange(design.n_raters), TRIALS)
    items = np.tile(np.arange(TRIALS) * apart, design.n_raters) + raters % apart
    ability = rng.normal(0, world.rater_sd, design.n_raters)
    ease = rng.normal(0, world.item_sd, design.n_items)
    logits = world.slope * (of_item[items] - world.threshold) + ability[raters] + ease[items]
    p = CHANCE + (1 - CHANCE - world.lapse) / (1 + np.exp(-logits))
    return Study(of_item[items], rng.random(len(p)) < p, raters, items)


def rates_of(design: Design, world: World, n: int) -> Rates:
    """What `n` studies give."""
    slope, rates = world.marginal_slope(), Rates(n)
    edges = np.linspace(LOWEST, HIGHEST, N_BINS + 1)
    widths = []
    for seed in range(n):
        study = simulated(design, world, seed)
        _count_bins(rates, study, world, edges)
        try:
            fit = fit_psychometric(study.scores, study.is_right, study.raters, study.items)
        except FitError:
            rates.n_refused += 1
            continue
        rates.threshold += fit.threshold.low <= world.threshold <= fit.threshold.high
        rates.slope += fit.slope.low <= slope <= fit.slope.high
        widths.append((fit.threshold.high - fit.threshold.low) / 2)
    rates.half_width = float(np.median(widths)) if widths else math.nan
    return rates


def _count_bins(rates: Rates, study: Study, world: World, edges: Floats) -> None:
    for low, high in itertools.pairwise(edges.tolist()):
        inside = (study.scores >= low) & (study.scores < high)
        found = crossed_share(
            study.is_right[inside].astype(np.float64), study.raters[inside], study.items[inside]
        )
        truth = float(world.accuracy(np.linspace(low, high, 41)).mean())
        rates.bins += found.low <= truth <= found.high
        rates.n_bins += 1


def report(found: dict[tuple[str, str], Rates], n: int, took_s: float) -> str:
    """The committed page."""
    lines = [
        f"| {design.name} | {world.name} | {_percent(one.threshold_share)} "
        f"| {_percent(one.slope_share)} | {_percent(one.bins / one.n_bins)} "
        f"| ± {one.half_width:.4f} | {one.n_refused} |"
        for design in DESIGNS
        for world in WORLDS
        for one in (found[design.name, world.name],)
    ]
    worlds = "\n".join(
        f"- {w.name}: slope {w.slope:g} per unit of score within a rater and an item "
        f"({w.marginal_slope():.1f} over raters and items), threshold {w.threshold:g}, lapse rate "
        f"{w.lapse:g}, SD of raters {w.rater_sd:g} and of items {w.item_sd:g} log-odds."
        for w in WORLDS
    )
    return f"""# Coverage of the psychometric curve

Made by `python -m benchmarks.psychometric_coverage --studies {n} --write
benchmarks/psychometric_coverage.md` in {took_s / 60:.0f} minutes of one core: {n} simulated
studies for each line, scores from {LOWEST:g} to {HIGHEST:g}; threshold, slope and lapse rate are
all estimated. Percent of studies whose 95 % interval held the truth; the Monte-Carlo standard error
is {100 * math.sqrt(0.05 * 0.95 / n):.1f}. Bold: below {100 * LEAST:.0f}. A study that was refused
a curve counts as a miss. Accuracy by bin: all {N_BINS} bins of every study together.

| design | world | threshold | slope | accuracy by bin | threshold, half width | refused |
|---|---|---|---|---|---|---|
{chr(10).join(lines)}

{worlds}
"""


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if share >= LEAST else f"**{100 * share:.1f}**"


def main() -> int:
    """Print the table; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.psychometric_coverage", description=__doc__
    )
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--write", type=Path, help="write the table to this file")
    asked = parser.parse_args()
    found = {(d.name, w.name): rates_of(d, w, asked.studies) for d in DESIGNS for w in WORLDS}
    text = report(found, asked.studies, os.times().user)
    print(text)
    if asked.write:
        asked.write.write_text(text, encoding="utf-8")
    is_missed = False
    for (design, world), rates in found.items():
        for name, share in (("threshold", rates.threshold_share), ("slope", rates.slope_share)):
            # Beyond what so many studies can tell.
            if share < LEAST - 2 * math.sqrt(share * (1 - share) / rates.n):
                is_missed = True
                print(f"MISSED: {name}, {design}, {world}: {100 * share:.1f} %")
    return int(is_missed)


if __name__ == "__main__":
    sys.exit(main())
