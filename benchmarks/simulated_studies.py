"""Studies made up from known truths, many at a time, to see how often intervals hold them.

Recordings of a child differ about as much as children do, and differ in length; what is asked is
always about the children at hand, as in the dashboard. All arrays are (n_studies, n_clusters) or
(n_studies * n_clusters,), recordings of a child side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.stats.contrasts import Side
from pipeline.stats.matched import LevelSums

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHILD_SD, RECORDING_SD = 0.4, 0.4
"""Logits of shares between children, and between recordings of a child."""
DURATION_SLOPE = 9.46e-4
"""Cosine per second, as published (Tan et al. 2025)."""
AGE_SLOPE = 0.004
"""Share per month of age."""


@dataclass(frozen=True, slots=True)
class Size:
    """Children, and recordings of each."""

    n_children: int
    n_recordings: int

    @property
    def n_clusters(self) -> int:
        return self.n_children * self.n_recordings

    def strata(self) -> Ints:
        """Child of each recording of one study."""
        return np.repeat(np.arange(self.n_children), self.n_recordings)


@dataclass(frozen=True, slots=True)
class Counts:
    """Highly aligned and scored utterances of every recording, and each study's truth."""

    high: Floats
    scored: Floats
    truth: Floats


def share_studies(rng: np.random.Generator, size: Size, n: int) -> Counts:
    """About 13 % highly aligned; recordings hold 80 utterances, with a coefficient of variation of
    two thirds."""
    child = rng.normal(_logit(0.13), CHILD_SD, (n, size.n_children))
    own = _by_recording(child, size) + rng.normal(0, RECORDING_SD, (n, size.n_clusters))
    scored = _lengths(rng, (n, size.n_clusters), mean=80)
    return Counts(
        rng.binomial(scored.astype(int), _expit(own)).astype(np.float64),
        scored,
        _mean_share(child, RECORDING_SD).mean(axis=1),
    )


@dataclass(frozen=True, slots=True)
class TwoSides:
    """Counts of adults and of the key child in the same recordings, and the true difference."""

    adults: Counts
    child: Counts
    truth: Floats


def speaker_studies(rng: np.random.Generator, size: Size, n: int) -> TwoSides:
    """Adults score higher, in some families more than in others; the key child talks less, in one
    recording of ten not at all."""
    shape = (n, size.n_clusters)
    base = rng.normal(_logit(0.11), CHILD_SD, (n, size.n_children))
    of_adults = base + rng.normal(0.35, 0.2, (n, size.n_children))
    shared = rng.normal(0, 0.3, shape)
    sides = []
    for logit, mean, silent in ((of_adults, 55, 0.0), (base, 25, 0.1)):
        own = _by_recording(logit, size) + shared + rng.normal(0, 0.25, shape)
        scored = _lengths(rng, shape, mean=mean) * (rng.uniform(size=shape) >= silent)
        high = rng.binomial(scored.astype(int), _expit(own)).astype(np.float64)
        truth = _mean_share(logit, float(np.hypot(0.3, 0.25))).mean(axis=1)
        sides.append(Counts(high, scored, truth))
    return TwoSides(sides[0], sides[1], sides[0].truth - sides[1].truth)


def excess_studies(rng: np.random.Generator, size: Size, n: int) -> tuple[Counts, Floats]:
    """Shares above a chance level that varies between recordings; also the expected counts."""
    shape = (n, size.n_clusters)
    chance = _expit(rng.normal(_logit(0.06), 0.6, shape))
    surplus = rng.normal(0, 0.02, (n, size.n_children))
    above = 0.05 + _by_recording(surplus, size) + rng.normal(0, 0.02, shape)
    scored = _lengths(rng, shape, mean=80)
    share = np.clip(chance + above, 0.001, 0.999)
    high = rng.binomial(scored.astype(int), share).astype(np.float64)
    return Counts(high, scored, 0.05 + surplus.mean(axis=1)), chance * scored


