"""Thresholds that a study takes from its raters, one for each scorer.

A chosen threshold goes before the one that came with the model, and says where it is from. The
corpus store is not touched: taking the choice back restores the model's own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.people.store import PeopleStore, people_store
from pipeline.records import ModelRef

FROM_PEOPLE = "from people: "
"""How the source of a threshold begins that raters gave."""
FROM_SIMULATION = "from simulated answers, not from people: "
"""How it begins where a program gave the answers."""
SIMULATED_ANSWERS = "SIMULATED answers, "
"""How the `source` of a chosen threshold begins where a program gave the answers."""
_ORIGINS = {FROM_PEOPLE: "people", FROM_SIMULATION: "simulated"}


@dataclass(frozen=True, slots=True)
class ChosenThreshold:
    """A cosine from which a moment counts as highly aligned, as people see it.

    `lower` and `upper` are the limits of its 95 % interval, None where there is none. `source`
    says how it was found, such as "50 % point of the 4AFC curve, 12 raters"; it begins with
    SIMULATED_ANSWERS where nobody was asked. `created_at` is UTC as text, empty before it is
    stored.
    """

    threshold: float
    lower: float | None
    upper: float | None
    source: str
    created_at: str = ""

    @property
    def words(self) -> str:
        """Its source with its interval, and whether people gave it."""
        is_simulated = self.source.startswith(SIMULATED_ANSWERS)
        found = self.source.removeprefix(SIMULATED_ANSWERS)
        said = f"{FROM_SIMULATION if is_simulated else FROM_PEOPLE}{found}"
        if self.lower is None or self.upper is None:
            return said
        return f"{said}, 95 % interval {_number(self.lower)} to {_number(self.upper)}"


def choose_threshold(store: PeopleStore, scorer: str, chosen: ChosenThreshold) -> None:
    """Take a threshold for a scorer, in the place of an earlier choice."""
    with store.writing() as con:
        con.execute(
            "INSERT OR REPLACE INTO chosen_thresholds VALUES (?, ?, ?, ?, ?, ?)",
            (
                scorer,
                chosen.threshold,
                chosen.lower,
                chosen.upper,
                chosen.source,
                store.timestamp(),
            ),
        )


def forget_threshold(store: PeopleStore, scorer: str) -> None:
    """Take the choice back: the model's own threshold holds again."""
    with store.writing() as con:
        con.execute("DELETE FROM chosen_thresholds WHERE scorer = ?", (scorer,))


def chosen_threshold(con: sqlite3.Connection, scorer: str) -> ChosenThreshold | None:
    """The threshold taken for a scorer, or None."""
    return chosen_thresholds(con).get(scorer)


def chosen_thresholds(con: sqlite3.Connection) -> dict[str, ChosenThreshold]:
    """Every threshold taken from people, by scorer."""
    rows = con.execute(
        "SELECT scorer, threshold, lower, upper, source, created_at FROM chosen_thresholds"
    )
    return {
        str(scorer): ChosenThreshold(float(threshold), lower, upper, str(source), str(created))
        for scorer, threshold, lower, upper, source, created in rows
    }


def thresholds_of_study(study_root: Path) -> dict[str, ChosenThreshold]:
    """Every threshold taken from people in a study; none where nobody wrote anything yet.

    Raises StoreError as `PeopleStore.reading`.
    """
    store = people_store(study_root)
    if not any(store.state()):
        return {}
    with store.reading() as con:
        return chosen_thresholds(con)


def with_chosen(
    models: Iterable[ModelRef], chosen: Mapping[str, ChosenThreshold]
) -> tuple[ModelRef, ...]:
    """The models with the thresholds that people gave them; the model's own is told in words."""
    return tuple(
        _replaced(model, chosen[model.scorer]) if model.scorer in chosen else model
        for model in models
    )


def threshold_origin(model: ModelRef) -> str:
    """Where the threshold of a model is from: "people", "simulated" answers, or the "model"."""
    for beginning, origin in _ORIGINS.items():
        if model.threshold_source.startswith(beginning):
            return origin
    return "model"


def _replaced(model: ModelRef, chosen: ChosenThreshold) -> ModelRef:
    if model.default_threshold is None:
        own = "the model has none of its own"
    else:
        source = f", {model.threshold_source}" if model.threshold_source else ""
        own = f"the model's own is {_number(model.default_threshold)}{source}"
    return replace(
        model, default_threshold=chosen.threshold, threshold_source=f"{chosen.words}; {own}"
    )


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".").replace("-", "−")
