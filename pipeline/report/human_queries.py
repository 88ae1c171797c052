"""What raters and experts said about the study's scores, as a report needs it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from duckdb import DuckDBPyConnection

from pipeline.errors import CoviewError, SettingsError
from pipeline.people.store import people_store
from pipeline.people.trial_records import ImageVariant, Part, SetKind, TrialSet
from pipeline.people.trial_sets import trial_sets
from pipeline.validation.answer_table import answer_table
from pipeline.validation.labels import LabelResults, label_results
from pipeline.validation.plan import image_variant_of, settings_values
from pipeline.validation.results import (
    HumanFits,
    HumanResults,
    ResultChoice,
    human_fits,
    human_results,
)

_FOILS = {"same_child": "of the same child", "any_child": "of any child"}


@dataclass(frozen=True, slots=True)
class AnsweredChoices:
    """Choices of four: `sets` that somebody answered, with what they say.

    `image_variants` and `foils` are what the sets were made with. `fits` is None where the report
    fits no models.
    """

    sets: tuple[str, ...]
    image_variants: tuple[ImageVariant, ...]
    foils: tuple[str, ...]
    is_simulated: bool
    results: HumanResults
    fits: HumanFits | None


@dataclass(frozen=True, slots=True)
class GivenLabels:
    """Experts' labels of these sets."""

    sets: tuple[str, ...]
    is_simulated: bool
    results: LabelResults


@dataclass(frozen=True, slots=True)
class Validation:
    """Everything a report says about people. Simulated answers are told only where no person
    answered; `n_simulated_left_out` of them were given beside people's.

    `other_sets` were answered but have scores of another scorer, or do not say of which. `problem`
    says why the people's store could not be read.
    """

    choices: AnsweredChoices | None = None
    labels: GivenLabels | None = None
    n_simulated_left_out: int = 0
    other_sets: tuple[str, ...] = ()
    problem: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return self.choices is None and self.labels is None and not self.problem


def read_validation(
    con: DuckDBPyConnection,
    study_root: Path,
    scorer: str,
    *,
    with_models: bool,
    on_step: Callable[[str], None] = lambda what: None,
) -> Validation:
    """The answers and labels about this scorer's scores; a people's store that cannot be read is
    told, not raised."""
    people = people_store(study_root)
    if not any(people.state()):
        return Validation()
    children = dict(con.execute("SELECT recording_id, child_id FROM recordings").fetchall())
    try:
        with people.reading() as store:
            sets = trial_sets(store)
            of_scorer = [one for one in sets if _scorer(one) == scorer]
            others = [one for one in sets if _scorer(one) != scorer]
            asked = [one for one in of_scorer if one.kind is SetKind.FOUR_CHOICES]
            table = answer_table(store, [one.set_id for one in asked], children)
            labels = _labels([one for one in of_scorer if one.kind is SetKind.LABELS], store)
            answered = {
                int(row[0])
                for row in store.execute(
                    "SELECT DISTINCT set_id FROM answers JOIN trials USING (trial_id) "
                    "UNION SELECT DISTINCT set_id FROM expert_labels"
                )
            }
    except CoviewError as problem:
        return Validation(problem=str(problem))
    is_main = table["part"] == Part.MAIN.value
    is_simulated = not (is_main & ~table["is_simulated"]).any()
    kept = table if is_simulated else table[~table["is_simulated"]]
    choices = None
    if (kept["part"] == Part.MAIN.value).any():
        used = [one for one in asked if one.set_id in set(kept["set_id"])]
        choice = ResultChoice()
        kept = kept.reset_index(drop=True)
        choices = AnsweredChoices(
            tuple(one.name for one in used),
            tuple(sorted({image_variant_of(one.settings) for one in used})),
            tuple(sorted({_foils(one) for one in used} - {""})),
            is_simulated,
            human_results(kept, choice),
            human_fits(kept, choice, on_step) if with_models else None,
        )
    return Validation(
        choices,
        labels,
        0 if is_simulated else int((is_main & table["is_simulated"]).sum()),
        tuple(one.name for one in others if one.set_id in answered),
    )


def _labels(sets: Sequence[TrialSet], store: sqlite3.Connection) -> GivenLabels | None:
    for is_simulated in (False, True):
        chosen = [one for one in sets if one.is_simulated == is_simulated]
        found = label_results(store, [one.set_id for one in chosen])
        if found is not None:
            return GivenLabels(tuple(one.name for one in chosen), is_simulated, found)
    return None


def _scorer(one: TrialSet) -> str:
    return _setting(one, "scorer")


def _foils(one: TrialSet) -> str:
    return _FOILS.get(_setting(one, "foils"), "")


def _setting(one: TrialSet, name: str) -> str:
    try:
        return str(settings_values(one.settings).get(name) or "")
    except SettingsError:
        return ""