def matched_study(rng: np.random.Generator, size: Size) -> tuple[LevelSums, float]:
    """Scores of adults' and the child's utterances: .004 per frame and .005 for adults, whose
    utterances are longer. Returns the sums by recording, side and number of frames."""
    n = size.n_clusters
    counts = rng.poisson(np.array([[25], [12]]), (2, n))
    side = np.repeat([True, False], counts.sum(axis=1))
    cluster = np.concatenate([np.repeat(np.arange(n), row) for row in counts])
    frames = 1 + rng.poisson(np.where(side, 2.0, 1.0))
    shared = rng.normal(0, 0.01, n) + _by_recording(rng.normal(0, 0.01, (1, size.n_children)), size)
    apart = rng.normal(0, 0.005, (2, n))
    noise = rng.normal(0, 0.025, len(side))
    score = 0.2 + 0.004 * frames + 0.005 * side
    score += shared[0, cluster] + apart[np.where(side, 0, 1), cluster] + noise
    most = int(frames.max()) + 1
    keys = (2 * cluster + side) * most + frames
    cells, place = np.unique(keys, return_inverse=True)
    sums = np.bincount(place, score).astype(np.float64)
    counts_of = np.bincount(place).astype(np.float64)
    of_cell = cells // most
    return LevelSums(of_cell // 2, of_cell % 2 == 1, cells % most, sums, counts_of), 0.005


def profile_study(rng: np.random.Generator, size: Size) -> tuple[Floats, Floats, Floats]:
    """Sums and counts (n_clusters, 21) of cosines at lags -10 to 10 s, and the true curve: a
    peak during the utterance. Neighbouring lags of a recording stray together."""
    n, lags = size.n_clusters, np.arange(-10, 11)
    truth = 0.01 * np.exp(-((lags / 3.0) ** 2))
    steps = rng.normal(0, 0.004, (n, len(lags) + 6))
    smooth = np.stack([steps[:, k : k + len(lags)] for k in range(7)]).sum(axis=0)
    counts = np.repeat(_lengths(rng, (n, 1), mean=60), len(lags), axis=1)
    noise = rng.normal(0, 1, (n, len(lags))) * 0.025 / np.sqrt(counts)
    return (truth + smooth + noise) * counts, counts, truth


def duration_study(rng: np.random.Generator, size: Size, n_utterances: int) -> pd.DataFrame:
    """Utterances with score, duration (s), child and recording; the slope is DURATION_SLOPE."""
    recording = np.repeat(np.arange(size.n_clusters), n_utterances)
    child = recording // size.n_recordings
    duration = durations_s(rng, len(recording))
    score = 0.2 + DURATION_SLOPE * duration + rng.normal(0, 0.025, len(recording))
    score += rng.normal(0, 0.01, size.n_children)[child]
    score += rng.normal(0, 0.01, size.n_clusters)[recording]
    columns = {"score": score, "duration": duration, "child": child, "recording": recording}
    return pd.DataFrame(columns).astype({"child": "category", "recording": "category"})


def age_study(rng: np.random.Generator, size: Size) -> pd.DataFrame:
    """Recordings with share, age (months) and child; the slope is AGE_SLOPE. Children are
    followed over different ages."""
    child = size.strata()
    age = rng.uniform(6, 24, size.n_children)[child] + rng.uniform(0, 12, size.n_clusters)
    share = 0.1 + AGE_SLOPE * age + rng.normal(0, 0.05, size.n_children)[child]
    columns = {"share": share + rng.normal(0, 0.05, size.n_clusters), "age": age, "child": child}
    return pd.DataFrame(columns).astype({"child": "category"})


def durations_s(rng: np.random.Generator, n: int) -> Floats:
    """Lengths of utterances in seconds: median 1.9, between .2 and 12."""
    return np.clip(rng.lognormal(np.log(1.9), 0.7, n), 0.2, 12.0)


def flat_side(counts: Counts) -> Side:
    """All studies behind each other."""
    return Side(counts.high.ravel(), counts.scored.ravel())


def _lengths(rng: np.random.Generator, shape: tuple[int, ...], *, mean: float) -> Floats:
    sd = 0.6
    drawn = rng.lognormal(np.log(mean) - sd**2 / 2, sd, shape)
    return np.maximum(1.0, np.round(drawn))


def _by_recording(of_child: Floats, size: Size) -> Floats:
    return np.repeat(of_child, size.n_recordings, axis=1)


def _mean_share(logit: Floats, sd: float) -> Floats:
    """Mean share over recordings whose logits vary by sd around each child's, by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(21)
    shares = _expit(logit[..., None] + sd * nodes)
    return np.asarray(shares @ (weights / weights.sum()))


def _expit(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))
