"""Put the demo's simulated raters and experts into its people's store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from duckdb import DuckDBPyConnection

from pipeline.demo.simulated_raters import (
    N_EXPERTS,
    N_RATERS,
    SIMULATED,
    expert_label,
    rater_label,
    simulated_answers,
    simulated_labels,
)
from pipeline.demo.simulated_views import WorldViews
from pipeline.demo.timeline import DEMO_SEED, plan_world
from pipeline.people.answers import add_answers
from pipeline.people.expert_labels import add_labels
from pipeline.people.raters import add_rater, raters_of
from pipeline.people.store import PeopleStore, people_store
from pipeline.people.trial_records import Rater
from pipeline.people.trial_sets import close_set, items_of, trial_sets, trials_of
from pipeline.store.opening import open_current_store
from pipeline.validation.plan import LabelPlan, TrialPlan
from pipeline.validation.trial_set import make_set

TRIALS_NAME = "Demo: simulated raters"
LABELS_NAME = "Demo: simulated experts"
_PER_LIST, _RATERS_PER_ITEM, _N_MOMENTS, _BINS, _N_CATCH = 24, 4, 48, 6, 4
_CONSENT = "Simulated: a program answered these trials for the demo. Nobody was asked."


@dataclass(frozen=True, slots=True)
class SimulatedStudy:
    """How much was added; nothing when it was all there."""

    n_sets: int
    n_answers: int
    n_labels: int


def add_simulated_study(study_root: Path, *, seed: int = DEMO_SEED) -> SimulatedStudy:
    """Make the two simulated sets with their answers, or whatever of them is missing.

    Other sets, and marks, are not touched. The same store and seed give the same answers. Raises
    StoreError without a store, SettingsError when too little was recorded to make trials from.
    """
    people = people_store(study_root)
    with people.reading() as con:
        sets = {one.name: one.set_id for one in trial_sets(con) if one.is_simulated}
    n_sets = 0
    if not {TRIALS_NAME, LABELS_NAME} <= set(sets):
        with open_current_store(study_root) as store:
            for plan in _plans(seed):
                if plan.name not in sets:
                    sets[plan.name] = _made(store, study_root, plan)
                    n_sets += 1
    with people.reading() as con:
        is_there = _is_answered(con, sets[TRIALS_NAME]) and _is_labelled(con, sets[LABELS_NAME])
    if is_there:
        return SimulatedStudy(n_sets, 0, 0)
    views = WorldViews(plan_world(seed=seed))
    return SimulatedStudy(
        n_sets,
        answer_set(people, sets[TRIALS_NAME], views, seed=seed),
        label_set(people, sets[LABELS_NAME], views, seed=seed),
    )


def _plans(seed: int) -> tuple[TrialPlan | LabelPlan, ...]:
    return (
        TrialPlan(
            name=TRIALS_NAME,
            lists=N_RATERS,
            per_list=_PER_LIST,
            bins=_BINS,
            seed=seed,
            raters_per_item=_RATERS_PER_ITEM,
            n_catch=_N_CATCH,
        ),
        LabelPlan(name=LABELS_NAME, n_moments=_N_MOMENTS, bins=_BINS, seed=seed),
    )


def _made(store: DuckDBPyConnection, study_root: Path, plan: TrialPlan | LabelPlan) -> int:
    return make_set(store, study_root, plan, consent=_CONSENT, is_simulated=True).set_id


def answer_set(people: PeopleStore, set_id: int, views: WorldViews, *, seed: int) -> int:
    """Have rater 1 answer list 1, and so on, and close the set; how many answers are new."""
    with people.reading() as con:
        trials = trials_of(con, set_id)
    raters = _raters(people, set_id, N_RATERS, rater_label, has_lists=True)
    answers = [
        answer
        for number, rater_id in raters.items()
        for answer in simulated_answers(
            [trial for trial in trials if trial.list_number == number],
            views,
            number=number,
            rater_id=rater_id,
            seed=seed,
        )
    ]
    close_set(people, set_id)
    return add_answers(people, answers)


def label_set(people: PeopleStore, set_id: int, views: WorldViews, *, seed: int) -> int:
    """Have every expert label every moment, and close the set; how many labels are new."""
    with people.reading() as con:
        items = tuple(items_of(con, set_id).values())
    raters = _raters(people, set_id, N_EXPERTS, expert_label, has_lists=False)
    labels = [
        label
        for number, rater_id in raters.items()
        for label in simulated_labels(items, views, number=number, rater_id=rater_id, seed=seed)
    ]
    close_set(people, set_id)
    return add_labels(people, set_id, labels)


def _raters(
    people: PeopleStore,
    set_id: int,
    n_raters: int,
    label: Callable[[int], str],
    *,
    has_lists: bool,
) -> Mapping[int, int]:
    """The ids of raters 1 to `n_raters`, who are added where they are missing."""
    with people.reading() as con:
        known: dict[str, Rater] = {rater.label: rater for rater in raters_of(con, set_id)}
    found: dict[int, int] = {}
    for number in range(1, n_raters + 1):
        there = known.get(label(number))
        found[number] = (
            there.rater_id
            if there is not None
            else add_rater(
                people,
                set_id,
                label(number),
                list_number=number if has_lists else None,
                is_simulated=True,
                source=SIMULATED,
            )
        )
    return found


def _is_answered(con: sqlite3.Connection, set_id: int) -> bool:
    """Whether every trial of the set's lists has its rater's answer: a list for each rater."""
    row = con.execute(
        "SELECT (SELECT count(*) FROM trials WHERE set_id = ?), (SELECT count(*) FROM answers "
        "JOIN trials USING (trial_id) WHERE set_id = ?)",
        (set_id, set_id),
    ).fetchone()
    return bool(row[0] == row[1])


def _is_labelled(con: sqlite3.Connection, set_id: int) -> bool:
    row = con.execute(
        "SELECT (SELECT count(*) FROM expert_labels WHERE set_id = ?), "
        "(SELECT count(*) FROM items WHERE set_id = ?)",
        (set_id, set_id),
    ).fetchone()
    return bool(row[0] == row[1] * N_EXPERTS)
