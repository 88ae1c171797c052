"""The indices ORI, GSI, OSI, TCI and VWS with their intervals, for the corpus and each child.

Each says whether it supports one of the findings of Ma et al. 2022, in three values: True and
False only where the whole interval lies on one side of the criterion, None where it cannot be
told. Criteria and formulas stand in docs/probing.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.probes.carriers import CARRIERS
from pipeline.probes.changes import PERTURBATIONS, Change
from pipeline.probes.curves import slopes
from pipeline.probes.effects import Effects, beyond_chance
from pipeline.probes.intervals import Ints, ratio, share_interval, statistic_interval
from pipeline.probes.material import Floats
from pipeline.probes.measured import Measured
from pipeline.probes.settings import ProbeSettings
from pipeline.probes.templates import carrier_sums, chance_modal_share, eta2
from pipeline.probes.verdicts import Index, above, at_least, at_most, both

CORPUS = "corpus"
FEWEST = 20
"""Utterances below which neither an interval nor a verdict is given: ratios of so few are not
spread as the interval takes them to be."""

ORI_FROM, GSI_BELOW, R_FROM, OSI_TO = 0.6, 0.25, 0.8, 0.15
ETA2_FROM, SHARE_FROM = 0.05, 3 / 12


@dataclass(frozen=True, slots=True)
class EffectRow:
    """Mean effect of one change over the sample, in units of s0: G at f* and at the middle frame,
    and the shift that the text alone causes. `impossible`: why it could not be made, how often."""

    change: Change
    best: Index
    middle: Index
    shift: Index
    impossible: tuple[tuple[str, int], ...]


def indices(measured: Measured, settings: ProbeSettings) -> tuple[Index, ...]:
    """All indices: of the corpus, then of each child in order of id."""
    effects = Effects(measured, settings.hit_z)
    children = np.asarray(measured.utterances.child_ids, dtype=object).astype(str)
    found = list(_Scope(CORPUS, np.ones(len(children), np.bool_), effects, settings).indices())
    for child in sorted(set(children.tolist())):
        found += _Scope(child, children == child, effects, settings).indices()
    return tuple(found)


def effect_rows(measured: Measured, settings: ProbeSettings) -> tuple[EffectRow, ...]:
    """The effect of every perturbation over the corpus."""
    effects = Effects(measured, settings.hit_z)
    scope = _Scope(CORPUS, np.ones(len(measured.utterances), np.bool_), effects, settings)
    rows = []
    for change in PERTURBATIONS:
        found = effects.of(change)
        rows.append(
            EffectRow(
                change,
                scope.mean(f"{change.value}: G at the best frame", found.best),
                scope.mean(f"{change.value}: G at the middle frame", found.middle),
                scope.mean(f"{change.value}: text alone", found.shift),
                measured.reasons(change),
            )
        )
    return tuple(rows)


class _Scope:
    """The indices of the corpus or of one child."""

    def __init__(
        self, name: str, mask: NDArray[np.bool_], effects: Effects, settings: ProbeSettings
    ) -> None:
        self.name, self.mask, self.effects, self.settings = name, mask, effects, settings
        utterances = effects.measured.utterances
        recordings, self._recording = np.unique(
            np.asarray(utterances.recording_ids, dtype=object).astype(str), return_inverse=True
        )
        children = np.asarray(utterances.child_ids, dtype=object).astype(str)
        first = np.zeros(len(recordings), np.int64)
        first[self._recording[::-1]] = np.arange(len(children))[::-1]
        self._strata: Ints = np.unique(children[first], return_inverse=True)[1].astype(np.int64)
        self._ones = np.ones((len(mask), 1))
        self._excess = effects.hits[:, 0] - effects.hits[:, 1]

    def indices(self) -> list[Index]:
        """Surplus and hits first: without them the others have nothing to explain."""
        surplus = self.effects.surplus
        hits = self.mean("hits beyond chance", self._excess, "share of utterances with z >= 1")
        return [
            self.mean("surplus", surplus.best, "in units of s0, all utterances"),
            self.mean("surplus, middle frame", surplus.middle, "in units of s0, all utterances"),
            hits,
            *self._reliance(),
            *self._beyond_nouns(),
            *self._order(),
            *self._template(Change.CARRIER_PRESENT, "TCI", "TCI share"),
            *self._template(Change.CARRIER_ABSENT, "TCI absent", "TCI absent share"),
            *self._words(),
        ]

    def mean(self, name: str, values: Floats, note: str = "") -> Index:
        """Mean over utterances that have a value; 0 where nothing drives the score."""
        has = self.mask & ~np.isnan(values)
        columns = np.stack([values, np.ones(len(values))], axis=1)
        return self._index(name, ratio, columns, has, int(has.sum()), 0.0, note)

    def _reliance(self) -> list[Index]:
        found = []
        for name, change, what in (
            ("ORI", Change.NOUN_SWAPPED, "nouns"),
            ("ORI verbs", Change.VERB_SWAPPED, "verbs"),
            ("ORI adjectives", Change.ADJECTIVE_SWAPPED, "adjectives"),
        ):
            effect, surplus = self.effects.of(change), self.effects.surplus
            lost = -self.effects.hits_of(effect.best, effect.null)
            whole = self.effects.hits_of(surplus.best, surplus.null)
            has = self.mask & ~np.isnan(effect.best)
            has &= self.effects.measured.utterances.has_object
            index = self._index(
                name,
                ratio_of_hits,
                self._hit_columns(lost, whole),
                has,
                self._n_hits(has),
                None,
                f"share of the surplus that is lost when {what} are swapped",
            )
            if change is Change.NOUN_SWAPPED:
                verdict = at_least(index, ORI_FROM)
                index = self._judged(index, verdict, has, "the score depends on the nouns")
            found.append(index)
        return found

    def _beyond_nouns(self) -> list[Index]:
        effect, surplus = self.effects.of(Change.NOUNS_ONLY), self.effects.surplus
        has = self.mask & ~np.isnan(effect.best)
        gap = self._index(
            "GSI",
            ratio_of_hits,
            self._hit_columns(-self.effects.hits_of(effect.best, effect.null)),
            has,
            self._n_hits(has),
            0.0,
            "surplus lost, in s0, when all but the nouns is removed",
        )
        whole, nouns = surplus.best, surplus.best + effect.best
        moments = np.stack(
            [np.ones(len(whole)), whole, nouns, whole**2, nouns**2, whole * nouns], axis=1
        )
        r = self._index(
            "GSI r",
            correlation,
            moments,
            has,
            int(has.sum()),
            0.0,
            "correlation of the surplus of utterances and of their nouns alone",
        )
        verdict = both(at_most(gap, GSI_BELOW), at_least(r, R_FROM))
        judged = self._judged(gap, verdict, has, "words beyond the nouns add little")
        return [judged, r]

    def _order(self) -> list[Index]:
        found = self.effects.measured.cosines(Change.WORDS_SHUFFLED)
        has = self.mask & ~np.isnan(found.best)
        wins = self.effects.hits_of(found.wins_best, found.wins_null)
        on_null = np.stack([found.wins_null.mean(axis=1), self._ones[:, 0]], axis=1)
        index = self._index(
            "OSI",
            ratio_of_hits_less_ratio,
            np.concatenate([self._hit_columns(wins), on_null], axis=1),
            has,
            self._n_hits(has),
            0.0,
            "how much more often the right order is above a shuffled one on f than on g",
        )
        effect = self.effects.of(Change.WORDS_SHUFFLED)
        size = self._index(
            "OSI size",
            ratio_of_hits,
            self._hit_columns(-self.effects.hits_of(effect.best, effect.null)),
            has,
            self._n_hits(has),
            0.0,
            "surplus lost, in s0, when the words are shuffled",
        )
        verdict = at_most(index, OSI_TO)
        return [self._judged(index, verdict, has, "word order is ignored"), size]

    def _template(self, change: Change, name: str, share_name: str) -> list[Index]:
        cosines, _ = self.effects.measured.by_number(change, len(CARRIERS))
        has = self.mask & ~np.isnan(cosines).any(axis=1) & (self.effects.is_hit > 0)
        n, n_carriers = int(has.sum()), len(CARRIERS)
        kind = "present" if change is Change.CARRIER_PRESENT else "absent"
        columns = np.full((len(cosines), n_carriers + 2), np.nan)
        best = np.full(len(cosines), -1)
        modal = ""
        is_best = np.zeros(len(cosines))
        if n:
            columns[has] = carrier_sums(cosines[has])
            best[has] = cosines[has].argmax(axis=1)
            place = int(np.bincount(best[has], minlength=n_carriers).argmax())
            modal = CARRIERS[place].format(a="a NOUN", the="the NOUN")
            is_best = (best == place).astype(np.float64)
        chance = (n_carriers - 1) / (n * n_carriers - 1) if n else None
        eta = self._index(
            name, eta2, columns, has, n, chance, f"eta^2 of the carrier, {kind} words"
        )
        part = self._index(
            share_name,
            share,
            np.stack([is_best, np.ones(len(is_best))], axis=1),
            has,
            n,
            chance_modal_share(n, n_carriers) if n else None,
            f'frames whose best carrier is "{modal}", {kind} words',
        )
        verdict = both(at_least(eta, ETA2_FROM), at_least(part, SHARE_FROM))
        return [self._judged(eta, verdict, has, "fixed sentences are preferred", False), part]

    def _words(self) -> list[Index]:
        most, effects = self.settings.most_added, self.effects
        present = slopes(effects, Change.PRESENT_ADDED, most)
        absent = slopes(effects, Change.ABSENT_ADDED, most)
        function = slopes(effects, Change.FUNCTION_ADDED, most)
        null_squares = np.broadcast_to(present.squares[:, None], present.null_products.shape)
        top = effects.hits_of(present.products, present.null_products)
        bottom = effects.hits_of(present.squares, null_squares)
        has = self.mask & ~np.isnan(present.products)
        rise = self._index(
            "VWS",
            ratio_of_hits,
            self._hit_columns(top, bottom),
            has,
            self._n_hits(has),
            0.0,
            "s0 gained by each added word for what is there",
        )
        rise = self._judged(
            rise, above(rise, 0.0), has, "more visual words count as better aligned"
        )
        is_hit = self.mask & (effects.is_hit > 0)
        found = [rise]
        for name, one, note in (
            ("VWS absent", absent, "s0 gained by each added word for what is not there"),
            ("VWS function", function, "s0 gained by each added function word"),
        ):
            mine = is_hit & ~np.isnan(one.products)
            columns = np.stack([one.products, one.squares], axis=1)
            found.append(self._index(name, ratio, columns, mine, int(mine.sum()), 0.0, note))
        mine = is_hit & ~np.isnan(absent.products) & ~np.isnan(function.products)
        columns = np.stack(
            [absent.products, absent.squares, function.products, function.squares], axis=1
        )
        count = self._index(
            "VWS absent - function",
            difference_of_ratios,
            columns,
            mine,
            int(mine.sum()),
            0.0,
            "whether words for what is not there gain at least what function words do",
        )
        verdict = at_least(count, 0.0)
        found.append(
            self._judged(count, verdict, mine, "the number of visual words beats truth", False)
        )
        return found

    def _index(
        self,
        name: str,
        statistic: Callable[[Floats], Floats],
        columns: Floats,
        has: NDArray[np.bool_],
        n: int,
        chance: float | None,
        note: str,
    ) -> Index:
        """Sums by recording over utterances `has` (n,) of columns (n, m), and their interval."""
        codes, rows = np.unique(self._recording[has], return_inverse=True)
        sums = np.zeros((len(codes), columns.shape[1]))
        np.add.at(sums, rows, columns[has])
        if not len(codes):
            return Index(name, self.name, None, None, None, 0, 0, chance, None, note)
        strata, seed = self._strata[codes], self.settings.seed
        if statistic is share:
            found = share_interval(sums, strata, n, seed=seed)
        else:
            found = statistic_interval(statistic, sums, strata, n, seed=seed)
        low, high = (found.low, found.high) if n >= FEWEST else (math.nan, math.nan)
        value, lower, upper = (_known(one) for one in (found.estimate, low, high))
        return Index(name, self.name, value, lower, upper, n, len(codes), chance, None, note)

    def _hit_columns(self, top: Floats, bottom: Floats | None = None) -> Floats:
        """Columns of `ratio_of_hits`; without a bottom the mean over hits beyond chance."""
        hits = self.effects.hits
        return np.concatenate([top, hits if bottom is None else bottom, hits, self._ones], axis=1)

    def _n_hits(self, has: NDArray[np.bool_]) -> int:
        return int((self.effects.is_hit[has] > 0).sum())

    def _judged(
        self,
        index: Index,
        verdict: bool | None,
        has: NDArray[np.bool_],
        finding: str,
        needs_hits: bool = True,
    ) -> Index:
        """The index with its verdict; none where there is too little to explain."""
        why = ""
        if index.n < FEWEST:
            why = f"fewer than {FEWEST} utterances"
        elif needs_hits:
            hits = self.mean("hits", np.where(has, self._excess, np.nan))
            if hits.lower is None or hits.lower <= 0:
                why = "these utterances do not match their frames beyond chance"
        elif index.lower is None:
            why = "the interval is not known"
        if why:
            return replace(index, supports=None, note=f"{index.note}; cannot be told: {why}")
        words = {
            True: f"supported: {finding}",
            False: f"not supported: {finding}",
            None: f"cannot be told whether {finding}",
        }[verdict]
        return replace(index, supports=verdict, note=f"{index.note}; {words}")


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


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
