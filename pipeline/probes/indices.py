"""The indices ORI, GSI, OSI, TCI and VWS with their intervals, for the corpus and each child.

Each says whether it supports one of the findings of Ma et al. 2022, in three values: True and
False only where the whole interval lies on one side of the criterion, None where it cannot be
told. Criteria and formulas stand in docs/probing.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.carriers import CARRIERS
from pipeline.probe_tables import CORPUS
from pipeline.probes.changes import PERTURBATIONS, Change
from pipeline.probes.curves import slopes
from pipeline.probes.effects import Effects
from pipeline.probes.intervals import ratio
from pipeline.probes.measured import Measured
from pipeline.probes.ratios import (
    correlation,
    difference_of_ratios,
    ratio_of_hits,
    ratio_of_hits_less_ratio,
    share,
)
from pipeline.probes.scope import Scope
from pipeline.probes.settings import ProbeSettings
from pipeline.probes.templates import carrier_sums, eta2, template_chance
from pipeline.probes.verdicts import Index, above, at_least, at_most, both

ORI_FROM, GSI_BELOW, R_FROM, OSI_TO = 0.6, 0.25, 0.8, 0.15
ETA2_FROM, SHARE_FROM = 0.05, 3 / 12
"""Where the table of the indices draws its lines."""


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
    unit = Index(
        "s0",
        CORPUS,
        effects.s0,
        None,
        None,
        len(children),
        len(set(measured.utterances.recording_ids)),
        None,
        None,
        "the unit: SD of the cosines of utterances with frames that are not theirs",
    )
    found = [unit, *_of_scope(Scope(CORPUS, np.ones(len(children), np.bool_), effects, settings))]
    for child in sorted(set(children.tolist())):
        found += _of_scope(Scope(child, children == child, effects, settings))
    return tuple(found)


def effect_rows(measured: Measured, settings: ProbeSettings) -> tuple[EffectRow, ...]:
    """The effect of every perturbation over the corpus."""
    effects = Effects(measured, settings.hit_z)
    scope = Scope(CORPUS, np.ones(len(measured.utterances), np.bool_), effects, settings)
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


def _of_scope(scope: Scope) -> list[Index]:
    """Surplus and hits first: without them the others have nothing to explain."""
    surplus = scope.effects.surplus
    hits = scope.mean("hits beyond chance", scope.excess, "share of utterances with z >= 1")
    return [
        scope.mean("surplus", surplus.best, "in units of s0, all utterances"),
        scope.mean("surplus, middle frame", surplus.middle, "in units of s0, all utterances"),
        hits,
        *_reliance(scope),
        *_beyond_nouns(scope),
        *_order(scope),
        *_template(scope, Change.CARRIER_PRESENT, "TCI", "TCI share"),
        *_template(scope, Change.CARRIER_ABSENT, "TCI absent", "TCI absent share"),
        *_words(scope),
    ]


def _reliance(scope: Scope) -> list[Index]:
    found = []
    for name, change, what in (
        ("ORI", Change.NOUN_SWAPPED, "nouns"),
        ("ORI verbs", Change.VERB_SWAPPED, "verbs"),
        ("ORI adjectives", Change.ADJECTIVE_SWAPPED, "adjectives"),
    ):
        effect, surplus = scope.effects.of(change), scope.effects.surplus
        lost = -scope.effects.hits_of(effect.best, effect.null)
        whole = scope.effects.hits_of(surplus.best, surplus.null)
        has = scope.mask & ~np.isnan(effect.best)
        has &= scope.effects.measured.utterances.has_object
        index = scope.index(
            name,
            ratio_of_hits,
            scope.hit_columns(lost, whole),
            has,
            scope.n_hits(has),
            None,
            f"share of the surplus that is lost when {what} are swapped",
        )
        if change is Change.NOUN_SWAPPED:
            verdict = at_least(index, ORI_FROM)
            found.append(scope.judged(index, verdict, has, "the score depends on the nouns"))
        else:
            found.append(scope.explained(index, has))
    return found


def _beyond_nouns(scope: Scope) -> list[Index]:
    effect, surplus = scope.effects.of(Change.NOUNS_ONLY), scope.effects.surplus
    has = scope.mask & ~np.isnan(effect.best)
    gap = scope.index(
        "GSI",
        ratio_of_hits,
        scope.hit_columns(-scope.effects.hits_of(effect.best, effect.null)),
        has,
        scope.n_hits(has),
        0.0,
        "surplus lost, in s0, when all but the nouns is removed",
    )
    whole, nouns = surplus.best, surplus.best + effect.best
    moments = np.stack(
        [np.ones(len(whole)), whole, nouns, whole**2, nouns**2, whole * nouns], axis=1
    )
    r = scope.index(
        "GSI r",
        correlation,
        moments,
        has,
        int(has.sum()),
        0.0,
        "correlation of the surplus of utterances and of their nouns alone",
    )
    verdict = both(at_most(gap, GSI_BELOW), at_least(r, R_FROM))
    judged = scope.judged(gap, verdict, has, "words beyond the nouns add little")
    return [judged, r]


def _order(scope: Scope) -> list[Index]:
    found = scope.effects.measured.cosines(Change.WORDS_SHUFFLED)
    has = scope.mask & ~np.isnan(found.best)
    wins = scope.effects.hits_of(found.wins_best, found.wins_null)
    on_null = np.stack([found.wins_null.mean(axis=1), scope.ones[:, 0]], axis=1)
    index = scope.index(
        "OSI",
        ratio_of_hits_less_ratio,
        np.concatenate([scope.hit_columns(wins), on_null], axis=1),
        has,
        scope.n_hits(has),
        0.0,
        "how much more often the right order is above a shuffled one on f than on g",
    )
    effect = scope.effects.of(Change.WORDS_SHUFFLED)
    size = scope.index(
        "OSI size",
        ratio_of_hits,
        scope.hit_columns(-scope.effects.hits_of(effect.best, effect.null)),
        has,
        scope.n_hits(has),
        0.0,
        "surplus lost, in s0, when the words are shuffled",
    )
    verdict = at_most(index, OSI_TO)
    return [
        scope.judged(index, verdict, has, "word order is ignored"),
        scope.explained(size, has),
    ]


def _template(scope: Scope, change: Change, name: str, share_name: str) -> list[Index]:
    cosines, _ = scope.effects.measured.by_number(change, len(CARRIERS))
    has = scope.mask & ~np.isnan(cosines).any(axis=1) & (scope.effects.is_hit > 0)
    n, n_carriers = int(has.sum()), len(CARRIERS)
    kind = "present" if change is Change.CARRIER_PRESENT else "absent"
    columns = np.full((len(cosines), n_carriers + 2), np.nan)
    is_best = np.zeros(len(cosines))
    modal, chance = "", None
    if n:
        columns[has] = carrier_sums(cosines[has])
        best = np.where(has, np.nan_to_num(cosines).argmax(axis=1), -1)
        place = int(np.bincount(best[has], minlength=n_carriers).argmax())
        modal = CARRIERS[place].format(a="a NOUN", the="the NOUN")
        is_best = (best == place).astype(np.float64)
        words = np.asarray(scope.effects.measured.words(change), dtype=object)[has].astype(str)
        codes = np.unique(words, return_inverse=True)[1].astype(np.int64)
        chance = template_chance(cosines[has], codes, seed=scope.settings.seed)
    eta = scope.index(
        name,
        eta2,
        columns,
        has,
        n,
        chance.eta2 if chance else None,
        f"eta^2 of the carrier, {kind} words",
    )
    part = scope.index(
        share_name,
        share,
        np.stack([is_best, np.ones(len(is_best))], axis=1),
        has,
        n,
        chance.modal_share if chance else None,
        f'frames whose best carrier is "{modal}", {kind} words',
    )
    verdict = both(at_least(eta, ETA2_FROM), at_least(part, SHARE_FROM))
    is_chance = chance is not None and (eta.value or 0.0) <= chance.eta2_top
    if verdict and is_chance:
        verdict = None
    return [scope.judged(eta, verdict, has, "fixed sentences are preferred", False), part]


def _words(scope: Scope) -> list[Index]:
    most, effects = scope.settings.most_added, scope.effects
    present = slopes(effects, Change.PRESENT_ADDED, most)
    absent = slopes(effects, Change.ABSENT_ADDED, most)
    function = slopes(effects, Change.FUNCTION_ADDED, most)
    null_squares = np.broadcast_to(present.squares[:, None], present.null_products.shape)
    top = effects.hits_of(present.products, present.null_products)
    bottom = effects.hits_of(present.squares, null_squares)
    has = scope.mask & ~np.isnan(present.products)
    rise = scope.index(
        "VWS",
        ratio_of_hits,
        scope.hit_columns(top, bottom),
        has,
        scope.n_hits(has),
        0.0,
        "s0 gained by each added word for what is there",
    )
    rise = scope.judged(rise, above(rise, 0.0), has, "more visual words count as better aligned")
    is_hit = scope.mask & (effects.is_hit > 0)
    found = [rise]
    for name, one, note in (
        ("VWS absent", absent, "s0 gained by each added word for what is not there"),
        ("VWS function", function, "s0 gained by each added function word"),
    ):
        mine = is_hit & ~np.isnan(one.products)
        columns = np.stack([one.products, one.squares], axis=1)
        found.append(scope.index(name, ratio, columns, mine, int(mine.sum()), 0.0, note))
    mine = is_hit & ~np.isnan(absent.products) & ~np.isnan(function.products)
    columns = np.stack(
        [absent.products, absent.squares, function.products, function.squares], axis=1
    )
    count = scope.index(
        "VWS absent - function",
        difference_of_ratios,
        columns,
        mine,
        int(mine.sum()),
        0.0,
        "whether words for what is not there gain at least what function words do",
    )
    verdict = above(count, 0.0)
    found.append(
        scope.judged(count, verdict, mine, "the number of visual words beats truth", False)
    )
    return found
