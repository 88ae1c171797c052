"""A set of 4AFC trials with answers of simulated raters, from a known psychometric function."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np

from pipeline.people.store import MomentRef, PeopleStore
from pipeline.people.trial_records import (
    N_OPTIONS,
    Item,
    ItemOption,
    Part,
    PlacedItem,
    SetKind,
    TrialMode,
)
from pipeline.people.trial_sets import add_set
from pipeline.records import TimeSpan


@dataclass(frozen=True, slots=True)
class Truth:
    """How simulated raters answer: slope per unit of score, threshold, lapse; SDs in log-odds."""

    slope: float = 40.0
    threshold: float = 0.24
    lapse: float = 0.04
    rater_sd: float = 0.4
    item_sd: float = 0.4


def made_item(
    number: int, rng: np.random.Generator, *, part: Part = Part.MAIN, mode: TrialMode
) -> Item:
    """An item whose target scores .14 to .34 and whose foils score around .2."""
    score = float(rng.uniform(0.14, 0.34)) if part is Part.MAIN else None
    options = []
    for option in range(N_OPTIONS):
        cosine = None
        if score is not None:
            cosine = score if option == 0 else float(rng.normal(0.2, 0.03))
        onset = 1000 * (number * N_OPTIONS + option)
        moment = MomentRef(f"rec{number % 6}", f"u{number}-{option}", TimeSpan(onset, onset + 900))
        options.append(ItemOption(moment, f"words {number} {option}", onset, cosine))
    z = None if score is None else (score - 0.2) / 0.03
    place = None if score is None else min(7, int((score - 0.14) / 0.025))
    return Item(f"i{number:03d}", mode, part, f"say {number}", tuple(options), score, z, place)


def add_simulated_set(
    store: PeopleStore,
    *,
    name: str = "Simulated",
    n_raters: int = 20,
    n_items: int = 40,
    n_catch: int = 4,
    truth: Truth = Truth(),
    seed: int = 1,
    n_careless: int = 0,
) -> int:
    """A set in which every rater answers every item once; its id. `n_careless` of the raters
    press at random, and miss all catch trials."""
    rng = np.random.default_rng(seed)
    modes = (TrialMode.IMAGES, TrialMode.UTTERANCES)
    items = [made_item(i, rng, mode=modes[i % 2]) for i in range(n_items)]
    items += [
        made_item(n_items + i, rng, part=Part.CATCH, mode=TrialMode.IMAGES) for i in range(n_catch)
    ]
    placed = []
    for of_list in range(1, n_raters + 1):
        for position, number in enumerate(rng.permutation(len(items)), start=1):
            order = tuple(int(option) for option in rng.permutation(N_OPTIONS))
            placed.append(PlacedItem(of_list, position, items[int(number)].item_id, order))
    set_id = add_set(
        store,
        name=name,
        kind=SetKind.FOUR_CHOICES,
        settings="{}",
        items=items,
        placed=placed,
        is_simulated=True,
    )
    ease = dict(
        zip([i.item_id for i in items], rng.normal(0, truth.item_sd, len(items)), strict=True)
    )
    by_id = {item.item_id: item for item in items}
    with store.writing() as con:
        for of_list in range(1, n_raters + 1):
            ability = float(rng.normal(0, truth.rater_sd))
            _answer_list(
                con, set_id, of_list, by_id, ease, ability, truth, rng, of_list <= n_careless
            )
    return set_id


def _answer_list(
    con: sqlite3.Connection,
    set_id: int,
    of_list: int,
    items: dict[str, Item],
    ease: dict[str, float],
    ability: float,
    truth: Truth,
    rng: np.random.Generator,
    is_careless: bool,
) -> None:
    cursor = con.execute(
        "INSERT INTO raters (set_id, label, list_number, is_simulated, source, created_at) "
        "VALUES (?, ?, ?, 1, 'simulated', '2026-01-01T00:00:00+00:00')",
        (set_id, f"sim{of_list:02d}", of_list),
    )
    trials = con.execute(
        "SELECT trial_id, item_id, option_order FROM trials WHERE set_id = ? AND list_number = ?",
        (set_id, of_list),
    ).fetchall()
    for trial_id, item_id, order in trials:
        score = items[item_id].score
        chance = 0.99
        if score is not None:
            logit = truth.slope * (score - truth.threshold) + ability + ease[item_id]
            chance = 0.25 + (0.75 - truth.lapse) / (1 + np.exp(-logit))
        if is_careless:
            chance = 0.0 if score is None else 0.25
        correct = str(order).index("0") + 1
        others = [position for position in range(1, 5) if position != correct]
        chosen = correct if rng.random() < chance else others[int(rng.integers(3))]
        con.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?, '2026-01-01T00:00:00+00:00', 'test')",
            (cursor.lastrowid, trial_id, chosen, float(rng.lognormal(7.8, 0.4))),
        )
