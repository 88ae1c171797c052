"""What raters answered, from the people's store, with the children of the open store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from duckdb import DuckDBPyConnection

from pipeline.errors import SettingsError
from pipeline.people.store import PeopleStore
from pipeline.people.trial_records import SetKind, TrialSet
from pipeline.people.trial_sets import trial_sets
from pipeline.validation.answer_table import answer_table
from pipeline.validation.labels import LabelResults, label_results
from pipeline.validation.plan import settings_values
from pipeline.validation.results import HumanResults, ResultChoice, human_results

State = tuple[int, ...]
"""`PeopleStore.state`: an answer to a query holds as long as it stays."""


@dataclass(frozen=True, slots=True)
class AnsweredSet:
    """A set with how much was answered: raters with at least one answer, and answers or labels.

    `scorer` and `setting` say what its scores are; empty where the set does not tell.
    """

    set: TrialSet
    n_raters: int
    n_answers: int
    n_simulated: int
    scorer: str
    setting: tuple[str, str, str]

    @property
    def is_simulated(self) -> bool:
        """Whether any of its answers are simulated."""
        return self.set.is_simulated or self.n_simulated > 0


def answered_sets(
    con: DuckDBPyConnection, people: PeopleStore, state: State
) -> tuple[AnsweredSet, ...]:
    """All sets, newest first."""
    with people.reading() as store:
        counts = {
            int(set_id): (int(n_raters), int(n_answers), int(n_simulated))
            for set_id, n_raters, n_answers, n_simulated in store.execute(
                "SELECT set_id, count(DISTINCT rater_id), count(*), sum(is_simulated) FROM ("
                "SELECT r.set_id, a.rater_id, r.is_simulated FROM answers a "
                "JOIN raters r USING (rater_id) UNION ALL "
                "SELECT r.set_id, e.rater_id, r.is_simulated FROM expert_labels e "
                "JOIN raters r USING (rater_id)) GROUP BY set_id"
            )
        }
        return tuple(
            AnsweredSet(one, *counts.get(one.set_id, (0, 0, 0)), *_score_of(one))
            for one in trial_sets(store)
        )


def human_answers(
    con: DuckDBPyConnection, people: PeopleStore, state: State, set_ids: Sequence[int]
) -> pd.DataFrame:
    """The answer table of these sets; children as the open store names them."""
    children = dict(con.execute("SELECT recording_id, child_id FROM recordings").fetchall())
    with people.reading() as store:
        return answer_table(store, set_ids, children)


def human_summary(
    con: DuckDBPyConnection,
    table: pd.DataFrame,
    state: State,
    set_ids: Sequence[int],
    choice: ResultChoice,
) -> HumanResults:
    """What can be counted of an answer table, which `state` and `set_ids` decide."""
    return human_results(table, choice)


def human_labels(
    con: DuckDBPyConnection, people: PeopleStore, state: State, set_ids: Sequence[int]
) -> LabelResults | None:
    """The results of sets of experts' labels; None without a label."""
    with people.reading() as store:
        return label_results(store, set_ids)


def is_of_kind(one: AnsweredSet, kind: SetKind) -> bool:
    """Whether a set is of this kind and somebody answered."""
    return one.set.kind is kind and one.n_answers > 0


def _score_of(one: TrialSet) -> tuple[str, tuple[str, str, str]]:
    try:
        values = settings_values(one.settings)
    except SettingsError:
        return "", ("", "", "")
    named = [str(values.get(name) or "") for name in ("crop", "window", "statistic")]
    return str(values.get("scorer") or ""), (named[0], named[1], named[2])
