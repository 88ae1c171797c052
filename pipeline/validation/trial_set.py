"""From a study to a stored set: read the store, make the trials, keep them with how they were
made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from duckdb import DuckDBPyConnection

from pipeline.errors import SettingsError
from pipeline.people.store import PeopleStore, people_store
from pipeline.people.trial_records import SetKind
from pipeline.people.trial_sets import add_set, trial_sets
from pipeline.validation.candidates import Pool
from pipeline.validation.cosines import with_cosines
from pipeline.validation.make import Made, make_labels, make_trials
from pipeline.validation.plan import Json, LabelPlan, TrialPlan, plan_values
from pipeline.validation.read_candidates import read_pool


@dataclass(frozen=True, slots=True)
class NewSet:
    """A set that was made and stored."""

    set_id: int
    name: str
    made: Made
    pool: Pool


def make_set(
    con: DuckDBPyConnection,
    study_root: Path,
    plan: TrialPlan | LabelPlan,
    *,
    consent: str = "",
    is_simulated: bool = False,
) -> NewSet:
    """Make a set of trials, or of moments for experts' labels, from a study's store and keep it.

    `is_simulated` marks a set that a program answers, as in the demo.

    Raises SettingsError for a name that is taken and as `read_pool` and `make_trials`; StoreError
    for a people's store that cannot be written.
    """
    people = people_store(study_root)
    name = " ".join(plan.name.split())
    _check_name(people, name)
    trials = plan.as_trials() if isinstance(plan, LabelPlan) else plan
    n_targets = plan.n_moments if isinstance(plan, LabelPlan) else plan.n_items
    pool = read_pool(con, study_root, trials, n_targets=n_targets)
    made = make_labels(pool, plan) if isinstance(plan, LabelPlan) else make_trials(pool, plan)
    items = with_cosines(con, made.items, scorer=pool.scorer, crop=plan.crop)
    kind = SetKind.LABELS if isinstance(plan, LabelPlan) else SetKind.FOUR_CHOICES
    try:
        set_id = add_set(
            people,
            name=name,
            kind=kind,
            settings=settings_json(plan, pool, made),
            items=items,
            placed=made.placed,
            consent=consent,
            is_simulated=is_simulated,
        )
    except ValueError as problem:
        raise SettingsError(
            f"The set cannot be kept: {problem}.", hint="Give it another name."
        ) from problem
    return NewSet(set_id, name, made, pool)


def settings_json(plan: TrialPlan | LabelPlan, pool: Pool, made: Made) -> str:
    """What a set was made with and from, as JSON: the plan's fields, then what could be had."""
    strata: list[Json] = [
        {
            "bin": one.bin,
            "low": one.low,
            "high": one.high,
            "mode": one.mode.value,
            "n_candidates": one.n_candidates,
            "n_wanted": one.n_wanted,
            "n_made": one.n_made,
        }
        for one in made.strata
    ]
    values: dict[str, Json] = {
        **plan_values(plan),
        "scorer": pool.scorer,
        "model_revision": pool.model_revision,
        "store_build": pool.store_build,
        "app_version": f"coview {version('coview')}",
        "bin_edges": list(pool.edges),
        "strata": strata,
        "n_utterances": pool.n_all,
        "left_out": {one.reason: one.n for one in pool.left_out},
        "n_without_foils": made.n_without_foils,
        "n_unmatched_foils": made.n_unmatched_foils,
        "n_unplaced": made.n_unplaced,
    }
    return json.dumps(values, ensure_ascii=False)


def _check_name(people: PeopleStore, name: str) -> None:
    """Refuse a name that is taken before minutes are spent."""
    with people.reading() as con:
        if any(one.name == name for one in trial_sets(con)):
            raise SettingsError(
                f"There is a set named {name} already.", hint="Give the new one another name."
            )
